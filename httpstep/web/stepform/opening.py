"""The form of a saved step, and the form as a browser sent it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import chain, repeat
from typing import Final

from werkzeug.datastructures import MultiDict

from httpstep.core import jsontext
from httpstep.core.answer.jsonpath import normalized
from httpstep.core.authentication import MEMBERS
from httpstep.core.document import stepdocument
from httpstep.core.jsontext import Path
from httpstep.core.step.spec import NO_DEFAULT, WHEN_EMPTY, MappingRule, StepSpec
from httpstep.web.stepform.fields import (
    MAX_ROWS,
    Row,
    RuleRow,
    StepForm,
    typed_text,
    whole,
)
from httpstep.web.stepform.parsing import TEXT_MODES, beside, document_of, ends_in_crlf, typed_parameters

Fields = MultiDict[str, str]
"""A submitted form."""


def of_spec(spec: StepSpec) -> StepForm:
    """The form of a saved step. Its version and draft id are the caller's to set."""
    request, body = spec.request, spec.request.body
    form = StepForm(
        key=spec.key,
        name=spec.name,
        method=request.method,
        url=request.url,
        headers=[Row(pair.name, pair.value, pair.when_empty) for pair in request.headers],
        auth_type=request.auth.type,
        auth={one.name: request.auth[one.name] or one.default for one in MEMBERS},
        body_mode=body.mode,
        auth_parameters=typed_parameters(request.auth.parameters),
        fields=[Row(pair.name, pair.value, pair.when_empty) for pair in body.fields],
        send_fields_in=body.send_fields_in,
        json_text="" if body.mode in TEXT_MODES else body.text,
        raw_text=body.text.replace("\r\n", "\n") if body.mode in TEXT_MODES else "",
        content_type=body.content_type,
        line_ends="crlf" if body.mode == "raw" and ends_in_crlf(body.text) else "lf",
        lists=body.lists,
        escape=body.escape,
        variables=body.variables,
        missing_attributes=spec.missing_attributes,
        success_statuses=spec.success_statuses,
        timeout=str(spec.timeout),
        follow_redirects=spec.follow_redirects,
        retries=str(spec.retries),
        retry_unsafe=spec.retry_unsafe,
        mapping_set=spec.mapping is not None,
        rules=rows_of(spec.mapping or ()),
        dictionaries="\n".join(starred(path) for path in spec.dictionaries),
        fallback=spec.fallback,
        alert_emails=", ".join(spec.alert_emails),
        alert_on_drift=spec.alert_on_drift,
        enabled=spec.enabled,
    )
    kept = beside(stepdocument.dump(replace(spec, mapping=None)), document_of(form)[0])
    form.kept = jsontext.dumps_text(kept) if kept else ""
    return form


def rows_of(rules: Iterable[MappingRule], first: int = 1) -> list[RuleRow]:
    return [_row_of(rule, str(number)) for number, rule in enumerate(rules, first)]


def _row_of(rule: MappingRule, row_id: str) -> RuleRow:
    kind = "path" if rule.path is not None else "jsonpath" if rule.jsonpath is not None else "call"
    source = normalized(rule.path) if rule.path is not None else rule.jsonpath or rule.call or ""
    default = "" if rule.default is NO_DEFAULT else typed_text(rule.default)
    return RuleRow(
        row_id, source, kind, rule.attribute, rule.take, rule.convert, rule.separator, rule.region, default, rule.on
    )


def starred(path: Path) -> str:
    """The path as the form writes it: "$['items'][*]['rates']"."""
    return "$" + "".join("[*]" if part == "*" else normalized((part,))[1:] for part in path)


# ---------------------------------------------------------------- from the screen


def read(fields: Fields) -> StepForm:
    """The form as it was submitted. Never fails; what is not there has its default.

    A plain form is sent with CRLF for every end of a line (HTML, 4.10.22.7), a script's with LF: both are LF here.
    """
    fields = MultiDict((name, value.replace("\r\n", "\n")) for name, value in fields.items(multi=True))
    form = StepForm(
        headers=_rows(fields, "header"),
        fields=_rows(fields, "field"),
        auth={one.name: fields.get(f"auth_{one.name}", one.default) for one in MEMBERS},
        rules=_rule_rows(fields),
        values=_values(fields),
    )
    for name in _TEXTS:
        setattr(form, name, fields.get(name, getattr(form, name)))
    for name in _FLAGS:
        if name not in _ON_UNLESS_SHOWN or fields.get("options"):
            setattr(form, name, fields.get(name, "") == "1")
    for name in ("version", "accepted_log", "accepted_again", "tested_log", "drift_log"):
        setattr(form, name, whole(fields.get(name, "")))
    if (when_empty := fields.get("fields_when_empty")) in WHEN_EMPTY:
        for row in form.fields:
            row.when_empty = when_empty
    form.draft_id = form.draft_id[:64]
    return form


_TEXTS: Final = (
    "key", "name", "method", "url", "auth_type", "body_mode", "send_fields_in", "json_text", "raw_text",
    "content_type", "line_ends", "lists", "escape", "variables", "auth_parameters", "missing_attributes", "success_statuses", "timeout", "retries", "dictionaries", "fallback",
    "alert_emails", "draft_id", "before_remap", "sample", "kept",
)  # fmt: skip
_ON_UNLESS_SHOWN: Final = ("follow_redirects", "enabled")
"""Boxes that are ticked for a form without them; `options` says that it has them."""
_FLAGS: Final = ("follow_redirects", "retry_unsafe", "mapping_set", "alert_on_drift", "enabled", "drift_kept")


def _rows(fields: Fields, stem: str) -> list[Row]:
    names, values = fields.getlist(f"{stem}_name"), fields.getlist(f"{stem}_value")
    when_empty = chain(fields.getlist(f"{stem}_when_empty"), repeat("send"))
    return [Row(*row) for row in zip(names, values, when_empty, strict=False)]


def _rule_rows(fields: Fields) -> list[RuleRow]:
    ids = list(dict.fromkeys(fields.getlist("rule")))[:MAX_ROWS]
    return [_rule_row(fields, row_id) for row_id in ids]


def _rule_row(fields: Fields, row_id: str) -> RuleRow:
    def typed(member: str, default: str = "") -> str:
        return fields.get(f"rule-{row_id}-{member}", default)

    row = RuleRow(
        id=row_id, source=typed("source").strip(), kind=typed("kind"), attribute=typed("attribute").strip(),
        take=typed("take", "one"), convert=typed("convert", "none"),
        separator=typed("separator", ", "), region=typed("region"), default=typed("default"), on=typed("on") == "1",
    )  # fmt: skip
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
