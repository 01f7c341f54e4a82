"""Marking an object of a known structure as a dictionary: its fields become one node, that of any value in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from httpstep.core.answer.dictionaries import ANY, DictionaryPaths, dictionary_paths_of
from httpstep.core.drift.structure import Structure, merge
from httpstep.core.jsontext import Path

_DICTIONARY: Final[Structure] = {"types": ["object"], "values": None}


def with_dictionaries(structure: Structure, dictionaries: Sequence[Path]) -> Structure:
    """The structure as `structure.shape_of` would have made it with these dictionaries. Nothing else in it changes."""
    return _marked(structure, dictionary_paths_of(dictionaries))


def _marked(node: Structure, marks: DictionaryPaths | None) -> Structure:
    if marks is None or not node:
        return node
    if marks.here and "object" in node["types"] and "values" not in node:
        node = {name: part for name, part in merge(node, _DICTIONARY).items() if name != "optional"}
    done: dict[str, Any] = dict(node)
    for member in ("items", "values"):
        if node.get(member):
            done[member] = _marked(node[member], marks.below(ANY))
    if "fields" in node:
        done["fields"] = {name: _marked(part, marks.below(name)) for name, part in node["fields"].items()}
    return done
