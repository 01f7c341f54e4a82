"""The values for test: an input for each attribute that a request asks for, and what stands in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from httpstep.core import jsontext
from httpstep.core.inserting import placeholders
from httpstep.core.jsontext import Json
from httpstep.storage import overview
from httpstep.web import stepform
from httpstep.web.editor import tree


class TestValue(Struct, frozen=True):
    """One value for test. hint: a sentence where the name is new (is_new), is no attribute that is kept (is_kept) but asked
    for by other steps, or has a default."""

    name: str
    typed: str
    hint: str = ""
    is_new: bool = False
    is_kept: bool = True


def values_for(
    wanted: Iterable[str], typed: Mapping[str, str], last: Mapping[str, Json], names: overview.Names
) -> list[TestValue]:
    """What was typed, else what the last test had, else the sample."""
    return [TestValue(name, _text_of(name, typed, last, names), *_hint(name, names)) for name in wanted]


def _text_of(name: str, typed: Mapping[str, str], last: Mapping[str, Json], names: overview.Names) -> str:
    if (text := typed.get(name)) is not None:
        return text
    if name in last:
        return stepform.typed_text(last[name])
    sample = names.samples.get(name)
    return "" if sample is None else stepform.typed_text(jsontext.read_back(sample))


def _hint(name: str, names: overview.Names) -> tuple[str, bool, bool]:
    """(hint, whether nobody in the account knows this name, whether it is among the attributes or comes from a step)."""
    if name in names.defaults:
        default = stepform.typed_text(jsontext.read_back(names.defaults[name]))
        return f"If it is not there: {tree.short_text(default, 40) if default else 'nothing'}.", False, True
    known = placeholders.lookup(name, dict.fromkeys(names.attributes)) is not placeholders.NOT_FOUND
    if known or is_inside(name, names.attributes):
        return "", False, True
    if name in names.used:
        return "Other steps ask for it too: your bot has to send it with each call.", False, False
    return "New name: your bot has to send it with each call.", True, False


def is_inside(name: str, known: Iterable[str]) -> bool:
    """Whether it is one of those names, or a place inside one: "order.id" in "order"."""
    parts, those = name.split("."), set(known)
    return any(".".join(parts[:length]) in those for length in range(1, len(parts) + 1))


def given_by(typed: Mapping[str, str]) -> dict[str, Json]:
    """The attributes of a test. An empty input gives none."""
    return {name: stepform.typed_value(text) for name, text in typed.items() if text.strip()}


def as_given(wanted: Iterable[str], given: Mapping[str, Json]) -> dict[str, str]:
    """The inputs as a call had them, and empty where it had none."""
    names = list(wanted)
    return dict.fromkeys(names, "") | {
        name: stepform.typed_text(value) for name, value in found_in(names, given).items()
    }


def found_in(wanted: Iterable[str], given: Mapping[str, Json]) -> dict[str, Json]:
    """Those of the wanted that a call had."""
    found = {name: placeholders.lookup(name, given) for name in wanted}
    return {name: value for name, value in found.items() if value is not placeholders.NOT_FOUND}
