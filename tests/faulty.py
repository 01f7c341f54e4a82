"""A fault of our own put into any function that runs between a third party's answer and ours.

The functions are found by watching: `Watched` notes every one of `httpstep` that is called from the moment the third
party has answered until the answer is made, and `Fault` lets one of them raise, the first time or each time.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from inspect import unwrap
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any

import httpstep
from httpstep.core.exchange import HttpResponse, RenderedRequest
from httpstep.web import problems, responses

_OURS = str(Path(httpstep.__file__).parent)
_NOT_OURS = ("storage/database:prepare_engine.<locals>._checkin", "web/incoming:Application.ensure_sync")
"""SQLAlchemy loses a connection whose way back into the pool fails. The other gives Flask back what it is given, first for
what makes the headers of every answer."""
_MADE = (problems._Complete.__call__.__code__, responses.Fingerprints.finished.__code__)
"""Called when the answer is made: how it goes out is no part of ours."""


def name_of(code: CodeType) -> str:
    return f"{Path(code.co_filename).relative_to(_OURS).with_suffix('')}:{code.co_qualname}"


class Watched:
    """A third party, and what happens in this thread after it has answered. on_call: told of each function then."""

    def __init__(self, *answers: HttpResponse) -> None:
        self.answers = list(answers)
        self.requests: list[RenderedRequest] = []
        self.answered = False
        self._profile: Callable[[FrameType, str, Any], None] | None = None

    def __call__(self, request: RenderedRequest, deadline: float) -> HttpResponse:
        self.requests.append(request)
        self.answered = True
        sys.setprofile(self._profile)  # from now on: watching what is before would take as long again
        return self.answers[min(len(self.requests), len(self.answers)) - 1]

    @contextmanager
    def watching(self, on_call: Callable[[CodeType], None]) -> Iterator[None]:
        def profile(frame: FrameType, event: str, _: Any) -> None:
            if frame.f_code in _MADE:
                self.answered = False
                sys.setprofile(None)
            elif event == "call" and frame.f_code.co_filename.startswith(_OURS):
                on_call(frame.f_code)

        self.answered, self._profile = False, profile
        try:
            yield
        finally:
            sys.setprofile(None)
            self.answered, self._profile = False, None

    def functions_of(self, ask: Callable[[], object]) -> dict[CodeType, str]:
        """The functions in the order in which `ask` makes them be called."""
        found: dict[CodeType, str] = {}
        with self.watching(lambda code: found.setdefault(code, name_of(code)) and None):
            ask()
        assert len(found) > 20, found
        return {code: name for code, name in found.items() if name not in _NOT_OURS}

    @contextmanager
    def failing_once(self, code: CodeType, error: Exception) -> Iterator[list[bool]]:
        """That function raises instead of its first call. Yields a list that is filled then."""
        done: list[bool] = []

        def on_call(called: CodeType) -> None:
            if called is code and not done:
                done.append(True)
                raise error

        with self.watching(on_call):
            yield done

    @contextmanager
    def failing_always(self, function: FunctionType, error: Exception) -> Iterator[list[bool]]:
        """That function raises instead of each call until the answer is made, however it was imported."""
        done: list[bool] = []
        code = function.__code__
        whole = FunctionType(code, function.__globals__, function.__name__, function.__defaults__)
        whole.__kwdefaults__ = function.__kwdefaults__

        def instead(*given: Any, **named: Any) -> Any:
            if self.answered:
                done.append(True)
                raise error
            return whole(*given, **named)

        _INSTEAD.append(instead)
        function.__code__ = _stand_in.__code__.replace(co_consts=_with_place(len(_INSTEAD) - 1))
        try:
            with self.watching(lambda _: None):
                yield done
        finally:
            function.__code__ = code


_INSTEAD: list[Callable[..., Any]] = []


def forget() -> None:
    """The errors that were raised hold whatever the functions had at hand."""
    _INSTEAD.clear()


def _stand_in(*given: Any, **named: Any) -> Any:
    import tests.faulty

    return tests.faulty._INSTEAD["place"](*given, **named)  # type: ignore[call-overload]


def _with_place(place: int) -> tuple[object, ...]:
    return tuple(place if const == "place" else const for const in _stand_in.__code__.co_consts)


def functions_by_code() -> dict[CodeType, FunctionType]:
    """Every function of our modules and classes that can be replaced: all but those inside others."""
    found: dict[CodeType, FunctionType] = {}
    for name, module in list(sys.modules.items()):
        if name.split(".")[0] == "httpstep":
            for value in list(vars(module).values()):
                _note(value, found)
                if isinstance(value, type) and value.__module__ == name:
                    for member in list(vars(value).values()):
                        _note(member, found)
    return found


def _note(value: object, found: dict[CodeType, FunctionType]) -> None:
    if isinstance(value, property):
        value = value.fget
    elif isinstance(value, functools.cached_property):
        value = value.func
    elif isinstance(value, (classmethod, staticmethod)):
        value = value.__func__
    function = unwrap(value) if callable(value) else value
    if isinstance(function, FunctionType) and not function.__code__.co_freevars:
        found[function.__code__] = function
