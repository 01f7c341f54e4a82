"""The names people give to steps and flows."""

from __future__ import annotations

from typing import Final, Literal

LONGEST_NAME: Final = 100


def name_faults(name: str, what: Literal["step", "flow"]) -> list[str]:
    """What is wrong with a name, a sentence each."""
    faults = []
    if not name.strip():
        faults.append(f"Give the {what} a name.")
    if len(name) > LONGEST_NAME:
        faults.append(f"The name has {len(name)} characters; at most {LONGEST_NAME} are allowed.")
    if any(char < " " or char in "\x7f\x85\u2028\u2029" for char in name):
        faults.append("The name has a line break or another control character in it.")
    return faults
