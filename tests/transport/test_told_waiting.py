"""Whoever has other work is told that a call waits, and of no wait that is over at once."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from httpstep.core.errors import TimedOut
from httpstep.transport import wait
from httpstep.transport.call import READABLE, OutgoingCall, told_waiting
from httpstep.transport.limits import Limits


@pytest.fixture
def told() -> Iterator[list[float]]:
    found: list[float] = []
    token = told_waiting.set(lambda: found.append(time.monotonic()))
    yield found
    told_waiting.reset(token)


def test_of_an_answer_that_is_there_nobody_is_told(told: list[float]) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.send(b"x")
        assert OutgoingCall(time.monotonic() + 60, Limits()).poll([(ours.fileno(), READABLE)]) == {ours.fileno()}
        OutgoingCall(time.monotonic() + 60, Limits()).poll(at_most=0)
    assert told == []


def test_of_one_that_comes_later_somebody_is_told_before_it_comes(told: list[float]) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        threading.Timer(0.2, lambda: theirs.send(b"x")).start()
        assert OutgoingCall(time.monotonic() + 60, Limits()).poll([(ours.fileno(), READABLE)]) == {ours.fileno()}
        assert len(told) == 1 and time.monotonic() - told[0] > 0.1
        with pytest.raises(TimedOut):
            OutgoingCall(time.monotonic() + 0.1, Limits()).poll([(theirs.fileno(), READABLE)])
    assert len(told) == 2


def test_of_the_pause_between_two_tries_somebody_is_told(told: list[float]) -> None:
    wait(0.001)
    assert len(told) == 1
