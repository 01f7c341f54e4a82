"""Sockets that obey the deadline of the current call.

`requests` counts its timeout anew at every read, so a server that drips keeps a call alive for ever. Here each
read and write is attempted without blocking and waits, in `Call.poll`, for what is left of the one deadline, with
an eye on the caller's own socket. Received bytes are counted where they arrive, framing and headers included.
"""

from __future__ import annotations

import io
import socket
import ssl
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from httpstep.transport.call import READABLE, WRITABLE, current_call
from httpstep.transport.tls import tls_failure

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

T = TypeVar("T")

# One TLS record. A larger SSL_write that is interrupted must be repeated with the very same bytes.
_WRITE_SIZE = 16 * 1024


class _Incoming(io.RawIOBase):
    """What comes in on a socket. Unlike the library's it has no part in when the socket is closed."""

    def __init__(self, sock: DeadlineSocket) -> None:
        self._sock = sock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        return self._sock.recv_into(buffer)


class DeadlineSocket(socket.socket):
    """A TCP socket that never blocks longer than its call may last. Timeouts set by a library are ignored."""

    def __init__(self, *arguments: Any, **names: Any) -> None:
        super().__init__(*arguments, **names)
        socket.socket.settimeout(self, 0.0)

    def settimeout(self, value: float | None, /) -> None:
        """Nothing: the deadline of the call rules."""

    def gettimeout(self) -> float | None:
        """None, so that `ssl` does not take the socket for one whose owner waits by himself."""
        return None

    def makefile(self, *_: Any, **__: Any) -> Any:
        """For reading an answer, which is all that it is asked for; whoever reads has the connection to himself."""
        return io.BufferedReader(_Incoming(self))

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        data = _persist(self, partial(super().recv, buflen, flags), READABLE)
        current_call().received(len(data))
        return data

    def recv_into(self, buffer: WriteableBuffer, nbytes: int | None = None, flags: int = 0) -> int:
        # "As many as fit" is None to `ssl` and 0 to `socket`; leaving it out suits both.
        attempt = partial(super().recv_into, buffer, nbytes) if nbytes else partial(super().recv_into, buffer)
        count = _persist(self, attempt, READABLE)
        current_call().received(count)
        return count

    def send(self, data: ReadableBuffer, flags: int = 0, /) -> int:
        return _persist(self, partial(super().send, memoryview(data)[:_WRITE_SIZE]), WRITABLE)

    def sendall(self, data: ReadableBuffer, flags: int = 0, /) -> None:
        with memoryview(data) as view, view.cast("B") as octets:
            sent = 0
            while sent < len(octets):
                sent += self.send(octets[sent:])


class DeadlineTLSSocket(DeadlineSocket, ssl.SSLSocket):
    """The same over TLS; `ssl` makes it through `SSLContext.sslsocket_class`, and shakes hands in the making."""

    def do_handshake(self, block: bool = False) -> None:
        """Raises NetworkError (tls…), TimedOut or Cancelled. `ssl` closes the socket for OSError only, so we do."""
        socket.socket.settimeout(self, 0.0)
        current_call().enter("tls")
        try:
            _persist(self, super().do_handshake, READABLE)
        except OSError as error:
            self.close()
            raise tls_failure(error, current_call().host) from None
        except BaseException:
            self.close()
            raise


def _persist(sock: socket.socket, attempt: Callable[[], T], events: int) -> T:
    """Attempt until it succeeds, waiting in between. TLS may have to write in order to read, and the reverse."""
    call = current_call()
    while True:
        call.remaining()
        try:
            return attempt()
        except ssl.SSLWantReadError:
            call.poll([(sock.fileno(), READABLE)])
        except ssl.SSLWantWriteError:
            call.poll([(sock.fileno(), WRITABLE)])
        except BlockingIOError:
            call.poll([(sock.fileno(), events)])
