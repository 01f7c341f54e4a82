"""What an address names: a step or flow of the account, a new one, or one that somebody has deleted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from flask import abort, request

from httpstep.web import stepform
from httpstep.web.here import account_id

NEW: Final = "new"
Stored = TypeVar("Stored")
Get = Callable[[int, int], Stored | None]
"""(account, id) -> the row; None where the account has none of that id."""


def _find(ref: str, get: Get[Stored]) -> Stored | None:
    number = stepform.whole_number(ref)
    return None if number is None else get(account_id(), number)


def is_gone(ref: str, get: Get[Stored]) -> bool:
    return ref != NEW and _find(ref, get) is None


def gone(word: str, *, typed: bool = False) -> str:
    """What is said of it. word: "step", "flow"; typed: its form is here as it was sent."""
    kept = f" What you typed is still here; Save makes a new {word} of it." if typed else ""
    return f"This {word} is no longer there: somebody has deleted it.{kept}"


def row_or_404(ref: str, get: Get[Stored], word: str, *, typed: bool = False) -> Stored | None:
    """None for "new"."""
    if ref == NEW:
        return None
    return is_there(_find(ref, get), word, typed=typed)


def is_there(row: Stored | None, word: str, *, typed: bool = False) -> Stored:
    """404 where it is not."""
    return row if row is not None else abort(404, gone(word, typed=typed) if request.method == "POST" else None)
