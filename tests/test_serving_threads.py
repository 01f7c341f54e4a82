"""Connections go from thread to thread without the loop: none is served twice at once, none is left, and no place is lost
or made."""

from __future__ import annotations

import queue
import random
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from httpstep.serving import queueing
from httpstep.serving.queueing import FREE_THREADS, TURNS, CallQueue
from httpstep.serving.threads import QUEUED, ThreadsServe
from httpstep.transport.call import turn_of

PLACES = 9


class Conn:
    """A client that asks so many times, at once after each answer."""

    parser = None

    def __init__(self, requests: int, *, is_call: bool) -> None:
        self.left, self.is_call = requests, is_call
        self.busy = threading.Lock()
        self.sock = SimpleNamespace(recv=lambda *_: b"POST /api/v1/steps/a/execute HTTP/1.1\r\n" if is_call else b"G")
        self.timeout = 0.0

    def set_timeout(self) -> None:
        self.timeout = time.monotonic() + 5


class Worker(ThreadsServe):
    """With a loop of its own and a poller for which every connection has something to read at once. faulty: for every so
    many-th connection it has no room."""

    def __init__(self, faulty: int) -> None:
        self.queue, self.alive, self.nr_conns = CallQueue(FREE_THREADS + PLACES), True, 0
        self.keepalived_conns: deque[Any] = deque()
        self.poller = self.method_queue = self
        self.tpool = ThreadPoolExecutor(24)
        self.turns: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.at_once, self.most, self.ended, self.faults = Counter[str](), Counter[str](), 0, []
        self.lock, self.registered, self.faulty = threading.Lock(), 0, faulty

    def defer(self, callback: Any, *args: Any) -> None:
        self.turns.put(partial(callback, *args))

    def register(self, _sock: Any, _event: int, readable: Any) -> None:
        with self.lock:
            self.registered += 1
            if self.faulty and self.registered % self.faulty == 0:
                raise OSError("no space left on device")
        self.turns.put(partial(readable, None))

    def unregister(self, _sock: Any) -> None: ...

    def handle(self, conn: Any) -> Any:
        if not conn.busy.acquire(blocking=False):
            self.faults.append("a connection was served by two threads")
        try:
            if conn.is_call and not self.queue.takes(conn):
                return QUEUED
            kind = "call" if conn.is_call else "page"
            with self.counted(kind):
                with self.counted(f"{kind} at work"):
                    time.sleep(random.choice((0, 0, 0.0002)))
                if random.random() < 0.5:  # its third party is slow
                    turn = turn_of.get()
                    assert turn is not None
                    turn.waits()
                    time.sleep(0.001)
                    turn.goes_on()
                    with self.counted(f"{kind} at work"):
                        time.sleep(random.choice((0, 0, 0.0002)))
            conn.left -= 1
            return conn.left > 0
        finally:
            conn.busy.release()

    @contextmanager
    def counted(self, kind: str) -> Iterator[None]:
        with self.lock:
            self.at_once[kind] += 1
            self.most[kind] = max(self.most[kind], self.at_once[kind])
        yield
        with self.lock:
            self.at_once[kind] -= 1

    def finish_request(self, conn: Any, ended: Any) -> None:
        assert ended.result() is False
        self._gone()

    def _close(self, conn: Any) -> None:
        self._gone()

    def _gone(self) -> None:
        self.ended += 1


@pytest.mark.parametrize("faulty", [0, 50])
def test_every_request_is_served_once_and_all_places_are_free_at_the_end(
    faulty: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queueing, "TURN_SECONDS", 60.0)  # or a slow machine would have more than TURNS at work
    worker = Worker(faulty)
    conns = [Conn(40, is_call=number % 5 > 0) for number in range(60)]
    for conn in conns:
        worker.turns.put(partial(worker.enqueue_req, conn))
    while worker.ended < len(conns):
        worker.turns.get(timeout=20)()
        worker.serve_queued()
    worker.tpool.shutdown()
    assert worker.faults == [] and not worker.keepalived_conns
    assert worker.most["call at work"] == TURNS and TURNS < worker.most["call"] <= PLACES and worker.most["page"] > 0
    assert faulty or [conn.left for conn in conns] == [0] * len(conns)
    assert (len(worker.queue._threads), len(worker.queue._turns)) == (PLACES, TURNS)


def test_a_worker_that_stops_leaves_its_connections_to_the_loop() -> None:
    worker = Worker(0)
    worker.alive = False
    conn = Conn(2, is_call=True)
    worker.enqueue_req(conn)
    assert worker.turns.get(timeout=20).func == worker._after and not worker.keepalived_conns
    worker.tpool.shutdown()


def _answered_without_a_turn() -> tuple[CallQueue, SimpleNamespace, list[SimpleNamespace]]:
    """A queue, a call in it whose third party has answered, and those that have all the turns."""
    calls, conns = CallQueue(FREE_THREADS + PLACES), [SimpleNamespace() for _ in range(TURNS + 1)]
    assert all(map(calls.takes, conns[:TURNS]))
    calls.waits(conns[0])
    assert calls.takes(conns[TURNS])
    return calls, conns[0], conns[1:]


def test_a_call_that_was_answered_has_the_next_turn_before_one_that_has_not_begun(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(queueing, "TURN_SECONDS", 60.0)
    calls, answered, working = _answered_without_a_turn()
    calls.add(new := SimpleNamespace())
    thread = threading.Thread(target=calls.goes_on, args=(answered,))
    thread.start()
    while not calls._returning:
        time.sleep(0.001)
    assert calls.next() is None
    calls.give_back(calls.let_go(working[0]))
    thread.join(20)
    assert not thread.is_alive() and calls.next() is None
    calls.give_back(calls.let_go(answered))
    assert calls.next() is new


def test_a_call_that_was_answered_goes_on_without_a_turn_where_none_is_given_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(queueing, "TURN_SECONDS", 0.05)
    calls, answered, working = _answered_without_a_turn()
    calls.goes_on(answered)
    for conn in (answered, *working):
        calls.give_back(calls.let_go(conn))
    assert not calls._returning and (len(calls._threads), len(calls._turns)) == (PLACES, TURNS)
