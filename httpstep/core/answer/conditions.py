"""Conditions on a value: the one table of operators, for what a step asks of its answer and a flow of an attribute.

Values are compared by type: 1 is 1.0, and neither is "1" or true. Null is a value. What is not there is equal to nothing,
contains nothing and is neither above nor below anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from httpstep.core.answer.innerjson import inside
from httpstep.core.conversion import CannotConvert, as_text, convert
from httpstep.core.jsonnumbers import UnkeptNumber
from httpstep.core.jsontext import Json, json_type
from httpstep.core.query import jsonpath
from httpstep.core.query.jsonpath_comparison import COMPARISONS, QueryRefused, Work
from httpstep.core.query.patterns import BadPattern, Pattern
from httpstep.core.step.spec import NO_DEFAULT, AnswerCondition, AnswerPlace
from httpstep.core.workcounter import WorkCounter

NOTHING: Final = object()
"""What is found where there is no value."""
_WITHOUT_VALUE: Final = ("exists", "missing")


def holds(operator: str, found: Any, wanted: Json) -> bool:
    """Whether it does of what was found, NOTHING included. Raises QueryRefused where that is too much to compare."""
    if found is NOTHING:
        return operator in ("missing", "not_equals")
    return _HOLDS[operator](found, wanted)


def _equals(found: Json, wanted: Json) -> bool:
    return COMPARISONS["=="](found, wanted, Work(None))


def _contains(found: Json, wanted: Json) -> bool:
    if isinstance(found, list):
        return any(_equals(item, wanted) for item in found)
    return isinstance(found, str) and not isinstance(wanted, (list, dict)) and as_text(wanted) in found


def _matches(found: Json, wanted: Json) -> bool:
    return json_type(found) in ("string", "number", "boolean") and _pattern(wanted).matches(as_text(found))


def _above(found: Json, wanted: Json) -> bool:
    left, right = number_of(found), number_of(wanted)
    return left is not None and right is not None and left > right


def number_of(value: Json) -> Decimal | None:
    """The number, also of a text that is written as one; None of anything else."""
    if isinstance(value, bool) or value is None or isinstance(value, UnkeptNumber):
        return None
    try:
        return Decimal(convert(value, "number"))
    except CannotConvert:
        return None


_HOLDS: Final[dict[str, Callable[[Json, Json], bool]]] = {
    "equals": _equals,
    "not_equals": lambda found, wanted: not _equals(found, wanted),
    "one_of": lambda found, wanted: any(_equals(found, one) for one in wanted),
    "exists": lambda found, wanted: True,
    "missing": lambda found, wanted: False,
    "contains": _contains,
    "matches": _matches,
    "above": _above,
    "below": lambda found, wanted: _above(wanted, found),
}


@lru_cache(maxsize=512)
def _pattern(text: str) -> Pattern:
    return Pattern(text)


# ---------------------------------------------------------------- of an answer


def found_at(place: AnswerPlace, document: Any) -> list[Json]:
    """The values there, none where there is no document (NOTHING). A path that goes on below a text reads the JSON in it, as
    that of a rule does. Raises QueryRefused."""
    if document is NOTHING:
        return []
    if place.jsonpath is not None:
        return jsonpath.find(place.jsonpath, document)
    value = document
    for part in place.path or ():
        if isinstance(value, str):
            value = inside(value, WorkCounter())
        there = part in value if isinstance(value, dict) else isinstance(value, list) and part in range(len(value))
        if not there:
            return []
        value = value[part]
    return [value]


def is_met(condition: AnswerCondition, document: Any) -> bool:
    """Whether it holds of every value at its place. A query that is too much for this answer is not met."""
    try:
        found = found_at(condition, document) or [NOTHING]
        return all(holds(condition.operator, value, condition.value) for value in found)
    except QueryRefused:
        return False


# ---------------------------------------------------------------- checking


def faults_in(conditions: Sequence[AnswerCondition]) -> Iterator[tuple[str, str]]:
    """(place below the member, sentence) of each fault."""
    for index, one in enumerate(conditions):
        yield from ((f"[{index}]{place}", sentence) for place, sentence in place_faults(one))
        if sentence := value_fault(one.operator, one.value):
            yield f"[{index}].value", sentence


def place_faults(place: AnswerPlace) -> Iterator[tuple[str, str]]:
    if (place.path is None) == (place.jsonpath is None):
        yield ".path", "Say where in the answer to look, by exactly one of “path” and “jsonpath”."
    elif place.jsonpath is not None and (sentence := jsonpath.check_query(place.jsonpath)):
        yield ".jsonpath", sentence


def value_fault(operator: str, value: Any) -> str:
    """What is wrong with the value of a condition, "" if nothing is."""
    if operator in _WITHOUT_VALUE:
        return "" if value is NO_DEFAULT else f"“{operator}” has no “value”."
    if value is NO_DEFAULT:
        return "Say with which value to compare."
    if operator == "one_of" and not (isinstance(value, list) and value):
        return "“one_of” needs a list of values, at least one."
    if operator in ("above", "below") and number_of(value) is None:
        return "This needs a number to compare with."
    return _pattern_fault(value) if operator == "matches" else ""


def _pattern_fault(value: Json) -> str:
    if not isinstance(value, str):
        return "“matches” needs a pattern, which is a text."
    try:
        _pattern(value)
    except BadPattern as error:
        return f"“matches” looks at the whole text. {error}"
    return ""
