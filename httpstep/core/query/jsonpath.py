"""RFC 9535: queries over a document, and normalized paths, which is how a path is shown to people.

`jsonpath_parsing` reads a query, strictly by the RFC; `jsonpath_evaluation` evaluates it, with a limit on the work.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from httpstep.core.jsontext import Json, Path
from httpstep.core.query.jsonpath_comparison import MAX_WORK, QueryRefused, Work
from httpstep.core.query.jsonpath_hints import with_dollar
from httpstep.core.query.jsonpath_selectors import Query
from httpstep.core.query.jsonpath_values import SAMPLE, sampled
from httpstep.core.regex import regex
from httpstep.core.workcounter import WorkCounter

__all__ = [
    "QueryRefused",
    "check_query",
    "find",
    "in_words",
    "normalized",
    "parse_normalized",
    "searched_path",
    "source_in_words",
    "singular_path",
]

MAX_LENGTH: Final = 2000
_MAX_NESTING: Final = 100
_TEXTS: Final = regex(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*\"""")


@lru_cache(maxsize=512)
def _compiled(query: str) -> Query:
    """Raises QueryRefused, with a sentence."""
    if len(query) > MAX_LENGTH:
        raise QueryRefused(f"A query has at most {MAX_LENGTH:,} characters.")
    if not query.startswith("$"):
        meant = with_dollar(query) or "$.items[0].price"
        raise QueryRefused(f"A query begins with “$”, the whole answer, as in {meant}.")
    if _nesting(query) > _MAX_NESTING:
        raise QueryRefused("The query is nested too deeply.")
    from httpstep.core.query.jsonpath_parsing import parsed  # with python-jsonpath: see there

    return parsed(query)


def _nesting(query: str) -> int:
    """How deep its brackets go, or how often something is negated in a row. What the parser takes depends on the frames
    that Python allows, and a query must not be right in one process and wrong in another."""
    written, depths = _TEXTS.sub("", query), [0]
    for character in written:
        depths.append(depths[-1] + (character in "([") - (character in ")]"))
    negations = [run.group().count("!") for run in re.finditer(r"!(?:\s*!)*", written)]
    return max(depths + negations)


def check_query(query: str) -> str | None:
    """A sentence that says what is wrong with a query, None if nothing is."""
    try:
        _compiled(sampled(query))
    except QueryRefused as error:
        return str(error)
    return None


def find(query: str, document: Json, counter: WorkCounter | None = None) -> list[Json]:
    """The values of the nodes a query selects, in order. Raises QueryRefused: a bad query, or too much work."""
    work = Work(document)
    try:
        return _compiled(query).select([document], work)
    finally:
        if counter is not None:
            counter.spend(MAX_WORK - work.left)


def searched_path(query: str) -> Path:
    """The place a query searches: its path up to the first part that can select more than one value."""
    path: list[str | int] = []
    for step in _compiled(sampled(query)).steps:
        if step is None or (isinstance(step, str) and SAMPLE in step):
            break
        path.append(step)
    return tuple(path)


def singular_path(query: str) -> Path | None:
    """The path of a query that can only ever select one place ($.a[0]['b']), else None."""
    path = searched_path(query)
    return path if len(path) == len(_compiled(sampled(query)).steps) else None


# ---------------------------------------------------------------- normalized paths (RFC 9535, 2.7)

_ESCAPES: Final = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", "'": "\\'", "\\": "\\\\"}
_UNESCAPES: Final = {written: character for character, written in _ESCAPES.items()}
_ESCAPED: Final = str.maketrans({chr(code): f"\\u{code:04x}" for code in range(0x20)} | _ESCAPES)
_STEP: Final = regex(r"\[(?:(0|[1-9][0-9]{0,15})|'((?:[^\x00-\x1f'\\]|\\(?:[btnfr'\\]|u00[01][0-9a-f]))*)')\]")
_ESCAPE: Final = regex(r"\\(?:u([0-9a-f]{4})|.)")


def normalized(path: Path, limit: int | None = None) -> str:
    """The path as an RFC 9535 normalized path: $['data'][0]['status'].

    limit: the text is right up to so many characters, and may end there.
    """
    text = "$"
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            name = part[:limit]
            text += f"['{name if name.isidentifier() else _escaped(name)}']"  # nearly all are identifiers
        if limit is not None and len(text) > limit:
            break
    return text


def _escaped(key: str) -> str:
    if key.isprintable():  # ten times faster
        return key.replace("\\", "\\\\").replace("'", "\\'")
    return key.translate(_ESCAPED)


def in_words(path: Path, limit: int = 0) -> str:
    """The path as people say it: order › items › 1 › price. Items are counted from 1. limit: characters there is room for;
    what is too much goes in front, since the end tells more."""
    parts = _last_words(path, limit) if limit else [_in_words(part) for part in path]
    text = _BETWEEN.join(parts) if path else "the whole answer"
    while limit and len(text) > limit and len(parts) > 1:
        parts = parts[1:]
        text = _BETWEEN.join(["…", *parts])
    return text if not limit or len(text) <= limit else "…" + text[1 - limit :]


_BETWEEN: Final = " › "


def _last_words(path: Path, limit: int) -> list[str]:
    """The parts of its words from the end, up to the first with which they are too long: a path may be as long as the
    answer, and there are a hundred rules."""
    words: list[str] = []
    length = 0
    for part in reversed(path):
        words.insert(0, _in_words(part, limit))
        length += len(words[0]) + len(_BETWEEN)
        if length > limit + len(_BETWEEN):
            break
    return words


def source_in_words(source: str, limit: int = 0) -> str:
    """The same for a path as `normalized` writes it. A query, and the name of a fact of the call, stay as they are."""
    try:
        path = parse_normalized(source)
    except ValueError:
        return source
    return in_words(path, limit)


def _in_words(part: str | int, limit: int = 0) -> str:
    """limit: characters there is room for. Of a name that is much longer only the end is looked at."""
    return str(part + 1) if isinstance(part, int) else " ".join(part[-20 * limit :].split()) or "“”"


def parse_normalized(text: str) -> Path:
    """The path of a normalized path. Raises ValueError with a sentence."""
    if not text.startswith("$"):
        raise ValueError("A path begins with “$”, as in $['data'][0]['status'].")
    path: list[str | int] = []
    place = 1
    while place < len(text):
        match = _STEP.match(text, place)
        if match is None:
            raise ValueError(f"The path is not right at character {place + 1}: ['name'] or [0] should stand there.")
        index, key = match.groups()
        path.append(int(index) if index is not None else _ESCAPE.sub(_unescaped, key))
        place = match.end()
    return tuple(path)


def _unescaped(match: re.Match[str]) -> str:
    return chr(int(match[1], 16)) if match[1] else _UNESCAPES[match[0]]
