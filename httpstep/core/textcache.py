"""What was made of a text, kept: bounded in characters, since of texts from elsewhere a few hundred may be a gigabyte."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")
LARGE = 8
"""A text that takes more than one part in so many of the room is not kept."""


class TextCache(Generic[T]):
    """`make`, asked once for a text while there is room. When there is none, all is made anew.

    No lock: two threads may make the same, and a count that is a little off only empties it a little sooner or later.
    """

    def __init__(self, make: Callable[[str], T], most: int) -> None:
        """most: characters of all texts that are kept."""
        self._make, self._most = make, most
        self._made: dict[str, T] = {}
        self.characters = 0

    def __call__(self, text: str) -> T:
        if text in (made := self._made):
            return made[text]
        found = self._make(text)
        if len(text) * LARGE <= self._most:
            if self.characters + len(text) > self._most:
                self._made, self.characters = {}, 0
            self._made[text] = found
            self.characters += len(text)
        return found
