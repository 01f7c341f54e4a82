"""One call under way: how long it may still take, what it may still read, what it has seen.

The sockets of `sockets` ask the call that is current in their context before each read and write. So a pooled
connection always obeys the call that uses it now, in a thread as in a greenlet.
"""

from __future__ import annotations

import math
import select
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, Literal, Protocol

from httpstep.core.errors import Cancelled, TimedOut, TooLarge
from httpstep.core.exchange import Hop, Timings, Trace
from httpstep.transport.limits import MEGABYTE, Limits
from httpstep.transport.targets import Target

Phase = Literal["begin", "dns", "connect", "tls", "sending", "waiting", "reading"]

READABLE = select.POLLIN
WRITABLE = select.POLLOUT
HUNG_UP = getattr(select, "POLLRDHUP", 0) | select.POLLHUP | select.POLLERR | select.POLLNVAL

_ADVICE: dict[Phase, str] = {
    "begin": "The time was up before the call began.",
    "dns": "The name {host} could not be looked up in time.",
    "connect": "No connection to {host} came about; the server may be down or behind a firewall.",
    "tls": "{host} accepted the connection but did not finish the TLS handshake.",
    "sending": "{host} accepted the connection but did not take the whole request.",
    "waiting": "{host} took the request but did not answer; it may be slow or overloaded.",
    "reading": "{host} began to answer but did not finish.",
}


SOON: Final = 0.002
"""Seconds in which a third party that is near has answered."""


class Turn(Protocol):
    """Whoever has other work to do while a call waits for longer than `SOON`, and less of it from when it goes on."""

    def waits(self) -> None: ...

    def goes_on(self) -> None:
        """Also where it has not waited. May take a moment."""


turn_of: ContextVar[Turn | None] = ContextVar("httpstep_turn", default=None)


def tell_waiting() -> None:
    if (turn := turn_of.get()) is not None:
        turn.waits()


def tell_going_on() -> None:
    if (turn := turn_of.get()) is not None:
        turn.goes_on()


class _Seen:
    """A hop as far as it has come; for the trace it becomes a `Hop`."""

    __slots__ = ("address", "location", "method", "status", "url")

    def __init__(self, method: str, url: str) -> None:
        self.method, self.url = method, url
        self.address = self.location = ""
        self.status: int | None = None


