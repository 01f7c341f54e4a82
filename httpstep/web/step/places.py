"""A fault's place in the step document -> the id of the input that shows it."""

from __future__ import annotations

import re

_LIST_IN_ONE_FIELD = re.compile(r"(alert_emails|dictionaries)\[.*")
_SOURCE = re.compile(r"^(mapping\[\d+\]|(?:success|expired)_when\[\d+\]|error_message)\.(jsonpath|call)$")


def anchor(place: str) -> str:
    """ "request.headers[2].name" -> "at-request-headers-2-name". One field may show the faults of a whole list."""
    place = _SOURCE.sub(r"\1.path", _LIST_IN_ONE_FIELD.sub(r"\1", place))
    return "at-" + re.sub(r"[^A-Za-z0-9_]+", "-", place).strip("-")
