"""The form as it is on the screen: every field as it was typed."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from httpstep.core import jsontext
from httpstep.core.answer.jsonpath import check_query, parse_normalized, singular_path
from httpstep.core.document import stepdocument
from httpstep.core.errors import UnreadableAnswer
from httpstep.core.jsontext import Json, Path

MAX_ROWS: Final = 600


@dataclass
class Row:
    """A row of headers or of query-string fields."""

    name: str = ""
    value: str = ""
    when_empty: str = "send"


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
    separator: str = ", "
    region: str = ""
    default: str = ""
    on: bool = True
    sample: Json = None
    state: str = ""
    why: str = ""

    @property
    def path(self) -> Path | None:
        """The path it reads, None where it is a query, a fact of the call or not right."""
        return path_of(self.source) if self.kind in ("", "path") else None

    @property
    def in_list(self) -> bool:
        """Whether an item of a list is on the way to it."""
        return any(isinstance(part, int) for part in self.path or ())

    @property
    def takes(self) -> list[tuple[str, str]]:
        """What can be taken from a list here, and the words for it."""
        items = [part for part in self.path or () if isinstance(part, int)]
        if not items:
            return [
                ("one", "the whole list"),
                ("last", "the last item"),
                ("all", "all items (list)"),
                ("count", "how many"),
            ]
        first = [("one", "the first item")] if items[-1] == 0 else [("one", "this item"), ("first", "the first item")]
        return [*first, ("last", "the last item"), ("all", "all items (list)"), ("count", "how many")]


@dataclass
class StepForm:
    """All fields as typed. accepted_log: the test whose structure Save accepts; tested_log: the last test.

    accepted_again: the structure of the history that Save accepts once more, in the place of a test's.
    line_ends: how the lines of a raw text end when it is sent, "lf" or "crlf". auth_parameters: name=value, one a line.
    emails_kept: the saved alert addresses, where whoever sent the form may not choose others. kept: the members of the
    document that the form has no field for, as JSON.
    """

    key: str = ""
    name: str = ""
    method: str = "GET"
    url: str = ""
    headers: list[Row] = field(default_factory=list)
    auth_type: str = "none"
    auth: dict[str, str] = field(default_factory=dict)
    body_mode: str = "none"
    fields: list[Row] = field(default_factory=list)
    send_fields_in: str = "auto"
    json_text: str = ""
    raw_text: str = ""
    content_type: str = "text/plain"
    line_ends: str = "lf"
    lists: str = "json"
    escape: str = "none"
    variables: str = ""
    auth_parameters: str = ""
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
    emails_kept: tuple[str, ...] | None = None
    alert_on_drift: bool = False
    enabled: bool = True
    version: int | None = None
    draft_id: str = ""
    accepted_log: int | None = None
    accepted_again: int | None = None
    tested_log: int | None = None
    drift_log: int | None = None
    drift_kept: bool = False
    before_remap: str = ""
    kept: str = ""
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
    def fields_when_empty(self) -> str:
        """What the fields say together, "" where they say different things."""
        found = {row.when_empty for row in self.fields} or {"send"}
        return found.pop() if len(found) == 1 else ""

    @property
    def emails(self) -> list[str]:
        return [part for part in (piece.strip() for piece in re.split(r"[,;\n]", self.alert_emails)) if part]

    @property
    def fields_go_in(self) -> str:
        """Where query-string rows are sent with the method as it is on the screen: "url" or "body"."""
        if self.body_mode == "multipart":
            return "body"
        if self.send_fields_in in ("url", "body"):
            return self.send_fields_in
        return "url" if self.method in ("GET", "HEAD", "DELETE", "OPTIONS") else "body"

    @property
    def most_tries(self) -> int:
        """How many requests one call may use: POST and PATCH are tried again only where that is ticked."""
        again = self.retry_unsafe or self.method not in ("POST", "PATCH")
        return 1 + int(self.retries) if again and self.retries in ("1", "2") else 1

    def rule(self, rule_id: str) -> RuleRow | None:
        return next((row for row in self.rules if row.id == rule_id), None)

    def note(self, faults: Iterable[stepdocument.Fault]) -> None:
        """Keep each fault at its place, in the order of the page; several at one place are read one after the other.

        What the step document calls a rule is a row here.
        """
        for fault in faults:
            known, text = self.faults.get(fault.place), _RULE.sub(r"row \1", fault.message)
            self.faults[fault.place] = f"{known} {text}" if known else text
        self.faults = dict(sorted(self.faults.items(), key=lambda item: _on_the_page(item[0])))


_RULE: Final = re.compile(r"\brule (\d+)")
_PAGE: Final = (
    "name", "request.method", "request.url", "request.headers", "request.body", "request.auth", "key", "timeout",
    "retries", "success_statuses", "missing_attributes", "mapping", "dictionaries", "fallback", "alert_emails",
)  # fmt: skip


def _on_the_page(place: str) -> tuple[int, int]:
    """Where a place is: the part of the page, then the row in it. A place that the page does not show is last."""
    part = next((number for number, start in enumerate(_PAGE) if re.match(rf"{start}\b", place)), len(_PAGE))
    row = re.search(r"\[(\d+)\]", place)
    return part, int(row[1]) if row else -1


def new_form() -> StepForm:
    """A step that nobody has typed yet, with a draft id as the home of its tests."""
    return StepForm(draft_id=secrets.token_urlsafe(16), headers=[], fields=[])


def whole(text: str) -> int | None:
    """A whole number as an address or a form gives it, such as a row's id. None for what no row can have: a number of
    more than 15 digits does not fit a column, and one of thousands no int()."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def next_id(form: StepForm) -> str:
    """An id that no row of the form has."""
    return str(max((whole(row.id) or 0 for row in form.rules), default=0) + 1)


def typed_text(value: Json) -> str:
    """A JSON value as one types it into one line: texts plain, unless they would be read as something else."""
    plain = isinstance(value, str) and value.strip() == value and value and not {"\n", "\r"} & set(value)
    if plain and typed_value(value) == value:
        return str(value)
    return jsontext.dumps_text(value)


def typed_value(text: str) -> Json:
    """What was typed: a number, true, false, null, a list, an object or a text in quotes, where it is written as
    JSON; else the text itself."""
    try:
        return jsontext.loads(text)
    except UnreadableAnswer:
        return text


def path_of(text: str) -> Path | None:
    """The path of a normalized path or of a query that names one place ($.data[0].id)."""
    try:
        return parse_normalized(text)
    except ValueError:
        return None if not text.startswith("$") or check_query(text) else singular_path(text)
