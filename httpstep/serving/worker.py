"""The server's worker: gunicorn's thread worker, whose threads are given requests and not promises of one.

The original hands a connection to a thread with its first byte; 200 clients that send a byte a second then hold every
thread for as long as they like. Here the kernel keeps what has come (it is looked at, not read) until the head and a
body of ordinary size are there, or `PATIENCE` is over. An answer goes into the kernel's buffer, which holds an ordinary
one whole. What is longer is waited for by a thread, in one of the places of `clients`; and since there are that many
threads more, those who wait so take none from the others.
"""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from errno import EMFILE, ENFILE, ENOBUFS, ENOMEM
from functools import partial
from selectors import EVENT_READ
from socket import MSG_DONTWAIT, MSG_PEEK, SHUT_WR, SO_RCVLOWAT, SO_SNDBUF, SOL_SOCKET
from typing import Any, Final

from gunicorn.http.errors import InvalidHeader, ParseException
from gunicorn.workers import gthread

from httpstep.serving.clients import BoundedUnreader, ClientSocket, WaitingSlots
from httpstep.serving.crowding import to_close
from httpstep.serving.heads import MAX_WAITED_BYTES, HeadTooLarge, bytes_wanted, is_call
from httpstep.serving.master import STOPPING
from httpstep.serving.memory import GivingBack
from httpstep.serving.refusals import NoFreeSlot, refusal
from httpstep.serving.threads import QUEUED, ThreadsServe

PATIENCE: Final = 20.0
SHARE: Final = 2
"""One place for each so many threads: to wait for bodies in, and as many to wait in until answers are read."""
DRAIN_SECONDS: Final = 0.1
"""For the rest of a body that was answered unread; then its connection ends."""
CROWDED: Final = 0.7
"""Share of its connections from which on a worker closes some that wait, until it has `ROOM` fewer."""
ROOM: Final = 50
ACCEPTED: Final = 32
"""Connections that a worker accepts at once, while those that come say nothing yet."""
LINGER: Final = 2.0
MAX_UNREAD_BYTES: Final = 16 * 1024
"""Bytes of earlier answers that a client may not have read yet when its next request is served."""
SEND_BUFFER: Final = 208 * 1024
"""What Linux grants everybody (net.core.wmem_max). Of twice this much its own overhead goes off: 110 KB fit at least."""


