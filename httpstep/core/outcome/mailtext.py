"""What an alert mail may say of a failure: nothing of the customer whose attributes were in the call."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit

from httpstep.core.errors import FailureKind
from httpstep.core.inserting import secrethosts
from httpstep.core.inserting.placeholders import PlaceholderFault
from httpstep.core.inserting.urlhosts import UrlFault
from httpstep.core.inserting.urls import compile_url
from httpstep.core.jsontext import Json

_NAMES_A_HOST: Final = frozenset(
    {FailureKind.NETWORK_ERROR, FailureKind.BLOCKED, FailureKind.TIMEOUT, FailureKind.TOO_LARGE}
)
_HOST_NAME: Final = re.compile(r"[\w-]+(?:\.[\w-]+)*\.[\w-]*[^\W\d][\w-]*")


def failure_sentence(detail: Mapping[str, Json], written: Iterable[str]) -> str:
    """The failure of a record's detail without what the API or the token address said, and without any host but
    those the editor wrote: each may be a customer's data. written: the step's URLs with their placeholders."""
    failure, response = detail["failure"] or {}, detail["response"]
    kind = failure.get("kind")
    if kind == FailureKind.HTTP_ERROR:
        return (
            f"The API answered with status {response['status']}."
            if response
            else "The token address gave no access token."
        )
    if kind == FailureKind.REJECTED:
        return "The API said no in its answer; its words are in the step's log."
    if failure.get("reason") == secrethosts.REASON:
        return "A secret may not be sent to the host of this call; an admin can allow it under Secrets."
    text = str(failure.get("message", "The call failed."))
    named = _HOST_NAME.findall(text) if kind in _NAMES_A_HOST else ()
    return _without({*named, *_hosts(_urls(detail))} - set(_hosts(_literal_origins(written))), text)


def _without(hosts: set[str], text: str) -> str:
    if not hosts:
        return text
    any_of_them = "|".join(re.escape(host) for host in sorted(hosts, key=len, reverse=True))
    return re.sub(rf"(?<![\w.-])(?:{any_of_them})(?!\.?[\w-])", "the host of this call", text)


def _urls(detail: Mapping[str, Json]) -> Iterator[str]:
    yield (detail["request"] or {}).get("url", "")
    yield detail.get("token_url", "")
    for one in detail["tries"]:
        for hop in one["hops"]:
            yield from (hop["url"], hop["location"])


def _literal_origins(urls: Iterable[str]) -> Iterator[str]:
    """Scheme, host and port of those that have no placeholder in them there."""
    for url in urls:
        with suppress(UrlFault, PlaceholderFault):
            yield compile_url(url).origin


def _hosts(urls: Iterable[str]) -> Iterator[str]:
    for url in urls:
        with suppress(ValueError):
            if host := urlsplit(url).hostname:
                yield host
