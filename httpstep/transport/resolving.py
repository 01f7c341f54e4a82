"""Host names to addresses, without letting a slow name server hold up anybody else.

`getaddrinfo` cannot be interrupted, so each look-up runs in a thread that is left behind when its call ends. A place
is free again only when the look-up is done: at most `places` in all, `per_account` for one account.
"""

from __future__ import annotations

import queue
import socket
import threading
from collections import Counter
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any, NamedTuple

from httpstep.core.errors import NetworkError
from httpstep.transport.call import OutgoingCall, tell_waiting

GetAddrInfo = Callable[..., Any]

# How soon a caller's hang-up is noticed while a name is looked up; the answer itself wakes the call at once.
_GLANCE = 0.1
# How long a thread without work waits for more, in seconds: beginning a thread costs more than a look-up in a cache.
_PATIENCE = 10.0


class Endpoint(NamedTuple):
    """One address a name has: `sockaddr` is what `connect` takes, `ip` its text."""

    family: int
    sockaddr: tuple[Any, ...]
    ip: str


class _LookUp:
    """One look-up and its answer, on its way between two threads."""

    def __init__(self, account: str, host: str, port: int) -> None:
        self.account = account
        self.host = host
        self.port = port
        self.done = threading.Event()
        self.answer: Any = None
        self.error: Exception | None = None


class Resolver:
    """Looks names up under the deadline of the call. Used by one process: its threads do not survive a fork."""

    def __init__(self, getaddrinfo: GetAddrInfo, *, places: int, per_account: int) -> None:
        self._getaddrinfo = getaddrinfo
        self._places = places
        self._per_account = per_account
        self._under_way: Counter[str] = Counter()
        self._changed = threading.Condition()
        self._waiting_threads = 0
        self._handed_over: queue.SimpleQueue[_LookUp] = queue.SimpleQueue()

    def endpoints(self, call: OutgoingCall, host: str, port: int) -> list[Endpoint]:
        """All addresses of the name, never none. Raises NetworkError (dns), TimedOut, Cancelled."""
        literal = _literal(host, port)
        if literal:
            return [literal]
        lookup = self._begin(call, host, port)
        while not lookup.done.wait(min(call.remaining(), _GLANCE)):
            tell_waiting()
            call.poll(at_most=0)
        if lookup.error is not None:
            raise _not_found(host, lookup.error)
        return _read(lookup.answer, host)

    def _begin(self, call: OutgoingCall, host: str, port: int) -> _LookUp:
        """Hand the look-up to a thread that waits for one, or to a new one."""
        lookup = _LookUp(call.account, host, port)
        if self._take_place(call):
            self._handed_over.put(lookup)
            return lookup
        try:
            threading.Thread(target=self._work, args=(lookup,), daemon=True).start()
        except RuntimeError as error:  # the machine has no thread left
            self._give_back(call.account)
            raise _not_found(host, error) from None
        return lookup

    def _take_place(self, call: OutgoingCall) -> bool:
        """Wait for a place. Returns whether a waiting thread was claimed with it."""
        with self._changed:
            while not self._has_place(call.account):
                self._changed.wait(min(call.remaining(), _GLANCE))
                tell_waiting()
                call.poll(at_most=0)
            self._under_way[call.account] += 1
            claimed = self._waiting_threads > 0
            self._waiting_threads -= claimed
            return claimed

    def _has_place(self, account: str) -> bool:
        return self._under_way[account] < self._per_account and self._under_way.total() < self._places

    def _give_back(self, account: str, *, and_wait: bool = False) -> None:
        with self._changed:
            self._under_way[account] -= 1
            if not self._under_way[account]:
                del self._under_way[account]
            self._waiting_threads += and_wait
            self._changed.notify_all()

    def _work(self, first: _LookUp) -> None:
        lookup: _LookUp | None = first
        while lookup is not None:
            try:
                lookup.answer = self._getaddrinfo(lookup.host, lookup.port, socket.AF_UNSPEC, socket.SOCK_STREAM)
            except Exception as error:
                lookup.error = error
            lookup.done.set()
            self._give_back(lookup.account, and_wait=True)
            lookup = self._next()

    def _next(self) -> _LookUp | None:
        """The next look-up, or None when there was none for a while. A thread that was claimed never leaves."""
        try:
            return self._handed_over.get(timeout=_PATIENCE)
        except queue.Empty:
            with self._changed:
                leaves = self._waiting_threads > 0
                self._waiting_threads -= leaves
        return None if leaves else self._handed_over.get()


def _literal(host: str, port: int) -> Endpoint | None:
    try:
        address = ip_address(host)
    except ValueError:
        return None
    if address.version == 4:
        return Endpoint(socket.AF_INET, (host, port), host)
    return Endpoint(socket.AF_INET6, (host, port, 0, 0), host)


def _read(answer: Any, host: str) -> list[Endpoint]:
    """A resolver's answer is not believed: what does not look like TCP addresses is a failed look-up."""
    endpoints = []
    try:
        for family, _, _, _, sockaddr in answer:
            ip = ip_address(sockaddr[0])
            if family == (socket.AF_INET if ip.version == 4 else socket.AF_INET6):
                endpoints.append(Endpoint(family, tuple(sockaddr), sockaddr[0]))
    except (TypeError, ValueError, LookupError) as error:
        raise _not_found(host, error) from None
    if not endpoints:
        raise _not_found(host, None)
    return endpoints


def _not_found(host: str, error: Exception | None) -> NetworkError:
    unanswered = isinstance(error, socket.gaierror) and error.errno in (socket.EAI_AGAIN, socket.EAI_FAIL)
    if unanswered or isinstance(error, RuntimeError):
        return NetworkError(
            f"The name {host} could not be looked up.",
            reason="dns",
            advice="The name server did not give an answer; try again later.",
        )
    return NetworkError(f"The name {host} was not found.", reason="dns", advice="Check how it is written in the URL.")