class Worker(ThreadsServe):
    """Connections that wait for the rest of a request cost a descriptor, not a thread."""

    alive: bool
    stopped_at = 0.0
    """When it was told to stop, by the monotonic clock; 0 before."""
    may_leave: Callable[[], bool]
    """Whether it does nothing beside answering, so that it may leave its place to another."""

    def init_signals(self) -> None:
        super().init_signals()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        places = max(4, self.cfg.threads // SHARE)
        self._to_read, self._to_send = WaitingSlots(places), WaitingSlots(places)
        self._threads = self.cfg.threads + 2 * places
        self._short = False
        """Whether the kernel had no room for one more."""
        self._memory = GivingBack()
        self._told = 0.0

    def get_thread_pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(max_workers=self._threads)

    def notify(self) -> None:
        """That it lives: once a second, not with each turn of the loop."""
        now = time.monotonic()
        if now > self._told + 1:
            self._told = now
            super().notify()

    def handle_exit(self, sig: int, frame: Any) -> None:
        self.stopped_at = self.stopped_at or time.monotonic()
        super().handle_exit(sig, frame)

    def set_accept_enabled(self, enabled: bool) -> None:
        """A worker that is stopping lets go of the port at once: the kernel would queue new clients that nobody serves,
        and the next server could not listen."""
        super().set_accept_enabled(enabled and self.alive)
        if not self.alive:
            for listener in self.sockets:
                listener.close()

    def is_parent_alive(self) -> bool:
        if not super().is_parent_alive():
            self.alive = False
        return self.alive

    def accept(self, listener: Any) -> None:
        """What says nothing yet goes to the poller at once: with a thread for each, one a turn, everybody queued behind
        the thousands of one peer. A request ends the turn, so that the workers share those."""
        for _ in range(ACCEPTED):
            try:
                sock, client = listener.accept()
            except OSError as error:  # one that was waiting failed, which is its own affair (accept(2)), or ours
                self._short = error.errno in (EMFILE, ENFILE, ENOBUFS, ENOMEM)
                return
            self.nr_conns += 1
            conn = gthread.TConn(self.cfg, ClientSocket(sock.detach(), self._to_send), client, listener.getsockname())
            if not conn.sock.is_silent():
                self.enqueue_req(conn)
                return
            conn.seen, conn.ends = 0, time.monotonic() + PATIENCE
            self.pending_conns.append(conn)
            self.poller.register(conn.sock, EVENT_READ, partial(self.on_pending_socket_readable, conn))

    def handle(self, conn: Any) -> Any:
        if not self.alive and conn.parser is not None and conn.parser.req_count:
            return False  # a further request on an open connection: closed unread, so that its client may repeat it
        if conn.parser is not None and conn.sock.unread_by_client() > MAX_UNREAD_BYTES:
            return False  # it asks on and reads nothing: a further answer might not fit into the kernel's buffer
        try:
            if self._must_wait(conn):
                return gthread._DEFER
        except HeadTooLarge as error:
            self.handle_error(None, conn.sock, conn.client, error)
            return False
        if conn.is_call and not self.queue.takes(conn):
            return QUEUED
        conn.data_ready, conn.seen, conn.ends = True, None, None
        with suppress(OSError):
            conn.sock.setsockopt(SOL_SOCKET, SO_RCVLOWAT, 1)
            conn.init()
            self._bound(conn)
        try:
            return super().handle(conn)
        finally:
            self._memory.worked = True

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Two parsers agree on whose request it is only where HTTP/1.1 says so once (RFC 9112, 3.2)."""
        if req.version >= (1, 1) and [name for name, _ in req.headers].count("HOST") != 1:
            raise InvalidHeader("HOST", req=req)
        conn.sock.begin()
        try:
            keeps = super().handle_request(req, conn)
            conn.sock.end()
            return keeps
        except TimeoutError as error:
            self.log.warning("an answer was cut off: %s", error)
            return False

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:
        """Answer in the API's own form. What the parser quotes may be a key, so the log names only the fault."""
        status, response, request_id = refusal(exc)
        self.log.log(
            logging.ERROR if status == 500 else logging.WARNING, "%s: no proper request, %s (%s)", request_id,
            status, type(exc).__name__, exc_info=exc if status == 500 else None,
        )  # fmt: skip
        with suppress(OSError):
            client.send(response, MSG_DONTWAIT)

    def _bound(self, conn: Any) -> None:
        if not isinstance(conn.parser.unreader, BoundedUnreader):
            conn.parser.unreader = BoundedUnreader(conn.sock, self._to_read)
            conn.sock.setsockopt(SOL_SOCKET, SO_SNDBUF, SEND_BUFFER)
        conn.parser.unreader.begin()

    def _must_wait(self, conn: Any) -> bool:
        """Whether more has to come first; then the kernel says so when it has. An end or a fault is read at once."""
        conn.is_call = False
        held = self.held(conn)
        try:
            waiting = conn.sock.recv(MAX_WAITED_BYTES, MSG_PEEK | MSG_DONTWAIT)
        except BlockingIOError:
            waiting = None
        except OSError:
            return False
        if waiting == b"":
            return False
        data = held + (waiting or b"")
        conn.is_call = is_call(data)
        wanted = bytes_wanted(data)
        if not wanted or (waiting is not None and getattr(conn, "seen", None) == len(data)):
            return False
        conn.seen = len(data)
        conn.sock.setsockopt(SOL_SOCKET, SO_RCVLOWAT, wanted - len(held))
        conn.ends = getattr(conn, "ends", None) or time.monotonic() + PATIENCE
        return True

    def _keepalive_after(self, conn: Any, keepalive: Any) -> bool:
        """A body that breaks off or is no proper HTTP ends its connection, and nothing more is said on it. So does one
        that nobody has read and whose rest has not come."""
        conn.parser.unreader.ends = time.monotonic() + DRAIN_SECONDS
        try:
            return bool(super()._keepalive_after(conn, keepalive))
        except (ParseException, NoFreeSlot):
            return False

    def finish_request(self, conn: Any, ended: Any) -> None:
        """The original waits in the loop that serves everybody, up to two seconds for each client to hang up."""
        if not ended.cancelled() and ended.exception() is None and ended.result() is False:
            self._linger(conn)
        else:
            super().finish_request(conn, ended)

    def _linger(self, conn: Any) -> None:
        """End our side and pass over what still comes: closing at once would take the answer back (RFC 9112, 9.6)."""
        try:
            conn.sock.shutdown(SHUT_WR)
            conn.sock.setsockopt(SOL_SOCKET, SO_RCVLOWAT, 1)
        except OSError:
            self.nr_conns -= 1
            conn.close()
            return
        conn.ends = time.monotonic() + LINGER
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, EVENT_READ, partial(self._pass_over, conn))

    def _pass_over(self, conn: Any, sock: Any) -> None:
        try:
            if sock.recv(MAX_WAITED_BYTES):
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        conn.ends = 0.0

    def murder_pending(self) -> None:
        """Close what has waited too long: counted from the request's beginning, not from its last byte; then make room.
        A worker that stops waits no longer for who has said nothing.

        The loop calls it when all events are dealt with: the next of them may be that of a connection closed here.
        """
        now = time.monotonic()
        self._memory.when_due(now)
        silent = 0 if self.stopped_at and now > self.stopped_at + LINGER else -1
        for conn in [one for one in self.pending_conns if one.ends <= now or getattr(one, "seen", None) == silent]:
            self.pending_conns.remove(conn)
            self._close(conn)
        self.serve_queued()
        over = self.nr_conns - int(self.worker_connections * CROWDED)
        if self._short or over > 0:
            self._make_room(max(0, over) + ROOM)
            self._short = False
        if self._memory.grown:
            self.max_keepalived = 0  # answers end their connections from now on
            self.alive = self.alive and not (self.nr_conns == 0 and self.may_leave())

    def _make_room(self, count: int) -> None:
        """At its limit a worker takes no new connections, and those of a probe, a bot or a browser would wait with them."""
        waiting = [(conn.ends - PATIENCE, conn) for conn in self.pending_conns]
        waiting += [(conn.timeout - self.cfg.keepalive, conn) for conn in list(self.keepalived_conns)]
        for conn in to_close(waiting, count, time.monotonic()):
            (self.pending_conns if conn in self.pending_conns else self.keepalived_conns).remove(conn)
            self._close(conn)
