"""Whatever the libraries raise becomes a failure of ours: the table is complete."""

from __future__ import annotations

import http.client
import ssl
import time
from collections.abc import Iterator

import pytest
import urllib3.exceptions

from httpstep.core.errors import NetworkError, SendError, TimedOut, TooLarge
from httpstep.transport.call import OutgoingCall
from httpstep.transport.failures import FOREIGN, translate
from httpstep.transport.limits import Limits


def family(kind: type[BaseException]) -> Iterator[type[BaseException]]:
    yield kind
    for child in kind.__subclasses__():
        yield from family(child)


ALL = sorted(
    {kind for root in FOREIGN for kind in family(root)
     if kind.__module__.split(".")[0] in ("builtins", "http", "socket", "ssl", "urllib3", "zlib")},
    key=lambda kind: f"{kind.__module__}.{kind.__name__}",
)  # fmt: skip


@pytest.fixture
def call() -> OutgoingCall:
    return OutgoingCall(time.monotonic() + 60, Limits())


def instance(kind: type[BaseException]) -> BaseException:
    error: BaseException = kind.__new__(kind)
    return error


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
def test_every_exception_of_the_libraries_has_a_translation(call: OutgoingCall, kind: type[BaseException]) -> None:
    failure = translate(instance(kind), call)
    assert isinstance(failure, SendError)
    assert failure.message.endswith(".")
    assert failure.reason


def test_the_roots_cover_all_that_the_libraries_define() -> None:
    for module in (urllib3.exceptions, http.client, ssl):
        for thing in vars(module).values():
            if isinstance(thing, type) and issubclass(thing, Exception) and not issubclass(thing, Warning):
                assert issubclass(thing, FOREIGN), thing


@pytest.mark.parametrize(
    ("cause", "kind", "reason"),
    [
        (http.client.IncompleteRead(b""), NetworkError, "incomplete"),
        (http.client.RemoteDisconnected(""), NetworkError, "broken_answer"),
        (http.client.BadStatusLine("x"), NetworkError, "broken_answer"),
        (http.client.LineTooLong("header line"), TooLarge, "too_large_headers"),
        (http.client.HTTPException("got more than 100 headers"), TooLarge, "too_large_headers"),
        (ConnectionResetError(104, "reset"), NetworkError, "broken_answer"),
        (TimeoutError(), TimedOut, "timeout_connect"),
        (ssl.SSLError(1, "alert"), NetworkError, "tls"),
        (ValueError("read length"), NetworkError, "broken_answer"),
        (OSError(24, "Too many open files"), NetworkError, "broken_answer"),
    ],
)
def test_the_innermost_cause_decides(call: OutgoingCall, cause: Exception, kind: type[SendError], reason: str) -> None:
    wrapped = urllib3.exceptions.ProtocolError("Connection aborted.", cause)
    for error in (cause, wrapped):
        failure = translate(error, call)
        assert type(failure) is kind
        assert failure.reason == reason


def test_a_failure_of_ours_passes_unchanged(call: OutgoingCall) -> None:
    ours = NetworkError("The name a.example was not found.", reason="dns")
    assert translate(urllib3.exceptions.ProtocolError("x", ours), call) is ours
