"""A new connection: look the name up once, judge every address it has, connect to one that was judged."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterable, Iterator
from itertools import chain, zip_longest

from httpstep.core import ports
from httpstep.core.addresses import DESCRIPTIONS, AddressPolicy, Verdict, classify_address
from httpstep.core.errors import Blocked, NetworkError
from httpstep.transport.call import WRITABLE, OutgoingCall
from httpstep.transport.resolving import Endpoint, Resolver
from httpstep.transport.sockets import DeadlineSocket

# RFC 8305, 5: the head start one address has before the next is tried beside it.
_HEAD_START = 0.25
_UNDER_WAY = (0, errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EALREADY)


class Dialer:
    """Opens the connections of one transport."""

    def __init__(self, policy: AddressPolicy, resolver: Resolver) -> None:
        self._policy = policy
        self._resolver = resolver

    def dial(self, call: OutgoingCall, host: str, port: int) -> DeadlineSocket:
        """A connected socket. Raises Blocked if *any* address of the name is refused, so that none can be slipped in.

        Also Blocked (port), before anything is looked up; NetworkError (dns, refused, unreachable), TimedOut, Cancelled.
        """
        if (sentence := ports.fault(port, self._policy.ports)) is not None:
            raise Blocked(sentence, reason="port", advice=ports.ADVICE)
        call.enter("dns")
        endpoints = self._resolver.endpoints(call, host, port)
        for endpoint in endpoints:
            self._judge(endpoint.ip, host)
        call.enter("connect")
        sock = _race(call, _alternating(endpoints), host)
        try:
            # The last word has the connection itself, whatever lies between the look-up and here.
            self._judge(sock.getpeername()[0], host)
        except BaseException:
            sock.close()
            raise
        return sock

    def _judge(self, ip: str, host: str) -> None:
        verdict = classify_address(ip, self._policy, host)
        if verdict is not Verdict.ALLOW:
            raise _refused_address(ip, verdict, host)


def address_text(sock: socket.socket) -> str:
    """ "203.0.113.7:443" or "[2001:db8::1]:443", "" when the connection is gone."""
    try:
        ip, port = sock.getpeername()[:2]
    except OSError:
        return ""
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"


def _refused_address(ip: str, verdict: Verdict, host: str) -> Blocked:
    name = "" if host == ip else f" ({host})"
    advice = (
        "Cloud metadata addresses are never called, because they hand out the credentials of the machine."
        if verdict is Verdict.METADATA
        else "Add it to HTTPSTEP_ALLOW_NETWORKS if steps may call it; whoever runs this installation can do that."
    )
    return Blocked(f"Address not allowed: {ip}{name} {DESCRIPTIONS[verdict]}.", reason=verdict.value, advice=advice)


def _alternating(endpoints: Iterable[Endpoint]) -> list[Endpoint]:
    """IPv6 and IPv4 in turn, beginning with the family the system prefers (RFC 8305, 4)."""
    listed = list(dict.fromkeys(endpoints))
    first = [endpoint for endpoint in listed if endpoint.family == listed[0].family]
    second = [endpoint for endpoint in listed if endpoint.family != listed[0].family]
    return [endpoint for endpoint in chain.from_iterable(zip_longest(first, second)) if endpoint]


def _race(call: OutgoingCall, endpoints: list[Endpoint], host: str) -> DeadlineSocket:
    """Begin connecting to one address after the other, a little apart; the first that connects wins."""
    waiting: Iterator[Endpoint] = iter(endpoints)
    racing: dict[int, DeadlineSocket] = {}
    errors: list[int] = []
    upcoming = next(waiting, None)
    try:
        while upcoming or racing:
            if upcoming:
                _begin(upcoming, racing, errors)
                upcoming = next(waiting, None)
            head_start = _HEAD_START if upcoming else None
            for descriptor in call.poll([(fd, WRITABLE) for fd in racing], head_start) if racing else ():
                sock = racing.pop(descriptor)
                error = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if not error:
                    return sock
                sock.close()
                errors.append(error)
    finally:
        for loser in racing.values():
            loser.close()
    raise _no_connection(errors, host)


def _begin(endpoint: Endpoint, racing: dict[int, DeadlineSocket], errors: list[int]) -> None:
    try:
        sock = DeadlineSocket(endpoint.family, socket.SOCK_STREAM)
    except OSError as failure:  # no IPv6 here, or no descriptor left
        errors.append(failure.errno or 0)
        return
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        error = sock.connect_ex(endpoint.sockaddr)
    except BaseException:
        sock.close()
        raise
    if error in _UNDER_WAY:
        racing[sock.fileno()] = sock
    else:
        sock.close()
        errors.append(error)


def _no_connection(errors: list[int], host: str) -> NetworkError:
    if errno.ECONNREFUSED in errors:
        return NetworkError(
            f"{host} refused the connection.",
            reason="refused",
            advice="Nothing listens on that port: check the port in the URL, or whether the server is up.",
        )
    detail = f" ({os.strerror(errors[-1]).lower()})" if errors else ""
    return NetworkError(
        f"{host} cannot be reached{detail}.",
        reason="unreachable",
        advice="Check the network of this machine, or try again later.",
    )
