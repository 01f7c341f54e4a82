"""What an alert mail may say of a failure: nothing of the customer whose attributes were in the call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from urllib.parse import urlsplit

from httpstep.core.errors import FailureKind
from httpstep.core.model import Json


def failure_sentence(detail: Mapping[str, Json]) -> str:
    """The failure of a record's detail without what the API said, and without a host that an attribute named:
    both may be a customer's data."""
    failure, response = detail["failure"] or {}, detail["response"]
    if failure.get("kind") == FailureKind.HTTP_ERROR.value and response:
        return f"The API answered with status {response['status']}."
    text = str(failure.get("message", "The call failed."))
    given = [value.lower() for value in _texts(detail["given"]) if len(value) > 2]
    for host in _hosts(detail):
        if any(value in host or host in value for value in given):
            text = text.replace(host, "the host of this call")
    return text


def _texts(value: Json) -> Iterator[str]:
    """Every text and number inside a JSON value."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def _hosts(detail: Mapping[str, Json]) -> set[str]:
    urls = [(detail["request"] or {}).get("url", "")]
    for one in detail["tries"]:
        for hop in one["hops"]:
            urls += [hop["url"], hop["location"]]
    found = set()
    for url in urls:
        with suppress(ValueError):
            found.add(urlsplit(url).hostname or "")
    return found - {""}
