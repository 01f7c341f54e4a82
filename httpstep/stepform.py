"""The step editor's form: what is on the screen, to and from the step document. The one place that knows both.

The form is the truth on the screen. It keeps everything as it was typed, also what no document could hold, so a
form that is not right comes back unchanged. `document` makes the document of it, which `core.stepdocument`
judges; a fault's place ("request.headers[2].name") is the place the template shows it at.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol, cast

from httpstep.core import jsontext, stepdocument
from httpstep.core.encoders import text_of
from httpstep.core.errors import UnreadableAnswer
from httpstep.core.jsonbodies import JsonBodyFault, Quoted, compile_json
from httpstep.core.jsonpath import check_query, normalized, parse_normalized, singular_path
from httpstep.core.model import NO_DEFAULT, Auth, Body, Json, MappingRule, Pair, Path, RequestSpec, StepSpec
from httpstep.core.placeholders import Placeholder, PlaceholderFault

AUTH_TEXTS: Final = ("username", "password", "token", "name", "value", "token_url", "client_id", "client_secret", "scope")
AUTH_TYPES: Final = ("none", "basic", "bearer", "api_key", "oauth2_client_credentials")
BODY_MODES: Final = ("none", "query", "json", "raw")
MOST_RULES: Final = 600
_STAR: Final = re.compile(r"\[\*\]")


class Fields(Protocol):
    """A submitted form (werkzeug's MultiDict)."""

    def get(self, key: str, default: str = "") -> str: ...

    def getlist(self, key: str) -> list[str]: ...

    def keys(self) -> Iterable[str]: ...


@dataclass
class Row:
    """A row of headers or of query-string fields."""

    name: str = ""
    value: str = ""


@dataclass
class RuleRow:
    """A row of the mapping as typed. kind: what the source was when the row was made ("path", "jsonpath", "call" or "").

    sample, state, why: what the rule gives on the answer that is on the screen; no part of the form.
    """

    id: str
    source: str = ""
    kind: str = ""
    attribute: str = ""
    take: str = "one"
    convert: str = "none"
    default: str = ""
    on: bool = True
    sample: Json = None
    state: str = ""
    why: str = ""

    @property
    def path(self) -> Path | None:
        """The path it reads, None where it is a query, a fact of the call or not right."""
        return _path_of(self.source) if self.kind in ("", "path") else None


@dataclass
class StepForm:
    """All fields as typed. accepted_log: the test whose structure Save accepts; tested_log: the last test."""

    key: str = ""
    name: str = ""
    method: str = "GET"
    url: str = ""
    headers: list[Row] = field(default_factory=list)
    auth_type: str = "none"
    auth: dict[str, str] = field(default_factory=dict)
    auth_in: str = "header"
    body_mode: str = "none"
    fields: list[Row] = field(default_factory=list)
    send_fields_in: str = "auto"
    json_text: str = ""
    raw_text: str = ""
    content_type: str = "text/plain"
    missing_attributes: str = "error"
    success_statuses: str = "200-299"
    timeout: str = "60"
    follow_redirects: bool = True
    retries: str = "0"
    retry_unsafe: bool = False
    mapping_set: bool = False
    rules: list[RuleRow] = field(default_factory=list)
    dictionaries: str = ""
    fallback: str = "stop"
    alert_emails: str = ""
    alert_on_drift: bool = False
    enabled: bool = True
    version: int | None = None
    draft_id: str = ""
    accepted_log: int | None = None
    tested_log: int | None = None
    drift_log: int | None = None
    drift_kept: bool = False
    before_remap: str = ""
    sample: str = ""
    values: dict[str, str] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)

    def fault(self, place: str) -> str:
        """The sentences for that place; a place of a whole list takes those of its items too where asked with []."""
        if place.endswith("[]"):
            stem = place[:-2]
            return " ".join(text for key, text in self.faults.items() if key == stem or key.startswith(f"{stem}["))
        return self.faults.get(place, "")

    @property
    def emails(self) -> list[str]:
        return [part for part in (piece.strip() for piece in re.split(r"[,;\n]", self.alert_emails)) if part]

    @property
    def fields_go_in(self) -> str:
        """Where query-string rows are sent with the method as it is on the screen: "url" or "body"."""
        if self.send_fields_in in ("url", "body"):
            return self.send_fields_in
        return "url" if self.method in ("GET", "HEAD", "DELETE", "OPTIONS") else "body"

    def rule(self, rule_id: str) -> RuleRow | None:
        return next((row for row in self.rules if row.id == rule_id), None)

    def note(self, faults: Iterable[stepdocument.Fault]) -> None:
        """Keep each fault at its place; several at one place are read one after the other."""
        for fault in faults:
            known = self.faults.get(fault.place)
            self.faults[fault.place] = f"{known} {fault.message}" if known else fault.message


