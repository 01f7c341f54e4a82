"""A fault's place in the step document -> the id of the input that shows it, and what people call it."""

from __future__ import annotations

import re
from typing import Final

from httpstep.core.authentication import KINDS
from httpstep.core.regex import regex
from httpstep.core.step.members import members_of
from httpstep.core.step.spec import StepSpec

_LIST_IN_ONE_FIELD = regex(r"(alert_emails|dictionaries)\[.*")
_SOURCE = regex(r"^(mapping\[\d+\]|(?:success|expired)_when\[\d+\]|error_message)\.(jsonpath|call)$")


def anchor(place: str) -> str:
    """ "request.headers[2].name" -> "at-request-headers-2-name". One field may show the faults of a whole list."""
    place = _SOURCE.sub(r"\1.path", _LIST_IN_ONE_FIELD.sub(r"\1", place))
    return "at-" + re.sub(r"[^A-Za-z0-9_]+", "-", place).strip("-")


_SHOWN: Final = ("name", "key", "timeout", "retries", "success_statuses", "missing_attributes", "fallback")
_LABELS: Final = {
    **{one.name: one.label for one in members_of(StepSpec) if one.name in _SHOWN},
    **{
        f"request.auth.{one.name}": f"Authentication: {one.label}"
        for kind in KINDS.values()
        for one in kind.members
        if not one.choices
    },
    "request.method": "Method",
    "request.url": "URL",
    "request.headers": "Headers",
    "request.body.fields": "Fields",
    "request.body.text": "Body",
    "request.body.content_type": "Content type",
    "request.body.variables": "Variables",
    "error_message.path": "Where the API says why",
}
_ROWS: Final = (
    (regex(r"request\.headers\[(\d+)\]\.(name|value)"), "Header {0}, {1}"),
    (regex(r"request\.body\.fields\[(\d+)\]\.(name|value)"), "Field {0}, {1}"),
    (regex(r"mapping\[(\d+)\]\.(?:attribute|path|jsonpath|call|convert|take|default)"), "Row {0} of the mapping"),
    (regex(r"success_when\[(\d+)\]\.(?:path|jsonpath|value|is)"), "Condition {0}"),
    (regex(r"expired_when\[(\d+)\]\.(?:path|jsonpath|value|is)"), "Expiry {0}"),
    (regex(r"alert_emails(?:\[(\d+)\])?"), "Alert e-mails"),
    (regex(r"dictionaries(?:\[(\d+)\])?"), "Names that are data"),
)


def place_words(place: str) -> str:
    """ "request.headers[2].name" -> "Header 3, name"; "" for a place that no input of the form shows the fault at."""
    for pattern, words in _ROWS:
        if found := pattern.fullmatch(place):
            return words.format(int(found[1] or 0) + 1, *found.groups()[1:])
    return _LABELS.get(place, "")
