"""The names people give to steps, flows and the rest, and their order in a list."""

from __future__ import annotations

import unicodedata
from typing import Final, Literal

MAX_NAME_CHARACTERS: Final = 100


def name_faults(name: str, what: Literal["step", "flow"]) -> list[str]:
    """What is wrong with a name, a sentence each."""
    faults = []
    if not name.strip():
        faults.append(f"Give the {what} a name.")
    if len(name) > MAX_NAME_CHARACTERS:
        faults.append(f"The name has {len(name)} characters; at most {MAX_NAME_CHARACTERS} are allowed.")
    if any(char < " " or char in "\x7f\x85\u2028\u2029" for char in name):
        faults.append("The name has a line break or another control character in it.")
    return faults


def in_lists(name: str) -> tuple[str, str]:
    """The key that puts names in their order, the same on every database: neither case nor accents count, but to part
    names that are else alike. SQLite would fold ASCII alone and PostgreSQL sort by its collation."""
    if name.isascii():  # as what follows would give it, in a tenth of the time: a list may have a thousand
        return name.lower(), name
    parts = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).casefold())
    return "".join(part for part in parts if not unicodedata.combining(part)), name
