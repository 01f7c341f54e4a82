"""The third party and the callers of `benchmarks.execute`: bare HTTP/1.1 on asyncio, a process each, so that neither is
what a measurement finds. A call costs the one some 30 microseconds and the other some 50."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import time
from collections import deque
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection
from typing import Any, Final

SIZES: Final = {"330 B": 0, "20 KB": 20_000, "1 MB": 1_000_000}
WAIT: Final = 0.1
"""Seconds that the third party waits where the path ends in /wait."""


def answer(size: int) -> bytes:
    """An order of 330 bytes, with further lines of it up to the size."""
    order: dict[str, Any] = {
        "id": 1042, "status": "shipped", "total": 19.5, "currency": "EUR", "paid": True,
        "customer": {"id": 7, "name": "Ana Souza", "email": "ana@shop.example", "tier": "gold"},
        "delivery": {"carrier": "Postal", "code": "PX-2231-77", "eta": "2026-12-01", "city": "Köln"},
        "note": "Leave it with the neighbour on the ground floor.",
    }  # fmt: skip
    lines = [
        {"sku": f"MUG-{n:06}", "title": "Blue mug, 300 ml", "quantity": n % 7, "price": n / 4, "gift": None}
        for n in range(size // 100)
    ]
    return json.dumps({"data": order} | ({"lines": lines} if lines else {}), ensure_ascii=False).encode()


def length_of(data: bytes, end: int) -> int:
    """Bytes of the message whose head ends at `end`, body included."""
    at = data.lower().find(b"content-length:", 0, end)
    return end + 4 + (int(data[at + 15 : data.index(b"\r\n", at)]) if at >= 0 else 0)


class _Message(asyncio.Protocol):
    """Collects whole messages, one at a time."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._length = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self._data += data
        if not self._length and (end := self._data.find(b"\r\n\r\n")) >= 0:
            self._length = length_of(bytes(self._data[: end + 4]), end)
        if self._length and len(self._data) >= self._length:
            message, self._data, self._length = bytes(self._data), bytearray(), 0
            self.complete(message)

    def complete(self, message: bytes) -> None:
        raise NotImplementedError


# ---------------------------------------------------------------- the third party


class _ThirdParty(_Message):
    """Answers `/<size>/…` with so many bytes."""

    def __init__(self, answers: dict[bytes, bytes]) -> None:
        super().__init__()
        self._answers = answers

    def complete(self, message: bytes) -> None:
        path = message.split(b" ", 2)[1]
        data = self._answers[path.split(b"/")[1]]
        if path.endswith(b"/wait"):
            asyncio.get_running_loop().call_later(WAIT, self.transport.write, data)
        else:
            self.transport.write(data)


def third_party(port: Connection) -> None:
    """Serves until it is ended; its port goes through the pipe."""
    answers = {}
    for name, size in SIZES.items():
        body = answer(size)
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        answers[path_of(name).encode()] = head.encode() + body

    async def serve() -> None:
        server = await asyncio.get_running_loop().create_server(
            lambda: _ThirdParty(answers), "127.0.0.1", 0, backlog=2048
        )
        port.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(serve())


def path_of(size: str) -> str:
    """The first part of the path that is answered with it."""
    return size.replace(" ", "").lower()


# ---------------------------------------------------------------- the callers


@dataclass
class Load:
    """What came of some seconds. latencies: seconds, sorted; errors: answers that were not 200, by status, and those without "continue"."""

    seconds: float
    latencies: list[float] = field(default_factory=list)
    errors: dict[str, int] = field(default_factory=dict)

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds

    def at(self, share: float) -> float:
        """The latency in milliseconds that so large a share keeps to."""
        return self.latencies[min(len(self.latencies) - 1, int(share * len(self.latencies)))] * 1000


class _Caller(_Message):
    """Asks again as soon as it is answered; on a new connection where the answer says that this one ends (RFC 9112, 9.6)."""

    def __init__(self, requests: deque[bytes], load: Load, ends: float) -> None:
        super().__init__()
        self._requests, self._load, self._ends = requests, load, ends
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._is_ending = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if self._is_ending:
            self._is_ending = False
            self.ask()

    def ask(self) -> None:
        self._asked = time.perf_counter()
        self._requests.rotate(-1)
        self.transport.write(self._requests[0])

    def complete(self, message: bytes) -> None:
        now = time.perf_counter()
        status = message[9:12].decode()
        if status == "200" and b'"next":"continue"' not in message:
            status = "stop"
        if status == "200":
            self._load.latencies.append(now - self._asked)
        else:
            self._load.errors[status] = self._load.errors.get(status, 0) + 1
        if now >= self._ends:
            if not self.over.done():
                self.over.set_result(None)
        elif b"\r\nconnection: close\r\n" in message[: message.index(b"\r\n\r\n") + 2].lower():
            self._is_ending, (host, port) = True, self.transport.get_extra_info("peername")
            self.transport.close()
            self._anew = asyncio.ensure_future(asyncio.get_running_loop().create_connection(lambda: self, host, port))
        else:
            self.ask()

    def connection_lost(self, _: Exception | None) -> None:
        if not self.over.done() and not self._is_ending:
            self._load.errors["lost"] = self._load.errors.get("lost", 0) + 1
            self.over.set_result(None)


async def _called(port: int, requests: list[bytes], callers: int, seconds: float) -> Load:
    load, loop, began = Load(seconds), asyncio.get_running_loop(), time.perf_counter()
    make = partial(_Caller, deque(requests), load, began + seconds)
    made = []
    for _ in range(callers):
        _, caller = await loop.create_connection(make, "127.0.0.1", port)
        made.append(caller)
        caller.ask()
    await asyncio.wait([caller.over for caller in made], timeout=seconds + 30)
    load.seconds = time.perf_counter() - began
    for caller in made:
        caller.over.cancel()
        caller.transport.abort()
    load.latencies.sort()
    return load


def callers(work: Connection) -> None:
    """Takes (port, requests, callers, seconds) from the pipe and gives a Load, again and again."""
    while (asked := work.recv()) is not None:
        work.send(asyncio.run(_called(*asked)))


def started(what: Any) -> tuple[multiprocessing.process.BaseProcess, Connection]:
    """A process of one of the two, and the pipe to it."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=what, args=(theirs,), daemon=True)
    process.start()
    return process, ours
