"""How RFC 9535 compares values (2.3.5.2.2), and the work a query may do."""

from __future__ import annotations

import operator
from collections.abc import Callable
from decimal import Decimal
from itertools import repeat
from typing import Any, Final

from msgspec import Struct, field

from httpstep.core.jsonnumbers import UnkeptNumber
from httpstep.core.jsontext import Json

MAX_WORK: Final = 400_000
"""Steps of one query, each about 0.1 microseconds (measured), so that no query takes a noticeable time."""

NOTHING: Final = object()
"""The RFC's Nothing: a query in a comparison that finds no value."""


class QueryRefused(ValueError):
    """The query would take too long on this document, or it asks for something that is not done. A sentence."""


class Work(Struct):
    """The root of the document, what may still be done, and root queries already answered."""

    root: Json
    left: int = MAX_WORK
    answers: dict[int, list[Json]] = field(default_factory=dict)

    def spend(self, steps: int) -> None:
        self.left -= steps
        if self.left < 0:
            raise QueryRefused("The query looks at too many values in this answer. Name the place more exactly.")


def _equal(left: Any, right: Any, work: Work) -> bool:
    if left is NOTHING or right is NOTHING:
        return left is right
    if isinstance(left, (list, dict)) or isinstance(right, (list, dict)):
        return type(left) is type(right) and _equal_inside(left, right, work)
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, str) or isinstance(right, str):
        work.spend(len(left) >> 8 if isinstance(left, str) else 0)
        return bool(left == right)
    _pay_for_digits(left, right, work)
    return bool(left == right)


def _equal_inside(left: Any, right: Any, work: Work) -> bool:
    work.spend(4 * len(left) + 2)
    if len(left) != len(right):
        return False
    if isinstance(left, dict):
        if left.keys() != right.keys():
            return False
        left, right = list(left.values()), [right[key] for key in left]
    return all(map(_equal, left, right, repeat(work)))


def _pay_for_digits(left: Any, right: Any, work: Work) -> None:
    """Two long numbers of different kinds cost as much as their digits."""
    if type(left) is not type(right):
        for number in (left, right):
            if isinstance(number, int) and number.bit_length() > 64:
                work.spend(number.bit_length() >> 3)
            elif isinstance(number, Decimal):
                work.spend(2 + (abs(number.adjusted()) >> 3))


def _ordered(compare: Callable[[Any, Any], bool], or_equal: bool) -> Callable[[Any, Any, Work], bool]:
    def test(left: Any, right: Any, work: Work) -> bool:
        if or_equal and _equal(left, right, work):
            return True
        if isinstance(left, str) and isinstance(right, str):
            work.spend(min(len(left), len(right)) >> 8)
            return compare(left, right)
        if _is_number(left) and _is_number(right):
            _pay_for_digits(left, right, work)
            return compare(left, right)
        return False

    return test


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, Decimal)) and not isinstance(value, (bool, UnkeptNumber))


COMPARISONS: Final[dict[str, Callable[[Any, Any, Work], bool]]] = {
    "==": _equal,
    "!=": lambda left, right, work: not _equal(left, right, work),
    "<": _ordered(operator.lt, or_equal=False),
    ">": _ordered(operator.gt, or_equal=False),
    "<=": _ordered(operator.lt, or_equal=True),
    ">=": _ordered(operator.gt, or_equal=True),
}
