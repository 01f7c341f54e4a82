"""The shape of an answer in which a name may be a secret: shapes and rules are kept and shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

from httpstep.core.drift.structure import Structure, shape_of
from httpstep.core.jsontext import Json, Path
from httpstep.core.masking.masking import hidden_in
from httpstep.core.workcounter import WorkCounter


def masked_shape(
    document: Json, dictionaries: Sequence[Path], secrets: Set[str], work: WorkCounter
) -> tuple[Structure, Json]:
    """The shape of a document, and the document with the names that it has: where a secret is in them, masked ones.

    The values are not looked at: they get neither into a shape nor into the rules made from the document.
    """
    shape = shape_of(document, dictionaries, work)
    if not secrets:
        return shape, document
    names = _names(shape)
    work.spend_bytes(4 * sum(map(len, names)))
    replaced = hidden_in(names, secrets)
    if not replaced:
        return shape, document
    renamed = _renamed(replaced, document)
    return shape_of(renamed, dictionaries, work), renamed


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


def _renamed(replaced: Mapping[str, str], value: Json) -> Json:
    if isinstance(value, dict):
        return {replaced.get(name, name): _renamed(replaced, member) for name, member in value.items()}
    if isinstance(value, list):
        return [_renamed(replaced, item) for item in value]
    return value
