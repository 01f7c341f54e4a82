"""What a thread of the server may wait for a client: its body that comes slowly, or an answer that it does not read.

A thread waits only in one of a number of places, so slow clients never hold those that answer pages, `/health` and bots.
Who sent a good key or session is told apart from everybody else: nobody without one can take all the places.
"""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from fcntl import ioctl
from select import POLLIN, POLLOUT, poll
from socket import MSG_DONTWAIT, MSG_PEEK
from termios import TIOCOUTQ
from typing import TYPE_CHECKING, Any, Final

from gunicorn.http.errors import ParseException
from gunicorn.http.unreader import SocketUnreader
from werkzeug.exceptions import BadRequest, HTTPException, ServiceUnavailable

from httpstep.serving.refusals import NO_PLACE, RETRY_AFTER, NoFreeSlot

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

CALLER: Final = "httpstep.caller"
"""Where the application puts, into the WSGI environment, whose good key or session came with a request."""
BODY_SECONDS: Final = 30.0
"""For a body that a thread waits for; its client has that long in all, and no longer than its rate allows."""
BODY_PATIENCE: Final = 5.0
BODY_RATE: Final = 8 * 1024
"""Bytes that have to come for each second of waiting beyond `BODY_PATIENCE`."""
ANSWER_SECONDS: Final = 30.0
"""For an answer larger than the kernel's buffer, to a client that does not read it."""


