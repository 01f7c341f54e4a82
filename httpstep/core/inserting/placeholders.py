r"""Finds `{{name}}` in a text and looks names up. One pass, linear time, nothing is ever evaluated.

The grammar:

    {{name}}        a placeholder; spaces and tabs inside the braces are allowed
    {{name|number}} the value turned into a number first; also `|integer` and `|boolean`, as in a mapping
    {{secret.NAME}} a placeholder for a stored secret
    \{{             a literal `{{`
    \\{{name}}      a backslash, then a placeholder: backslashes directly before `{{` go in pairs
    {{anything}}    a fault, and so is `{{` without `}}`

A name is a letter or `_`, then letters, digits, `_`, `.`, `-`, at most 100 characters, ASCII only: names that look
alike and are not would be a trap. `}}` alone is text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from functools import lru_cache
from typing import Final

from msgspec import Struct

from httpstep.core.jsontext import Json
from httpstep.core.regex import regex

SECRET_PREFIX: Final = "secret."
CONVERTED_TO: Final = ("number", "integer", "boolean")
"""What may stand after the bar: conversions of `core.conversion`. A secret has none, it is text."""
_NAME: Final = regex(r"[A-Za-z_][A-Za-z0-9_.-]{0,99}", re.ASCII)
CACHED_LENGTH: Final = 16_384
"""Longer texts are scanned anew each time, so that the cache stays small."""
_MAX_FAULTS: Final = 20
_HOW_LITERAL: Final = r"Write “\{{” if you mean the two braces themselves."
_HOW: Final = f"Names have letters, digits, “_”, “.” and “-”, like {{{{order.id}}}}. {_HOW_LITERAL}"
_HOW_CONVERTED: Final = (
    f"After “|” stands one of {', '.join(CONVERTED_TO)}, like {{{{qty|number}}}}, and secrets stay as they are."
)


class NotFound(Enum):
    """What `lookup` gives for a name that is not there; null is a value."""

    NOT_FOUND = "not found"


NOT_FOUND: Final = NotFound.NOT_FOUND


class Literal(Struct, frozen=True):
    """Text that stays as it is. `source` is how it was typed, escapes and all."""

    text: str
    source: str


class Placeholder(Struct, frozen=True):
    """`name` is what to look up; `source` is how it was typed, braces and spaces included; `conversion` may be ""."""

    name: str
    source: str
    conversion: str = ""

    @property
    def secret(self) -> str | None:
        """The secret's name, or None if this names an attribute."""
        return self.name[len(SECRET_PREFIX) :] if self.name.startswith(SECRET_PREFIX) else None


Piece = Literal | Placeholder


class PlaceholderFault(Exception):
    """A text with a faulty placeholder was scanned. `sentences`: one for each fault, for a person."""

    def __init__(self, sentences: tuple[str, ...]) -> None:
        super().__init__(" ".join(sentences))
        self.sentences = sentences


def is_name(text: str) -> bool:
    """Whether `text` may stand between the braces."""
    text = text.removeprefix(SECRET_PREFIX)
    return _NAME.fullmatch(text) is not None


def scan(text: str) -> tuple[Piece, ...]:
    """The pieces of `text` in order; their `source` texts joined are `text` again. Raises PlaceholderFault."""
    pieces, faults = scan_with_faults(text)
    if faults:
        raise PlaceholderFault(faults)
    return pieces


def names_in(text: str) -> list[str]:
    """The names that stand in `text`, each once, in order, `secret.` names included; faulty ones are left out."""
    if "{{" not in text:
        return []
    pieces, _ = scan_with_faults(text)
    return list(dict.fromkeys(piece.name for piece in pieces if isinstance(piece, Placeholder)))


def faults_in(text: str) -> list[str]:
    """One sentence for each faulty placeholder in `text`."""
    return list(_scan(text)[1]) if "{{" in text else []


def lookup(name: str, attributes: Mapping[str, Json]) -> Json | NotFound:
    """The value of `name`: an attribute of exactly that name, else a walk into one.

    `customer.address.0.city` tries an attribute of the longest leading part of the name first
    (`customer.address.0`, `customer.address`, `customer`) and walks the rest: keys of objects, digits for lists.
    """
    if name in attributes:
        return attributes[name]
    parts = name.split(".")
    for length in range(len(parts) - 1, 0, -1):
        prefix = ".".join(parts[:length])
        if prefix in attributes:
            found = _walk(attributes[prefix], parts[length:])
            if found is not NOT_FOUND:
                return found
    return NOT_FOUND


def _walk(value: Json, keys: list[str]) -> Json | NotFound:
    for key in keys:
        if isinstance(value, dict) and key in value:
            value = value[key]
        elif isinstance(value, list) and key.isascii() and key.isdigit() and int(key) < len(value):
            value = value[int(key)]
        else:
            return NOT_FOUND
    return value


def _scan(text: str) -> tuple[tuple[Piece, ...], tuple[str, ...]]:
    pieces: list[Piece] = []
    faults: list[str] = []
    done = 0  # everything before this index is in `pieces`
    while (opening := text.find("{{", done)) >= 0:
        before = text[done:opening]
        plain = before.rstrip("\\")
        pairs, escaped = divmod(len(before) - len(plain), 2)
        if escaped:
            pieces.append(Literal(plain + "\\" * pairs + "{{", before + "{{"))
            done = opening + 2
            continue
        if before:
            pieces.append(Literal(plain + "\\" * pairs, before))
        closing = text.find("}}", opening)
        if closing < 0:
            faults.append(f"“{{{{” at {_place(text, opening)} is never closed with “}}}}”. {_HOW_LITERAL}")
            return tuple(pieces), tuple(faults)
        done = closing + 2
        source = text[opening:done]
        name, bar, conversion = (part.strip(" \t") for part in source[2:-2].partition("|"))
        if is_name(name) and (not bar or (conversion in CONVERTED_TO and not name.startswith(SECRET_PREFIX))):
            pieces.append(Placeholder(name, source, conversion))
        else:
            how = _HOW_CONVERTED if bar and is_name(name) else _HOW
            faults.append(f"“{_short(source)}” at {_place(text, opening)} is not an attribute. {how}")
            if len(faults) == _MAX_FAULTS:
                break
    if done < len(text):
        pieces.append(Literal(text[done:], text[done:]))
    return tuple(pieces), tuple(faults)


_scanned = lru_cache(maxsize=1024)(_scan)


def scan_with_faults(text: str) -> tuple[tuple[Piece, ...], tuple[str, ...]]:
    """The pieces of a text that may be half typed, faulty placeholders left out; and one sentence for each of those.

    The texts of a step are scanned with its first call; long ones would fill the memory.
    """
    return _scanned(text) if len(text) <= CACHED_LENGTH else _scan(text)


def _place(text: str, index: int) -> str:
    line = text.count("\n", 0, index) + 1
    column = index - text.rfind("\n", 0, index)
    return f"line {line}, column {column}" if "\n" in text else f"character {column}"


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= 40 else flat[:37] + "…"