def new_form() -> StepForm:
    """A step that nobody has typed yet, with a draft id as the home of its tests."""
    return StepForm(draft_id=secrets.token_urlsafe(16), headers=[], fields=[])


# ---------------------------------------------------------------- from the document


def of_spec(spec: StepSpec) -> StepForm:
    """The form of a saved step. Its version and draft id are the caller's to set."""
    request, body = spec.request, spec.request.body
    return StepForm(
        key=spec.key,
        name=spec.name,
        method=request.method,
        url=request.url,
        headers=[Row(pair.name, pair.value) for pair in request.headers],
        auth_type=request.auth.type,
        auth={member: getattr(request.auth, member) for member in AUTH_TEXTS},
        auth_in=request.auth.location,
        body_mode=body.mode,
        fields=[Row(pair.name, pair.value) for pair in body.fields],
        send_fields_in=body.send_fields_in,
        json_text="" if body.mode == "raw" else body.text,
        raw_text=body.text if body.mode == "raw" else "",
        content_type=body.content_type,
        missing_attributes=spec.missing_attributes,
        success_statuses=spec.success_statuses,
        timeout=str(spec.timeout),
        follow_redirects=spec.follow_redirects,
        retries=str(spec.retries),
        retry_unsafe=spec.retry_unsafe,
        mapping_set=spec.mapping is not None,
        rules=rows_of(spec.mapping or ()),
        dictionaries="\n".join(_starred(path) for path in spec.dictionaries),
        fallback=spec.fallback,
        alert_emails=", ".join(spec.alert_emails),
        alert_on_drift=spec.alert_on_drift,
        enabled=spec.enabled,
    )


def rows_of(rules: Iterable[MappingRule], first: int = 1) -> list[RuleRow]:
    return [_row_of(rule, str(number)) for number, rule in enumerate(rules, first)]


def _row_of(rule: MappingRule, row_id: str) -> RuleRow:
    kind = "path" if rule.path is not None else "jsonpath" if rule.jsonpath is not None else "call"
    source = normalized(rule.path) if rule.path is not None else rule.jsonpath or rule.call or ""
    default = "" if rule.default is NO_DEFAULT else typed_text(rule.default)
    return RuleRow(row_id, source, kind, rule.attribute, rule.take, rule.convert, default, rule.on)


def typed_text(value: Json) -> str:
    """A JSON value as one types it: texts plain, unless they would be read as something else."""
    if isinstance(value, str) and value.strip() == value and value and typed_value(value) == value:
        return value
    return jsontext.dumps_text(value)


def typed_value(text: str) -> Json:
    """What was typed: a number, true, false, null, a list, an object or a text in quotes, where it is written as
    JSON; else the text itself."""
    try:
        return jsontext.loads(text)
    except UnreadableAnswer:
        return text


# ---------------------------------------------------------------- from the screen


