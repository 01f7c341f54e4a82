"""A JSON answer as a tree to look at and to map from. Large ones are given level by level."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import islice
from typing import Final

from msgspec import Struct, field

from httpstep.core import jsontext
from httpstep.core.answer.automatic import MAX_KEY_CHARACTERS
from httpstep.core.jsontext import Json, Path
from httpstep.core.query.jsonpath import normalized
from httpstep.web.stepform import RuleRow

MAX_NODES: Final = 500
"""A tree of more nodes is loaded as it is opened."""
MAX_CHILDREN: Final = 100
MAX_PRINTED: Final = 250
"""About so many nodes of a tree that cannot be loaded as it is opened; drawing one takes 0.3 ms."""
_ROOMS: Final = (*((items, MAX_CHILDREN) for items in (MAX_CHILDREN, 30, 10, 5, 3, 2, 1)), (1, 30), (1, 10))
"""Items of each list and fields of each object: lists are cut first, since their items are mostly alike."""
_MAX_TEXT_CHARACTERS: Final = 120
_FEW: Final = 12


class Node(Struct, dict=True):
    """One value. children None: a list or object whose inside is not loaded; more: how many children are left out."""

    path: Path
    label: str
    type: str
    text: str = ""
    size: int = 0
    children: list[Node] | None = field(default_factory=list)
    more: int = 0
    open: bool = False
    names: tuple[str, ...] = ()

    @cached_property
    def source(self) -> str:
        return normalized(self.path)

    @property
    def has_inside(self) -> bool:
        return self.type in ("object", "array") and self.size > 0


Names = dict[Path, tuple[str, ...]]


def names_by_path(rows: Iterable[RuleRow]) -> Names:
    """Attribute names by the path they are read from, for the chips of the tree."""
    found: Names = {}
    for row in rows:
        path = row.path
        if path is not None and row.on:
            found[path] = (*found.get(path, ()), row.attribute)
    return found


def tree_of(document: Json, names: Names, *, whole: bool = False) -> Node:
    """The tree of an answer. whole: it cannot be asked for later, so it is all there, but for what is left out of each
    list where it is large."""
    if is_small(document):
        return _node(document, (), "answer", names, levels=200, depth=0)
    if not whole:
        return _node(document, (), "answer", names, levels=1, depth=0)
    fitting = (room for room in _ROOMS if not _is_more_than(MAX_PRINTED, document, room))
    return _node(document, (), "answer", names, levels=200, depth=0, room=next(fitting, _ROOMS[-1]))


def inside(document: Json, path: Path, names: Names, start: int = 0) -> Node:
    """The node at that path with its children from `start` on. Raises LookupError."""
    value = document
    for part in path:
        if isinstance(value, dict) != isinstance(part, str) or not isinstance(value, (dict, list)):
            raise LookupError(normalized(path))
        value = value[part]  # type: ignore[index]
    levels = 200 if is_small(value) else 1
    return _node(value, path, str(path[-1]) if path else "answer", names, levels=levels, depth=len(path), start=start)


def is_small(document: Json) -> bool:
    return not _is_more_than(MAX_NODES, document)


def _is_more_than(limit: int, document: Json, room: tuple[int, int] | None = None) -> bool:
    """Whether that many values do not suffice; room: as in _ROOMS, where not all of each is counted."""
    items, fields = room or (None, None)
    waiting, count = deque([document]), 0
    while waiting:
        value = waiting.popleft()
        count += 1
        if count + len(waiting) > limit:
            return True
        if isinstance(value, dict):
            waiting.extend(islice(value.values(), fields))
        elif isinstance(value, list):
            waiting.extend(islice(value, items))
    return False


def short_text(value: Json, limit: int = _MAX_TEXT_CHARACTERS) -> str:
    """A value in a line: texts in quotes, long ones cut."""
    if isinstance(value, str) and len(value) > limit:
        return jsontext.dumps_text(value[:limit])[:-1] + "…"
    if isinstance(value, (dict, list)) and value and not is_small(value):
        return f"{len(value):,} {'fields' if isinstance(value, dict) else 'items'}"
    text = jsontext.dumps_text(value)
    return text if len(text) <= limit + 2 else text[:limit] + "…"


def _short_named(value: dict[str, Json]) -> Iterator[tuple[str | int, Json]]:
    return ((key, child) for key, child in value.items() if len(key) <= MAX_KEY_CHARACTERS)


def _node(
    value: Json, path: Path, label: str, names: Names, *,
    levels: int, depth: int, start: int = 0, room: tuple[int, int] = _ROOMS[0],
) -> Node:  # fmt: skip
    node = Node(path, label, jsontext.json_type(value), names=names.get(path, ()))
    if not isinstance(value, (dict, list)) or not value:
        node.text = short_text(value)
        return node
    node.size = len(value)
    if levels <= 0 and not (node.size <= _FEW and depth <= 2):
        node.children = None
        return node
    items: Iterable[tuple[str | int, Json]]
    items, limit = (_short_named(value), room[1]) if isinstance(value, dict) else (enumerate(value), room[0])
    shown = list(islice(items, start, start + limit))
    node.more = len(value) - start - len(shown)
    node.open = depth <= 2
    node.children = [
        _node(child, (*path, part), str(part), names, levels=levels - 1, depth=depth + 1, room=room)
        for part, child in shown
    ]
    return node
