"""The rows of “Counts as success when” and of “The token has expired if”: what is typed, to and from the members of the step document."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from werkzeug.datastructures import MultiDict

from httpstep.core.answer import success
from httpstep.core.answer.conditions import faults_in, is_met
from httpstep.core.document import stepdocument
from httpstep.core.jsontext import Json
from httpstep.core.query.jsonpath import check_query, normalized
from httpstep.core.step.spec import MAX_CONDITIONS, NO_DEFAULT, AnswerCondition, AnswerPlace
from httpstep.web.stepform.fields import ConditionRow, StepForm
from httpstep.web.stepform.inputs import path_of, typed_text, typed_value

WITHOUT_VALUE: Final = ("exists", "missing")


def rows_of(conditions: Iterable[AnswerCondition]) -> list[ConditionRow]:
    return [ConditionRow(source_of(one), one.operator, _typed(one)) for one in conditions]


def suggested(form: StepForm, document: Any | None) -> list[ConditionRow]:
    """What the JSON answer on the screen (its `value`) suggests; nothing where the form has conditions already: what they
    say is not to be guessed again."""
    return [] if form.success_when or document is None else rows_of(success.suggested(document.value))


def refuses(form: StepForm, document: Json) -> bool:
    """Whether the rows of the form say of this answer that it is no success. A row that is not right says nothing."""
    return any(not is_met(one, document) for row in form.success_when if (one := _condition(row)) is not None)


def _condition(row: ConditionRow) -> AnswerCondition | None:
    faults: list[stepdocument.Fault] = []
    found: dict[str, Any] = _document(row, "", faults)
    path = tuple(found["path"]) if "path" in found else None
    condition = AnswerCondition(path, found.get("jsonpath"), row.operator, found.get("value", NO_DEFAULT))
    return condition if row.source and not faults and not any(faults_in([condition])) else None


def source_of(place: AnswerPlace | None) -> str:
    """A place as it is typed: a normalized path or a query."""
    if place is None:
        return ""
    return normalized(place.path) if place.path is not None else place.jsonpath or ""


def _typed(condition: AnswerCondition) -> str:
    """The values of a list with commas between them, where each can be typed so; any other value as one types it."""
    value = condition.value
    if value is NO_DEFAULT:
        return ""
    if condition.operator == "one_of" and isinstance(value, list):
        texts = [typed_text(one) for one in value]
        if _listed(", ".join(texts)) == value:
            return ", ".join(texts)
    return typed_text(value)


def read(fields: MultiDict[str, str], prefix: str) -> list[ConditionRow]:
    """prefix: what the names of their inputs begin with."""
    columns = [fields.getlist(f"{prefix}_{name}") for name in ("source", "is", "value")]
    return [ConditionRow(source.strip(), *rest) for source, *rest in zip(*columns, strict=False)][: 2 * MAX_CONDITIONS]


def document_of(rows: Iterable[ConditionRow], member: str, faults: list[stepdocument.Fault]) -> list[Json]:
    """That member; rows left blank are places to type in."""
    filled = [row for row in rows if row.source or row.value.strip()]
    return [_document(row, f"{member}[{index}]", faults) for index, row in enumerate(filled)]


def place_of(text: str, place: str, faults: list[stepdocument.Fault]) -> dict[str, Json]:
    """The member that says where in the answer: “path” for one place, “jsonpath” for a query."""
    path = path_of(text)
    if path is not None:
        return {"path": list(path)}
    if sentence := check_query(text):
        faults.append(stepdocument.Fault(f"{place}.path", sentence))
        return {"path": []}
    return {"jsonpath": text}


def _document(row: ConditionRow, place: str, faults: list[stepdocument.Fault]) -> dict[str, Json]:
    document = place_of(row.source, place, faults) | {"is": row.operator}
    if row.operator in WITHOUT_VALUE:
        return document
    if row.operator == "one_of":
        return document | {"value": _listed(row.value)}
    return document | {"value": row.value if row.operator == "matches" else typed_value(row.value)}


def _listed(text: str) -> list[Json]:
    whole = typed_value(text)
    if isinstance(whole, list):
        return whole
    return [typed_value(part.strip()) for part in text.split(",") if part.strip()]