def read(fields: Fields) -> StepForm:
    """The form as it was submitted. Never fails; what is not there has its default."""
    form = StepForm(
        headers=_rows(fields, "header"),
        fields=_rows(fields, "field"),
        auth={member: fields.get(f"auth_{member}", "") for member in AUTH_TEXTS},
        rules=_rule_rows(fields),
        values=_values(fields),
    )
    for name in _TEXTS:
        setattr(form, name, fields.get(name, getattr(form, name)).replace("\r\n", "\n"))
    for name in _FLAGS:
        if name not in _ON_UNLESS_SHOWN or fields.get("options"):
            setattr(form, name, fields.get(name, "") == "1")
    for name in ("version", "accepted_log", "tested_log", "drift_log"):
        setattr(form, name, _whole(fields.get(name, "")))
    form.draft_id = form.draft_id[:64]
    return form


_TEXTS: Final = (
    "key", "name", "method", "url", "auth_type", "auth_in", "body_mode", "send_fields_in", "json_text", "raw_text",
    "content_type", "missing_attributes", "success_statuses", "timeout", "retries", "dictionaries", "fallback",
    "alert_emails", "draft_id", "before_remap", "sample",
)  # fmt: skip
_ON_UNLESS_SHOWN: Final = ("follow_redirects", "enabled")
"""Boxes that are ticked for a form without them; `options` says that it has them."""
_FLAGS: Final = ("follow_redirects", "retry_unsafe", "mapping_set", "alert_on_drift", "enabled", "drift_kept")


def _rows(fields: Fields, stem: str) -> list[Row]:
    names, values = fields.getlist(f"{stem}_name"), fields.getlist(f"{stem}_value")
    return [Row(name, value) for name, value in zip(names, values, strict=False)]


def _rule_rows(fields: Fields) -> list[RuleRow]:
    ids = list(dict.fromkeys(fields.getlist("rule")))[:MOST_RULES]
    return [_rule_row(fields, row_id) for row_id in ids]


