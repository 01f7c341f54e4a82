"""The selectors of RFC 9535 (2.3) and its descendants (2.5.2), each as a function over lists of nodes that pays for what it looks at."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from httpstep.core.jsontext import Json
from httpstep.core.query.jsonpath_comparison import Work

Select = Callable[[list[Json], Work], list[Json]]
"""From some nodes to the nodes that a part of the query selects from them, in order."""

Test = Callable[[Json, Work], bool]


class Query(Struct, frozen=True):
    """A query that was read. steps: of each of its parts the one name or index that it selects, None where it can select
    more or counts from the end."""

    steps: tuple[str | int | None, ...]
    select: Select


def descendants(nodes: list[Json], work: Work) -> list[Json]:
    """The nodes and all objects and lists below them, each before its children (RFC 9535, 2.5.2.2)."""
    found: list[Json] = []
    waiting = nodes[::-1]
    while waiting:
        node = waiting.pop()
        found.append(node)
        children = _children(node)
        work.spend(3 + len(children))
        waiting += [child for child in reversed(children) if type(child) is dict or type(child) is list]
    return found


def _children(node: Json) -> list[Json]:
    if type(node) is dict:
        return list(node.values())
    return node if type(node) is list else []


def member_named(name: str) -> Select:
    def select(nodes: list[Json], work: Work) -> list[Json]:
        work.spend(len(nodes))
        return [node[name] for node in nodes if type(node) is dict and name in node]

    return select


def item_at(index: int) -> Select:
    def select(nodes: list[Json], work: Work) -> list[Json]:
        work.spend(len(nodes))
        return [node[index] for node in nodes if type(node) is list and -len(node) <= index < len(node)]

    return select


def items_in(part: slice) -> Select:
    def select(nodes: list[Json], work: Work) -> list[Json]:
        work.spend(len(nodes))
        found: list[Json] = []
        if part.step == 0:
            return found
        for node in nodes:
            if type(node) is list:
                items = node[part]
                work.spend(len(items))
                found += items
        return found

    return select


def every_child(nodes: list[Json], work: Work) -> list[Json]:
    work.spend(2 * len(nodes))
    found: list[Json] = []
    for node in nodes:
        children = _children(node)
        work.spend(len(children) // 4)
        found += children
    return found


def children_matching(test: Test) -> Select:
    def select(nodes: list[Json], work: Work) -> list[Json]:
        work.spend(len(nodes))
        found: list[Json] = []
        for node in nodes:
            children = _children(node)
            if children:
                work.spend(2)
                found += [child for child in children if test(child, work)]
        return found

    return select
