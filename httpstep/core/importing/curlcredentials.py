"""Finds in a request what belongs among the secrets, and puts `{{secret.NAME}}` in its place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from httpstep.core.masking.redaction import MASK, is_credential_header, without_scheme
from httpstep.core.step.spec import Pair, RequestSpec

_HOST: Final = re.compile(r"[A-Za-z]+://([^/?#]+)")
_PARAMETER: Final = re.compile(
    r"(?:api|app|access|auth|private|secret|client)?[_.-]?(?:key|token|secret|password|passwd|pwd|appid)|apikey|sig",
    re.IGNORECASE,
)
_IN_QUERY: Final = re.compile(r"[?&]([^=&#]+)=([^&#]+)")


@dataclass(frozen=True, slots=True)
class Credential:
    """A value to keep as the secret `name`, a suggestion like "STRIPE_KEY"; `place` is where it stands."""

    name: str
    value: str = field(repr=False)
    place: str


def credentials_of(request: RequestSpec) -> tuple[Credential, ...]:
    """What looks like a credential and is no placeholder yet, each value once, names distinct."""
    prefix = _prefix(request.url)
    found: dict[str, Credential] = {}
    taken: set[str] = set()
    for place, what, value in _candidates(request):
        if not value or "{{" in value or MASK in value or value in found:
            continue
        name, number = f"{prefix}{what}", 2
        while name in taken:
            name, number = f"{prefix}{what}_{number}", number + 1
        taken.add(name)
        found[value] = Credential(name, value, place)
    return tuple(found.values())


def with_secrets(request: RequestSpec, credentials: Sequence[Credential]) -> RequestSpec:
    """The request with each credential's value replaced by its placeholder, in the place it was found in."""
    for credential in credentials:
        written = f"{{{{secret.{credential.name}}}}}"
        request = _replaced(request, credential, written)
    return request


def _replaced(request: RequestSpec, credential: Credential, written: str) -> RequestSpec:
    kind, _, member = credential.place.partition(".")
    if kind == "auth":
        return replace(request, auth=request.auth.having(**{member: written}))
    if kind == "url":
        return replace(request, url=request.url.replace(f"={credential.value}", f"={written}"))
    if kind == "body":
        fields = tuple(_row(pair, credential, written) for pair in request.body.fields)
        return replace(request, body=replace(request.body, fields=fields))
    return replace(request, headers=tuple(_row(pair, credential, written) for pair in request.headers))


def _row(pair: Pair, credential: Credential, written: str) -> Pair:
    if not (is_credential_header(pair.name) or _PARAMETER.fullmatch(pair.name)):
        return pair
    return Pair(pair.name, pair.value.replace(credential.value, written))


def _candidates(request: RequestSpec) -> Iterator[tuple[str, str, str]]:
    """(place, last word of the name, value)"""
    auth = request.auth
    if auth.type == "basic":
        yield from [("auth.password", "PASSWORD", auth["password"])] if auth["password"] else []
        yield from [("auth.username", "KEY", auth["username"])] if not auth["password"] else []
    if auth.type == "bearer":
        yield "auth.token", "TOKEN", auth["token"]
    for index, pair in enumerate(request.headers):
        if is_credential_header(pair.name):
            what = {"cookie": "COOKIE", "authorization": "TOKEN"}.get(pair.name.lower(), "KEY")
            yield f"headers[{index}].value", what, without_scheme(pair.value)
    for found in _IN_QUERY.finditer(request.url):
        if _PARAMETER.fullmatch(found[1]):
            yield "url", "KEY", found[2]
    for index, pair in enumerate(request.body.fields if request.body.mode == "query" else ()):
        if _PARAMETER.fullmatch(pair.name):
            yield f"body.fields[{index}].value", "KEY", pair.value


def _prefix(url: str) -> str:
    """ "STRIPE_" of https://api.stripe.com/…; "" where the host gives no name."""
    found = _HOST.match(url)
    labels = [label for label in (found[1] if found else "").split(":")[0].split(".") if label]
    if len(labels) < 2 or not all(re.fullmatch(r"[A-Za-z0-9-]+", label) for label in labels[-2:]):
        return ""
    label = labels[-3] if len(labels) > 2 and len(labels[-1]) == 2 and len(labels[-2]) <= 3 else labels[-2]
    name = re.sub(r"[^A-Z0-9]", "_", label.upper())
    return f"{name}_" if re.match(r"[A-Z]", name) and len(name) <= 40 else ""
