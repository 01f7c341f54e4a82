"""A `fetch(…)` of JavaScript, as browsers copy it and documentations print it."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote_plus

from httpstep.core import jsontext
from httpstep.core.importing.bodies import Piece
from httpstep.core.importing.imported import Ignored, Imported
from httpstep.core.importing.request import Said, request_of
from httpstep.core.importing.shell.words import placeholder
from httpstep.core.importing.texts import javascript
from httpstep.core.importing.texts.javascript import FunctionCall, ScriptFault, Unknown
from httpstep.core.inserting.encoders import FORM_TYPE
from httpstep.core.jsontext import Json
from httpstep.core.regex import regex

CALL: Final = regex(r"\bfetch\s*\(")
MAX_CHARACTERS: Final = 1024 * 1024
_SILENT: Final = frozenset(
    {"mode", "cache", "referrerPolicy", "integrity", "keepalive", "priority", "signal", "redirect"}
)
"""What only concerns a browser."""


def from_fetch(text: str) -> Imported:
    """Reads the first fetch of the text; never raises."""
    found = CALL.search(text)
    if found is None or len(text) > MAX_CHARACTERS:
        return Imported(faults=("There is no fetch(…) here, or the text is too long for one.",))
    try:
        arguments, end = javascript.arguments(text, found.end())
    except ScriptFault as error:
        return Imported(faults=(f"This fetch(…) cannot be read: {error}.",))
    said = Said("fetch", glob_off=True, default_type="text/plain;charset=UTF-8")
    said.url = _text(said, arguments[0], "the address") if arguments else ""
    options = arguments[1] if len(arguments) > 1 else {}
    if isinstance(options, dict):
        for name, value in options.items():
            _take(said, name, value)
    else:
        said.faults.append(
            "The second argument of fetch(…) is made elsewhere, so method, headers and body are not known."
        )
    if CALL.search(text, end):
        said.ignored.append(Ignored("fetch(…)", "only the first one is taken"))
    return said.imported(request_of(said))


def _take(said: Said, name: str, value: Json) -> None:
    if name == "method":
        said.method = _text(said, value, "the method").upper()
    elif name == "headers":
        _take_headers(said, value.arguments[0] if isinstance(value, FunctionCall) and value.arguments else value)
    elif name == "body":
        _take_body(said, value)
    elif name == "referrer":
        if isinstance(value, str) and value.startswith("http"):
            said.lone["Referer"] = value
    elif name == "credentials":
        if value == "include":
            said.notes.append("The cookies of the browser are not in this text, so they are not sent.")
    elif name not in _SILENT:
        said.ignored.append(Ignored(name, "fetch knows no such option"))


def _take_headers(said: Said, headers: Json) -> None:
    rows = headers.items() if isinstance(headers, dict) else headers if isinstance(headers, list) else ()
    if not isinstance(headers, dict | list):
        said.faults.append("The headers are made elsewhere, so they are not known.")
    for row in rows:
        name, value = row if isinstance(row, tuple | list) and len(row) == 2 else ("", "")
        if isinstance(name, str) and name:
            said.headers.append((name, _text(said, value, f"the header {name}")))


def _take_body(said: Said, value: Json) -> None:
    said.has_body = value is not None
    if isinstance(value, FunctionCall) and value.arguments:
        [argument, *_] = value.arguments
        if value.name == "JSON.stringify":
            said.data.append(Piece(jsontext.pretty(_plain(said, argument))))
            return
        if value.name == "URLSearchParams" and isinstance(argument, dict):
            pairs = (f"{quote_plus(name)}={quote_plus(_text(said, one, name))}" for name, one in argument.items())
            said.data.append(Piece("&".join(pairs)))
            said.default_type = FORM_TYPE
            return
    if value is not None:
        said.data.append(Piece(_text(said, value, "the body")))


def _plain(said: Said, value: Json) -> Json:
    """A value as JSON: what the script makes elsewhere becomes a placeholder."""
    if isinstance(value, dict):
        return {name: _plain(said, one) for name, one in value.items()}
    if isinstance(value, list):
        return [_plain(said, one) for one in value]
    return _text(said, value, "a value of the body") if isinstance(value, str | Unknown | FunctionCall) else value


def _text(said: Said, value: Json, what: str) -> str:
    if isinstance(value, Unknown) and javascript.PLAIN_NAME.fullmatch(value.text):
        return _named(f"{{{{{value.text}}}}}")
    if isinstance(value, Unknown | FunctionCall | dict | list):
        shown = (
            value.text if isinstance(value, Unknown) else value.name if isinstance(value, FunctionCall) else "a list"
        )
        said.faults.append(f"What stands for {what} is made elsewhere ({shown[:40]}) and is not known.")
        return ""
    return _named(value) if isinstance(value, str) else "" if value is None else jsontext.dumps_text(value)


_ENVIRONMENT: Final = regex(r"\{\{(?:process|import\.meta)\.env\.([A-Za-z_]\w{0,99})\}\}")


def _named(text: str) -> str:
    """Variables of the environment as those of a shell: a token among the secrets, others as attributes."""
    return _ENVIRONMENT.sub(lambda found: placeholder(found[1], {}), text)
