"""An answer of execute for platforms whose variables have plain names and plain values: `order_status`, no lists.

Names have letters, digits and `_`; values are texts, numbers, true and false. Everything else of the answer is as it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from httpstep.core import jsontext
from httpstep.core.inserting.encoders import text_of
from httpstep.core.jsontext import Json
from httpstep.core.regex import regex

LISTS: Final = {"json": "as JSON", "text": "as one text, with commas between the items"}
_NOT_PLAIN: Final = regex(r"[^A-Za-z0-9_]")


def flat(answer: Mapping[str, Json], lists: str, known: Iterable[str] = ()) -> dict[str, Json]:
    """The answer with plain names and values. lists: one of LISTS. known: what the step may give, so that a name is the
    same in every answer, whatever this one has."""
    names = plain_names([*known, *answer["attributes"], *answer["missing"]])
    attributes = {names[name]: plain_value(value, lists) for name, value in answer["attributes"].items()}
    return {**answer, "attributes": attributes, "missing": [names[name] for name in answer["missing"]]}


def plain_names(names: Iterable[str]) -> dict[str, str]:
    """name -> plain name, no two alike: a name that is plain keeps itself, and of others that would meet it or each
    other the later one gets a number, `order_status_2`."""
    distinct = list(dict.fromkeys(names))
    found = {name: name for name in distinct if not _NOT_PLAIN.search(name)}
    taken = set(found)
    for name in distinct:
        if name not in found:
            plain = _free(_NOT_PLAIN.sub("_", name), taken)
            taken.add(plain)
            found[name] = plain
    return found


def _free(plain: str, taken: set[str]) -> str:
    number, free = 1, plain
    while free in taken:
        number += 1
        free = f"{plain}_{number}"
    return free


def plain_value(value: Json, lists: str) -> Json:
    """A text, a number, true or false. Null is the empty text, an object its JSON."""
    if value is None:
        return ""
    if isinstance(value, list) and lists == "text":
        return ", ".join(text_of(item) for item in value)
    return jsontext.dumps_text(value) if isinstance(value, (list, dict)) else value
