"""Rules + document -> values and what is missing. One rule that fails never harms another.

What `take` means for a `path`:

    one     the value at the path
    all     the list at the path; where there is none and the path goes through an index, the list is at the index
            nearest to the end, and the rest of the path is collected from every item that has it
    last    the last item of that list (or the rest of the path in its last item)
    count   how many there are

For a `jsonpath` it is the first node, all nodes, the last node, their number; for a header likewise.
Null that was found is a value and stays null, whatever `take` and `convert` say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from msgspec import Struct, field

from httpstep.core.answer.innerjson import inside
from httpstep.core.answer.sizes import within_limits
from httpstep.core.conversion import CONVERSIONS, CannotConvert, convert
from httpstep.core.inserting.placeholders import lookup
from httpstep.core.jsonnumbers import NotKept, UnkeptNumber
from httpstep.core.jsontext import Json, Path, size_of
from httpstep.core.query import jsonpath, jsonpath_hints, jsonpath_values
from httpstep.core.step.execution import MappedRow, MappingResult
from httpstep.core.step.spec import NO_DEFAULT, MappingRule
from httpstep.core.workcounter import WorkCounter

HEADER: Final = "header:"
_NOWHERE: Final = object()
_MAX_PATH: Final = 120
"""Characters of a path in a sentence."""


class CallFacts(Struct, frozen=True):
    """What is known about the call itself. status None: no answer came. error None: nothing failed. given: the
    attributes it was made with, for queries that name one."""

    status: int | None
    error: str | None
    duration_ms: int
    headers: tuple[tuple[str, str], ...]
    given: Mapping[str, Json] = field(default_factory=dict)


class NotThere(Exception):
    """A rule found nothing; `str` is a sentence for a person."""


def apply_rules(
    rules: Sequence[MappingRule],
    document: Json,
    has_document: bool,
    call: CallFacts,
    work: WorkCounter | None = None,
) -> MappingResult:
    """Every rule's row, the attributes, and the names of those not found.

    Without a document only the rules about the call give values. A rule that finds nothing takes its default; such
    an attribute is delivered and stands in `missing` as well. Of two rules for one attribute the first wins. What is
    more than `sizes` allows counts as not found.
    """
    work = work or WorkCounter()
    found = [_row(rule, document, has_document, call, work) for rule in rules]
    rows = tuple(within_limits(found, document if has_document else None, work))
    values: dict[str, Json] = {}
    missing: dict[str, None] = {}
    for row in rows:
        if row.state in ("ok", "default"):
            values.setdefault(row.rule.attribute, row.value)
        if row.state in ("missing", "default"):
            missing[row.rule.attribute] = None
    return MappingResult(rows=rows, values=values, missing=tuple(missing))


def _row(rule: MappingRule, document: Json, has_document: bool, call: CallFacts, work: WorkCounter) -> MappedRow:
    if not rule.on:
        return MappedRow(rule, "off")
    try:
        return MappedRow(rule, "ok", _converted(rule, _found(rule, document, has_document, call, work), work))
    except (NotThere, CannotConvert, NotKept, jsonpath.QueryRefused) as error:
        why = str(error)
    if rule.default is NO_DEFAULT:
        return MappedRow(rule, "missing", why=why)
    return MappedRow(rule, "default", rule.default, why=why)


def _converted(rule: MappingRule, value: Json, work: WorkCounter) -> Json:
    if rule.convert == "none":
        return value
    _require_kept(value, work)
    if rule.take == "all" and isinstance(value, list) and not CONVERSIONS[rule.convert].whole_lists:
        work.spend(10 * len(value))
        return [_convert(rule, item) for item in value]
    converted = _convert(rule, value)
    if isinstance(converted, str) and converted is not value:
        work.spend_bytes(len(converted))
    return converted


def _require_kept(value: Json, work: WorkCounter) -> None:
    """Raises NotKept: once it is converted, a number that cannot be kept is seen no more (`sizes` looks at the others)."""
    if isinstance(value, UnkeptNumber):
        raise NotKept(value.why)
    if isinstance(value, (list, dict)):
        work.spend_bytes(size_of(value))


def _convert(rule: MappingRule, value: Json) -> Json:
    option = CONVERSIONS[rule.convert].option
    return convert(value, rule.convert, getattr(rule, option) if option else "")


def _found(rule: MappingRule, document: Json, has_document: bool, call: CallFacts, work: WorkCounter) -> Json:
    if rule.call is not None:
        return _about_call(rule, call)
    if not has_document:
        failed = call.error is not None
        raise NotThere(
            "The call failed, so nothing was mapped." if failed else "There was no JSON answer to take it from."
        )
    if rule.jsonpath is not None:
        query = jsonpath_values.filled(rule.jsonpath, lambda placeholder: lookup(placeholder.name, call.given))
        return _queried(query, rule.take, document, work)
    return _at_path(rule.path or (), rule.take, document, work)


# ---------------------------------------------------------------- the call


def _about_call(rule: MappingRule, call: CallFacts) -> Json:
    name = rule.call or ""
    if name == "status":
        return call.status
    if name == "error":
        return call.error
    if name == "duration_ms":
        return call.duration_ms
    wanted = name.removeprefix(HEADER).strip().lower()
    values = [value for key, value in call.headers if key.lower() == wanted]
    if not values and rule.take in ("one", "last"):
        raise NotThere(f"The answer has no header “{name.removeprefix(HEADER)}”.")
    return _TAKEN[rule.take](values)


# ---------------------------------------------------------------- queries

_TAKEN: Final[dict[str, Callable[[list[Json]], Json]]] = {
    "one": lambda values: values[0],
    "last": lambda values: values[-1],
    "all": lambda values: values,
    "count": len,
}


def _queried(query: str, take: str, document: Json, work: WorkCounter) -> Json:
    """An empty result is a result for `all` and `count`, but only while the place that is searched is there."""
    nodes = jsonpath.find(query, document, work)
    if nodes:
        return _TAKEN[take](nodes)
    if take in ("one", "last"):
        raise NotThere(f"The query finds nothing in this answer.{jsonpath_hints.of_nothing(query)}")
    _value_at(jsonpath.searched_path(query), document, work)
    return _TAKEN[take](nodes)


# ---------------------------------------------------------------- paths


def _at_path(path: Path, take: str, document: Json, work: WorkCounter) -> Json:
    work.spend(len(path) + 1)
    if take == "one":
        return _value_at(path, document, work)
    return _taken_from_list(path, take, document, work)


def _taken_from_list(path: Path, take: str, document: Json, work: WorkCounter) -> Json:
    try:
        value = _value_at(path, document, work)
    except NotThere:
        value = _NOWHERE
    if value is None:
        return None
    if isinstance(value, list):
        return _of_list(value, take)
    place = max((place for place, part in enumerate(path) if isinstance(part, int)), default=None)
    if place is None:
        raise NotThere(_no_list(path, document, work))
    items = _value_at(path[:place], document, work)
    if not isinstance(items, list):
        raise NotThere(f"There is no list at {jsonpath.in_words(path[:place], _MAX_PATH)}.")
    work.spend(len(items) * (len(path) - place + 4))
    return _of_items(items, path[place + 1 :], take, work)


def _no_list(path: Path, document: Json, work: WorkCounter) -> str:
    _value_at(path, document, work)
    return f"There is no list at {jsonpath.in_words(path, _MAX_PATH)}."


def _of_list(values: list[Json], take: str) -> Json:
    if not values and take == "last":
        raise NotThere("The list is empty.")
    return _TAKEN[take](values)


def _of_items(items: list[Json], rest: Path, take: str, work: WorkCounter) -> Json:
    """The rest of the path in every item. Lists among them: the path meant a list that the first item lacks."""
    if take == "last":
        if not items:
            raise NotThere("The list is empty.")
        return _value_at(rest, items[-1], work)
    values = [value for value in (_look(rest, item, work) for item in items) if value is not _NOWHERE]
    if rest and any(isinstance(value, list) for value in values):
        raise NotThere("The first item of the list has no list at this place.")
    if items and not values:
        raise NotThere("No item of the list has this field.")
    return _TAKEN[take](values)


def _value_at(path: Path, document: Json, work: WorkCounter) -> Json:
    value = _look(path, document, work)
    if value is _NOWHERE:
        raise NotThere(f"The answer has nothing at {jsonpath.in_words(path, _MAX_PATH)}.")
    return value


def _look(path: Path, document: Json, work: WorkCounter) -> Json:
    """The value at a path, or _NOWHERE. A key is for objects, an index for lists, never crosswise. A path that goes on
    below a text reads the JSON in it."""
    value = document
    for part in path:
        if isinstance(value, str):
            value = inside(value, work)
        if isinstance(part, str):
            if not isinstance(value, dict) or part not in value:
                return _NOWHERE
        elif not isinstance(value, list) or not 0 <= part < len(value):
            return _NOWHERE
        value = value[part]
    return value
