"""What memory an installation takes, idle and after it was asked a lot: `python -m benchmarks.memory`.

    --calls 10000     executions, by 16 callers
    --hostile 0.05    share of the answers that are made to be much work: 1 MB of `{}`, deep ones, 45,000 names …
    --steps 50        steps that are asked in turn, half of them with a secret
    --every 2000      calls between two lines

httpstep is started as `make run` starts it, with the limit out of the way. Measured is the PSS of its whole tree of
processes: what they share counts once. One call a process comes before the first figure, for what is loaded with it.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import itertools
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Lock
from typing import Final

from benchmarks.hostile_shapes import SHAPES
from benchmarks.load import _Message, answer, started
from benchmarks.servers import ATTRIBUTES, Server, prepare, running
from httpstep.core import jsontext
from httpstep.serving.memory import EVERY, LEAST_SECONDS
from tests.server import free_port

IDLE_TARGET: Final = 110.0
GROWTH_TARGET: Final = 40.0
CALLERS: Final = 16


class _Mixed(_Message):
    """Answers each request in turn with what `answers` gives next."""

    def __init__(self, answers: Iterator[bytes]) -> None:
        super().__init__()
        self._answers = answers

    def complete(self, message: bytes) -> None:
        self.transport.write(next(self._answers))


def mixed_answers(share: float) -> Iterator[bytes]:
    """Small ones, and so large a share of hostile ones, of each shape in turn; without end."""
    whole = [_response(body) for bodies in SHAPES.values() for body in bodies[1:]]
    small, hostile, due = _response(answer(0)), itertools.cycle(whole), 0.0
    while True:
        due += share
        yield next(hostile) if due >= 1 else small
        due %= 1


def _response(body: bytes) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def third_party(share: float, port: Connection) -> None:
    """Serves until it is ended; its port goes through the pipe."""

    async def serve() -> None:
        answers = mixed_answers(share)
        server = await asyncio.get_running_loop().create_server(lambda: _Mixed(answers), "127.0.0.1", 0)
        port.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(serve())


def call(server: Server, keys: Iterator[str], count: int) -> Counter[str]:
    """That many executions by all callers; how they ended."""
    body, turn, ended = jsontext.dumps({"attributes": ATTRIBUTES}), Lock(), Counter[str]()
    left = iter(range(count))

    def ask() -> None:
        asking = http.client.HTTPConnection("127.0.0.1", server.port, timeout=90)
        headers = {"Authorization": f"Bearer {server.token}", "Content-Type": "application/json"}
        while True:
            with turn:
                if next(left, None) is None:
                    return asking.close()
                key = next(keys)
            asking.request("POST", f"/api/v1/steps/{key}/execute", body, headers)
            given = asking.getresponse()
            document = jsontext.loads(given.read())
            with turn:
                ended[f"{given.status} {document.get('outcome') if isinstance(document, dict) else ''}"] += 1

    with ThreadPoolExecutor(CALLERS) as pool:
        for asked in [pool.submit(ask) for _ in range(CALLERS)]:
            asked.result()
    return ended


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def measure(server: Server, keys: Iterator[str], calls: int, every: int) -> list[str]:
    """What missed its target."""
    time.sleep(1)
    idle = server.memory()
    call(server, keys, CALLERS)
    first = server.memory()
    say(f"idle {idle:6.1f} MB (PSS of {len(server.tree())} processes), after the first calls {first:6.1f} MB")
    done = 0
    while done < calls:
        began, now = time.monotonic(), min(every, calls - done)
        ended, done = call(server, keys, now), done + now
        seconds = time.monotonic() - began
        say(f"{done:>8,} calls {server.memory():7.1f} MB  {now / seconds:6.0f}/s  {dict(ended.most_common(4))}")
    time.sleep(
        LEAST_SECONDS + 3 * EVERY
    )  # what is free goes back to the system by then, and what has grown is replaced
    growth = server.memory() - idle
    say(f"growth {growth:.1f} MB")
    return [
        *([f"idle {idle:.0f} MB > {IDLE_TARGET:.0f}"] if idle > IDLE_TARGET else []),
        *([f"growth {growth:.0f} MB > {GROWTH_TARGET:.0f}"] if growth > GROWTH_TARGET else []),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=10_000)
    parser.add_argument("--hostile", type=float, default=0.05)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--every", type=int, default=2_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary, ExitStack() as stack:
        upstream, port = started(partial(third_party, asked.hostile))
        stack.callback(upstream.terminate)
        keys = [f"330b-{number}-{'secret' if number % 2 else 'plain'}" for number in range(asked.steps)]
        folder, listening = Path(temporary) / "data", free_port()
        token = prepare(folder, keys, f"http://127.0.0.1:{port.recv()}")
        environ = {
            "HTTPSTEP_DATA": str(folder), "HTTPSTEP_LISTEN": f"127.0.0.1:{listening}",
            "HTTPSTEP_ALLOW_NETWORKS": "127.0.0.1",
        }  # fmt: skip
        server = stack.enter_context(running("httpstep", listening, ["app.py"], Path(os.devnull), **environ))
        server.token = token
        missed = measure(server, itertools.cycle(keys), asked.calls, asked.every)
    say(f"missed: {'; '.join(missed) or 'none'}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
