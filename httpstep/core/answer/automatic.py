"""Automatic mapping: rules and readable names for every value of a first answer.

A list gives a rule for itself as a whole and rules for its first item; an object used as a dictionary gives one rule.
A name is the shortest tail of the path that no other path has, joined by "_" (`data.attributes.order_status` gives
`order_status`, `clouds.all` gives `clouds_all`; two `name` give `customer_name` and `product_name`). Places in lists are no part of it.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Final, NamedTuple

from httpstep.core.answer.dictionaries import ANY, DictionaryPaths, dictionary_paths_of
from httpstep.core.answer.transliteration import in_ascii
from httpstep.core.jsontext import Json, Path
from httpstep.core.regex import regex
from httpstep.core.step.spec import MappingRule

_MAX_NAME_CHARACTERS: Final = 100
_MAX_LABEL_CHARACTERS: Final = 40
MAX_KEY_CHARACTERS: Final = 500
"""Of a key in an answer. What is below a longer one gets no rules and is in no tree: each of them would hold it again."""
_WHOLE_ANSWER: Final = "answer"
_FIRST: Final = "first"


def automatic_rules(
    document: Json,
    *,
    step_key: str,
    taken: AbstractSet[str] = frozenset(),
    dictionaries: Sequence[Path] = (),
    limit: int = 100,
) -> tuple[MappingRule, ...]:
    """A rule for every value, in the order of the document. Of more than `limit` values the outermost are taken; none of
    those below a key that is too long to be a name.

    taken: attributes the account has from other sources; a name among them gets `<step_key>_` in front.
    """
    paths = _places(document, dictionary_paths_of(dictionaries), limit)
    names = _names(paths, step_key, taken)
    return tuple(MappingRule(attribute=name, path=path) for name, path in zip(names, paths, strict=True))


# ---------------------------------------------------------------- which values


class _FoundValue(NamedTuple):
    """A value on the way. `order`: the positions on the way to it, which sort as the document reads."""

    path: Path
    order: tuple[int, ...]
    value: Json
    marks: DictionaryPaths | None


def _places(document: Json, marks: DictionaryPaths | None, limit: int) -> list[Path]:
    """Level by level until there are enough, so that a wide or deep document costs no more than its first rules."""
    found: list[_FoundValue] = []
    waiting = deque([iter([_FoundValue((), (), document, marks)])])
    while waiting and len(found) < limit:
        place = next(waiting[0], None)
        if place is None:
            waiting.popleft()
            continue
        inside = _has_inside(place)
        if not inside or isinstance(place.value, list):
            found.append(place)
        if inside:
            waiting.append(_below(place))
    return [place.path for place in sorted(found, key=lambda place: place.order)]


def _has_inside(place: _FoundValue) -> bool:
    if isinstance(place.value, dict):
        return bool(place.value) and not (place.marks and place.marks.here)
    return isinstance(place.value, list) and bool(place.value)


def _below(place: _FoundValue) -> Iterator[_FoundValue]:
    """What is inside, made one by one: of a wide object only the first are needed."""
    value, marks = place.value, place.marks
    if isinstance(value, list):
        yield _FoundValue((*place.path, 0), (*place.order, 0), value[0], marks.below(ANY) if marks else None)
        return
    for number, (key, child) in enumerate(value.items()):
        if len(key) > MAX_KEY_CHARACTERS:
            continue
        yield _FoundValue((*place.path, key), (*place.order, number), child, marks.below(key) if marks else None)


# ---------------------------------------------------------------- names


def _names(paths: Sequence[Path], step_key: str, taken: AbstractSet[str]) -> list[str]:
    labels = [_labels(path) for path in paths]
    lengths = _shortest_tails(labels)
    used: set[str] = set()
    names = []
    for own, length in zip(labels, lengths, strict=True):
        name = _joined(own[-length:])
        if name in taken:
            name = _fitting(f"{step_key}_{name}")
        names.append(_free(name, used, taken))
        used.add(names[-1])
    return names


def _shortest_tails(labels: Sequence[tuple[str, ...]]) -> list[int]:
    """For each path how many labels from its end make its name: a general word takes its parent along, and those that
    clash take one more, as long as they can."""
    lengths = [2 if len(own) > 1 and own[-1].lower() in _GENERAL else 1 for own in labels]
    while True:
        names = [_joined(own[-length:]) for own, length in zip(labels, lengths, strict=True)]
        counts = Counter(names)
        growing = [
            index for index, name in enumerate(names) if counts[name] > 1 and lengths[index] < len(labels[index])
        ]
        if not growing:
            return lengths
        for index in growing:
            lengths[index] += 1


def _labels(path: Path) -> tuple[str, ...]:
    """The keys of a path as parts of a name. The first item of a list of plain values is `<list>_first`."""
    keys = [_label(part) for part in path if isinstance(part, str)]
    firsts = 0
    for part in reversed(path):
        if not isinstance(part, int):
            break
        firsts += 1
    last = "_".join([keys[-1] if keys else _WHOLE_ANSWER, *[_FIRST] * firsts])
    return (*keys[:-1], last)


_NOT_IN_NAMES: Final = regex(r"[^A-Za-z0-9_.-]+")
_GENERAL: Final = frozenset(
    {"all", "main", "data", "key", "value", "values", "text", "result", "results", "content", "node"}
)
"""Words that say nothing of what a value is."""


def _label(key: str) -> str:
    """A key in the letters a name may have; "" becomes `value`, and so does a key with none of them."""
    plain = in_ascii(key[: _MAX_LABEL_CHARACTERS * 2])
    return _NOT_IN_NAMES.sub("_", plain).strip("_.-")[:_MAX_LABEL_CHARACTERS].strip("_.-") or "value"


def _joined(labels: Sequence[str]) -> str:
    return _fitting("_".join(labels))


def _fitting(name: str) -> str:
    """The name with an allowed beginning and length. `secret.` is reserved."""
    if name.startswith("secret."):
        name = "secret_" + name.removeprefix("secret.")
    if not (name[0].isalpha() or name[0] == "_"):
        name = "_" + name
    return name[:_MAX_NAME_CHARACTERS]


def _free(name: str, used: AbstractSet[str], taken: AbstractSet[str]) -> str:
    """The name itself, or with the first number that makes it free."""
    free, number = name, 1
    while free in used or free in taken:
        number += 1
        suffix = f"_{number}"
        free = name[: _MAX_NAME_CHARACTERS - len(suffix)] + suffix
    return free
