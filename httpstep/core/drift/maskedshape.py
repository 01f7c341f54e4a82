"""The shape of an answer in which a name may be a secret: shapes and rules are kept and shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

from httpstep.core.drift.structure import Structure, shape_of
from httpstep.core.jsontext import Json, Path
from httpstep.core.masking.masking import hidden_in
from httpstep.core.workcounter import WorkCounter


def masked_shape(
    document: Json, dictionaries: Sequence[Path], secrets: Set[str], work: WorkCounter
) -> tuple[Structure, Mapping[str, str]]:
    """The shape of a document with the names that it has, where a secret is in them masked ones; and those, by what they
    were.

    The values are not looked at: they get neither into a shape nor into the rules made from the document.
    """
    shape = shape_of(document, dictionaries, work)
    if not secrets:
        return shape, {}
    names = _names(shape)
    work.spend_bytes(4 * sum(map(len, names)))
    replaced = hidden_in(names, secrets)
    if not replaced:
        return shape, {}
    if dictionaries or len({replaced.get(name, name) for name in names}) < len(names):
        marks = [*dictionaries, *(tuple(replaced.get(str(part), part) for part in path) for path in dictionaries)]
        return shape_of(renamed(replaced, document), marks, work), replaced
    return _renamed_shape(replaced, shape, {}), replaced  # no two became one, so nothing else changes


def _names(shape: Structure) -> list[str]:
    """Every name of a field in it, once."""
    names: dict[str, Structure] = {}
    waiting: list[Structure] = [shape]
    seen: set[int] = set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue  # a shape that several places share
        seen.add(id(node))
        if fields := node.get("fields"):
            names.update(fields)
            waiting += [one for one in fields.values() if len(one) > 1]  # with "types" alone there is nothing inside
        if inside := node.get("items") or node.get("values"):
            waiting.append(inside)
    return list(names)


def renamed(replaced: Mapping[str, str], value: Json) -> Json:
    """The document with these names in the place of its own; itself where there are none."""
    if not replaced:
        return value
    if isinstance(value, dict):
        return {replaced.get(name, name): renamed(replaced, member) for name, member in value.items()}
    if isinstance(value, list):
        return [renamed(replaced, item) for item in value]
    return value


def _renamed_shape(replaced: Mapping[str, str], node: Structure, made: dict[int, Structure]) -> Structure:
    """made: those made so far, by the id of the old one. Several places share a shape, and go on sharing it."""
    if len(node) == 1:
        return node  # a type, and nothing inside
    if id(node) in made:
        return made[id(node)]
    new = made[id(node)] = dict(node)
    if fields := node.get("fields"):
        new["fields"] = {
            replaced.get(name, name): one if len(one) == 1 else _renamed_shape(replaced, one, made)
            for name, one in fields.items()
        }
    if optional := node.get("optional"):
        new["optional"] = sorted(replaced.get(name, name) for name in optional)
    for inside in ("items", "values"):
        if node.get(inside):
            new[inside] = _renamed_shape(replaced, node[inside], made)
    return new
