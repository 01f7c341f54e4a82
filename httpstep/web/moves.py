"""What a button of an editor does to its form, and which parts of the page show it. One table for the page and for htmx."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from msgspec import Struct

E = TypeVar("E")


class Done(Struct, frozen=True):
    """What came of a move. status: 422 where the form is not right for it. said: a short notice; good: of a success.
    undo: what the notice can take back, in a word that the page's script knows. shows: the only part to redraw, where it
    is not what the table says."""

    status: int = 200
    said: str = ""
    good: bool = True
    undo: str = ""
    shows: str = ""


class Move(Struct, Generic[E], frozen=True):
    """act: changes the form of an editor; its second argument is what follows the colon of the button's value.
    redraws: templates of the parts it changes. The first is what the button swaps, the others come beside it."""

    act: Callable[[E, str], Done | None]
    redraws: tuple[str, ...]

    @property
    def target(self) -> str:
        return target_of(self.redraws[0])


def target_of(template: str) -> str:
    """The element that a fragment's template draws: "drift/_drift_banner.html" is "#drift-banner"."""
    return "#" + template.rsplit("/", 1)[-1].removeprefix("_").removesuffix(".html").replace("_", "-")
