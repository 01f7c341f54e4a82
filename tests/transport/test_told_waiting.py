"""Whoever has other work is told that a call waits and that it goes on, and of no wait that is over at once."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from httpstep.core.errors import NetworkError, TimedOut
from httpstep.core.exchange import HttpResponse
from httpstep.transport import wait
from httpstep.transport.call import READABLE, OutgoingCall, turn_of
from httpstep.transport.limits import Limits
from tests.transport.conftest import RawServer, answering


class Told(list[float]):
    """When somebody was told that a call waits. went_on: how often, that it goes on."""

    went_on = 0

    def waits(self) -> None:
        self.append(time.monotonic())

    def goes_on(self) -> None:
        self.went_on += 1


@pytest.fixture
def told() -> Iterator[Told]:
    token = turn_of.set(found := Told())
    yield found
    turn_of.reset(token)


def test_of_an_answer_that_is_there_nobody_is_told(told: Told) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.send(b"x")
        assert OutgoingCall(time.monotonic() + 60, Limits()).poll([(ours.fileno(), READABLE)]) == {ours.fileno()}
        OutgoingCall(time.monotonic() + 60, Limits()).poll(at_most=0)
    assert told == []


def test_of_one_that_comes_later_somebody_is_told_before_it_comes(told: Told) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        threading.Timer(0.2, lambda: theirs.send(b"x")).start()
        assert OutgoingCall(time.monotonic() + 60, Limits()).poll([(ours.fileno(), READABLE)]) == {ours.fileno()}
        assert len(told) == 1 and time.monotonic() - told[0] > 0.1
        with pytest.raises(TimedOut):
            OutgoingCall(time.monotonic() + 0.1, Limits()).poll([(theirs.fileno(), READABLE)])
    assert len(told) == 2


def test_of_the_pause_between_two_tries_somebody_is_told(told: Told) -> None:
    wait(0.001)
    assert len(told) == 1


def test_of_its_end_somebody_is_told_whatever_came_of_it(
    told: Told, call: Callable[..., HttpResponse], serve: Callable[..., RawServer]
) -> None:
    call(serve(answering()).url())
    assert told.went_on == 1
    with pytest.raises(NetworkError):
        call(serve(lambda peer: None).url())
    assert told.went_on == 2
