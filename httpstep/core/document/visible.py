"""What is shown of a step, and of its logs, to whoever may not edit it: everything but the credentials typed into it.

The page, the list, the export, the API and the logs all ask here. Credentials are the secret members of the
authentication, the rows of headers and fields with the name of one, such parameters and user:password@ in a URL, and
such members of a JSON, XML or form-encoded body. Of a masked text the placeholders stay: they tell no value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import unquote_plus

from msgspec.structs import replace

from httpstep.core.authentication import MEMBERS, Auth
from httpstep.core.document.stepdocument import DocumentError, Fault
from httpstep.core.inserting.placeholders import Literal, PlaceholderFault, scan
from httpstep.core.jsontext import Json
from httpstep.core.masking.redaction import (
    MASK,
    MASKED_SENTENCE,
    is_credential_name,
    without_scheme,
)
from httpstep.core.regex import regex
from httpstep.core.step.spec import Pair, RequestSpec, StepSpec

Change = Callable[[str, str], str]
"""(place, the text of a credential) -> the text in its place."""

_USER: Final = regex(r"(?<=://)[^/?#]*(?=@)")
_PARAMETER: Final = regex(r"(?:\A|[?&;#\n])([^=?&;#\n]++)=")
_END_OF_VALUE: Final = regex(r"[&#\n]|\Z")
_IN_STRING: Final = r'(?:[^"\\]|\\.)*+'
_MEMBER: Final = regex(
    rf'"({_IN_STRING})"?(?:(?P<colon>\s*+:\s*+)(?:"(?P<text>{_IN_STRING})|(?P<bare>-?[0-9][^\s,\]}}]*+)))?', re.DOTALL
)
_ELEMENT: Final = regex(r"<([\w:.-]++)([^<>]*+)>([^<]++)")
_IS_TOLD: Final = regex(r"(?:bearer|basic) ++\S", re.IGNORECASE)


def step_for(spec: StepSpec, *, may_edit: bool) -> StepSpec:
    """The step as somebody sees it."""
    return spec if may_edit else replace(spec, request=_changed(spec.request, _masked))


def url_for(url: str, *, may_edit: bool) -> str:
    """A URL as typed or as called."""
    return url if may_edit else _in_url("", url, _masked)


def detail_for(detail: dict[str, Json], *, may_edit: bool) -> dict[str, Json]:
    """What `record.Record.detail` holds of a call."""
    if may_edit:
        return detail
    shown = {part: _exchange(detail[part]) for part in ("request", "response") if detail.get(part)}
    tries = [one | {"hops": [_hop(hop) for hop in one["hops"]]} for one in detail.get("tries", ())]
    token_url = url_for(detail.get("token_url", ""), may_edit=False)
    return detail | shown | {"tries": tries, "token_url": token_url}


def body_for(body: bytes | None, *, may_edit: bool) -> bytes | None:
    """The body of a request that was sent."""
    if may_edit or not body:
        return body
    return _in_text("", body.decode("utf-8", "surrogateescape"), _masked).encode("utf-8", "surrogateescape")


def refuse_masked(spec: StepSpec) -> StepSpec:
    """The step, where no credential in it is masked: a document that was read with masks replaces no credential by
    them. Raises DocumentError."""
    if places := _masked_places(spec.request):
        raise DocumentError(tuple(Fault(f"request.{place}", MASKED_SENTENCE) for place in places))
    return spec


def _masked_places(request: RequestSpec) -> list[str]:
    found: dict[str, None] = {}

    def note(place: str, text: str) -> str:
        if MASK in text:
            found[place] = None
        return text

    _changed(request, note)
    return list(found)


def _exchange(part: Mapping[str, Json]) -> dict[str, Json]:
    headers = [[name, _row("", name, value, _masked)] for name, value in part["headers"]]
    return dict(part) | {"url": url_for(part["url"], may_edit=False), "headers": headers}


def _hop(hop: Mapping[str, Json]) -> dict[str, Json]:
    return dict(hop) | {part: url_for(hop[part], may_edit=False) for part in ("url", "location")}


# ---------------------------------------------------------------- where credentials are


def _changed(request: RequestSpec, change: Change) -> RequestSpec:
    body = request.body
    return replace(
        request,
        url=_in_url("url", request.url, change),
        headers=_rows("headers", request.headers, change),
        auth=_in_auth(request.auth, change),
        body=replace(
            body,
            fields=_rows("body.fields", body.fields, change),
            text=_in_text("body.text", body.text, change),
            variables=_in_text("body.variables", body.variables, change),
        ),
    )


def _rows(place: str, pairs: tuple[Pair, ...], change: Change) -> tuple[Pair, ...]:
    return tuple(
        replace(pair, value=_row(f"{place}[{index}].value", pair.name, pair.value, change))
        for index, pair in enumerate(pairs)
    )


def _row(place: str, name: str, value: str, change: Change) -> str:
    return change(place, value) if is_credential_name(name) or _IS_TOLD.match(value) else value


def _in_auth(auth: Auth, change: Change) -> Auth:
    """Whatever its type is now: what was typed for another one is in the document too. A user name without a password
    is an API's key."""
    texts = dict(auth.texts)
    for member in MEMBERS:
        place, text = f"auth.{member.name}", auth[member.name]
        if text and (member.secret or (member.name == "username" and not auth["password"])):
            texts[member.name] = change(place, text)
        elif member.in_url:
            texts[member.name] = _in_url(place, text, change)
    parameters = tuple(
        (name, _row(f"auth.parameters[{index}].value", name, value, change))
        for index, (name, value) in enumerate(auth.parameters)
    )
    return Auth(auth.type, texts, parameters)


