"""What Re-map makes of real changes of public APIs and of generated ones: rules right, asked, silently wrong.

`api_changes.json` holds answers before and after, with the truth beside each rule: old path -> new path, null where the
value is gone. A path is its parts joined by "/". Each change is measured twice: the two answers to one request ("same
values"), and the second of another one ("other values", scrambled: every text, number and yes or no is another).
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path as File
from typing import Final

from httpstep.core.drift.remapping import remap
from httpstep.core.jsontext import Json, Path, loads
from httpstep.core.step.spec import MappingRule

FILE: Final = File(__file__).with_suffix(".json")


@dataclass(frozen=True)
class Change:
    """truth: where each rule's value is in the new answer, None where it is gone."""

    name: str
    before: Json
    after: Json
    truth: dict[Path, Path | None]


@dataclass
class Score:
    """Rules. right: as one press leaves them; asked: not chosen, the right place among the offers; silent: chosen
    beforehand, and wrong."""

    rules: int = 0
    right: int = 0
    asked: int = 0
    silent: int = 0

    @property
    def with_a_choice(self) -> float:
        return (self.right + self.asked) / self.rules


def changes(file: File = FILE) -> Iterator[Change]:
    for one in loads(file.read_bytes()):
        before, after = one["before"], one["after"]
        truth = {_path(old, before): None if new is None else _path(new, after) for old, new in one["rules"].items()}
        yield Change(one["change"], before, after, truth)


def _path(text: str, document: Json) -> Path:
    parts: list[str | int] = []
    for part in text.split("/"):
        parts.append(int(part) if isinstance(document, list) else part)
        document = document[parts[-1]]
    return tuple(parts)


def backwards(change: Change) -> Change:
    """The same change from the new answer to the old: one that no weight was set by."""
    truth: dict[Path, Path | None] = {new: old for old, new in change.truth.items() if new is not None}
    return Change(change.name, change.after, change.before, truth)


def score(found: Iterable[Change]) -> Score:
    result = Score()
    for change in found:
        rules = [MappingRule(f"a{number}", path=path) for number, path in enumerate(change.truth)]
        moves = {move.index: move for move in remap(rules, change.before, change.after)[1]}
        for index, (path, truth) in enumerate(change.truth.items()):
            move = moves.get(index)
            offered = [one.path for one in move.candidates] if move else []
            chosen = move.chosen if move else path
            result.rules += 1
            result.right += chosen == truth
            result.asked += chosen is None and truth in offered
            result.silent += move is not None and chosen is not None and chosen != truth
    return result


# ---------------------------------------------------------------- the answer to another request

_DATE: Final = re.compile(r"(\d{4}-\d{2}-)\d{2}(.*)", re.DOTALL)
_CLOCK: Final = re.compile(r":\d{2}(?=:|\b)")


def scrambled(document: Json, seed: int = 1) -> Json:
    """The same fields with other values, equal ones with equal ones."""
    return _scrambled(document, f"{seed}")


def _scrambled(value: Json, seed: str) -> Json:
    if isinstance(value, dict):
        return {key: _scrambled(child, seed) for key, child in value.items()}
    if isinstance(value, list):
        return [_scrambled(child, seed) for child in value]
    chance = random.Random(f"{seed} {value}")
    if isinstance(value, bool):
        return chance.random() < 0.5
    if isinstance(value, (int, Decimal)):
        return loads(_other_digits(str(value), chance))
    return _other_text(value, chance) if isinstance(value, str) else value


def _other_digits(text: str, chance: random.Random) -> str:
    return re.sub(r"\d", lambda found: str(chance.randint(1, 9)), text)


def _other_text(text: str, chance: random.Random) -> str:
    scheme, separator, rest = text.rpartition("://")
    if dated := _DATE.fullmatch(text):
        return f"{dated[1]}{chance.randint(10, 28)}{dated[2]}"
    if _CLOCK.search(text):
        return _CLOCK.sub(lambda _: f":{chance.randint(10, 59)}", text)
    letters = re.sub(r"[a-z]", lambda _: chance.choice("abcdefghijklmnopqrstuvwxyz"), rest)
    letters = re.sub(r"[A-Z]", lambda _: chance.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), letters)
    return scheme + separator + _other_digits(letters, chance)
