"""A saved step to its form, and the form from what the screen sent."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import zip_longest
from typing import Any, Final

from werkzeug.datastructures import MultiDict

from httpstep.core import jsontext
from httpstep.core.authentication import MEMBERS
from httpstep.core.jsontext import Path
from httpstep.core.query.jsonpath import normalized
from httpstep.core.step.spec import WHEN_EMPTY, MappingRule, Pair, StepSpec
from httpstep.web.stepform import conditions
from httpstep.web.stepform.fields import MAX_ROWS, PairRow, RuleRow, StepForm, whole_number
from httpstep.web.stepform.inputs import inputs_of, untyped
from httpstep.web.stepform.parsing import TEXT_MODES, ends_in_crlf, typed_parameters

Fields = MultiDict[str, str]
"""A submitted form."""


def of_spec(spec: StepSpec) -> StepForm:
    """The form of a saved step. Its version and draft id are the caller's to set."""
    request, body = spec.request, spec.request.body
    return StepForm(
        **_shown(spec),
        headers=[_row(pair) for pair in request.headers],
        auth_type=request.auth.type,
        auth={one.name: request.auth[one.name] or one.default for one in MEMBERS},
        fields=[_row(pair) for pair in body.fields],
        auth_parameters=typed_parameters(request.auth.parameters),
        json_text="" if body.mode in TEXT_MODES else body.text,
        raw_text=body.text.replace("\r\n", "\n") if body.mode in TEXT_MODES else "",
        line_ends="crlf" if body.mode == "raw" and ends_in_crlf(body.text) else "lf",
        success_when=conditions.rows_of(spec.success_when),
        expired_when=conditions.rows_of(spec.expired_when),
        error_message=conditions.source_of(spec.error_message),
        mapping_set=spec.mapping is not None,
        rules=rows_of(spec.mapping or ()),
    )


def _shown(described: Any) -> dict[str, Any]:
    """What the inputs of an object show, and its members that have none."""
    kept = untyped(described)
    shown = {one.name: one.shown_of(described) for one in inputs_of(described.__class__)}
    return shown | {"kept": jsontext.dumps_text(kept) if kept else ""}


def _row(pair: Pair) -> PairRow:
    return PairRow(**_shown(pair))


def rows_of(rules: Iterable[MappingRule], first: int = 1) -> list[RuleRow]:
    return [_row_of(rule, str(number)) for number, rule in enumerate(rules, first)]


def _row_of(rule: MappingRule, row_id: str) -> RuleRow:
    kind = "path" if rule.path is not None else "jsonpath" if rule.jsonpath is not None else "call"
    source = normalized(rule.path) if rule.path is not None else rule.jsonpath or rule.call or ""
    return RuleRow(row_id, source, kind, **_shown(rule))


# ---------------------------------------------------------------- from the screen


def read(fields: Fields) -> StepForm:
    """The form as it was submitted. Never fails; what is not there has its default.

    A plain form is sent with CRLF for every end of a line (HTML, 4.10.22.7), a script's with LF: both are LF here.
    """
    fields = MultiDict((name, value.replace("\r\n", "\n")) for name, value in fields.items(multi=True))
    has_flags = bool(fields.get("options"))
    form = StepForm(
        **{one.name: one.sent(fields.get(one.name), has_flags=has_flags) for one in inputs_of(StepSpec)},
        headers=_rows(fields, "header"),
        fields=_rows(fields, "field"),
        auth={one.name: fields.get(f"auth_{one.name}", one.default) for one in MEMBERS},
        mapping_set=fields.get("mapping_set") == "1",
        rules=_rule_rows(fields),
        success_when=conditions.read(fields, "success"),
        expired_when=conditions.read(fields, "expired"),
        values=_values(fields),
    )
    for name in _TEXTS:
        setattr(form, name, fields.get(name, getattr(form, name)))
    for name in ("version", "accepted_log", "accepted_again", "tested_log", "drift_log"):
        setattr(form, name, whole_number(fields.get(name, "")))
    if (when_empty := fields.get("fields_when_empty")) in WHEN_EMPTY:
        for row in form.fields:
            row.when_empty = when_empty
    form.drift_kept, form.draft_id = fields.get("drift_kept") == "1", form.draft_id[:64]
    return form


_TEXTS: Final = (
    "auth_type",
    "json_text",
    "raw_text",
    "draft_id",
    "before_remap",
    "sample",
    "says",
    "kept",
    "error_message",
    "line_ends",
    "auth_parameters",
)
"""What only the screen has, and the kind of the authentication."""


def _rows(fields: Fields, stem: str) -> list[PairRow]:
    """A row has each of its fields, so those of one name are in the order of the rows."""
    names = ("kept", *(one.name for one in inputs_of(Pair)))
    columns = [fields.getlist(f"{stem}_{name}") for name in names]
    rows = min(len(fields.getlist(f"{stem}_{name}")) for name in ("name", "value"))
    typed = zip_longest(*columns)
    return [
        PairRow(**{name: text for name, text in zip(names, row, strict=True) if text is not None})
        for row, _ in zip(typed, range(rows), strict=False)
    ]


def _rule_rows(fields: Fields) -> list[RuleRow]:
    ids = list(dict.fromkeys(fields.getlist("rule")))[:MAX_ROWS]
    return [_rule_row(fields, row_id) for row_id in ids]


def _rule_row(fields: Fields, row_id: str) -> RuleRow:
    def sent(name: str) -> str | None:
        return fields.get(f"rule-{row_id}-{name}")

    typed: dict[str, Any] = {one.name: one.sent(sent(one.name), has_flags=True) for one in inputs_of(MappingRule)}
    row = RuleRow(row_id, (sent("source") or "").strip(), sent("kind") or "", **typed, kept=sent("kept") or "")
    row.attribute = row.attribute.strip()
    path = row.path
    if row.take == "first":
        row.take = "one"
        if path is not None:
            row.source = normalized(_first_item(path))
    return row


def _first_item(path: Path) -> Path:
    place = max((place for place, part in enumerate(path) if isinstance(part, int)), default=None)
    return path if place is None else (*path[:place], 0, *path[place + 1 :])


def _values(fields: Fields) -> dict[str, str]:
    return {key.removeprefix("value:"): fields.get(key, "") for key in fields if key.startswith("value:")}