def _rule_row(fields: Fields, row_id: str) -> RuleRow:
    def typed(member: str, default: str = "") -> str:
        return fields.get(f"rule-{row_id}-{member}", default)

    row = RuleRow(
        id=row_id, source=typed("source").strip(), kind=typed("kind"), attribute=typed("attribute").strip(),
        take=typed("take", "one"), convert=typed("convert", "none"), default=typed("default"), on=typed("on") == "1",
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
    return {key.removeprefix("value:"): fields.get(key, "") for key in fields.keys() if key.startswith("value:")}


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


# ---------------------------------------------------------------- to the document


def parse(form: StepForm, *, draft: bool = False) -> StepSpec | None:
    """The step the form describes. None where it is not right: then `form.faults` says what and where.

    draft: for a test, which needs no name.
    """
    form.faults = {}
    document, early = document_of(form)
    try:
        spec = stepdocument.parse(document, draft=draft)
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
            "headers": [{"name": row.name.strip(), "value": row.value} for row in form.headers],
            "auth": _auth(form),
            "body": {
                "mode": form.body_mode,
                "fields": [{"name": row.name, "value": row.value} for row in form.fields],
                "send_fields_in": form.send_fields_in,
                "text": _body_text(form),
                "content_type": form.content_type,
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
    if form.mapping_set:
        document["mapping"] = [_rule(row, index, faults) for index, row in enumerate(form.rules)]
    return document, faults


def _auth(form: StepForm) -> dict[str, Json]:
    """Members typed for another type are kept where they were typed, so that switching back finds them."""
    document: dict[str, Json] = {"type": form.auth_type}
    document |= {member: text for member, text in form.auth.items() if text}
    if form.auth_type == "api_key" or form.auth_in != Auth().location:
        document["in"] = form.auth_in
    return document


def _body_text(form: StepForm) -> str:
    if form.body_mode == "raw":
        return form.raw_text
    return form.json_text if form.body_mode == "json" else form.json_text or form.raw_text


def _number(text: str, place: str, sentence: str, faults: list[stepdocument.Fault]) -> Json:
    value = typed_value(text.strip() or "-")
    if isinstance(value, (str, bool, list, dict)) or value is None:
        faults.append(stepdocument.Fault(place, sentence))
        return {"timeout": 60, "retries": 0}[place]
    return value


def _starred(path: Path) -> str:
    return "$" + "".join("[*]" if part == "*" else normalized((part,))[1:] for part in path)


def _dictionaries(text: str, faults: list[stepdocument.Fault]) -> list[Json]:
    """One path a line; [*] stands for every item of a list."""
    found: list[Json] = []
    for line in filter(None, map(str.strip, text.splitlines())):
        path = _path_of(_STAR.sub("['*']", line))
        if path is None:
            faults.append(stepdocument.Fault("dictionaries", f"“{line[:60]}” is not a path like $['rates']."))
        else:
            found.append(list(path))
    return found


def _rule(row: RuleRow, index: int, faults: list[stepdocument.Fault]) -> dict[str, Json]:
    document: dict[str, Json] = {
        "attribute": row.attribute, "take": row.take, "convert": row.convert, "on": row.on,
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
    path = _path_of(text)
    if path is not None:
        return {"path": list(path)}
    return check_query(text) or {"jsonpath": text}


def _path_of(text: str) -> Path | None:
    """The path of a normalized path or of a query that names one place ($.data[0].id)."""
    try:
        return parse_normalized(text)
    except ValueError:
        return None if not text.startswith("$") or check_query(text) else singular_path(text)


def attributes(form: StepForm, used: Iterable[str]) -> dict[str, Json]:
    """The values for test, read as JSON where they are written as JSON. An empty field is not sent."""
    return {name: typed_value(form.values[name]) for name in used if form.values.get(name, "").strip()}


# ---------------------------------------------------------------- parts of a form that need not be right as a whole


def request_of(form: StepForm) -> RequestSpec:
    """The request as far as it is typed, for looking at only: which attributes it uses, which host it calls."""
    auth_type = form.auth_type if form.auth_type in AUTH_TYPES else "none"
    mode = form.body_mode if form.body_mode in BODY_MODES else "none"
    auth = Auth(type=cast(Any, auth_type), **{member: form.auth.get(member, "") for member in AUTH_TEXTS})
    body = Body(
        mode=cast(Any, mode), fields=tuple(Pair(row.name, row.value) for row in form.fields), text=_body_text(form),
        content_type=form.content_type,
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


def next_id(form: StepForm) -> str:
    """An id that no row of the form has."""
    return str(max((int(row.id) for row in form.rules if row.id.isdigit()), default=0) + 1)


def convert_body(form: StepForm, mode: str) -> None:
    """Switch the body's mode. What was typed is turned over where it can be; a text of one's own is never replaced."""
    if form.body_mode == "query" and mode == "json":
        names = {row.name for row in form.fields if row.name}
        known = _flat(form.json_text)
        if names and (not form.json_text.strip() or (known is not None and known.keys() <= names)):
            form.json_text = _json_of(form.fields)
    elif form.body_mode == "json" and mode == "query":
        values = _flat(form.json_text)
        if values and all(row.name in values for row in form.fields if row.name or row.value):
            form.fields = [Row(name, value) for name, value in values.items()]
    elif mode == "raw" and not form.raw_text.strip() and form.body_mode == "json":
        form.raw_text, form.content_type = form.json_text, "application/json"
    form.body_mode = mode


def _json_of(fields: list[Row]) -> str:
    values = {row.name: row.value for row in fields if row.name}
    return jsontext.pretty(values).replace("\\\\{{", "\\{{")


def _flat(text: str) -> dict[str, str] | None:
    """The members of a JSON object as texts, placeholders kept; None where it is none, or has objects in it."""
    try:
        parts = compile_json(text)
        value = jsontext.loads("".join(map(_as_text, parts)))
    except (JsonBodyFault, PlaceholderFault, UnreadableAnswer):
        return None
    if not isinstance(value, dict) or any(isinstance(item, (dict, list)) for item in value.values()):
        return None
    return {name: text_of(item) for name, item in value.items()}


def _as_text(part: str | Placeholder | Quoted) -> str:
    if isinstance(part, str):
        return part.replace("{{", "\\\\{{") if "{{" in part else part
    return part.placeholder.source if isinstance(part, Quoted) else f'"{part.source}"'
