"""What a bot would say: a sentence with `{{names}}`, filled in with attributes for a person to look at. Nothing is sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import Struct

from httpstep.core.inserting.encoders import text_of
from httpstep.core.inserting.placeholders import NOT_FOUND, Placeholder, lookup, scan_with_faults
from httpstep.core.jsontext import Json

MAX_CHARACTERS: Final = 2_000
"""Of a sentence; the rest of a longer one is left out."""
_MAX_VALUE_CHARACTERS: Final = 200
_TELLING: Final = frozenset({"status", "state"})
"""Last words of the names that say most to whoever asked."""


class Part(Struct, frozen=True):
    """A piece of a sentence. name: the attribute whose value `text` is, "" for what is said as it stands. unknown: there is
    no such attribute, and `text` is the placeholder as it was typed."""

    text: str
    name: str = ""
    unknown: bool = False


class Sentence(Struct, frozen=True):
    """typed: as it was written, "" where `parts` are an example. example: that one as it is written, "" where there is none.
    faults: a sentence for each placeholder that is none."""

    typed: str
    parts: tuple[Part, ...]
    example: str
    faults: tuple[str, ...] = ()


def sentence_of(typed: str, attributes: Mapping[str, Json], mapped: Mapping[str, Json] | None = None) -> Sentence:
    """The sentence with its values; an example of one where nothing is typed, of what is `mapped` where that is given:
    a value that the bot sent tells nobody anything."""
    text, example = typed[:MAX_CHARACTERS], example_of(attributes if mapped is None else mapped)
    pieces, faults = scan_with_faults(text if text.strip() else example)
    parts = tuple(
        _filled(piece, attributes) if isinstance(piece, Placeholder) else Part(piece.text) for piece in pieces
    )
    return Sentence(text if text.strip() else "", parts, example, faults)


def example_of(attributes: Mapping[str, Json]) -> str:
    """ "Your order status is {{order_status}}.", of a text that is a status by its name, or else of the first
    text or number among them; "" where there is none."""
    texts = list(_of_type(attributes, str))
    telling = [name for name in texts if _words_of(name).rpartition(" ")[2].casefold() in _TELLING]
    for name in (*telling, *texts, *_of_type(attributes, (int, float))):
        return f"Your {_words_of(name)} is {{{{{name}}}}}."
    return ""


def _words_of(name: str) -> str:
    return name.rpartition(".")[2].replace("_", " ").replace("-", " ").strip()


def _of_type(attributes: Mapping[str, Json], kind: type | tuple[type, ...]) -> Iterator[str]:
    """Names of values of that kind that fit into a sentence."""
    for name, value in attributes.items():
        if isinstance(value, kind) and not isinstance(value, bool) and 0 < len(str(value)) <= 60:
            yield name


def _filled(piece: Placeholder, attributes: Mapping[str, Json]) -> Part:
    value = NOT_FOUND if piece.secret is not None else lookup(piece.name, attributes)
    if value is NOT_FOUND:
        return Part(piece.source, piece.name, unknown=True)
    text = text_of(value)
    return Part(text if len(text) <= _MAX_VALUE_CHARACTERS else text[:_MAX_VALUE_CHARACTERS] + "…", piece.name)
