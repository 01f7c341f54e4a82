"""The words of a pasted command, by whatever shell it was written for; never raises."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

_SECRET_NAME: Final = re.compile(r"TOKEN|KEY|SECRET|PASS|PWD|CREDENTIAL|AUTH", re.IGNORECASE)


@dataclass
class Words:
    """`closed` is False where a quote was opened and never closed. `rest`: the text behind the command, as it stands.
    `stdin`: what the command reads there, None where the text does not say. `commands`: parts that a shell would run
    first ("$(date)"), left in the words as they stand. `redirected`: where the output goes."""

    words: list[str] = field(default_factory=list)
    closed: bool = True
    rest: str = ""
    stdin: str | None = None
    commands: list[str] = field(default_factory=list)
    redirected: list[str] = field(default_factory=list)


def placeholder(name: str, known: Mapping[str, str]) -> str:
    """What stands for a variable of the shell: its value where the text gives one, else a placeholder of the step."""
    if name in known:
        return known[name]
    return f"{{{{secret.{name}}}}}" if _SECRET_NAME.search(name) else f"{{{{{name}}}}}"
