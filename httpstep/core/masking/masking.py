"""Values without the secrets in them. All texts of a value are masked as one text, in one go, whatever its shape.

What is kept only in part is cut before it is masked, a margin behind the place where it will end: of a secret that a
cut divides the first part is no longer known for one, so the margin goes afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from decimal import Decimal

from httpstep.core.jsontext import Json, dumps_text
from httpstep.core.masking import excerpt, redaction


def masked_json(value: Json, secrets: Set[str]) -> Json:
    """The same document with secrets masked in every text, key and number; itself where there are none in it."""
    if not secrets:
        return value
    replaced = hidden_in(_texts(value, numbers=redaction.may_be_number(secrets)), secrets)
    return _with(replaced, value) if replaced else value


def masked_members(value: dict[str, Json], secrets: Set[str]) -> dict[str, Json]:
    """The same object as `masked_json` gives, its members made anew only where something is masked in them."""
    if not secrets:
        return value
    numbers = redaction.may_be_number(secrets)
    replaced = hidden_in(_texts(value, numbers=numbers), secrets)
    if not replaced:
        return value
    return {
        replaced.get(name, name): member
        if replaced.keys().isdisjoint(_texts({name: member}, numbers=numbers))
        else _with(replaced, member)
        for name, member in value.items()
    }


def is_longer(value: str | list[Json] | dict[str, Json], limit: int) -> bool:
    """Whether a text, or a list or object as JSON, has more than so many characters."""
    return len(value if isinstance(value, str) else excerpt.beginning(value, limit + 1)) > limit


def masked_beginning(value: str | list[Json] | dict[str, Json], limit: int, secrets: Set[str]) -> str:
    """At most so many characters of a text, or of a list or object as JSON, masked."""
    needed = limit + redaction.margin(secrets)
    text = _start(value, needed + 1)
    return masked_start(text, len(text) > needed, limit, secrets)


def masked_beginnings(texts: Sequence[str], limit: int, secrets: Set[str]) -> list[str]:
    """Of each of the texts, all longer than `limit`, so many characters at most, masked, and "…"."""
    margin = redaction.margin(secrets)
    masked = redaction.redact_all([text[: limit + margin] for text in texts], secrets)
    return [
        (hidden[: max(0, len(hidden) - margin)] if len(text) > limit + margin else hidden)[:limit] + "…"
        for hidden, text in zip(masked, texts, strict=True)
    ]


def _start(value: str | list[Json] | dict[str, Json], limit: int) -> str:
    return value[:limit] if isinstance(value, str) else excerpt.beginning(value, limit)


def masked_start(text: str, was_cut: bool, limit: int, secrets: Set[str]) -> str:
    """The first `limit` characters of a text, masked. was_cut: more follows, and `text` has the margin behind `limit`."""
    masked = redaction.redact(text, secrets)
    return masked[: max(0, len(masked) - redaction.margin(secrets))][:limit] if was_cut else masked[:limit]


# ---------------------------------------------------------------- texts of a value


def _texts(value: Json, *, numbers: bool) -> list[str]:
    """Every text and name in it, once, and every number as it is written. Level by level."""
    found: dict[str, None] = {}
    below: list[Json] = [value]
    while below:
        level, below = below, []
        for one in level:
            if one is None or one is True or one is False:
                continue
            if isinstance(one, str):
                found[one] = None
            elif isinstance(one, dict):
                found.update(dict.fromkeys(one))
                below += one.values()
            elif isinstance(one, (list, tuple)):
                below += one
            elif numbers and isinstance(one, (int, Decimal)):
                found[dumps_text(one)] = None
    return list(found)


def hidden_in(texts: list[str], secrets: Set[str]) -> dict[str, str]:
    """Those of the texts in which something is masked, and how they read then."""
    masked = redaction.redact_all(texts, secrets)
    return {text: hidden for text, hidden in zip(texts, masked, strict=True) if text is not hidden and text != hidden}


def _with(replaced: Mapping[str, str], value: Json) -> Json:
    if isinstance(value, str):
        return replaced.get(value, value)
    if isinstance(value, dict):
        return {replaced.get(name, name): _with(replaced, member) for name, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [_with(replaced, item) for item in value]
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        return replaced.get(dumps_text(value), value)
    return value
