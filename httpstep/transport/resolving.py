"""Host names to addresses, without letting a slow name server hold up anybody else.

`getaddrinfo` cannot be interrupted, so each look-up runs in a thread of its own that is left behind when its call
ends. A place is free again only when its thread is done: at most `places` in all, `per_account` for one account.
"""

from __future__ import annotations

import socket
import threading
from collections import Counter
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any, NamedTuple

from httpstep.core.errors import NetworkError
from httpstep.transport.call import Call

GetAddrInfo = Callable[..., Any]

# How soon a caller's hang-up is noticed while a name is looked up; the answer itself wakes the call at once.
_GLANCE = 0.1


class Endpoint(NamedTuple):
    """One address a name has: `sockaddr` is what `connect` takes, `ip` its text."""

    family: int
    sockaddr: tuple[Any, ...]
    ip: str


class _LookUp:
    """The answer of one look-up, on its way between two threads."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.answer: Any = None
        self.error: Exception | None = None


class Resolver:
    """Looks names up under the deadline of the call."""

    def __init__(self, getaddrinfo: GetAddrInfo, *, places: int, per_account: int) -> None:
        self._getaddrinfo = getaddrinfo
        self._places = places
        self._per_account = per_account
        self._under_way: Counter[str] = Counter()
        self._freed = threading.Condition()

    def endpoints(self, call: Call, host: str, port: int) -> list[Endpoint]:
        """All addresses of the name, never none. Raises NetworkError (dns), TimedOut, Cancelled."""
        literal = _literal(host, port)
        if literal:
            return [literal]
        lookup = self._begin(call, host, port)
        while not lookup.done.wait(min(call.remaining(), _GLANCE)):
            call.poll(at_most=0)
        if lookup.error is not None:
            raise _not_found(host, lookup.error)
        return _read(lookup.answer, host)

    def _begin(self, call: Call, host: str, port: int) -> _LookUp:
        lookup = _LookUp()
        self._take_place(call)
        try:
            threading.Thread(target=self._run, args=(lookup, call.account, host, port), daemon=True).start()
        except BaseException:
            self._give_back(call.account)
            raise
        return lookup

    def _run(self, lookup: _LookUp, account: str, host: str, port: int) -> None:
        try:
            lookup.answer = self._getaddrinfo(host, port, socket.AF_UNSPEC, socket.SOCK_STREAM)
        except (OSError, ValueError) as error:
            lookup.error = error
        finally:
            lookup.done.set()
            self._give_back(account)

    def _take_place(self, call: Call) -> None:
        with self._freed:
            while not self._has_place(call.account):
                self._freed.wait(min(call.remaining(), _GLANCE))
                call.poll(at_most=0)
            self._under_way[call.account] += 1

    def _has_place(self, account: str) -> bool:
        return self._under_way[account] < self._per_account and self._under_way.total() < self._places

    def _give_back(self, account: str) -> None:
        with self._freed:
            self._under_way[account] -= 1
            if not self._under_way[account]:
                del self._under_way[account]
            self._freed.notify_all()


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
    if isinstance(error, socket.gaierror) and error.errno in (socket.EAI_AGAIN, socket.EAI_FAIL):
        return NetworkError(
            f"The name {host} could not be looked up.",
            reason="dns",
            advice="The name server did not give an answer; try again later.",
        )
    return NetworkError(f"The name {host} was not found.", reason="dns", advice="Check how it is written in the URL.")
