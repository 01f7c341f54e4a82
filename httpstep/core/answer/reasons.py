"""Why an API refused, in its own words: the sentence in an answer that is no success, whatever its shape.

The names and shapes are those of published error bodies: Rails, Django, Laravel, FastAPI, .NET, OData, Jira, Zendesk,
Google, Stripe, AWS, SOAP faults, RFC 9457, JSON:API, GraphQL, OAuth (RFC 6749, 6750) and plain text. Never HTML.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Set
from typing import Final
from urllib.parse import parse_qsl

from httpstep.core.answer import reading
from httpstep.core.errors import UnreadableAnswer
from httpstep.core.exchange import HttpResponse
from httpstep.core.jsontext import Json
from httpstep.core.masking.masking import masked_start
from httpstep.core.masking.redaction import margin
from httpstep.core.regex import regex

MAX_CHARACTERS: Final = 300
_MAX_DEPTH: Final = 6
_MAX_SENTENCES: Final = 3
_LOOKED_AT: Final = 64 * 1024

_SENTENCES: Final = (
    "errordescription", "errormessage", "errormessages", "errmsg", "errormsg", "message", "messages", "msg",
    "faultstring", "detail", "description", "usermessage", "statusmessage", "errordetail", "info", "nonfielderrors", "basemessage",
    "errortext", "exceptionmessage", "resultmessage", "resultmsg", "resultdescription", "responsemessage", "responsedescription",
    "retmsg", "returnmessage", "mensaje", "mensagem", "fehlermeldung",
)  # fmt: skip
"""Names of what is a sentence, the best first, in small letters without what is no letter."""
_HOLDERS: Final = (
    "errors", "error", "odataerror", "fault", "exception", "details", "violations", "problems", "issues", "invalidparams",
    "faults", "messages", "err", "errordetails", "oerrordetails", "validationerrors", "failures", "errorlist", "errorresponse",
    "requesterror", "usererrors", "serviceexception", "policyexception", "responsestatus", "fehler", "erreur", "erreurs", "erro", "erros",
)  # fmt: skip
"""Names of what holds errors, by field or in a list."""
_SHORT: Final = (
    "title",
    "reason",
    "text",
    "value",
    "errorcode",
    "statustext",
    "hint",
    "cause",
    "oauthproblemadvice",
    "oauthproblem",
    "code",
)
_WRAPPERS: Final = ("response", "data", "meta", "result", "body", "status")
_FIELDS: Final = (
    "loc",
    "field",
    "fieldname",
    "param",
    "property",
    "propertypath",
    "attribute",
    "pointer",
    "path",
    "name",
)
"""Names under which an error in a list says which field it is about."""
_PLACES: Final = frozenset({"body", "query", "path", "header"})

_TAG: Final = regex(r"</?[A-Za-z!][^<>]{0,500}>")
_GAP: Final = regex(r"\s+(?=[.,:;!?])")
_CONTROL: Final = regex(r"[\x00-\x08\x0e-\x1f\x7f]")
_ELEMENT: Final = regex(r"<(?:[\w.-]+:)?([\w.-]+)(?:\s[^<>]*)?>\s*(?:<!\[CDATA\[(.*?)\]\]>|([^<>]+))\s*</", re.DOTALL)
_ATTRIBUTE: Final = regex(r"\s(?:[\w.-]+:)?(message|msg|description|error|reason)=[\"']([^\"'<>]+)[\"']", re.IGNORECASE)
_CHALLENGE: Final = regex(r"\b(error_description|error)\s*=\s*\"([^\"]*)\"")


def reason_given(response: HttpResponse, secrets: Set[str] = frozenset()) -> str:
    """The API's sentence, cut; "" where there is none. Secrets are masked here, because a sentence that was cut may end in
    the middle of one."""
    return shown(_given(response), secrets)


def sentence_of(document: Json) -> str:
    """The sentence in a JSON value, whole; "" where there is none. An object that is all there is, is looked into."""
    sentences = _sentences(document, _MAX_DEPTH)
    for _ in range(_MAX_DEPTH):
        if sentences or not isinstance(document, dict) or len(document) != 1:
            break
        (document,) = document.values()
        sentences = _sentences(document, _MAX_DEPTH) if isinstance(document, (dict, list)) else []
    ended = [one if one.endswith((".", "!", "?")) else f"{one};" for one in sentences[:-1]]
    return " ".join([*ended, *sentences[-1:]])


def shown(text: str, secrets: Set[str]) -> str:
    """A text of an answer as a message may hold it: masked and cut."""
    needed = MAX_CHARACTERS + margin(secrets)
    cut = masked_start(text[:needed], len(text) > needed, MAX_CHARACTERS, secrets)
    return cut if len(cut) < MAX_CHARACTERS else cut[:-1] + "…"


def _given(response: HttpResponse) -> str:
    try:
        said = sentence_of(reading.read(response))
    except UnreadableAnswer as error:
        said = _in_text(response, error.reason)
    return said or sentence_of(dict(reversed(_CHALLENGE.findall(response.header("WWW-Authenticate") or ""))))


def _in_text(response: HttpResponse, kind: str) -> str:
    text = reading.text_of(response)[:_LOOKED_AT]
    if kind == "xml":
        elements = {name: cdata or content for name, cdata, content in reversed(_ELEMENT.findall(text))}
        return sentence_of(dict(_ATTRIBUTE.findall(text)) | elements)
    if reading.media_type(response) == "application/x-www-form-urlencoded":
        return sentence_of(dict(parse_qsl(text, max_num_fields=100)))
    return _plain(text) if kind in ("text", "csv") else ""


# ---------------------------------------------------------------- JSON


def _sentences(value: Json, depth: int) -> list[str]:
    """At most three, best first, each once."""
    if isinstance(value, str):
        return [text] if (text := _plain(value)) else []
    if isinstance(value, list) and depth:
        return _first(_of_item(item, depth - 1) for item in value[:20])
    if not isinstance(value, dict) or not depth:
        return []
    named = {_letters(name): member for name, member in reversed(value.items())}
    said = _of_the_best(named, _SENTENCES, depth - 1)
    held = [_held(named[name], depth - 1) for name in _HOLDERS if isinstance(named.get(name), (list, dict))]
    return (
        _first(iter([said, *([one for one in some if one not in " ".join(said)] for some in held)]))
        or _of_the_best(named, (*_HOLDERS, *_SHORT), depth - 1)
        or _of_the_best(
            {name: one for name, one in named.items() if isinstance(one, (dict, list))}, _WRAPPERS, depth - 1
        )
        or _by_field(value, depth - 1, lists_only=True)
    )


def _of_the_best(named: dict[str, Json], names: tuple[str, ...], depth: int) -> list[str]:
    """What the first of those names says that says anything."""
    return next(filter(None, (_sentences(named.get(name), depth) for name in names)), [])


def _held(value: Json, depth: int) -> list[str]:
    if not isinstance(value, dict):
        return _sentences(value, depth)
    fields = not any("message" in _letters(name) for name in value)
    by_name = _by_field(value, depth, lists_only=True) if fields else []
    return by_name or _sentences(value, depth) or _by_field(value, depth)


def _of_item(item: Json, depth: int) -> list[str]:
    """Of an error in a list: with the field it is about, where it names one."""
    said = _sentences(item, depth)
    field = _field(item) if isinstance(item, dict) else ""
    return [one if not field or field in one else f"{field}: {one}" for one in said] or ([field] if field else [])


def _field(item: dict[str, Json]) -> str:
    named = {_letters(name): member for name, member in item.items()}
    source = named.get("source")
    if isinstance(source, dict):
        named |= {_letters(name): member for name, member in source.items()}
    for name in _FIELDS:
        value = named.get(name)
        parts = value if isinstance(value, list) else [value]
        if texts := [part for part in parts if isinstance(part, str) and part not in _PLACES]:
            return _plain(texts[-1])[:60]
    return ""


def _by_field(value: dict[str, Json], depth: int, *, lists_only: bool = False) -> list[str]:
    """Of a dictionary of fields: “email: Enter a valid address.” lists_only: where nothing says that it is one of errors,
    each of them has to be a list of texts."""
    if not depth or (lists_only and not (value and all(map(_is_list_of_texts, value.values())))):
        return []
    return _first(
        [f"{_plain(name)[:60]}: {said}" for said in _sentences(member, depth - 1)] for name, member in value.items()
    )


def _is_list_of_texts(value: Json) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, str) for one in value)


def _first(found: Iterator[list[str]]) -> list[str]:
    """The first three sentences of several lists, each once."""
    sentences: dict[str, None] = {}
    for some in found:
        sentences.update(dict.fromkeys(some))
        if len(sentences) >= _MAX_SENTENCES:
            break
    return list(sentences)[:_MAX_SENTENCES]


def _letters(name: str) -> str:
    return re.sub(r"[^a-z]", "", name.lower())


def _plain(text: str) -> str:
    """One line, without the tags of HTML; "" where it is a whole page of it."""
    text = text[:_LOOKED_AT]
    if re.match(r"\s*<(?:!doctype|html|head|body)\b", text, re.IGNORECASE):
        return ""
    if _TAG.search(text):
        text = _GAP.sub("", html.unescape(_TAG.sub(" ", text)))
    return " ".join(_CONTROL.sub("\ufffd", text).split())
