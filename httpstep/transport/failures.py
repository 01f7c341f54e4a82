"""What the libraries raise, translated once into what the product says.

Most failures never pass here: our own connection raises them in our own words. This table is for what http.client and
urllib3 find out by themselves.
"""

from __future__ import annotations

import http.client
import ssl
import zlib
from collections.abc import Callable, Iterator

import urllib3.exceptions

from httpstep.core.errors import NetworkError, SendError
from httpstep.transport.call import OutgoingCall
from httpstep.transport.tls import tls_failure

FOREIGN = (
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    OSError,
    zlib.error,
    ValueError,
)
"""The roots of everything the libraries raise; ValueError is what a negative chunk size gives. Other types pass."""


def translate(error: BaseException, call: OutgoingCall) -> SendError:
    """The failure for a foreign exception: the first row whose type is in its chain of causes."""
    chain = list(_chain(error))
    for kind, make in _TABLE:
        for link in chain:
            if isinstance(link, kind):
                return make(link, call)
    return _broken(error, call)


def lost_on_kept_connection(error: BaseException, call: OutgoingCall) -> bool:
    """Whether a kept connection was closed by the server before a byte of the answer to the current hop had come."""
    return call.reused and not call.answered and any(isinstance(link, _CLOSED) for link in _chain(error))


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception and all it wraps: urllib3 keeps them in `args` and `reason`, Python in `__cause__`."""
    pending: list[object] = [error]
    seen: set[int] = set()
    while pending:
        link = pending.pop(0)
        if isinstance(link, BaseException) and id(link) not in seen:
            seen.add(id(link))
            yield link
            pending += [*link.args, getattr(link, "reason", None), link.__cause__, link.__context__]


def _own(error: BaseException, call: OutgoingCall) -> SendError:
    if isinstance(error, SendError):
        return error
    return _broken(error, call)


def _tls(error: BaseException, call: OutgoingCall) -> SendError:
    return tls_failure(error, call.host) if isinstance(error, OSError) else _broken(error, call)


def _timed_out(error: BaseException, call: OutgoingCall) -> SendError:
    return call.timed_out()


def _headers_too_large(error: BaseException, call: OutgoingCall) -> SendError:
    return call.headers_too_large()


def _by_text(error: BaseException, call: OutgoingCall) -> SendError:
    """Two faults have no type of their own, only a text: too many headers, and a chunked body that just ends."""
    text = str(error)
    if text.startswith("got more than"):
        return call.headers_too_large()
    return _incomplete(error, call) if "ended prematurely" in text else _broken(error, call)


def _closed(error: BaseException, call: OutgoingCall) -> SendError:
    if call.answered:
        return _incomplete(error, call)
    advice = (
        "It may be overloaded. A second request, on a new connection, met the same."
        if call.again
        else "It may be overloaded. The call was not repeated, because the server may have acted on it."
    )
    return NetworkError(f"{call.host} closed the connection without an answer.", reason="broken_answer", advice=advice)


def _incomplete(error: BaseException, call: OutgoingCall) -> SendError:
    return NetworkError(
        "The answer was cut off before its end.",
        reason="incomplete",
        advice=f"{call.host} closed the connection too early; try again later.",
    )


def _broken(error: BaseException, call: OutgoingCall) -> SendError:
    return NetworkError(
        f"The answer from {call.host or 'the server'} is not proper HTTP.",
        reason="broken_answer",
        advice="Check the port and the beginning of the URL; otherwise it is a fault of the server.",
    )


_CLOSED = (ConnectionError, http.client.RemoteDisconnected, ssl.SSLEOFError, ssl.SSLZeroReturnError)
_Kinds = type[BaseException] | tuple[type[BaseException], ...]
_TABLE: tuple[tuple[_Kinds, Callable[[BaseException, OutgoingCall], SendError]], ...] = (
    (SendError, _own),
    (urllib3.exceptions.InvalidChunkLength, _broken),
    ((http.client.IncompleteRead, urllib3.exceptions.IncompleteRead), _incomplete),
    (http.client.LineTooLong, _headers_too_large),
    ((ConnectionError, http.client.RemoteDisconnected), _closed),
    (TimeoutError, _timed_out),
    (ssl.SSLError, _tls),
    (http.client.HTTPException, _by_text),
    (urllib3.exceptions.ProtocolError, _by_text),
)
