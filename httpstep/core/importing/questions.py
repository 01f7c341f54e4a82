"""The placeholders of a documentation that a person has to fill: in places for credentials, and in the address."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from httpstep.core.importing.credentials import Names, candidates, is_placeholder, with_values
from httpstep.core.regex import regex
from httpstep.core.step.spec import RequestSpec

_SECRET: Final = regex(r"\{\{\s*secret\.([A-Za-z_][A-Za-z0-9_.-]{0,99})\s*\}\}")
_IN_ADDRESS: Final = regex(
    r"(?<![A-Za-z0-9_])(?:(?:YOUR|MY)[_-][A-Z0-9_-]+|your[_-][a-z0-9_-]+|yourdomain|yourstore|yourcompany|[xX]{4,})"
    r"(?![A-Za-z0-9_])"
)
_KINDS: Final = {"TOKEN": "token", "PASSWORD": "password", "COOKIE": "cookie", "CLIENT_SECRET": "client secret"}


class Question(Struct, frozen=True):
    """`placeholder`: the text that stands in the request. `secret`: the name its value may get among the secrets, ""
    where it is none."""

    placeholder: str
    sentence: str
    secret: str = ""


def questions_of(request: RequestSpec, known: Container[str] = ()) -> tuple[Question, ...]:
    """What is left to ask; a secret of the names in `known` is there already."""
    found: dict[str, Question] = {}
    for one in _asked(request, known):
        found.setdefault(one.placeholder, one)
    return tuple(found.values())


def _asked(request: RequestSpec, known: Container[str]) -> Iterator[Question]:
    named = Names(request.url)
    if request.auth.type == "basic" and request.auth["password"] and is_placeholder(request.auth["username"]):
        yield Question(request.auth["username"], _sentence("user name", request.auth["username"]))
    for _, what, value in candidates(request):
        secret = _SECRET.fullmatch(value)
        if secret is None and not ("{{" not in value and is_placeholder(value)):
            continue
        if secret is not None and secret[1] in known:
            continue
        shown = f"${secret[1]}" if secret else value
        yield Question(value, _sentence(_KINDS.get(what, "key"), shown), secret[1] if secret else named.next(what))
    for found in _IN_ADDRESS.finditer(request.url):
        yield Question(found[0], f"The address has a placeholder, {found[0]}: write here what stands for it.")


def _sentence(what: str, placeholder: str) -> str:
    return f"The command has a placeholder where your {what} goes: paste it here ({placeholder[:60]})."


def answered(request: RequestSpec, placeholder: str, value: str) -> RequestSpec:
    """The request with `value` where the placeholder of a question stands."""
    url = re.sub(rf"(?<![A-Za-z0-9_]){re.escape(placeholder)}(?![A-Za-z0-9_])", lambda _: value, request.url)
    request = with_values(replace(request, url=url), {placeholder: value})
    if request.auth.type == "basic" and request.auth["username"] == placeholder:
        request = replace(request, auth=request.auth.having(username=value))
    return request