def _in_url(place: str, url: str, change: Change) -> str:
    return _in_pairs(place, _USER.sub(lambda found: change(place, found[0]), url), change)


def _in_pairs(place: str, text: str, change: Change) -> str:
    """name=value, in a query, a fragment or a form-encoded body."""
    pieces: list[str] = []
    done = 0
    while found := _PARAMETER.search(text, done):
        pieces.append(text[done : found.end()])
        done = found.end()
        if is_credential_name(unquote_plus(found[1])):
            end = _END_OF_VALUE.search(text, done)
            assert end is not None, "the end of the text is one"
            pieces.append(change(place, text[done : end.start()]))
            done = end.start()
    return "".join((*pieces, text[done:]))


def _in_text(place: str, text: str, change: Change) -> str:
    """A body: members of JSON, elements of XML, or name=value, whatever it is said to be."""
    if not text:
        return text

    def member(found: re.Match[str]) -> str:
        kind = "text" if found["text"] is not None else "bare"
        if found[kind] is None or not is_credential_name(found[1]):
            return found[0]
        start, end = found.span(kind)
        value = change(place, found[kind])
        if kind == "bare" and value != found[kind]:
            value = f'"{value}"'
        return found[0][: start - found.start()] + value + found[0][end - found.start() :]

    def element(found: re.Match[str]) -> str:
        if not is_credential_name(found[1]):
            return found[0]
        return f"<{found[1]}{found[2]}>{change(place, found[3])}"

    text = _ELEMENT.sub(element, _MEMBER.sub(member, text))
    return text if text.lstrip()[:1] in ("{", "[", "<") else _in_pairs(place, text, change)


def _masked(_: str, text: str) -> str:
    """The scheme ("Bearer") and the placeholders stay, and what is only punctuation between them."""
    rest = without_scheme(text)
    try:
        pieces = scan(rest)
    except PlaceholderFault:
        return MASK
    shown = (MASK if isinstance(piece, Literal) and re.search(r"\w", piece.text) else piece.source for piece in pieces)
    return text[: len(text) - len(rest)] + "".join(shown)
