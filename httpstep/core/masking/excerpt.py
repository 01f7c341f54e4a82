"""The beginning of a value as JSON, written without the rest of it."""

from __future__ import annotations

from collections.abc import Iterator

from httpstep.core.jsontext import Json, dumps_text


def beginning(value: Json, limit: int) -> str:
    """The first `limit` characters of the value's compact JSON, all of it where it is shorter. What stands behind them is not looked at."""
    pieces: list[str] = []
    length = 0
    for piece in _pieces(value, limit):
        pieces.append(piece)
        length += len(piece)
        if length >= limit:
            break
    return "".join(pieces)[:limit]


def _pieces(value: Json, limit: int) -> Iterator[str]:
    """The text in pieces, of which one that is longer than `limit` may be cut. No recursion: each level would pass on each piece."""
    inside: list[tuple[Iterator[tuple[str, Json]], str]] = [(iter([("", value)]), "")]
    while inside:
        members, end = inside[-1]
        before, member = next(members, (None, None))
        if before is None:
            yield end
            inside.pop()
            continue
        yield before
        if isinstance(member, dict):
            yield "{"
            inside.append((_members(member, limit), "}"))
        elif isinstance(member, (list, tuple)):
            yield "["
            inside.append((_items(member), "]"))
        else:
            yield dumps_text(member[:limit] if isinstance(member, str) else member)


def _members(value: dict[str, Json], limit: int) -> Iterator[tuple[str, Json]]:
    for number, (name, member) in enumerate(value.items()):
        yield f"{',' if number else ''}{dumps_text(name[:limit])}:", member


def _items(value: list[Json] | tuple[Json, ...]) -> Iterator[tuple[str, Json]]:
    for number, item in enumerate(value):
        yield "," if number else "", item
