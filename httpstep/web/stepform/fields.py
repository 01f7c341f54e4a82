"""The form as it is on the screen: every field as it was typed."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from httpstep.core.document import stepdocument
from httpstep.core.jsontext import Path
from httpstep.core.regex import regex
from httpstep.core.request import requestcheck
from httpstep.core.step.spec import UNSAFE_METHODS, MappingRule, Pair, StepSpec
from httpstep.web.stepform.inputs import inputs_of, listed, path_of

MAX_ROWS: Final = 600


class Typed:
    """What is typed for the members of one object of the document: each an attribute by the name of its input, a text as
    typed or whether a box is ticked. kept: its members that the form has no input for, as JSON."""

    def __init__(self, described: type, typed: dict[str, Any]) -> None:
        self.kept: str = typed.pop("kept", "")
        for one in inputs_of(described):
            setattr(self, one.name, typed.pop(one.name, one.shown(one.default)))
        assert not typed, f"the form has no {', '.join(typed)}"

    if TYPE_CHECKING:  # which attributes there are, the table says

        def __getattr__(self, name: str) -> Any: ...

        def __setattr__(self, name: str, value: Any) -> None: ...


class PairRow(Typed):
    """A row of headers or of query-string fields."""

    def __init__(self, name: str = "", value: str = "", **typed: Any) -> None:
        super().__init__(Pair, {"name": name, "value": value, **typed})


class ConditionRow(Struct):
    """A condition on the answer as typed."""

    source: str = ""
    operator: str = "equals"
    value: str = ""


class RuleRow(Typed):
    """A row of the mapping as typed. kind: what the source was when the row was made ("path", "jsonpath", "call" or "")."""

    def __init__(self, id: str, source: str = "", kind: str = "", attribute: str = "", **typed: Any) -> None:
        self.id = id
        self.source = source
        self.kind = kind
        super().__init__(MappingRule, {"attribute": attribute, **typed})

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


class StepForm(Typed):
    """All fields as typed: those of the table of members, and what only the screen has.

    json_text, raw_text: the body's text, one for each mode. values: for test, by attribute. accepted_log: the test whose
    structure Save accepts; tested_log: the last test. accepted_again: the structure of the history that Save accepts once
    more, in the place of a test's. line_ends: how the lines of a raw text end when it is sent, "lf" or "crlf".
    auth_parameters: name=value, one a line. says: the sentence to try the mapping with, which is saved nowhere. emails_kept: the saved alert addresses, where whoever sent the form may not choose others.
    """

    def __init__(self, **typed: Any) -> None:
        self.headers: list[PairRow] = typed.pop("headers", [])
        self.fields: list[PairRow] = typed.pop("fields", [])
        self.auth: dict[str, str] = typed.pop("auth", {})
        self.auth_type: str = typed.pop("auth_type", "none")
        self.success_when: list[ConditionRow] = typed.pop("success_when", [])
        self.expired_when: list[ConditionRow] = typed.pop("expired_when", [])
        self.error_message: str = typed.pop("error_message", "")
        self.auth_parameters: str = typed.pop("auth_parameters", "")
        self.line_ends: str = typed.pop("line_ends", "lf")
        self.json_text: str = typed.pop("json_text", "")
        self.raw_text: str = typed.pop("raw_text", "")
        self.mapping_set: bool = typed.pop("mapping_set", False)
        self.rules: list[RuleRow] = typed.pop("rules", [])
        self.values: dict[str, str] = typed.pop("values", {})
        self.draft_id: str = typed.pop("draft_id", "")
        super().__init__(StepSpec, typed)
        self.emails_kept: tuple[str, ...] | None = None
        self.version: int | None = None
        self.accepted_log: int | None = None
        self.accepted_again: int | None = None
        self.tested_log: int | None = None
        self.drift_log: int | None = None
        self.drift_kept = False
        self.before_remap = ""
        self.sample = self.says = ""
        self.faults: dict[str, str] = {}

    def fault(self, place: str) -> str:
        """The sentences for that place; a place of a whole list takes those of its items too where asked with []."""
        if place.endswith("[]"):
            stem = place[:-2]
            return " ".join(text for key, text in self.faults.items() if key == stem or key.startswith(f"{stem}["))
        return self.faults.get(place, "")

    def has_fault_in(self, stem: str) -> bool:
        """Whether a place at or inside this one has a fault."""
        return any(place.startswith(stem) for place in self.faults)

    @property
    def fields_when_empty(self) -> str:
        """What the fields say together, "" where they say different things."""
        found = {row.when_empty for row in self.fields} or {"send"}
        return str(found.pop()) if len(found) == 1 else ""

    @property
    def emails(self) -> list[str]:
        return listed(self.alert_emails)

    @property
    def fields_go_in(self) -> str:
        """Where query-string rows are sent with the method as it is on the screen: "url" or "body"."""
        return requestcheck.fields_go_in(self.method, self.body_mode, self.send_fields_in)

    @property
    def most_tries(self) -> int:
        """How many requests one call may use: POST and PATCH are tried again only where that is ticked."""
        again = self.retry_unsafe or self.method not in UNSAFE_METHODS
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


_RULE: Final = regex(r"\brule (\d+)")
_PAGE: Final = (
    "name", "request.method", "request.url", "request.headers", "request.body", "request.auth", "key", "timeout",
    "retries", "success_statuses", "success_when", "error_message", "expired_when", "missing_attributes", "mapping", "dictionaries", "fallback", "alert_emails",
)  # fmt: skip


def _on_the_page(place: str) -> tuple[int, int]:
    """Where a place is: the part of the page, then the row in it. A place that the page does not show is last."""
    part = next((number for number, start in enumerate(_PAGE) if re.match(rf"{start}\b", place)), len(_PAGE))
    row = re.search(r"\[(\d+)\]", place)
    return part, int(row[1]) if row else -1


def new_form() -> StepForm:
    """A step that nobody has typed yet, with a draft id as the home of its tests."""
    return StepForm(draft_id=secrets.token_urlsafe(16))


def whole_number(text: str) -> int | None:
    """A whole number as an address or a form gives it, such as a row's id. None for what no row can have: a number of
    more than 15 digits does not fit a column, and one of thousands no int()."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def next_id(form: StepForm) -> str:
    """An id that no row of the form has."""
    return str(max((whole_number(row.id) or 0 for row in form.rules), default=0) + 1)
