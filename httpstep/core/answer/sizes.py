"""How much JSON text the values for a bot are, and which of them are too much: 256 KB a value, 1 MB in all.

A value is whole or missing, never cut, and missing too where a number in it cannot be kept. Rules may read a list and what is in it, level upon level: each list and object
on the way of a rule is measured once, from the inside out, whatever number of rules has it in its value.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from msgspec.structs import replace

from httpstep.core.jsonnumbers import NotKept, WrittenNumber
from httpstep.core.jsontext import Json, dumps, size_of
from httpstep.core.step.execution import MappedRow
from httpstep.core.step.spec import NO_DEFAULT, MappingRule
from httpstep.core.workcounter import WorkCounter

MAX_VALUE: Final = 256 * 1024
"""Bytes of one value as compact JSON in UTF-8."""
MAX_ATTRIBUTES: Final = 1024 * 1024
"""Bytes of the object that holds all attributes of one execution."""

_FEW: Final = 40
_SHORT: Final = 1000
_NUMBERS: Final = frozenset({type(None), bool, int, Decimal, WrittenNumber})
"""So many rows always fit, each with a number (4,300 digits at most) or a text of so many characters (six bytes each where
all of them are escaped): what nearly every answer gives is not measured at all."""

_VALUE_TOO_LARGE: Final = "The value is larger than 256 KB as JSON, which is the most that one attribute can be."
_ALL_TOO_LARGE: Final = (
    "With this value the attributes would be more than 1 MB as JSON, which is the most that a bot gets."
)


def within_limits(rows: Sequence[MappedRow], document: Json, work: WorkCounter) -> list[MappedRow]:
    """The rows, those whose value is too much without it: with their default or missing. In the order of the rules, so
    that a value for which there is no room leaves it to smaller ones after it."""
    if len(rows) <= _FEW and all(_is_short(row.value) for row in rows):
        return list(rows)
    sizes = _Sizes([row.rule for row in rows], document, work)
    room = MAX_ATTRIBUTES - 1  # the two braces, and no comma before the first
    kept: dict[str, None] = {}
    result = []
    for row in rows:
        if row.state in ("ok", "default") and row.rule.attribute not in kept:
            row, size = _fitting(row, sizes, room - len(dumps(row.rule.attribute)) - 2)
            if row.state != "missing":
                kept[row.rule.attribute] = None
                room -= size + len(dumps(row.rule.attribute)) + 2
        result.append(row)
    return result


def _is_short(value: Json) -> bool:
    return len(value) <= _SHORT if type(value) is str else type(value) in _NUMBERS


def _fitting(row: MappedRow, sizes: _Sizes, room: int) -> tuple[MappedRow, int]:
    """The row with its value or, where that does not fit, its default, and the size of that; without either if need be."""
    try:
        size = sizes.of(row.value)
        if size <= min(room, MAX_VALUE):
            return row, size
        why = _VALUE_TOO_LARGE if size > MAX_VALUE else _ALL_TOO_LARGE
    except NotKept as error:
        why = str(error)
    if row.state == "ok" and row.rule.default is not NO_DEFAULT:
        return _fitting(replace(row, state="default", value=row.rule.default, why=why), sizes, room)
    return replace(row, state="missing", value=None, why=why), 0


class _Sizes:
    """Lengths of values as compact JSON in UTF-8."""

    def __init__(self, rules: Sequence[MappingRule], document: Json, work: WorkCounter) -> None:
        self._work = work
        self._known: dict[int, int] = {}
        self._on_the_way = {id(value) for rule in rules if rule.on and rule.path for value in _way(rule, document)}

    def of(self, value: Json) -> int:
        """The size, or a figure above MAX_VALUE where it is above that."""
        if isinstance(value, (dict, list)) and 2 * len(value) > MAX_VALUE:
            return MAX_VALUE + 1
        if id(value) not in self._on_the_way:
            return self._written(value)
        if id(value) not in self._known:
            self._known[id(value)] = self._in_parts(value)
        return self._known[id(value)]

    def _in_parts(self, value: Json) -> int:
        """Of a list or object some of whose members are on the way of a rule: those by themselves, the others together."""
        self._work.spend(len(value))
        members = value.values() if isinstance(value, dict) else value
        if self._on_the_way.isdisjoint(map(id, members)):
            return self._written(value)
        if isinstance(value, dict):
            apart = {name: member for name, member in value.items() if id(member) in self._on_the_way}
            others: Json = {name: member for name, member in value.items() if name not in apart}
            own = sum(len(dumps(name)) + 1 + self.of(member) for name, member in apart.items())
        else:
            inside = [member for member in value if id(member) in self._on_the_way]
            others = [member for member in value if id(member) not in self._on_the_way]
            apart, own = dict.fromkeys(range(len(inside))), sum(map(self.of, inside))
        commas = len(apart) if others else max(0, len(apart) - 1)
        return self._written(others) + own + commas

    def _written(self, value: Json) -> int:
        size = size_of(value)
        self._work.spend_bytes(size)
        return size


def _way(rule: MappingRule, document: Json) -> list[Json]:
    """The lists and objects at the rule's path and on the way to it, as far as they are there."""
    value, way = document, []
    path: tuple[Json, ...] = (*(rule.path or ()), None)
    for part in path:
        if not isinstance(value, (dict, list)):
            break
        way.append(value)
        there = part in value if isinstance(value, dict) else isinstance(part, int) and 0 <= part < len(value)
        if not there:
            break
        value = value[part]
    return way
