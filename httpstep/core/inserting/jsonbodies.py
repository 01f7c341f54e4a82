"""JSON bodies with placeholders: inside a string the value's text, escaped; elsewhere the value itself."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final

from msgspec import Struct

from httpstep.core import jsontext
from httpstep.core.errors import UnreadableAnswer
from httpstep.core.inserting.encoders import json_string, json_value
from httpstep.core.inserting.jsonhints import json_hint
from httpstep.core.inserting.placeholders import CACHED_LENGTH, Literal, Placeholder, scan
from httpstep.core.inserting.values import joined
from httpstep.core.jsontext import Json
from httpstep.core.regex import regex

_QUOTE_OR_ESCAPE: Final = regex(r'["\\]')


class JsonBodyFault(Exception):
    """The text is no JSON, whatever the values. `sentence` names line and column in the text as typed."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class Quoted(Struct, frozen=True):
    """A placeholder inside a JSON string."""

    placeholder: Placeholder


JsonParts = tuple[str | Placeholder | Quoted, ...]


def compile_json(text: str) -> JsonParts:
    """The body's parts. Any values make valid JSON of them. Raises JsonBodyFault and PlaceholderFault."""
    return _compiled(text) if len(text) <= CACHED_LENGTH else _compile(text)


def render_json(parts: JsonParts, value_of: Callable[[Placeholder], Json], limit: int) -> str:
    """The body as it goes out. Raises OverLimit, and what `value_of` raises."""

    def filled(part: Placeholder | Quoted) -> str:
        return json_string(value_of(part.placeholder)) if isinstance(part, Quoted) else json_value(value_of(part))

    return joined(parts, filled, limit)


def _compile(text: str) -> JsonParts:
    """Finds which placeholders stand inside strings, then reads the text once with stand-ins in their place.

    A stand-in is as long as what it stands for, so that line and column are those of the text as typed: `null`
    and spaces for a value (whatever could merge with a neighbour, as in `1{{x}}`, is refused), letters in a string.
    """
    parts: list[str | Placeholder | Quoted] = []
    checked: list[str] = []
    inside = False
    for piece in scan(text):
        if isinstance(piece, Literal):
            literal, inside = _unescaped(piece.source), _inside_after(piece.source, inside)
            parts.append(literal)
            checked.append(literal if literal == piece.source else literal[:-2] + "xxx")
        elif inside:
            parts.append(Quoted(piece))
            checked.append("x" * len(piece.source))
        else:
            parts.append(piece)
            checked.append("null".ljust(len(piece.source)))
    try:
        jsontext.loads("".join(checked))
    except UnreadableAnswer as error:
        hint = json_hint("".join(checked))
        raise JsonBodyFault(f"{error.message} {hint}".rstrip()) from error
    return tuple(parts)


_compiled = lru_cache(maxsize=512)(_compile)


def _unescaped(source: str) -> str:
    r"""A literal as it goes out: `\{{` loses its backslash. Pairs of backslashes stay, they are JSON's own escape."""
    return source[:-3] + "{{" if source.endswith("\\{{") else source


def _inside_after(literal: str, inside: bool) -> bool:
    """Whether the text after `literal` is inside a JSON string."""
    at = 0
    while found := _QUOTE_OR_ESCAPE.search(literal, at):
        if found[0] == '"':
            inside = not inside
            at = found.end()
        else:
            at = found.end() + (1 if inside else 0)
    return inside
