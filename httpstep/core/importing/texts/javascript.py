"""Literals of JavaScript: texts, numbers, lists and objects; what a script would work out is named as unknown."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from msgspec import Struct

from httpstep.core.jsontext import Json
from httpstep.core.regex import regex

MAX_DEPTH: Final = 50
PLAIN_NAME: Final = regex(r"[A-Za-z_][A-Za-z0-9_.]{0,99}")
_SPACE: Final = regex(r"(?:\s+|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_NAME: Final = regex(r"[A-Za-z_$][\w$]*(?:\??\.[A-Za-z_$][\w$]*)*")
_NUMBER: Final = regex(r"-?(?:0|[1-9][0-9]{0,300})(?:\.[0-9]{1,300})?(?:[eE][-+]?[0-9]{1,3})?")
_WORDS: Final = {"null": None, "undefined": None, "true": True, "false": False}
_ESCAPE: Final = regex(r"\\(?:u\{([0-9A-Fa-f]{1,6})\}|u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2})|(\n|.))", re.DOTALL)
_LETTERS: Final = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "\n": ""}
_HOLE: Final = regex(
    r"\$\{\s{0,9}(?:(?:encodeURIComponent|encodeURI|String)\(\s{0,9}([A-Za-z_][A-Za-z0-9_.]{0,99})\s{0,9}\)"
    r"|([A-Za-z_][A-Za-z0-9_.]{0,99}))\s{0,9}\}"
)


class ScriptFault(Exception):
    """Not a literal; the text says what stands where."""


class Unknown(Struct, frozen=True):
    """A name that stands for something made elsewhere."""

    text: str


class FunctionCall(Struct, frozen=True):
    """A call with its arguments, `new` or not."""

    name: str
    arguments: list[Json]


def arguments(text: str, at: int) -> tuple[list[Json], int]:
    """The arguments behind the bracket that opens before `at`, and where they end. Raises ScriptFault."""
    reader = _Reader(text, at)
    return reader.items(")", 0), reader.at


class _Reader:
    def __init__(self, text: str, at: int) -> None:
        self._text = text
        self.at = at

    def _peek(self) -> str:
        found = _SPACE.match(self._text, self.at)
        self.at = found.end() if found else self.at
        return self._text[self.at : self.at + 1]

    def _fault(self) -> ScriptFault:
        line = self._text.count("\n", 0, self.at) + 1
        rest = self._text[self.at : self.at + 20].split("\n")[0]
        return ScriptFault(f"“{rest}” in line {line} is not expected" if rest else "its end is missing")

    def items(self, close: str, depth: int) -> list[Json]:
        found: list[Json] = []
        while self._peek() != close:
            found.append(self.value(depth + 1))
            if self._peek() == ",":
                self.at += 1
            elif self._peek() != close:
                raise self._fault()
        self.at += 1
        return found

    def value(self, depth: int) -> Json:
        value = self._one(depth)
        while self._peek() == "+":
            self.at += 1
            value = _joined(value, self._one(depth))
        return value

    def _one(self, depth: int) -> Json:
        char = self._peek()
        if depth > MAX_DEPTH or not char:
            raise self._fault()
        if char in "\"'`":
            text = self._string(char)
            return Unknown("a template") if char == "`" and "${" in text else text
        if char in "{[":
            self.at += 1
            return self._object(depth) if char == "{" else self.items("]", depth)
        if found := _NUMBER.match(self._text, self.at):
            self.at = found.end()
            return int(found[0]) if re.fullmatch(r"-?\d+", found[0]) else Decimal(found[0])
        return self._named(depth)

    def _named(self, depth: int) -> Json:
        found = _NAME.match(self._text, self.at)
        if found is None:
            raise self._fault()
        self.at = found.end()
        if found[0] == "new":
            return self._one(depth + 1)
        if self._peek() == "(":
            self.at += 1
            return FunctionCall(found[0], self.items(")", depth))
        return _WORDS.get(found[0], None) if found[0] in _WORDS else Unknown(found[0])

    def _object(self, depth: int) -> dict[str, Json]:
        found: dict[str, Json] = {}
        while (char := self._peek()) != "}":
            if char and char in "\"'`":
                name = self._string(char)
            elif word := _NAME.match(self._text, self.at) or _NUMBER.match(self._text, self.at):
                name, self.at = word[0], word.end()
            else:
                raise self._fault()
            if self._peek() == ":":
                self.at += 1
                found[name] = self.value(depth + 1)
            else:
                found[name] = Unknown(name)
            if self._peek() == ",":
                self.at += 1
            elif self._peek() != "}":
                raise self._fault()
        self.at += 1
        return found

    def _string(self, quote: str) -> str:
        end = self.at + 1
        while end < len(self._text) and self._text[end] != quote:
            end += 2 if self._text[end] == "\\" else 1
        if end >= len(self._text):
            self.at = len(self._text)
            raise self._fault()
        text, self.at = self._text[self.at + 1 : end], end + 1
        if quote == "`":
            text = _HOLE.sub(lambda found: f"{{{{{found[1] or found[2]}}}}}", text)
        text = _ESCAPE.sub(_character, text)
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _joined(left: Json, right: Json) -> Json:
    """left + right, where a name of the script becomes a placeholder; Unknown where that cannot be said."""
    for one in (left, right):
        if not isinstance(one, str | int | Decimal) and not (
            isinstance(one, Unknown) and PLAIN_NAME.fullmatch(one.text)
        ):
            return Unknown(f"{one.name}(…)" if isinstance(one, FunctionCall) else "an expression")
    return "".join(f"{{{{{one.text}}}}}" if isinstance(one, Unknown) else str(one) for one in (left, right))


def _character(found: re.Match[str]) -> str:
    if found[4] is not None:
        return _LETTERS.get(found[4], found[4])
    code = int(found[1] or found[2] or found[3], 16)
    return chr(code) if code <= 0x10FFFF else "\ufffd"
