"""JSON that does not come alone: behind a guard or a warning or before one, several texts, a stream of events, a script.

It is named and not read: what stands around it may be cut, or be there on one day only. The words say what to do.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

from httpstep.core import jsontext
from httpstep.core.errors import UnreadableAnswer
from httpstep.core.regex import regex

_GUARD: Final = regex(
    r"\s*(\)\]\}'?,?|(?:while|for)\s*\([1;\s]{1,4}\)\s*;?|//\s*OK|throw\s[^\n;{\[]{0,60};?(?:\s*<[^>\n]{0,40}>)?|&&&START&&&"
    r"|\{\}\s*&&)\s*(?=[\[{])"
)
_WARNING: Final = regex(r"\b(Warning|Notice|Deprecated|(?:Fatal|Parse) error|Strict Standards)\b(?:</b>)?\s*:")
_CALL: Final = regex(
    r"\s*(?:/\*.{0,200}?\*/\s*)*(?:try\s*\{\s*)?(?:typeof\s+[\w$.]{1,100}\s*={2,3}\s*['\"]function['\"]\s*&&\s*)?"
    r"[\w$.]{1,100}\s*\(\s*[\[{\"]",
    re.DOTALL,
)
_EVENT: Final = regex(r"\s*(?:(?:event|id|retry)?:[^\n]{0,200}\n\s*){0,4}(?:data|event):")
_MAY_BEGIN: Final = regex(r"(?:^|[>;]|on line \d{1,9})[ \t\r\n]*(?=[\[{])", re.MULTILINE)
_MAX_BEGINNINGS: Final = 8
_LINES: Final = frozenset(
    {"application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines"}
)
_MAX_WARNING: Final = 120

GUARDED, PRECEDED, FOLLOWED, EVENTS = "guarded", "preceded", "followed", "events"
LINES, SCRIPT = "json_lines", "jsonp"
KINDS: Final = {
    GUARDED: "JSON behind a guard",
    PRECEDED: "JSON behind other text",
    FOLLOWED: "JSON before other text",
    EVENTS: "a stream of events (SSE)",
    LINES: "several JSON texts (NDJSON)",
    SCRIPT: "JavaScript that calls a function (JSONP)",
}


def wrapping_of(declared: str, text: str) -> str:
    """One of the kinds above, "" where it is none of them. declared: the media type; text: the body, which is no JSON."""
    if declared == "text/event-stream" or _EVENT.match(text):
        return EVENTS
    if _GUARD.match(text):
        return GUARDED
    if _CALL.match(text):
        return SCRIPT
    if declared in _LINES or _is_lines(text):
        return LINES
    return _followed(text) or (PRECEDED if any(map(_is_json, _endings(text))) else "")


def words_for(kind: str, start: str) -> str:
    """What came and what to do about it, as sentences. start: of the body, masked."""
    if kind == GUARDED:
        found = _GUARD.match(start)
        guard = f"“{found[1].strip()}”" if found else "a guard"
        return (
            f"The answer begins with {guard} before the JSON, a guard against foreign scripts. "
            "Ask the API for plain JSON, often at another address or with the header Accept: application/json."
        )
    if kind in (PRECEDED, FOLLOWED):
        return _beside_the_json(start, "before" if kind == PRECEDED else "after")
    return _WORDS[kind]


_WORDS: Final = {
    EVENTS: "Received a stream of events (server-sent events, SSE). Ask the API for one plain answer, often by "
    "“stream”: false in the body or by the header Accept: application/json.",
    LINES: "Received several JSON texts, one after the other (NDJSON). Ask the API for one list, often by the header "
    "Accept: application/json.",
    SCRIPT: "Received JavaScript that calls a function (JSONP). Remove the parameter that names the function, such as "
    "callback or jsonp, from the URL.",
}


def _beside_the_json(start: str, where: str) -> str:
    found = _WARNING.search(start)
    if found is None:
        seen = "first" if where == "before" else "last"
        return (
            f"Other text stands {where} the JSON. Ask the API for JSON alone; where it is a server of your own, see what "
            f"it writes {seen}."
        )
    line = re.sub(r"<[^<>\n]{0,60}>", "", start[found.start() :].split("\n")[0]).strip()
    said = line if len(line) <= _MAX_WARNING else line[: _MAX_WARNING - 1] + "…"
    return (
        f"The server wrote a warning {where} the JSON: “{said}”. Whoever runs it has to mend its cause or switch off that "
        "warnings are shown (PHP: display_errors)."
    )


def _followed(text: str) -> str:
    """Of a whole list or object: what is behind it, another one, or a warning or a comment that the server added."""
    text = text.lstrip("\ufeff \t\r\n")
    if not text.startswith(("{", "[")):
        return ""
    try:
        _, end = json.JSONDecoder(parse_int=str, parse_float=str).raw_decode(text)
    except (ValueError, RecursionError):
        return ""
    rest = text[end:].lstrip()
    if rest.startswith(("{", "[")):
        return LINES if _is_json(rest) else _followed(rest)
    return FOLLOWED if rest.startswith("<") or _WARNING.match(rest.removeprefix("PHP ")) else ""


def _is_lines(text: str) -> bool:
    """Whether the first two lines that are not blank are each a list or object."""
    lines = [line for line in text[:200_000].splitlines() if line.strip()][:2]
    return len(lines) == 2 and all(line.lstrip()[0] in "[{" and _is_json(line) for line in lines)


def _endings(text: str) -> Iterator[str]:
    """The text from each place on where JSON may begin behind something else."""
    for number, found in enumerate(_MAY_BEGIN.finditer(text)):
        if number == _MAX_BEGINNINGS:
            return
        if found.end():
            yield text[found.end() :]


def _is_json(text: str) -> bool:
    try:
        jsontext.loads(text, bad_numbers=True)
    except UnreadableAnswer:
        return False
    return True
