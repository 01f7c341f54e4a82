"""Objects whose names are data: those the editor has marked, and those of the answer that look like it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from msgspec import Struct

from httpstep.core.answer.dictionaries import ANY, differing, suggest_dictionaries
from httpstep.core.jsontext import Json, Path
from httpstep.web import stepform
from httpstep.web.stepform import StepForm

_EXAMPLES: Final = 3
_MAX_SUGGESTIONS: Final = 20
_MAX_KEY_CHARACTERS: Final = 40


class Suggestion(Struct, frozen=True):
    """An object of the answer that looks like a dictionary: its path, and some of the names in it."""

    path: Path
    source: str
    examples: tuple[str, ...]


def suggestions(form: StepForm, *documents: Json) -> list[Suggestion]:
    """What looks like a dictionary in any of the documents, or by the difference of two, and is not marked yet."""
    known = {_starred(path) for path in stepform.dictionaries_of(form)}
    found: dict[Path, Suggestion] = {}
    evident = tuple(differing(*documents)) if len(documents) == 2 else ()
    for document in documents:
        for path in (*suggest_dictionaries(document), *evident):
            if path not in known and path not in found:
                found[path] = Suggestion(path, stepform.starred(path), _examples(document, path))
    return list(found.values())[:_MAX_SUGGESTIONS]


def around(offered: Iterable[Suggestion], changes: Iterable[dict[str, Json]]) -> list[Suggestion]:
    """Those that one of the changes is inside of."""
    places = [tuple(change["path"]) for change in changes]
    return [one for one in offered if any(_is_inside(place, one.path) for place in places)]


def mark(form: StepForm, source: str) -> None:
    """One line more, unless it is there or is no path."""
    lines = [line for line in map(str.strip, form.dictionaries.split("\n")) if line]
    if source not in lines and stepform.dictionaries_of(StepForm(dictionaries=source)):
        form.dictionaries = "\n".join([*lines, source])


def _is_inside(place: Path, path: Path) -> bool:
    return len(place) > len(path) and all(
        ANY in (own, other) or own == other for own, other in zip(_starred(path), _starred(place), strict=False)
    )


def _starred(path: Path) -> Path:
    return tuple(ANY if isinstance(part, int) else part for part in path)


def _examples(document: Json, path: Path) -> tuple[str, ...]:
    objects = (value for value in _at(document, path) if isinstance(value, dict) and value)
    names = dict.fromkeys(name for value in islice(objects, 5) for name in islice(value, _EXAMPLES))
    return tuple(
        name if len(name) <= _MAX_KEY_CHARACTERS else name[:_MAX_KEY_CHARACTERS] + "…"
        for name in islice(names, _EXAMPLES)
    )


def _at(value: Json, path: Path) -> Iterator[Json]:
    """Every value at that place, "*" for all items of a list or all entries of an object."""
    if not path:
        yield value
        return
    part, rest = path[0], path[1:]
    if isinstance(value, list) and part == ANY:
        inside: Iterable[Json] = value
    elif isinstance(value, dict):
        inside = value.values() if part == ANY else [value[part]] if part in value else []
    else:
        return
    for one in inside:
        yield from _at(one, rest)
