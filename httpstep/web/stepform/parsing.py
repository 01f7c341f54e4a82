"""The form to the step document, and so to the step; the faults back to the places they are shown at."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, cast

from httpstep.core import jsontext
from httpstep.core.answer.jsonpath import check_query
from httpstep.core.authentication import KINDS, Auth
from httpstep.core.document import stepdocument, visible
from httpstep.core.errors import UnreadableAnswer
from httpstep.core.jsontext import Json, Path
from httpstep.core.step.spec import (
    BODY_MODES,
    Body,
    MappingRule,
    Pair,
    RequestSpec,
    StepSpec,
)
from httpstep.web.stepform.fields import (
    Row,
    RuleRow,
    StepForm,
    path_of,
    typed_value,
)

_ADDRESSES_ARE_KEPT: Final = (
    "Only an admin of your account can change whom the mails go to. Save again to leave the addresses as they are."
)
_STAR: Final = re.compile(r"\[\*\]")


def parse(form: StepForm, *, draft: bool = False) -> StepSpec | None:
    """The step the form describes. None where it is not right: then `form.faults` says what and where.

    draft: for a test, which needs no name.
    """
    form.faults = {}
    document, early = document_of(form)
    try:
        spec = visible.refuse_masked(stepdocument.parse(document, draft=draft))
    except stepdocument.DocumentError as error:
        form.note([*early, *(fault for fault in error.faults if not _is_covered(fault.place, early))])
        return None
    if early:
        form.note(early)
        return None
    return _without_blank_rows(spec)


def _is_covered(place: str, early: list[stepdocument.Fault]) -> bool:
    return any(place.rpartition(".")[0] == fault.place.rpartition(".")[0] for fault in early if "[" in fault.place)


def _without_blank_rows(spec: StepSpec) -> StepSpec:
    """Rows left blank are places to type in, no part of the step. They go last, so that faults keep their rows."""
    request = spec.request
    body = replace(request.body, fields=_filled(request.body.fields))
    return replace(spec, request=replace(request, headers=_filled(request.headers), body=body))


def _filled(pairs: tuple[Pair, ...]) -> tuple[Pair, ...]:
    return tuple(pair for pair in pairs if pair.name.strip() or pair.value.strip())


def document_of(form: StepForm) -> tuple[dict[str, Json], list[stepdocument.Fault]]:
    """The document, and what is wrong with texts that no document can hold."""
    faults: list[stepdocument.Fault] = []
    document: dict[str, Json] = {
        "format": stepdocument.FORMAT,
        "key": form.key.strip(),
        "name": form.name,
        "request": {
            "method": form.method,
            "url": form.url.strip(),
            "headers": [_pair(row, row.name.strip()) for row in form.headers],
            "auth": _auth(form),
            "body": {
                "mode": form.body_mode,
                "fields": [_pair(row, row.name) for row in form.fields],
                "send_fields_in": form.send_fields_in,
                "text": _body_text(form),
                "content_type": form.content_type,
                "lists": form.lists,
                "escape": form.escape,
                "variables": form.variables,
            },
        },
        "missing_attributes": form.missing_attributes,
        "success_statuses": form.success_statuses,
        "timeout": _number(form.timeout, "timeout", "Give the seconds as a number, at most 60.", faults),
        "follow_redirects": form.follow_redirects,
        "retries": _number(form.retries, "retries", "Give 0, 1 or 2 retries.", faults),
        "retry_unsafe": form.retry_unsafe,
        "dictionaries": _dictionaries(form.dictionaries, faults),
        "fallback": form.fallback,
        "alert_emails": list(form.emails),
        "alert_on_drift": form.alert_on_drift,
        "enabled": form.enabled,
    }
    if form.emails_kept is not None and tuple(form.emails) != form.emails_kept:
        faults.append(stepdocument.Fault("alert_emails", _ADDRESSES_ARE_KEPT))
    if form.mapping_set:
        document["mapping"] = [_rule(row, index, faults) for index, row in enumerate(form.rules)]
    return _over(_kept(form), document), faults


def beside(document: Mapping[str, Json], typed: Mapping[str, Json]) -> dict[str, Json]:
    """The members of a document that the form has no field for, at the places they have in it."""
    found: dict[str, Json] = {}
    for member, value in document.items():
        if member not in typed:
            found[member] = value
        elif isinstance(value, dict) and (inner := beside(value, typed[member])):
            found[member] = inner
    return found


def _kept(form: StepForm) -> dict[str, Json]:
    try:
        kept = jsontext.loads(form.kept)
    except UnreadableAnswer:
        return {}
    return kept if isinstance(kept, dict) else {}


def _over(kept: Mapping[str, Json], typed: dict[str, Json]) -> dict[str, Json]:
    """What was typed, and beside it what was kept."""
    inner = {
        member: _over(kept[member], value)
        for member, value in typed.items()
        if isinstance(value, dict) and isinstance(kept.get(member), dict)
    }
    return {**kept, **typed, **inner}


def _auth(form: StepForm) -> dict[str, Json]:
    """Members typed for another type are kept where they were typed, so that switching back finds them."""
    parameters = _parameters(form.auth_parameters)
    texts = {member: text for member, text in form.auth.items() if text}
    return {"type": form.auth_type, **texts, **({"parameters": parameters} if parameters else {})}


def _parameters(text: str) -> Json:
    """name=value, one a line; or the JSON of them, where a line cannot hold one."""
    if text.lstrip().startswith("["):
        return typed_value(text)
    pairs = (line.partition("=") for line in text.splitlines() if line.strip())
    return [{"name": name.strip(), "value": value.strip()} for name, _, value in pairs]


def typed_parameters(parameters: Sequence[tuple[str, str]]) -> str:
    """Further fields of a token request as they are typed."""
    text = "\n".join(f"{name}={value}" for name, value in parameters)
    rows: list[Json] = [{"name": name, "value": value} for name, value in parameters]
    return text if _parameters(text) == rows else jsontext.dumps_text(rows)


def _pair(row: Row, name: str) -> dict[str, Json]:
    return {"name": name, "value": row.value, "when_empty": row.when_empty}


TEXT_MODES: Final = ("raw", "graphql")
"""The modes whose text is no JSON; the form has one of each."""


def ends_in_crlf(text: str) -> bool:
    """Whether all lines do."""
    return "\r\n" in text and "\n" not in text.replace("\r\n", "")


def _body_text(form: StepForm) -> str:
    if form.body_mode == "raw" and form.line_ends == "crlf":
        return form.raw_text.replace("\n", "\r\n")
    if form.body_mode in TEXT_MODES:
        return form.raw_text
    return form.json_text if form.body_mode == "json" else form.json_text or form.raw_text


def _number(text: str, place: str, sentence: str, faults: list[stepdocument.Fault]) -> Json:
    value = typed_value(text.strip() or "-")
    if isinstance(value, (str, bool, list, dict)) or value is None:
        faults.append(stepdocument.Fault(place, sentence))
        return {"timeout": 60, "retries": 0}[place]
    return value


def _dictionaries(text: str, faults: list[stepdocument.Fault]) -> list[Json]:
    """One path a line; [*] stands for every item of a list."""
    found: list[Json] = []
    for line in filter(None, map(str.strip, text.splitlines())):
        path = path_of(_STAR.sub("['*']", line))
        if path is None:
            faults.append(stepdocument.Fault("dictionaries", f"“{line[:60]}” is not a path like $['rates']."))
        else:
            found.append(list(path))
    return found


def _rule(row: RuleRow, index: int, faults: list[stepdocument.Fault]) -> dict[str, Json]:
    document: dict[str, Json] = {
        "attribute": row.attribute, "take": row.take, "convert": row.convert, "separator": row.separator,
        "region": row.region, "on": row.on,
    }  # fmt: skip
    if row.default.strip():
        document["default"] = typed_value(row.default)
    source = _source(row)
    if isinstance(source, str):
        faults.append(stepdocument.Fault(f"mapping[{index}].path", source))
        return document | {"path": []}
    return document | source


def _source(row: RuleRow) -> dict[str, Json] | str:
    """The member that says where a rule reads, or a sentence about what was typed."""
    text = row.source
    if not text:
        return "Say where in the answer the value is, like $['data']['id'], or remove the row."
    if not text.startswith("$"):
        return {"call": text}
    if row.kind == "jsonpath":
        return {"jsonpath": text}
    path = path_of(text)
    if path is not None:
        return {"path": list(path)}
    return check_query(text) or {"jsonpath": text}


# ---------------------------------------------------------------- parts of a form that need not be right as a whole


def dictionaries_of(form: StepForm) -> list[Path]:
    """The objects that are marked as dictionaries, as far as their lines are paths."""
    return [tuple(path) for path in _dictionaries(form.dictionaries, [])]


def request_of(form: StepForm) -> RequestSpec:
    """The request as far as it is typed, for looking at only: which attributes it uses, which host it calls."""
    auth_type = form.auth_type if form.auth_type in KINDS else "none"
    mode = form.body_mode if form.body_mode in BODY_MODES else "none"
    parameters = _parameters(form.auth_parameters)
    rows = [(row["name"], row["value"]) for row in parameters] if isinstance(parameters, list) else []
    auth = Auth(auth_type, form.auth, tuple(rows))
    body = Body(
        mode=cast(Any, mode), fields=tuple(Pair(row.name, row.value) for row in form.fields), text=_body_text(form),
        content_type=form.content_type, variables=form.variables,
    )  # fmt: skip
    return RequestSpec(form.method, form.url, tuple(Pair(row.name, row.value) for row in form.headers), auth, body)


def rule_of(row: RuleRow) -> MappingRule | None:
    """The rule of one row, None where it is not right."""
    faults: list[stepdocument.Fault] = []
    document = _rule(row, 0, faults)
    try:
        return None if faults else stepdocument.parse_rules([document])[0]
    except stepdocument.DocumentError:
        return None
