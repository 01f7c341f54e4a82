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
from httpstep.core.query.jsonpath import in_words
from httpstep.core.regex import regex

_NAMES_A_HOST: Final = frozenset(
    {FailureKind.NETWORK_ERROR, FailureKind.BLOCKED, FailureKind.TIMEOUT, FailureKind.TOO_LARGE}
)
_MAX_PLACES: Final = 5
_MAX_PATH: Final = 80
_HOST_NAME: Final = regex(r"[\w-]+(?:\.[\w-]+)*\.[\w-]*[^\W\d][\w-]*")


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


def drift_sentence(detail: Mapping[str, Json]) -> str:
    """What a structure's change does to the mapping, of a record's detail: the first places that its rules read, which
    the editor knows. What nobody mapped may be a customer's data."""
    drift = detail["drift"] or {}
    changed = [one for kind in ("missing", "changed") for one in drift.get(kind, ()) if one["mapped"]]
    places = [in_words(tuple(one["path"]), _MAX_PATH) for one in changed[:_MAX_PLACES]]
    more = f" and {len(changed) - _MAX_PLACES} more" if len(changed) > _MAX_PLACES else ""
    told = f" The mapping reads what is gone or of another type: {', '.join(places)}{more}." if places else ""
    return f"A live call's answer differs from the accepted sample.{told}"


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
