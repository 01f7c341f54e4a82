"""Stand-ins at the edges: a third party that is a function, and a clock that is moved by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from httpstep.core.exchange import HttpResponse, RenderedRequest


def answer(status: int = 200, document: Any = None, *, text: str | None = None, **headers: str) -> HttpResponse:
    """An answer of a third party: JSON of `document`, or `text`."""
    body = json.dumps(document) if text is None else text
    kind = "application/json" if text is None else "text/plain"
    pairs = {"Content-Type": kind} | {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpResponse(status, "", tuple(pairs.items()), body.encode(), "http://api.example/")


class ThirdParty:
    """Answers each request with the next of `answers`, the last one for ever; keeps what it was sent."""

    def __init__(self, *answers: HttpResponse | Exception | Callable[[RenderedRequest], HttpResponse]) -> None:
        self.answers = list(answers) or [answer(200, {"ok": True})]
        self.requests: list[RenderedRequest] = []
        self.deadlines: list[float] = []

    def __call__(self, request: RenderedRequest, deadline: float) -> HttpResponse:
        self.requests.append(request)
        self.deadlines.append(deadline)
        given = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(given, Exception):
            raise given
        return given if isinstance(given, HttpResponse) else given(request)


class Clock:
    """A clock that moves only by waiting."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.waits: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


class NoTokens:
    def get(self, *_: Any, **__: Any) -> str:
        raise AssertionError("no token was expected to be asked for")
