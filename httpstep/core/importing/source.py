"""A text that requests can be read from: a list to choose from, and the request of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct

from httpstep.core.importing.imported import Imported
from httpstep.core.regex import regex

_ORIGIN: Final = regex(r"(?:https?://[^/?#{}]+|\{\{[^{}]*\}\})(?=/.)")
MAX_OPERATIONS: Final = 2000
UNKNOWN_HOST: Final = "YOUR_HOST"
"""Where the text does not say it: a placeholder, so that it is asked for."""


class Operation(Struct, frozen=True):
    """One request of a text. `id`: what it is chosen by; `number`: its place in the text."""

    id: str
    method: str
    address: str
    summary: str = ""
    number: int = 0

    @property
    def label(self) -> str:
        return f"{self.method} {self.address}" + (f" · {self.summary}" if self.summary else "")

    @property
    def short(self) -> str:
        """The label for a list, without the host, which all of them share: a phone is narrow."""
        path = self.address[found.end() :] if (found := _ORIGIN.match(self.address)) else self.address
        return f"{self.method} {path}" + (f" · {self.summary}" if self.summary else "")


class Source(Struct, frozen=True):
    """`fault`: one sentence where nothing was understood, and then there are no operations. `left_out`: sentences about
    the text as a whole."""

    format: str
    operations: tuple[Operation, ...] = ()
    read: Callable[[Operation], Imported] = lambda _: Imported()
    fault: str = ""
    left_out: tuple[str, ...] = ()

    def find(self, wanted: str) -> Operation | None:
        """The operation of this id, or written as "GET /path"."""
        return next(
            (one for one in self.operations if wanted in (one.id, f"{one.method} {one.address}", one.label)), None
        )


def single(format_: str, imported: Imported) -> Source:
    """A text with one request."""
    if not imported.is_understood:
        return Source(format_, fault=" ".join(imported.faults))
    spec = imported.spec
    return Source(format_, (Operation(spec.url, spec.method, spec.url),), lambda _: imported)


class Choices(Struct, frozen=True):
    """The operations of a document to choose from, and what was left out of all of them."""

    what: str
    operations: Sequence[Operation]
    left_out: Sequence[str]
