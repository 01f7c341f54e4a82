"""Values are compared, hashed and written as those of a frozen dataclass are, which each is held against."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import pytest

from httpstep.core.madeonce import made_once

T = TypeVar("T")


def _pair(made: Any) -> type:
    @made
    class Pair:
        left: int
        right: tuple[int, ...] = ()
        hidden: str = field(default="secret", repr=False)

    return Pair  # type: ignore[no-any-return]


def _empty(made: Any) -> type:
    @made
    class Empty:
        """Has nothing."""

    return Empty


def _single(made: Any) -> type:
    @made
    class Single(Generic[T]):
        only: T

    return Single


def _below(made: Any) -> type:
    @made
    class Below(_PARENTS[made]):  # type: ignore[misc]
        more: int = 0

        def __post_init__(self) -> None:
            object.__setattr__(self, "left", self.left + 1)

    return Below


frozen = dataclass(frozen=True, slots=True)
_PARENTS = {made: _pair(made) for made in (frozen, made_once)}
CASES = [
    (_pair, [(1,), (1, (2,)), (1, (2,), "other"), (2,)]),
    (_empty, [()]),
    (_single, [(1,), ("a",), ((),)]),
    (_below, [(1,), (1, (2,), "s", 3), (0, (2,), "s", 3)]),
]


@pytest.mark.parametrize(("build", "given"), CASES, ids=lambda case: getattr(case, "__name__", ""))
def test_like_a_frozen_dataclass(build: Any, given: list[tuple[Any, ...]]) -> None:
    ours, theirs = build(made_once), build(frozen)
    assert [repr(ours(*one)) for one in given] == [repr(theirs(*one)) for one in given]
    for first in given:
        assert hash(ours(*first)) == hash(ours(*first))
        assert ours(*first) != theirs(*first) and ours(*first) != first
        for second in given:
            assert (ours(*first) == ours(*second)) == (theirs(*first) == theirs(*second))
        assert copy.deepcopy(ours(*first)) == ours(*first)
    assert not hasattr(ours(*given[0]), "__dict__")


def test_what_is_not_to_be_written_is_not() -> None:
    assert "secret" not in repr(_pair(made_once)(1))


def test_a_method_of_the_class_itself_stays() -> None:
    @made_once
    class Own:
        a: int

        def __repr__(self) -> str:
            return "its own"

        def __eq__(self, other: object) -> bool:
            return True

        def __hash__(self) -> int:
            return 7

    assert (repr(Own(1)), Own(1) == Own(2), hash(Own(1))) == ("its own", True, 7)