class OutgoingCall:
    """The state of one `Transport.send`, over all its redirects. Used by one thread at a time.

    deadline: seconds of `time.monotonic()`. hangup: file descriptor of the caller's socket, or None.
    seconds: the time limit as the caller knows it, for the sentence of a timeout.
    reused: the current hop goes over a connection that had been kept. again: the hop is sent for the second time.
    """

    def __init__(
        self,
        deadline: float,
        limits: Limits,
        *,
        account: str = "",
        hangup: int | None = None,
        seconds: float | None = None,
    ) -> None:
        self.limits = limits
        self.account = account
        self.host = ""
        self.request_target = ""
        self.origin = ("", "", 0)
        self.reused = False
        self.again = False
        self._deadline = deadline
        self._hangup = hangup
        self._started = time.monotonic()
        self._seconds = deadline - self._started if seconds is None else seconds
        self._phase: Phase = "begin"
        self._phase_began = self._started
        self._spent: dict[Phase, float] = {}
        self._wire = 0
        self._head = 0
        self._hops: list[_Seen] = []
        self._notes: list[str] = []
        self.left_behind = ""

    # ------------------------------------------------------------ time

    @property
    def phase(self) -> Phase:
        return self._phase

    @property
    def answered(self) -> bool:
        """Whether a byte of the current answer has come."""
        return self._phase == "reading"

    def enter(self, phase: Phase) -> None:
        """Begin the next part of the call; the time since the last change belongs to the part that ends."""
        now = time.monotonic()
        self._spent[self._phase] = self._spent.get(self._phase, 0.0) + now - self._phase_began
        self._phase, self._phase_began = phase, now

    def remaining(self) -> float:
        """Seconds left, more than 0. Raises TimedOut."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise self.timed_out()
        return left

    def timed_out(self) -> TimedOut:
        advice = _ADVICE[self._phase].format(host=self.host or "The server")
        part = "connect" if self._phase == "begin" else self._phase
        return TimedOut(f"No answer within {_in_words(self._seconds)}.", reason=f"timeout_{part}", advice=advice)

    def poll(self, watched: Iterable[tuple[int, int]] = (), at_most: float | None = None) -> set[int]:
        """Wait until one of the (descriptor, events) is ready and return the ready descriptors.

        Empty after `at_most` seconds. Raises TimedOut at the deadline, Cancelled as soon as the caller hangs up.
        """
        poller = select.poll()
        for descriptor, events in watched:
            poller.register(descriptor, events)
        if self._hangup is not None:
            poller.register(self._hangup, HUNG_UP)
        left = self.remaining()
        if at_most is not None:
            left = min(left, at_most)
        found = poller.poll(math.ceil(min(left, SOON) * 1000))
        if not found and left > SOON:
            tell_waiting()
            found = poller.poll(math.ceil((left - SOON) * 1000))
        ready = {descriptor for descriptor, _ in found}
        if self._hangup in ready:
            raise Cancelled("The caller hung up before the answer came.", reason="cancelled")
        if not ready and at_most is None:
            self.remaining()
        return ready

    # ------------------------------------------------------------ size

    def received(self, count: int) -> None:
        """Account for bytes that came in; 0 is the end of the stream. Raises TooLarge."""
        if not count:
            return
        if self._phase != "reading":
            self.enter("reading")
        self._wire += count
        if self._wire > self.limits.wire:
            raise self.too_large("wire", self.limits.wire)
        if self._head >= 0:
            self._head += count
            if self._head > self.limits.head:
                raise self.headers_too_large()

    def head_complete(self) -> None:
        self._head = -1

    def too_large(self, measure: Literal["decoded", "wire"], limit: int) -> TooLarge:
        size = f"{limit // MEGABYTE} MB" if limit >= MEGABYTE else f"{limit} bytes"
        return TooLarge(
            f"The answer is too large: more than {size}.",
            reason=f"too_large_{measure}",
            advice="Ask the API for less, for example with a filter, a page size or a list of fields.",
        )

    def headers_too_large(self) -> TooLarge:
        return TooLarge(
            f"The headers of the answer from {self.host} are too large.",
            reason="too_large_headers",
            advice="This is a fault of the server; its operator can tell more.",
        )

    # ------------------------------------------------------------ what was seen

    def begin_hop(self, method: str, target: Target) -> None:
        """Raises TimedOut, so that nothing is begun after the deadline."""
        self._hops.append(_Seen(method, target.url))
        self.host, self.origin, self.request_target = target.host, target.origin, target.request_target
        self._head = 0
        self.reused = self.again = False
        self.enter("begin")
        self.remaining()

    def begin_again(self) -> None:
        """The current hop once more, over a new connection. Raises TimedOut and Cancelled, as if it were the first."""
        self._head = 0
        self.reused, self.again = False, True
        self.enter("begin")
        self.poll(at_most=0)

    def connected(self) -> None:
        """A new connection stands, and the request goes out on it."""
        self.enter("sending")
        if self.again:
            lost = f"{self.host} closed the connection that was kept open"
            self.remark(f"{lost}, so the {self._hops[-1].method} was sent again on a new one.")

    def remark(self, note: str) -> None:
        """Add a sentence for whoever looks at the call: something was not as it should be, and was put up with."""
        self._notes.append(note)

    def note(self, *, address: str = "", status: int | None = None, location: str = "") -> None:
        """Add what is now known about the current hop; what is empty stays as it was."""
        hop = self._hops[-1]
        hop.address = address or hop.address
        hop.location = location or hop.location
        hop.status = hop.status if status is None else status

    def trace(self) -> Trace:
        spent = {**self._spent}
        now = time.monotonic()
        spent[self._phase] = spent.get(self._phase, 0.0) + now - self._phase_began
        timings = Timings(
            dns_ms=_milliseconds(spent.get("dns")),
            connect_ms=_milliseconds(spent.get("connect")),
            tls_ms=_milliseconds(spent.get("tls")),
            first_byte_ms=_milliseconds(spent.get("waiting")),
            total_ms=(now - self._started) * 1000,
        )
        hops = tuple([Hop(hop.method, hop.url, hop.address, hop.status, hop.location) for hop in self._hops])
        return Trace(hops, timings, tuple(self._notes), self.left_behind)


_current: ContextVar[OutgoingCall] = ContextVar("httpstep_call")


def current_call() -> OutgoingCall:
    """The call of this thread or greenlet. LookupError outside of one: nothing may use a socket there."""
    return _current.get()


@contextmanager
def as_current(call: OutgoingCall) -> Iterator[None]:
    token = _current.set(call)
    try:
        yield
    finally:
        _current.reset(token)


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1000


def _in_words(seconds: float) -> str:
    figure = f"{max(seconds, 0.0):.1f}".removesuffix(".0")
    return "1 second" if figure == "1" else f"{figure} seconds"
