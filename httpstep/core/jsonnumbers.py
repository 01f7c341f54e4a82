"""The numbers of JSON texts. They keep their digits: whole numbers are int, all others Decimal, and one whose text a
Decimal would rewrite (1e5, 0.0000001, -0) is a WrittenNumber. What cannot be kept is NaN, Infinity, a number beyond a
double's range (1e400) and one of more than 4,300 digits.

A megabyte may be 200,000 of them, no two alike: reading one is a call, and nothing is said about a number before
somebody asks.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import Final, NoReturn

from httpstep.core.errors import UnreadableAnswer
from httpstep.core.regex import regex

MAX_DIGITS: Final = 4300
_SHORT: Final = 4
"""Characters. There are some 2,000 such numbers with an exponent, and 250,000 in a megabyte of them."""
_DOUBLE: Final = 100
"""Characters of a number that a double holds where its exponent has two digits at most."""
_LARGE_EXPONENT: Final = regex("[^eE]+[eE][-+]?0*(?:430[1-9]|43[1-9][0-9]|4[4-9][0-9]{2}|[5-9][0-9]{3}|[1-9][0-9]{4})")
"""Above 4,300."""

_INFINITY: Final = math.inf
_NAN: Final = Decimal("NaN")
_decimal: Final = Decimal.__new__


class WrittenNumber(Decimal):
    """A number that remembers how it was written; `str` gives exactly that text."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> WrittenNumber:
        number = _decimal(cls, text)
        number.text = text
        return number

    def __str__(self) -> str:
        return self.text

    def __format__(self, specifier: str, /, *_: object) -> str:
        return super().__format__(specifier) if specifier else self.text

    def __reduce__(self) -> tuple[type[WrittenNumber], tuple[str]]:
        return WrittenNumber, (self.text,)


_remembered: Final = lru_cache(maxsize=4096)(WrittenNumber)


class UnkeptNumber(Decimal):
    """Stands in an answer where a number cannot be kept, and is not a number to reckon with. It is never given to a bot;
    written as JSON it is null. Made by `unkept`."""

    __slots__ = ("text",)
    text: str

    def __str__(self) -> str:
        return _short(self.text)

    @property
    def why(self) -> str:
        """The reason, as a sentence."""
        return _why_not_kept(self.text)


class NotKept(ValueError):
    """A value has a number in it that cannot be kept; `str` is the reason, as a sentence."""


# ---------------------------------------------------------------- as they are read


def refused(text: str) -> NoReturn:
    """What becomes of a number that cannot be kept, where it refuses the whole text."""
    raise UnreadableAnswer(_why_not_kept(text), reason="number")


def unkept(text: str) -> UnkeptNumber:
    """What becomes of it where it is not the whole answer."""
    number = _decimal(UnkeptNumber, _NAN)
    number.text = text
    return number


def numbers_or(otherwise: Callable[[str], Decimal]) -> Callable[[str], Decimal]:
    """Reads a number with a fraction or an exponent. otherwise: `refused` or `unkept`."""

    def number(text: str) -> Decimal:
        if "e" in text or "E" in text:
            if len(text) <= _SHORT:
                return _remembered(text)
            if len(text) > _DOUBLE:
                if _why_not_kept(text):
                    return otherwise(text)
            elif not ("e" in text[-3:] or "E" in text[-3:]):  # of one or two digits it is none too large
                size = abs(float(text))
                if size == _INFINITY or (size == 0 and _LARGE_EXPONENT.match(text)):
                    return otherwise(text)
        elif len(text) > MAX_DIGITS and _why_not_kept(text):
            return otherwise(text)
        elif "0.000000" not in text:  # str(Decimal("0.0000001")) is "1E-7"
            return Decimal(text)
        written = _decimal(WrittenNumber, text)  # what its __new__ does, without a call
        written.text = text
        return written

    return number


def whole_numbers_or(otherwise: Callable[[str], Decimal]) -> Callable[[str], int | Decimal]:
    """The same for one without either."""

    def whole_number(text: str) -> int | Decimal:
        if len(text) > MAX_DIGITS and _why_not_kept(text):
            return otherwise(text)
        return _NEGATIVE_ZERO if text == "-0" else int(text)

    return whole_number


_NEGATIVE_ZERO: Final = WrittenNumber("-0")


# ---------------------------------------------------------------- in a text of JSON


def may_have_negative_zero(text: bytes | str) -> bool:
    """Whether -0 may stand in it where a value stands. What is inside of a text counts too."""
    if isinstance(text, str):
        return "-0" in text and _ZERO.search(text) is not None
    return b"-0" in text and _ZERO_BYTES.search(text) is not None


_ZERO: Final = regex(r"-0(?=[\s,\]}]|\Z)(?<![^\s:,\[]-0)")
"""It begins with the number itself, which is looked for ten times faster."""
_ZERO_BYTES: Final = regex(_ZERO.pattern.encode())


# ---------------------------------------------------------------- what cannot be kept


def _why_not_kept(text: str) -> str:
    """The reason, as a sentence; "" where it can."""
    if text.endswith(("NaN", "Infinity")):  # what Python and JavaScript write
        return f"{text} stands where a value should be; JSON has no such number."
    if len(text) > MAX_DIGITS and sum(map(str.isdigit, text)) > MAX_DIGITS:
        return f"A number has more than {MAX_DIGITS:,} digits."
    if "e" in text.lower() and (abs(float(text)) == _INFINITY or _LARGE_EXPONENT.match(text)):
        return f"The number {_short(text)} is outside the range that can be kept."
    return ""


def _short(text: str) -> str:
    return text if len(text) <= 20 else text[:17] + "..."
