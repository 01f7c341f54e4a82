"""Values: nothing changes one once it is made, and mypy is who sees to that.

A frozen dataclass sees to it itself. It takes five times as long to be made, where a call makes forty; and its class four
times as long, since Python writes and compiles each of its methods, which for two hundred classes was a sixth of a start.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def made_once(cls: type[T]) -> type[T]:
    """A dataclass with slots that is compared and hashed by its members, and written with them."""
    own = set(vars(cls))
    made = dataclass(slots=True, eq=False, repr=False)(cls)
    for name, method in _methods(made).items():
        if name not in own:
            setattr(made, name, method)
    return made


def _methods(made: Any) -> dict[str, Callable[..., Any]]:
    names = [each.name for each in fields(made)]
    members = attrgetter(*names) if names else lambda _: ()

    def equal(self: Any, other: Any) -> Any:
        return members(self) == members(other) if other.__class__ is self.__class__ else NotImplemented

    def hashed(self: Any) -> int:
        return hash(members(self))

    def written(self: Any) -> str:
        said = (f"{each.name}={getattr(self, each.name)!r}" for each in fields(made) if each.repr)
        return f"{self.__class__.__qualname__}({', '.join(said)})"

    return {"__eq__": equal, "__hash__": hashed, "__repr__": written}
