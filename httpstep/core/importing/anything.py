"""Whatever people paste: finds out what it is, and reads it."""

from __future__ import annotations

import re
from typing import Final

from httpstep.core.importing import fetch, httptext, openapi, postman
from httpstep.core.importing.curl import from_curl
from httpstep.core.importing.imported import Imported
from httpstep.core.importing.request import Said, request_of
from httpstep.core.importing.shell.pasted import INVISIBLE
from httpstep.core.importing.source import Source, single
from httpstep.core.importing.texts.structured import MAX_BYTES, DocumentFault, load
from httpstep.core.regex import regex

FORMATS: Final = ("curl", "fetch", "http", "postman", "openapi")
WORDS: Final = {
    "curl": "the cURL command", "fetch": "the fetch", "http": "the HTTP request", "postman": "the Postman collection",
    "openapi": "the OpenAPI document", "address": "the address",
}  # fmt: skip
_ADDRESS: Final = regex(r"(?:https?://|\{\{)\S+|(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}(?::\d+)?/\S*")
_DOCUMENT: Final = regex(r"^[ \t]*[\"']?(?:openapi|swagger|info|item|paths)[\"']?[ \t]*:", re.MULTILINE)
_ROOT: Final = regex(r"^[\"']?(?:openapi|swagger)[\"']?[ \t]*:", re.MULTILINE)
"""Where the members are in the order of the alphabet, it stands behind all components."""
_DESCRIPTION: Final = regex(r"(?:openapi|swagger|collection)[\w.-]*\.(?:json|ya?ml)$|\.ya?ml$", re.IGNORECASE)
NOTHING: Final = (
    "There is no curl command here. Nor is there anything else that can be read: an address, a fetch(…), an HTTP request, "
    "a Postman collection, an OpenAPI document."
)


def read(text: str, format_: str | None = None, *, max_bytes: int = MAX_BYTES) -> Source:
    """What the text holds. format_: one of FORMATS where somebody says which it is. Never raises."""
    stripped = INVISIBLE.sub("", text[:1]) + text[1:]
    stripped = stripped.strip()
    kind = format_ or _kind(stripped)
    if kind in ("postman", "openapi"):
        return _document(stripped, format_, max_bytes)
    if kind == "fetch":
        return single("fetch", fetch.from_fetch(stripped))
    if kind == "http":
        return single("http", httptext.from_http(stripped))
    if kind == "address":
        return single("address", _from_address(stripped))
    found = from_curl(stripped)
    if not found.is_understood and format_ is None and found.faults and "no curl command" in found.faults[0]:
        return Source("curl", fault=NOTHING)
    return single("curl", found)


def is_description(text: str) -> bool:
    """Whether a JSON object is a Postman collection or an OpenAPI document, or was meant to be one."""
    return '"format"' not in text[:100] and _MEMBER.search(text) is not None


_MEMBER: Final = regex(r'"(?:openapi|swagger|item)"\s*:')


def _kind(text: str) -> str:
    """Which of FORMATS, or "address"."""
    if text[:1] in ("{", "[") or (
        text[:4] == "%YAM" or ("curl " not in text[:200] and (_DOCUMENT.search(text[:20_000]) or _ROOT.search(text)))
    ):
        return "openapi"
    if _ADDRESS.fullmatch(text):
        return "address"
    if httptext.looks_like_http(text) or text.startswith("###"):
        return "http"
    start = fetch.CALL.search(text[:2000])
    return "fetch" if start and not re.match(r"\s*(?:[$#>]\s*)?curl\b", text) else "curl"


def _document(text: str, format_: str | None, max_bytes: int) -> Source:
    try:
        document = postman.unwrapped(load(text, max_bytes))
    except DocumentFault as error:
        return Source(format_ or "openapi", fault=str(error))
    if postman.is_postman(document) and format_ != "openapi":
        return postman.read(document)
    if openapi.is_openapi(document) and format_ != "postman":
        return openapi.read(document)
    wanted = (
        WORDS[format_].removeprefix("the ") if format_ else "Postman collection (v2.1) or OpenAPI document (3.0, 3.1)"
    )
    return Source(format_ or "openapi", fault=f"This is no {wanted}.")


def _from_address(text: str) -> Imported:
    said = Said("text", url=text)
    if not re.match(r"https?://|\{\{", text):
        said.url = f"https://{text}"
    spec = request_of(said)
    if _DESCRIPTION.search(text.partition("?")[0]):
        said.notes.append(
            "This address looks like an API's description. To choose from it, open it and paste its text here."
        )
    return said.imported(spec)
