"""The numbers of JSON texts. They keep their digits: whole numbers are int, all others Decimal, and one whose text a
Decimal would rewrite (1e5, 0.0000001, -0) is a WrittenNumber. What cannot be kept is NaN, Infinity, a number beyond a
double's range (1e400) and one of more than 4,300 digits.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import Final, NoReturn

from httpstep.core.errors import UnreadableAnswer

MAX_DIGITS: Final = 4300
_SHORT: Final = 7
_SHORT_ZEROS: Final = 9
_DOUBLE: Final = 100
"""Characters of a number whose exponent is small enough where it has two digits, or where a double holds the number."""
_REMEMBERED: Final = 20
"""Characters. 4,096 numbers of that length are some 500 KB."""

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


class UnkeptNumber(Decimal):
    """Stands in an answer where a number cannot be kept, and is not a number to reckon with. It is never given to a bot;
    written as JSON it is null. why: the reason, as a sentence."""

    __slots__ = ("text", "why")
    text: str
    why: str

    def __new__(cls, text: str, why: str) -> UnkeptNumber:
        number = _decimal(cls, "NaN")
        number.text, number.why = _short(text), why
        return number

    def __str__(self) -> str:
        return self.text


class NotKept(ValueError):
    """A value has a number in it that cannot be kept; `str` is the reason, as a sentence."""


# ---------------------------------------------------------------- as they are read


def number(text: str) -> Decimal:
    """A number with a fraction or an exponent. Raises UnreadableAnswer, as `whole_number` and `no_number` do."""
    if len(text) > MAX_DIGITS and sum(map(str.isdigit, text)) > MAX_DIGITS:
        raise _too_many_digits()
    if "e" in text or "E" in text:
        return _short_as_written(text) if len(text) <= _SHORT else _as_written(text)
    if "0.000000" in text:  # str(Decimal("0.0000001")) is "1E-7"
        return _short_as_written(text) if len(text) <= _SHORT_ZEROS else _as_written(text)
    return Decimal(text)


def _as_written(text: str) -> WrittenNumber:
    if len(text) > _DOUBLE or not ("e" in text[-3:] or "E" in text[-3:] or 0 < abs(float(text)) < math.inf):
        _check_exponent(text)
    number = _decimal(WrittenNumber, text)  # what its __new__ does, in half the time: a megabyte of them is 100,000
    number.text = text
    return number


_short_as_written: Final = lru_cache(maxsize=4096)(_as_written)
"""The shorter they are, the more of them an answer of 1 MB holds, and the fewer there are that differ."""
_NEGATIVE_ZERO: Final = WrittenNumber("-0")


def whole_number(text: str) -> int | Decimal:
    if len(text) > MAX_DIGITS and len(text.lstrip("-")) > MAX_DIGITS:
        raise _too_many_digits()
    return _NEGATIVE_ZERO if text == "-0" else int(text)


def no_number(name: str) -> NoReturn:
    """NaN, Infinity and -Infinity, which Python and JavaScript write and JSON does not know."""
    raise UnreadableAnswer(f"{name} stands where a value should be; JSON has no such number.", reason="number")


def or_unkept(read: Callable[[str], int | Decimal]) -> Callable[[str], int | Decimal]:
    """The same, with an UnkeptNumber in the place of a refusal."""

    def forgiving(text: str) -> int | Decimal:
        try:
            return read(text)
        except UnreadableAnswer as error:
            return UnkeptNumber(text, error.message)

    remembered = lru_cache(maxsize=4096)(forgiving)  # a refusal takes ten times as long as a number
    return lambda text: remembered(text) if len(text) <= _REMEMBERED else forgiving(text)


def _check_exponent(text: str) -> None:
    _, e, digits = text.lower().partition("e")
    if not e:
        return
    exponent = digits.lstrip("+-0")
    if len(exponent) > 4 or int(exponent or "0") > MAX_DIGITS or math.isinf(float(text)):
        raise UnreadableAnswer(f"The number {_short(text)} is outside the range that can be kept.", reason="number")


def _too_many_digits() -> UnreadableAnswer:
    return UnreadableAnswer(f"A number has more than {MAX_DIGITS:,} digits.", reason="number")


def _short(text: str) -> str:
    return text if len(text) <= 20 else text[:17] + "..."