class WaitingSlots:
    """Where threads of this process may wait for clients, `total` of them.

    One caller with a good key or session has a quarter of them, all such callers at one address half; an address a
    quarter for what comes without, and all of that together half.
    """

    def __init__(self, total: int) -> None:
        self._total = total
        self._taken: Counter[str] = Counter()
        self._lock = threading.Lock()

    @contextmanager
    def held(self, address: str, caller: str) -> Iterator[None]:
        """One of them, for as long as the block runs. caller: "" without a good key or session. Raises NoFreeSlot."""
        shares = self._shares(address, caller)
        with self._lock:
            if any(self._taken[name] >= limit for name, limit in shares.items()):
                raise NoFreeSlot
            self._taken.update(shares.keys())
        try:
            yield
        finally:
            with self._lock:
                self._taken.subtract(shares.keys())
                self._taken += Counter()  # names at 0 go

    def _shares(self, address: str, caller: str) -> dict[str, int]:
        half, quarter = max(1, self._total // 2), max(1, self._total // 4)
        if caller:
            return {"all": self._total, caller: quarter, f"known at {address}": half}
        return {"all": self._total, f"unknown at {address}": quarter, "unknown": half}


class ClientSocket(socket.socket):
    """A client's connection, whose answers wait in one of the places `to_send`.

    It never waits by itself: who has to wait for a client polls, in a place of its own.
    """

    def __init__(self, fileno: int, to_send: WaitingSlots) -> None:
        super().__init__(fileno=fileno)
        super().setblocking(False)
        self._to_send = to_send
        self._head: Any = b""
        """Of the answer under way, until its body comes: both go out by one call. None before an answer has begun."""
        self.environ: WSGIEnvironment = {}
        """Of the request under way; it tells who the client is."""
        self._waited = 0.0

    def begin(self) -> None:
        """Before each request."""
        self.environ, self._waited, self._head = {}, 0.0, None

    def setblocking(self, flag: bool, /) -> None:
        """Nothing. gunicorn asks for it five times a request, and each time the thread would let go of the interpreter."""

    def settimeout(self, value: float | None, /) -> None:
        """Nothing."""

    @property
    def client(self) -> tuple[str, str]:
        """Address (as a trusted proxy tells it) and caller, "" where none is known."""
        return self.environ.get("REMOTE_ADDR", ""), self.environ.get(CALLER, "")

    def is_silent(self) -> bool:
        """Whether nothing has come from the client, neither a byte nor an end."""
        try:
            self.recv(1, MSG_PEEK | MSG_DONTWAIT)
        except BlockingIOError:
            return True
        except OSError:
            pass
        return False

    def unread_by_client(self) -> int:
        """Bytes that were sent to the client and that its side has not confirmed yet."""
        with suppress(OSError):
            return int(struct.unpack("i", ioctl(self, TIOCOUTQ, bytes(4)))[0])
        return 0

    def sendall(self, data: Any, flags: int = 0, /) -> None:
        """Raises TimeoutError where the client does not read it in time, or has to be waited for without a place."""
        if self._head is None:
            self._head = data
            return
        head, self._head = self._head, b""
        rest = self._sent_at_once(memoryview(head + data if head else data), flags)
        if not rest:
            return
        try:
            with self._to_send.held(*self.client):
                while rest:
                    self._wait_to_write()
                    rest = self._sent_at_once(rest, flags)
        except NoFreeSlot:
            raise TimeoutError("too many clients do not read their answers") from None

    def end(self) -> None:
        """After each request: what has no body goes out now."""
        if self._head:
            self.sendall(b"")

    def _sent_at_once(self, data: memoryview, flags: int) -> memoryview:
        """What the kernel did not take."""
        while data:
            try:
                data = data[self.send(data, flags | MSG_DONTWAIT) :]
            except BlockingIOError:
                break
        return data

    def _wait_to_write(self) -> None:
        began = time.monotonic()
        writable = poll()
        writable.register(self, POLLOUT)
        if not writable.poll(max(0.0, ANSWER_SECONDS - self._waited) * 1000):
            raise TimeoutError("the client does not read its answer")
        self._waited += time.monotonic() - began

    def sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> int:
        """The original waits for the client in a place of its own."""
        file.seek(offset)
        data = file.read(-1 if count is None else count)
        self.sendall(data)
        return len(data)


class BoundedUnreader(SocketUnreader):  # type: ignore[misc]
    """Reads a request until `ends` (seconds of time.monotonic()); then the client counts as gone.

    Raises NoFreeSlot where the client would have to be waited for and there is no place to wait in.
    """

    ends = 0.0

    def __init__(self, sock: ClientSocket, to_read: WaitingSlots) -> None:
        super().__init__(sock)
        self._to_read = to_read
        self._came = 0
        self._waited = 0.0

    def begin(self) -> None:
        """Before each request."""
        self.ends, self._came, self._waited = time.monotonic() + BODY_SECONDS, 0, 0.0

    def chunk(self, size_hint: int | None = None) -> bytes:
        read = self._at_once(size_hint)
        if read is None:
            with self._to_read.held(*self.sock.client):
                self._wait_to_read()
            read = self._at_once(size_hint)
        if read is None or time.monotonic() > self.ends:
            return b""
        self._came += len(read)
        return read

    def _at_once(self, size_hint: int | None) -> bytes | None:
        """None where nothing has come."""
        try:
            read: bytes = super().chunk(size_hint)
        except BlockingIOError:
            return None
        return read

    def _wait_to_read(self) -> None:
        began = time.monotonic()
        allowed = BODY_PATIENCE + self._came / BODY_RATE - self._waited
        readable = poll()
        readable.register(self.sock, POLLIN)
        readable.poll(max(0.0, min(self.ends - began, allowed)) * 1000)
        self._waited += time.monotonic() - began


class _Body:
    """A request's body whose faults are the client's: 400, where gunicorn's own errors would read as ours. That nobody
    can wait for it is not its fault: 503. One that broke stays so, whoever reads on."""

    def __init__(self, body: Any, length: int) -> None:
        """length: the bytes that were announced; 0 for chunks, which say their end themselves."""
        self._body = body
        self._missing = length
        self._fault: HTTPException | None = None

    def read(self, size: int | None = None) -> bytes:
        return self._asked(self._body.read, size)

    def readline(self, size: int | None = None) -> bytes:
        return self._asked(self._body.readline, size)

    def __iter__(self) -> Iterator[bytes]:
        while line := self.readline():
            yield line

    def _asked(self, read: Callable[[int | None], bytes], size: int | None) -> bytes:
        if self._fault is None:
            try:
                return self._whole(read, size)
            except HTTPException as fault:
                self._fault = fault
        raise self._fault

    def _whole(self, read: Callable[[int | None], bytes], size: int | None) -> bytes:
        try:
            data = read(None if size == -1 else size)
        except NoFreeSlot as error:
            raise ServiceUnavailable(NO_PLACE, retry_after=RETRY_AFTER) from error
        except (ParseException, OSError) as error:
            raise BadRequest from error
        self._missing -= len(data)
        if self._missing > 0 and size != 0 and (not data or size in (None, -1)):
            raise BadRequest("The body ended before its announced length.")
        return data


class CheckedBodies:
    """WSGI middleware that gives the application such bodies, and its connection the environment of the request."""

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ["wsgi.input"] = _Body(environ["wsgi.input"], int(environ.get("CONTENT_LENGTH") or 0))
        if isinstance(connection := environ.get("gunicorn.socket"), ClientSocket):
            connection.environ = environ
        return self._application(environ, start_response)
