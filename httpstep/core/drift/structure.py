"""The shape of a document, the difference of two shapes, and their union.

A Structure is a JSON value, kept with `jsontext.dumps`. One node of it:

    {"types": ["object"], "fields": {name: node}, "optional": [name]}   an object; `optional`: seen with and without it
    {"types": ["object"], "values": node}                               an object marked as a dictionary: keys are data
    {"types": ["array"], "items": node}                                 all items together; no `items`: never seen one
    {"types": ["null", "string"]}                                       what was seen at this place, sorted

Members that would be empty are left out. Order, values and the length of lists are no part of a shape, and a
whole number and a decimal are both "number".
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from operator import itemgetter
from typing import Any, Final

from httpstep.core.answer.dictionaries import (
    ANY,
    DictionaryPaths,
    dictionary_paths_of,
    suggest_dictionaries,
)
from httpstep.core.drift.comparison import compare, types_of
from httpstep.core.jsontext import JSON_TYPES, Json, Path
from httpstep.core.workcounter import WorkCounter

__all__ = ["Structure", "compare", "merge", "shape_of", "suggest_dictionaries", "types_of"]

Structure = Json
"""A JSON value as described above."""


def shape_of(document: Json, dictionaries: Sequence[Path] = (), work: WorkCounter | None = None) -> Structure:
    """The shape of a document. `dictionaries`: paths of objects whose keys are data, "*" or an index for list items."""
    return _shape([document], dictionary_paths_of(dictionaries), work or WorkCounter())


_LEAVES: Final[dict[str, Structure]] = {name: {"types": [name]} for name in ("null", "boolean", "number", "string")}
"""Shared, since nothing changes a structure once it is made."""
_OBJECT: Final = ["object"]
_ARRAY: Final = ["array"]
_LEAF_OF: Final = {kind: _LEAVES[name] for kind, name in JSON_TYPES.items() if name in _LEAVES}

_LEAVES_ONLY: Final = frozenset(_LEAF_OF)


def _shape(values: list[Json], marks: DictionaryPaths | None, work: WorkCounter) -> Structure:
    """The shape of all values seen at one place. Works column by column: a call per place, not per value."""
    work.spend(len(values) + 8)
    if marks is None and len(values) == 1 and type(values[0]) is dict:
        return {"types": _OBJECT, **_one_object_shape(values[0], None, work)}
    kinds = set(map(type, values))
    if len(kinds) == 1 and (leaf := _LEAF_OF.get(type(values[0]))):
        return leaf
    node: dict[str, Any] = {"types": sorted({JSON_TYPES[kind] for kind in kinds})}
    if dict in kinds:
        objects = values if len(kinds) == 1 else [value for value in values if type(value) is dict]
        node.update(_object_shape(objects, marks, work))
    if list in kinds:
        lists = values if len(kinds) == 1 else [value for value in values if type(value) is list]
        items = list(chain.from_iterable(lists))
        if items:
            node["items"] = _shape(items, marks.below(ANY) if marks else None, work)
    return node


def _object_shape(objects: list[dict[str, Json]], marks: DictionaryPaths | None, work: WorkCounter) -> dict[str, Any]:
    if marks and marks.here:
        values = list(chain.from_iterable(value.values() for value in objects))
        return {"values": _shape(values, marks.below(ANY), work)} if values else {"values": None}
    if len(objects) == 1:
        return _one_object_shape(objects[0], marks, work)
    columns = _columns(objects)
    work.spend(4 * len(columns) + 4 * len(objects))
    shape: dict[str, Any] = {}
    if columns:
        fields = shape["fields"] = {}
        for key, column in columns.items():  # a comprehension would be one more frame for each of 200 levels
            fields[key] = _shape(column, marks.below(key) if marks else None, work)
    optional = sorted(key for key, column in columns.items() if len(column) < len(objects))
    if optional:
        shape["optional"] = optional
    return shape


def _one_object_shape(value: dict[str, Json], marks: DictionaryPaths | None, work: WorkCounter) -> dict[str, Any]:
    """Without columns, which would be a list for each of its values."""
    if not value:
        return {}
    work.spend(4 * len(value))
    fields: dict[str, Structure] = {}
    flat: dict[tuple[Any, ...], Structure] = {}
    for key, member in value.items():
        kind = type(member)
        if leaf := _LEAF_OF.get(kind):
            fields[key] = leaf
        elif marks is not None:
            fields[key] = _shape([member], marks.below(key), work)
        else:
            # What stands beside each other is mostly alike: one shape for all objects, and for all lists of one object,
            # that have the same keys and no inside.
            inside = member[0] if kind is list and len(member) == 1 and type(member[0]) is dict else member
            work.spend(len(inside) + 8)
            if type(inside) is not dict:
                fields[key] = {"types": _ARRAY, "items": _shape(member, None, work)} if member else {"types": _ARRAY}
                continue
            alike = (kind, *inside, *map(type, inside.values()))
            node = flat.get(alike)
            if node is None:
                node = {"types": _OBJECT, **_one_object_shape(inside, None, work)}
                node = node if kind is dict else {"types": _ARRAY, "items": node}
                if _LEAVES_ONLY.issuperset(alike[len(inside) + 1 :]):
                    flat[alike] = node
            fields[key] = node
    return {"fields": fields}


def _columns(objects: list[dict[str, Json]]) -> dict[str, list[Json]]:
    """The values of each key over all objects. Objects with the same keys, the common case, are read key by key."""
    first = objects[0]
    if set(map(len, objects)) == {len(first)}:
        try:
            return {key: list(map(itemgetter(key), objects)) for key in first}
        except KeyError:
            pass  # as many keys, but others
    columns: dict[str, list[Json]] = {}
    for one in objects:
        for key, member in one.items():
            columns.setdefault(key, []).append(member)
    return columns


# ---------------------------------------------------------------- union


def merge(accepted: Structure, latest: Structure) -> Structure:
    """The structure that both have: all types, all fields; a field that only one of them has becomes optional."""
    node: dict[str, Any] = {"types": sorted({*accepted["types"], *latest["types"]})}
    if "values" in accepted or "values" in latest:
        node["values"] = _merged_values(accepted, latest)
    elif "object" in node["types"]:
        node.update(_merged_fields(accepted, latest))
    old, new = accepted.get("items"), latest.get("items")
    if old or new:
        node["items"] = merge(old, new) if old and new else old or new
    return node


def _merged_values(accepted: Structure, latest: Structure) -> Structure | None:
    """A place marked as a dictionary in one of them is one in the union; plain fields are collapsed into it."""
    nodes = [node for side in (accepted, latest) for node in (side.get("values"), *side.get("fields", {}).values())]
    merged: Structure | None = None
    for node in nodes:
        merged = merge(merged, node) if merged and node else merged or node
    return merged


def _merged_fields(accepted: Structure, latest: Structure) -> dict[str, Any]:
    old, new = accepted.get("fields", {}), latest.get("fields", {})
    fields = {**old, **new}
    for key in old.keys() & new.keys():
        fields[key] = merge(old[key], new[key])
    optional = {*accepted.get("optional", ()), *latest.get("optional", ())}
    if "object" in accepted["types"] and "object" in latest["types"]:
        optional |= old.keys() ^ new.keys()
    shape: dict[str, Any] = {"fields": fields} if fields else {}
    if optional:
        shape["optional"] = sorted(optional)
    return shape
