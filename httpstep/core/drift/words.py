"""How alike two names are, by their words: `orderStatus`, `order_state` and `ORDER-STATUS`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from httpstep.core.regex import regex

_WORDS: Final = regex(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_a-zA-Z]+")
_MAX_CHARACTERS: Final = 100

_GENERAL: Final = """
    data result results response payload attributes properties property fields field value values text node nodes
    edge edges item items object objects record records content contents info information details detail main the of
    list entry entries set snippet has display includes included include embedded at on date str all local utc html
    plain 1 rendered raw time
"""
GENERAL: Final = frozenset(_GENERAL.split())
"""Words that say little of what a value is: they count a third."""
_QUALIFIERS: Final = """
    min max minimum maximum next previous prev last first old new cents unix utc local net gross html plain avg average
    per unit normalized lower upper lowercase start end begin from to in out before after not estimated static num count
    original high low open close sub
"""
QUALIFIERS: Final = frozenset(_QUALIFIERS.split())
"""Words that make another value of a name: a place that has one of them and the other not is no certain match."""

_SYNONYMS: Final = (
    "id gid uid guid uuid identifier ident sid sub key sha",
    "name title label caption",
    "title subject headline summary",
    "username login handle nick screen user",
    "user owner member customer client account person author contact buyer payer shopper",
    "author creator owner",
    "email mail e-mail",
    "phone telephone tel mobile phonenumber cell",
    "status state stage phase",
    "count total number num quantity qty amount sum size",
    "price cost amount fee charge rate",
    "created creation added add registered date inserted published uploaded timestamp time signup saved when",
    "updated update modified changed edited",
    "city town locality place",
    "zip postcode postal plz zipcode",
    "street address addr line",
    "country nation land",
    "region province state county",
    "lat latitude",
    "lng lon long longitude",
    "url link href uri website web site homepage permalink src",
    "image picture photo avatar img icon thumbnail media",
    "description desc summary body message text note notes comment about bio speech content",
    "first given fname firstname forename",
    "last family surname lname lastname",
    "likes like favorites favourites favorite favourite fav hearts heart hearted liked fan",
    "friends following followees",
    "posts tweets statuses tweet status",
    "order purchase transaction sale payment",
    "delivery shipping shipment dispatch fulfillment fulfilment",
    "billing invoice bill payment",
    "company organization organisation org business",
    "category type kind class",
    "language lang locale",
    "tags labels keywords",
    "deleted removed archived closed",
    "completed checked done finished",
    "assignee responsible assigned",
    "due deadline expires expiry expiration dlvy delivery",
    "lines rows entries",
    "temperature temp",
    "size bytes",
    "max maximum high highest",
    "min minimum low lowest",
    "direction bearing heading",
    "currency money",
    "duration length runtime",
    "pieces parcels packages",
    "score rating confidence rank points",
    "query search question",
    "base source origin",
    "tickets cases issues",
    "items products articles goods",
    "project repository repo",
    "milliseconds ms millis",
    "seconds sec secs",
)
_GROUPS: Final[dict[str, frozenset[int]]] = {}
for _number, _group in enumerate(_SYNONYMS):
    for _word in _group.split():
        _GROUPS[_word] = _GROUPS.get(_word, frozenset()) | {_number}

_COMPOUND: Final = {
    ("email", "address"),
    ("mail", "address"),
    ("phone", "number"),
    ("telephone", "number"),
    ("screen", "name"),
}
"""Names that say no more than their first word."""
_LAST_CHANGE: Final = {("last", word) for word in ("updated", "update", "modified", "changed", "change", "edited")}
"""What was changed was changed last."""


@lru_cache(maxsize=8192)
def words_of(key: str) -> tuple[str, ...]:
    """The words of a name in lower case, in their order, without an "is" before them and without a second one that
    says no more (`email_address`); the name itself where it has none."""
    words = tuple(word.lower() for word in _WORDS.findall(key[:_MAX_CHARACTERS])) or (key[:_MAX_CHARACTERS].lower(),)
    if len(words) > 1 and (words[0] == "is" or words[:2] in _LAST_CHANGE):
        words = words[1:]
    return tuple(word for place, word in enumerate(words) if not place or words[place - 1 : place + 1] not in _COMPOUND)


@lru_cache(maxsize=8192)
def stem(word: str) -> str:
    """The word without the ending of its plural."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


@lru_cache(maxsize=8192)
def meanings(word: str) -> frozenset[str | int]:
    """What two words must have one of to be compared at all: a stem, or a group of synonyms."""
    return frozenset({stem(word)}) | _GROUPS.get(word, frozenset()) | _GROUPS.get(stem(word), frozenset())


@lru_cache(maxsize=65536)
def word_likeness(one: str, other: str) -> float:
    """0 to 1: the same word, another number of it, the beginning of it, a synonym, similar letters."""
    if one == other:
        return 1.0
    mine, theirs = stem(one), stem(other)
    if mine == theirs:
        return 0.96
    if min(len(mine), len(theirs)) >= 3 and (mine.startswith(theirs) or theirs.startswith(mine)):
        return 0.8
    if meanings(one) & meanings(other):
        return 0.75
    if min(len(mine), len(theirs)) < 5:
        return 0.0
    pairs, others = _pairs(mine), _pairs(theirs)
    dice = 2 * len(pairs & others) / (len(pairs) + len(others))
    return 0.8 * dice if dice >= 0.6 else 0.0


def _pairs(word: str) -> frozenset[str]:
    return frozenset(word[place : place + 2] for place in range(len(word) - 1))


Weighted = Sequence[tuple[str, float]]
"""Words, each with what it counts."""


def likeness(mine: Weighted, theirs: Weighted) -> float:
    """0 to 1: how much of the words of each is found in the other, by their weights (a soft F measure)."""
    found, sought = _covered(mine, theirs), _covered(theirs, mine)
    return 2 * found * sought / (found + sought) if found + sought else 0.0


def _covered(words: Weighted, by: Weighted) -> float:
    total = sum(weight for _, weight in words)
    if not total or not by:
        return 0.0
    return sum(weight * max(word_likeness(word, other) for other, _ in by) for word, weight in words) / total
