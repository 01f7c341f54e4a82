"""A JSON answer as a tree to look at and to map from. Large ones are given level by level."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from httpstep.core import jsontext
from httpstep.core.answer.jsonpath import normalized
from httpstep.core.jsontext import Json, Path
from httpstep.web.stepform import RuleRow

MAX_NODES: Final = 500
"""A tree of more nodes is loaded as it is opened."""
MAX_CHILDREN: Final = 100
_MAX_TEXT_CHARACTERS: Final = 120
_FEW: Final = 12


@dataclass
class Node:
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

    @property
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
    """The tree of an answer. whole: everything is loaded, because it cannot be asked for later."""
    small = whole or is_small(document)
    return _node(document, (), "answer", names, levels=200 if small else 1, depth=0)


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
    waiting, count = deque([document]), 0
    while waiting:
        value = waiting.popleft()
        count += 1
        if count + len(waiting) > MAX_NODES:
            return False
        if isinstance(value, dict):
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
    return True


def short_text(value: Json, most: int = _MAX_TEXT_CHARACTERS) -> str:
    """A value in a line: texts in quotes, long ones cut."""
    if isinstance(value, str) and len(value) > most:
        return jsontext.dumps_text(value[:most])[:-1] + "…"
    if isinstance(value, (dict, list)) and value and not is_small(value):
        return f"{len(value):,} {'fields' if isinstance(value, dict) else 'items'}"
    text = jsontext.dumps_text(value)
    return text if len(text) <= most + 2 else text[:most] + "…"


def _node(value: Json, path: Path, label: str, names: Names, *, levels: int, depth: int, start: int = 0) -> Node:
    node = Node(path, label, jsontext.json_type(value), names=names.get(path, ()))
    if not isinstance(value, (dict, list)) or not value:
        node.text = short_text(value)
        return node
    node.size = len(value)
    if levels <= 0 and not (node.size <= _FEW and depth <= 2):
        node.children = None
        return node
    items = list(value.items()) if isinstance(value, dict) else list(enumerate(value))
    shown = items[start : start + MAX_CHILDREN]
    node.more = len(items) - start - len(shown)
    node.open = depth <= 2
    node.children = [
        _node(child, (*path, part), str(part), names, levels=levels - 1, depth=depth + 1) for part, child in shown
    ]
    return node
