"""Which thread serves a request that has come, and where its connection goes then.

gunicorn's threads tell the loop of each connection that they have answered, by a pipe; the loop wakes up, waits for the
interpreter, puts the connection to those it watches, and gives the thread the next one. Here a thread does both itself.
"""

from __future__ import annotations

import time
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from selectors import EVENT_READ
from socket import MSG_DONTWAIT, MSG_PEEK
from typing import Any, Final

from gunicorn.workers import gthread
from msgspec import Struct

from httpstep.serving.heads import is_call
from httpstep.serving.queueing import CallQueue
from httpstep.transport.call import turn_of

BEGINNING: Final = 4096
"""Bytes of a request that tell whether it is a call."""
LOOK_SECONDS: Final = 0.05
"""While calls wait the loop looks so often whether one has waited long enough."""
QUEUED: Final = object()
"""What `handle` gives for a call that has to wait for a thread or its turn."""


class _Turn(Struct):
    """In a thread: that of the call which it serves."""

    worker: ThreadsServe
    conn: Any

    def waits(self) -> None:
        """For its third party: the next call may begin."""
        self.worker.queue.waits(self.conn)
        if (following := self.worker.queue.next()) is not None:
            self.worker.tpool.submit(self.worker._serve, following)

    def goes_on(self) -> None:
        self.worker.queue.goes_on(self.conn)


class ThreadsServe(gthread.ThreadWorker):  # type: ignore[misc]
    """What is said to be in the loop is done by the loop alone, and the rest by any thread."""

    alive: bool

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.queue = CallQueue(self.cfg.threads)

    def enqueue_req(self, conn: Any) -> None:
        """In the loop. A call that has to wait is queued here: a thread that finds that out costs two turns of the loop. Else
        the thread looks, for whoever looks lets go of the interpreter, and the loop serves everybody."""
        if self.queue.is_full() and self._begins_call(conn):
            self.queue.add(conn)
        else:
            self.tpool.submit(self._serve, conn)

    def _begins_call(self, conn: Any) -> bool:
        try:
            return is_call(self.held(conn) + conn.sock.recv(BEGINNING, MSG_PEEK | MSG_DONTWAIT))
        except OSError:
            return False

    def held(self, conn: Any) -> bytes:
        """What was read of its next request together with the one before it."""
        return conn.parser.unreader.buf.getvalue() if conn.parser is not None else b""

    def _serve(self, conn: Any) -> None:
        """In a thread: this one's request, and then those that waited for the thread."""
        while conn is not None:
            turn_of.set(_Turn(self, conn))
            ended: Future[Any] = Future()
            try:
                ended.set_result(self.handle(conn))
            except Exception as error:
                ended.set_exception(error)
            held = self.queue.let_go(conn)
            if not self._keeps(conn, ended):
                self.method_queue.defer(self._after, conn, ended)
            self.queue.give_back(held)
            conn = self.queue.next() if held else None

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        super().wait_for_and_dispatch_events(timeout if self.queue.is_empty() else min(timeout, LOOK_SECONDS))

    def _keeps(self, conn: Any, ended: Future[Any]) -> bool:
        """Whether the connection is watched for its next request now, as the loop would do it (`finish_request`); another
        thread may have it from then on. What is more than that, or at the end of the worker, is the loop's."""
        if not self.alive or ended.exception() is not None or ended.result() is not True or self.held(conn):
            return False
        self.queue.forget(conn)
        conn.set_timeout()
        self.keepalived_conns.append(conn)
        if not self.alive:  # by now, and the loop may have looked through them already
            conn.timeout = min(conn.timeout, time.monotonic() + gthread.STOP_KEEPALIVE_LINGER)
        try:
            self.poller.register(conn.sock, EVENT_READ, partial(self.on_client_socket_readable, conn))
        except (OSError, ValueError, KeyError):
            self.method_queue.defer(self._give_up, conn)
        return True

    def _give_up(self, conn: Any) -> None:
        """In the loop: it cannot be watched. Where it is not kept any more, it has been closed to make room."""
        with suppress(ValueError):
            self.keepalived_conns.remove(conn)
            self._close(conn)

    def _close(self, conn: Any) -> None:
        with suppress(OSError, KeyError, ValueError):
            self.poller.unregister(conn.sock)
        self.nr_conns -= 1
        conn.close()

    def _cap_keepalive(self, deadline: float) -> None:
        """The original walks through them while threads add to them."""
        for conn in list(self.keepalived_conns):
            conn.timeout = min(conn.timeout, deadline)

    def _after(self, conn: Any, ended: Future[Any]) -> None:
        """In the loop, what the thread left to it."""
        if ended.exception() is None and ended.result() is QUEUED:
            self.queue.add(conn)
        else:
            self.queue.forget(conn)
            self.finish_request(conn, ended)
        self.serve_queued()

    def serve_queued(self) -> None:
        """In the loop: a thread may have become free since it was last looked."""
        while (conn := self.queue.next()) is not None:
            self.tpool.submit(self._serve, conn)
