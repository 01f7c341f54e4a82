"""The places of an answer: where a value is, by what words, and what it is the same as in another spelling."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Final

from msgspec import Struct

from httpstep.core.conversion import CannotConvert, convert
from httpstep.core.drift.words import GENERAL, Weighted, words_of
from httpstep.core.jsontext import Json, Path, dumps_text, json_type
from httpstep.core.regex import regex

CONTAINERS: Final = frozenset({"array", "object"})
MAX_PLACES: Final = 20_000
_MAX_TEXT: Final = 200
_NUMBER: Final = regex(r"-?\d{1,30}(\.\d{1,30})?", re.ASCII)
_MEASURED: Final = regex(r"-?\d+\.\d{3,}[1-9]", re.ASCII)
_PHONE: Final = regex(r"\+?[\d ()/.-]{7,25}", re.ASCII)
_URL: Final = regex(r"(?:https?://)?(?:www\.)?([^/\s]+\.[^\s]*?)/?", re.ASCII | re.IGNORECASE)
_MAIL: Final = regex(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_TAG: Final = regex(r"<[^<>]{1,200}>")
_DATED: Final = regex(r"(?=.*\d{4}).*\d[-/: ]\d", re.ASCII)


class DocumentNode(Struct, frozen=True, eq=False):
    """A place of a document, list items by the first one.

    kind: of its value: "date", "url", "mail", "path" (`places/ChIJ2`), "flag", "number", "measure" (-77.050091), "id",
    "word", "prose", "null", "object", "array".
    own, joint, way: the words of its name, of it and the one around it, and of the whole way, with their weights. keys: what its value is in normal
    forms, the most exact first. information: how much an equal value says, 0 (null, objects) to 1. many: it is in a
    list of several items, which stands for its first. empty: a list or an object without anything in it.
    """

    path: Path
    type: str
    kind: str
    own: Weighted
    joint: Weighted
    way: Weighted
    keys: tuple[str, ...] = ()
    information: float = 0.0
    many: bool = False
    empty: bool = False

    @classmethod
    def unknown(cls, path: Path) -> DocumentNode:
        """A place of which only the path is known."""
        return cls(path, "", "", *_words(path))


def generic(path: Path) -> Path:
    """The path with every index 0: a list is known by its first item."""
    return tuple(0 if isinstance(part, int) else part for part in path)


def places_in(document: Json) -> Iterator[DocumentNode]:
    """All places below the root, level by level, at most 20,000."""
    waiting: deque[tuple[Path, Json, bool]] = deque([((), document, False)])
    for _ in range(MAX_PLACES):
        if not waiting:
            return
        path, value, many = waiting.popleft()
        if path:
            yield _place(path, value, many)
        if isinstance(value, dict):
            waiting.extend(((*path, key), child, many) for key, child in value.items())
        elif isinstance(value, list) and value:
            waiting.append(((*path, 0), value[0], many or len(value) > 1))


def _place(path: Path, value: Json, many: bool) -> DocumentNode:
    kind = json_type(value)
    if kind in ("array", "object", "null"):
        return DocumentNode(path, kind, kind, *_words(path), many=many, empty=not value)
    return DocumentNode(path, kind, _kind(value), *_words(path), _keys(value), _information(value), many)


# ---------------------------------------------------------------- words


def _words(path: Path) -> tuple[Weighted, Weighted, Weighted]:
    """The words of the own name, of two steps, and of the way: each step outwards counts half of the one inside it
    there. A step of general words alone is none, and takes the next one along."""
    own: list[tuple[str, float]] = []
    joint: list[tuple[str, float]] = []
    way: list[tuple[str, float]] = []
    steps = 0
    for key in reversed([part for part in path if isinstance(part, str)]):
        words = [(word, 0.35 if word in GENERAL else 1.0) for word in words_of(key)]
        way.extend((word, weight / 2**steps) for word, weight in words)
        if steps < 1:
            own.extend(words)
        if steps < 2:
            joint.extend(words)
        steps += any(word not in GENERAL for word, _ in words)
        if steps > 3:
            break
    return own, joint, way


# ---------------------------------------------------------------- values


def _kind(value: Json) -> str:
    if isinstance(value, bool):
        return "flag"
    text = str(value)
    if _NUMBER.fullmatch(text) or not isinstance(value, str):
        if _MEASURED.fullmatch(text):
            return "measure"
        return "id" if len(text) >= 8 and text.isdigit() else "number"
    if len(value) <= 60 and _moment_of_text(value) is not None:
        return "date"
    if _MAIL.fullmatch(value):
        return "mail"
    if "://" in value[:12] or value.startswith("www."):
        return "url"
    if " " in value:
        return "prose"
    if "/" in value.strip("/"):
        return "path"
    return "id" if len(value) >= 16 or (len(value) >= 8 and any(map(str.isdigit, value))) else "word"


def _keys(value: Json) -> tuple[str, ...]:
    """The value as it is, then what it is in other spellings."""
    text = value if isinstance(value, str) else dumps_text(value)
    if isinstance(value, bool):
        return (text,)
    if len(text) > _MAX_TEXT:
        return (f"{text[:_MAX_TEXT]}{len(text)}",)
    return tuple(dict.fromkeys((f"{json_type(value)} {text}", *_normal_forms(text))))


@lru_cache(maxsize=8192)
def _normal_forms(text: str) -> tuple[str, ...]:
    found = [" ".join(_TAG.sub("", text).casefold().split()) or text]
    if _NUMBER.fullmatch(text):
        found.append(f"number {Decimal(text).normalize():f}")
        if len(text) in (10, 13) and text.isdigit():
            found.append(f"moment {int(text[:10])}")
    elif (moment := _moment_of_text(text)) is not None:
        found.append(f"moment {moment}")
    elif _PHONE.fullmatch(text):
        found.append("phone " + "".join(filter(str.isdigit, text))[-9:])
    elif match := _URL.fullmatch(text):
        found.append("url " + match.group(1).casefold())
    return tuple(found)


@lru_cache(maxsize=8192)
def _moment_of_text(text: str) -> int | None:
    """Seconds since 1970 of a date as text, to the whole second; a time without a zone counts as UTC."""
    if len(text) > 60 or not _DATED.match(text) or _NUMBER.fullmatch(text):
        return None
    try:
        moment = datetime.fromisoformat(convert(text, "date").replace("Z", "+00:00"))
    except (CannotConvert, ValueError):
        return None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def _information(value: Json) -> float:
    if isinstance(value, bool):
        return 0.1
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        return min(1.0, 0.15 * len(value))
    return min(1.0, 0.22 * sum(map(str.isdigit, str(value))))
