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

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, Final

from httpstep.core import jsonpath
from httpstep.core.dictionaries import Marks, marks_of, suggest_dictionaries
from httpstep.core.execution import Change, Drift
from httpstep.core.jsontext import JSON_TYPES, Json, Path
from httpstep.core.spec import MappingRule

__all__ = ["Structure", "compare", "merge", "shape_of", "suggest_dictionaries", "types_of"]

Structure = Json
"""A JSON value as described above."""

ANY: Final = "*"


def shape_of(document: Json, dictionaries: Sequence[Path] = ()) -> Structure:
    """The shape of a document. `dictionaries`: paths of objects whose keys are data, "*" or an index for list items."""
    return _shape([document], marks_of(dictionaries))


_LEAVES: Final[dict[str, Structure]] = {name: {"types": [name]} for name in ("null", "boolean", "number", "string")}
"""Shared, since nothing changes a structure once it is made."""


def _shape(values: list[Json], marks: Marks | None) -> Structure:
    """The shape of all values seen at one place. Works column by column: a call per place, not per value."""
    kinds = set(map(type, values))
    if len(kinds) == 1 and (leaf := _LEAVES.get(JSON_TYPES[type(values[0])])):
        return leaf
    node: dict[str, Any] = {"types": sorted({JSON_TYPES[kind] for kind in kinds})}
    if dict in kinds:
        objects = values if len(kinds) == 1 else [value for value in values if type(value) is dict]
        node.update(_object_shape(objects, marks))
    if list in kinds:
        lists = values if len(kinds) == 1 else [value for value in values if type(value) is list]
        items = list(chain.from_iterable(lists))
        if items:
            node["items"] = _shape(items, marks.below(ANY) if marks else None)
    return node


def _object_shape(objects: list[dict[str, Json]], marks: Marks | None) -> dict[str, Any]:
    if marks and marks.here:
        values = list(chain.from_iterable(value.values() for value in objects))
        return {"values": _shape(values, marks.below(ANY))} if values else {"values": None}
    columns = _columns(objects)
    shape: dict[str, Any] = {}
    if columns:
        fields = shape["fields"] = {}
        for key, column in columns.items():  # a comprehension would be one more frame for each of 200 levels
            fields[key] = _shape(column, marks.below(key) if marks else None)
    if len(objects) > 1:
        optional = sorted(key for key, column in columns.items() if len(column) < len(objects))
        if optional:
            shape["optional"] = optional
    return shape


def _columns(objects: list[dict[str, Json]]) -> dict[str, list[Json]]:
    """The values of each key over all objects. Objects with the same keys, the common case, are turned in one go."""
    if len(objects) == 1:
        return {key: [value] for key, value in objects[0].items()}
    columns: dict[str, list[Json]] = {}
    for keys, group in _by_keys(objects):
        if not keys:
            continue
        for key, column in zip(keys, zip(*(value.values() for value in group), strict=True), strict=True):
            columns.setdefault(key, []).extend(column)
    return columns


def _by_keys(objects: list[dict[str, Json]]) -> Iterable[tuple[tuple[str, ...], list[dict[str, Json]]]]:
    """The objects by their keys in order."""
    keys_of_each = list(map(tuple, objects))
    if len(set(keys_of_each)) == 1:
        return [(keys_of_each[0], objects)]
    alike: dict[tuple[str, ...], list[dict[str, Json]]] = {}
    for keys, value in zip(keys_of_each, objects, strict=True):
        alike.setdefault(keys, []).append(value)
    return alike.items()


# ---------------------------------------------------------------- difference


def compare(accepted: Structure, latest: Structure, rules: Sequence[MappingRule] = ()) -> Drift:
    """What is gone, what changed its type and what is new in `latest`.

    No drift: null instead of a value or a value instead of null, an empty list, an optional field that is away, a
    field that only some items of a list still have. `mapped` is set where a rule that is on reads that path or below.
    """
    found: dict[str, list[Change]] = {"missing": [], "changed": [], "new": []}
    for kind, path, was, now in _differences(accepted, latest, ()):
        mapped = any(_reads(rule, path) for rule in rules if rule.on)
        found[kind].append(Change(path=path, was=was, now=now, mapped=mapped))
    return Drift(missing=tuple(found["missing"]), changed=tuple(found["changed"]), new=tuple(found["new"]))


def _reads(rule: MappingRule, changed: Path) -> bool:
    """Whether a rule reads that place or below it. A query that searches a place may read everything below it."""
    if rule.path is not None:
        return len(rule.path) >= len(changed) and _alike(rule.path, changed)
    if rule.jsonpath is None or jsonpath.check_query(rule.jsonpath) is not None:
        return False
    searched = jsonpath.searched_path(rule.jsonpath)
    whole = jsonpath.singular_path(rule.jsonpath) is not None
    return (len(searched) >= len(changed) or not whole) and _alike(searched, changed)


def _alike(own: Path, changed: Path) -> bool:
    return all(part in (ANY, other) for part, other in zip(changed, own, strict=False))


_Difference = tuple[str, Path, str, str]


def _differences(accepted: Structure, latest: Structure, path: Path) -> Iterator[_Difference]:
    was, now = _solid(accepted), _solid(latest)
    if was and not now <= was:
        yield "changed", path, types_of(accepted), types_of(latest)
    if "object" in was and "object" in now:
        yield from _object_differences(accepted, latest, path)
    if accepted.get("items") and latest.get("items"):
        yield from _differences(accepted["items"], latest["items"], (*path, ANY))


def _object_differences(accepted: Structure, latest: Structure, path: Path) -> Iterator[_Difference]:
    if "values" in accepted or "values" in latest:
        if accepted.get("values") and latest.get("values"):
            yield from _differences(accepted["values"], latest["values"], (*path, ANY))
        return
    old, new = accepted.get("fields", {}), latest.get("fields", {})
    may_be_away = set(accepted.get("optional", ()))
    for key, node in old.items():
        if key in new:
            yield from _differences(node, new[key], (*path, key))
        elif key not in may_be_away:
            yield "missing", (*path, key), types_of(node), ""
    for key, node in new.items():
        if key not in old:
            yield "new", (*path, key), "", types_of(node)


def _solid(node: Structure) -> set[str]:
    """The types at a place without null, which stands for any of them."""
    return set(node["types"]) - {"null"}


def types_of(node: Structure) -> str:
    """The types at a place in words: "number", "number or string", "null"."""
    return " or ".join(sorted(_solid(node))) or "null"


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
