"""Evaluates a parsed RFC 9535 query over plain values, with a limit on the work.

The parser's own evaluator keeps a path for every node it passes and has no limit; here a query becomes functions
over lists of values, and every value that is looked at is paid for from one `Work`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from jsonpath.filter import (
    BaseExpression,
    FilterExpression,
    FilterExpressionLiteral,
    FunctionExtension,
    InfixExpression,
    Nil,
    PrefixExpression,
    RelativeFilterQuery,
    RootFilterQuery,
)
from jsonpath.segments import JSONPathRecursiveDescentSegment, JSONPathSegment
from jsonpath.selectors import Filter, IndexSelector, JSONPathSelector, NameSelector, SliceSelector, WildcardSelector

from httpstep.core.jsontext import Json
from httpstep.core.query import patterns
from httpstep.core.query.jsonpath_comparison import (
    COMPARISONS,
    NOTHING,
    QueryRefused,
    Work,
)
from httpstep.core.query.jsonpath_selectors import (
    Select,
    Test,
    children_matching,
    descendants,
    every_child,
    item_at,
    items_in,
    member_named,
)

Term = Callable[[Json, Work], Any]


def selection(segments: Sequence[JSONPathSegment]) -> Select:
    """The function of a whole query. Raises QueryRefused for what cannot be evaluated."""
    steps = [_segment(segment) for segment in segments]

    def select(nodes: list[Json], work: Work) -> list[Json]:
        for step in steps:
            nodes = step(nodes, work)
        return nodes

    return select


def _segment(segment: JSONPathSegment) -> Select:
    child = _child(segment.selectors)
    if not isinstance(segment, JSONPathRecursiveDescentSegment):
        return child
    return lambda nodes, work: child(descendants(nodes, work), work)


def _child(selectors: Sequence[JSONPathSelector]) -> Select:
    steps = [_selector(selector) for selector in selectors]
    if len(steps) == 1:
        return steps[0]

    def select(nodes: list[Json], work: Work) -> list[Json]:
        found: list[Json] = []
        for node in nodes:
            work.spend(4 * len(steps))
            for step in steps:
                found += step([node], work)
        return found

    return select


# ---------------------------------------------------------------- selectors (RFC 9535, 2.3)


def _selector(selector: JSONPathSelector) -> Select:
    if isinstance(selector, NameSelector):
        return member_named(selector.name)
    if isinstance(selector, IndexSelector):
        return item_at(selector.index)
    if isinstance(selector, SliceSelector):
        return items_in(selector.slice)
    if isinstance(selector, WildcardSelector):
        return every_child
    if isinstance(selector, Filter):
        return children_matching(_test(selector.expression))
    raise QueryRefused("The query has a selector that RFC 9535 does not know.")


# ---------------------------------------------------------------- filters (RFC 9535, 2.3.5)


def _test(expression: BaseExpression) -> Test:
    if isinstance(expression, FilterExpression):
        return _test(expression.expression)
    if isinstance(expression, PrefixExpression):
        inner = _test(expression.right)
        return lambda current, work: not inner(current, work)
    if isinstance(expression, InfixExpression):
        return _joined(expression) if expression.operator in ("&&", "||") else _comparison(expression)
    if isinstance(expression, FunctionExtension) and expression.name in ("match", "search"):
        return _pattern_test(expression)
    if isinstance(expression, (RelativeFilterQuery, RootFilterQuery)):
        return _existence(expression)
    raise QueryRefused("The filter of the query cannot be evaluated: it is neither a comparison nor a test.")


def _existence(expression: RelativeFilterQuery | RootFilterQuery) -> Test:
    name = _only_name(expression) if isinstance(expression, RelativeFilterQuery) else None
    if name is None:
        nodes = _query(expression)
        return lambda current, work: bool(nodes(current, work))

    def test(current: Json, work: Work) -> bool:
        work.spend(1)
        return type(current) is dict and name in current

    return test


def _joined(expression: InfixExpression) -> Test:
    left, right = _test(expression.left), _test(expression.right)
    if expression.operator == "&&":
        return lambda current, work: left(current, work) and right(current, work)
    return lambda current, work: left(current, work) or right(current, work)


def _query(expression: RelativeFilterQuery | RootFilterQuery) -> Callable[[Json, Work], list[Json]]:
    select = selection(expression.path.segments)
    if isinstance(expression, RelativeFilterQuery):

        def relative(current: Json, work: Work) -> list[Json]:
            work.spend(12)
            return select([current], work)

        return relative
    key = id(expression)

    def absolute(current: Json, work: Work) -> list[Json]:
        work.spend(2)
        if key not in work.answers:
            work.answers[key] = select([work.root], work)
        return work.answers[key]

    return absolute


def _comparison(expression: InfixExpression) -> Test:
    left, right = _term(expression.left), _term(expression.right)
    compare = COMPARISONS.get(expression.operator)
    if compare is None:
        raise QueryRefused(
            f"There is no “{expression.operator}” here: a comparison is one of {', '.join(COMPARISONS)}."
        )

    def test(current: Json, work: Work) -> bool:
        work.spend(2)
        return compare(left(current, work), right(current, work), work)

    return test


def _term(expression: BaseExpression) -> Term:
    """A side of a comparison: a literal, a query for one value, or a function that gives a value."""
    if isinstance(expression, Nil):
        return lambda current, work: None
    if isinstance(expression, FilterExpressionLiteral):
        value = expression.value
        return lambda current, work: value
    if isinstance(expression, (RelativeFilterQuery, RootFilterQuery)):
        return _single(expression)
    if isinstance(expression, FunctionExtension) and expression.name in _FUNCTIONS:
        return _FUNCTIONS[expression.name](expression.args[0])
    raise QueryRefused("The filter of the query compares something that has no value.")


def _single(expression: RelativeFilterQuery | RootFilterQuery) -> Term:
    if isinstance(expression, RelativeFilterQuery):
        name = _only_name(expression)
        if name is not None:
            return _member(name)
        if not expression.path.segments:
            return lambda current, work: current
    nodes = _query(expression)

    def term(current: Json, work: Work) -> Any:
        found = nodes(current, work)
        return found[0] if len(found) == 1 else NOTHING

    return term


def _only_name(expression: RelativeFilterQuery) -> str | None:
    """The name in `@.name`, by far the commonest query in a filter; None for any other."""
    segments = expression.path.segments
    if len(segments) != 1 or isinstance(segments[0], JSONPathRecursiveDescentSegment):
        return None
    selectors = segments[0].selectors
    return selectors[0].name if len(selectors) == 1 and isinstance(selectors[0], NameSelector) else None


def _member(name: str) -> Term:
    def term(current: Json, work: Work) -> Any:
        return current.get(name, NOTHING) if type(current) is dict else NOTHING

    return term


# ---------------------------------------------------------------- functions (RFC 9535, 2.4)


def _length(argument: BaseExpression) -> Term:
    term = _term(argument)

    def length(current: Json, work: Work) -> Any:
        value = term(current, work)
        return len(value) if isinstance(value, (str, list, dict)) else NOTHING

    return length


def _nodes(argument: BaseExpression) -> Callable[[Json, Work], list[Json]]:
    if isinstance(argument, (RelativeFilterQuery, RootFilterQuery)):
        return _query(argument)
    raise QueryRefused("count() and value() take a query.")


def _count(argument: BaseExpression) -> Term:
    nodes = _nodes(argument)
    return lambda current, work: len(nodes(current, work))


def _value(argument: BaseExpression) -> Term:
    nodes = _nodes(argument)

    def value(current: Json, work: Work) -> Any:
        found = nodes(current, work)
        return found[0] if len(found) == 1 else NOTHING

    return value


_FUNCTIONS: Final[dict[str, Callable[[BaseExpression], Term]]] = {"length": _length, "count": _count, "value": _value}


def _pattern_test(expression: FunctionExtension) -> Test:
    subject, written = _term(expression.args[0]), expression.args[1]
    if not isinstance(written, FilterExpressionLiteral) or not isinstance(written.value, str):
        raise QueryRefused(f"The pattern of {expression.name}() must be written into the query, in quotes.")
    try:
        pattern = patterns.Pattern(written.value)
    except patterns.BadPattern as error:
        raise QueryRefused(f"The pattern of {expression.name}() is not right: {error}") from None
    fits = pattern.matches if expression.name == "match" else pattern.found_in

    def test(current: Json, work: Work) -> bool:
        text = subject(current, work)
        work.spend(3 + len(text) // 100 if isinstance(text, str) else 3)
        return isinstance(text, str) and fits(text)

    return test
