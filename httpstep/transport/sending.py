"""The guarded call itself: send, follow redirects by hand, read the answer."""

from __future__ import annotations

import logging
import socket
from collections.abc import Set
from typing import Any

from requests import PreparedRequest

from httpstep.core.addresses import AddressPolicy
from httpstep.core.errors import NetworkError, SendError
from httpstep.core.exchange import HttpResponse, RenderedRequest
from httpstep.core.masking.redaction import is_credential_header
from httpstep.transport.answers import Answer, read_answer
from httpstep.transport.call import OutgoingCall, as_current, tell_going_on
from httpstep.transport.connections import GuardedConnections
from httpstep.transport.dialing import Dialer
from httpstep.transport.failures import FOREIGN, lost_on_kept_connection, translate
from httpstep.transport.limits import Limits
from httpstep.transport.outgoing import REDIRECTS, Outgoing, first_hop, next_hop
from httpstep.transport.resolving import GetAddrInfo, Resolver
from httpstep.transport.sockets import DeadlineTLSSocket
from httpstep.transport.tls import trusting_context

# What asks for nothing to be done (RFC 9110, 9.2.1). PUT and DELETE may be repeated too (9.2.2), but a stale repetition
# could undo what somebody else did in between.
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Transport:
    """Makes calls to third parties on behalf of people who choose the URL. Shared by all threads of a process.

    policy: what may be called beside public addresses. ca_file: PEM file of further authorities; ValueError with a
    sentence if it cannot be read. getaddrinfo: the resolver, as `socket.getaddrinfo`. limits: how much a call may take.
    """

    def __init__(
        self,
        policy: AddressPolicy,
        *,
        ca_file: str | None = None,
        getaddrinfo: GetAddrInfo = socket.getaddrinfo,
        limits: Limits | None = None,
    ) -> None:
        limits = limits or Limits()
        # urllib3 writes whole URLs into its warnings, and a URL may hold a secret.
        logging.getLogger("urllib3").setLevel(logging.CRITICAL)
        resolver = Resolver(getaddrinfo, places=limits.lookups, per_account=limits.lookups_per_account)
        self._limits = limits
        context = trusting_context(ca_file, DeadlineTLSSocket)
        self._connections = GuardedConnections(Dialer(policy, resolver), context, limits)

    def send(
        self,
        request: RenderedRequest,
        deadline: float,
        *,
        account: str = "",
        hangup: int | None = None,
        seconds: float | None = None,
    ) -> HttpResponse:
        """Send the request exactly as rendered and read the answer wholly.

        It is sent once. Only a GET, HEAD or OPTIONS that met a kept connection the server was closing, and had no byte
        of an answer, is sent once more on a new one (RFC 9110, 9.2.2); the trace has a note of it.

        deadline: seconds of `time.monotonic()`; holds for everything, look-ups and redirects included.
        account: whose connections and look-up places are used. hangup: descriptor of the caller's socket; when the
        caller goes, the call ends at once. seconds: the time limit as the user knows it, for the timeout's sentence.
        Raises SendError (NetworkError, TimedOut, Blocked, TooLarge, Cancelled) with its `trace`, and nothing else.
        """
        call = OutgoingCall(deadline, self._limits, account=account, hangup=hangup, seconds=seconds)
        try:
            with as_current(call):
                try:
                    return self._follow(request, call)
                except SendError as error:
                    failure = error
                except FOREIGN as error:
                    failure = translate(error, call)
            failure.trace = call.trace()
        finally:
            tell_going_on()
        # Raised out here it carries no foreign exception along, whose text may hold the URL and its secrets.
        raise failure

    def close(self) -> None:
        """Close all idle connections. A later `send` opens new ones."""
        self._connections.close()

    def _follow(self, request: RenderedRequest, call: OutgoingCall) -> HttpResponse:
        hop = first_hop(request)
        for _ in range(self._limits.redirects + 1):
            answer = self._exchange(hop, call)
            following = None
            try:
                location = answer.fields.get("location") if answer.status in REDIRECTS else ""
                call.note(status=answer.status, location=location)
                if location and request.follow_redirects:
                    following = next_hop(hop, answer.status, location)
                else:
                    read = read_answer(answer, call, hop.target.url)
            except BaseException:
                answer.close()
                raise
            self._connections.let_go(call, answer)
            if following is None:
                return read
            hop = _moved(hop, following, call, request.secrets)
        raise NetworkError(
            f"The server redirected more than {self._limits.redirects} times.",
            reason="redirects",
            advice="The addresses may point at each other. Use the final URL in the step.",
        )

    def _exchange(self, hop: Outgoing, call: OutgoingCall) -> Answer:
        """Send one hop, a second time where that is safe, and read the head of its answer. The body is left unread."""
        call.begin_hop(hop.method, hop.target)
        request = _prepared(hop)
        try:
            return self._connections.send(request)
        except FOREIGN as error:
            if not (hop.method in _SAFE and lost_on_kept_connection(error, call)):
                raise
        call.begin_again()
        return self._connections.send(request)


class _Rows(tuple[tuple[str, str], ...]):
    """Headers in their order, with those that are repeated: of a mapping only what sending them takes."""

    def items(self) -> _Rows:
        return self


def _prepared(hop: Outgoing) -> PreparedRequest:
    """As it was rendered: none of requests' own preparation, which rewrites some of it."""
    prepared: Any = PreparedRequest()
    prepared.method, prepared.url, prepared.body = hop.method, hop.target.url, hop.body
    prepared.headers = _Rows(hop.wire_headers)
    request: PreparedRequest = prepared
    return request


def _moved(hop: Outgoing, following: Outgoing, call: OutgoingCall, secrets: Set[str]) -> Outgoing:
    """The following hop, with a word to whoever looks at the call where it goes to another site."""
    if following.target.origin != hop.target.origin:
        kept = {name.lower() for name, _ in following.headers}
        dropped = [row for row in hop.headers if row[0].lower() not in kept]
        left = any(is_credential_header(name) or any(one in value for one in secrets) for name, value in dropped)
        site = f"{following.target.scheme}://{following.target.authority}"
        call.left_behind = site if left else call.left_behind
        behind = (
            "your credentials were left behind" if left else "and only Accept and User-Agent of your headers went along"
        )
        call.remark(f"The API redirected to {site}, {behind}; use that address in the URL of the step.")
    return following
