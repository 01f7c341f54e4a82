"""What a call of a bot costs with everything on, beside a bare route: `python -m benchmarks.execute`.

    --only WORDS      cases whose name has one of these words in it (separated by ;)
    --rounds 3        each is measured so often on each server, in turns; the medians are shown
    --seconds 3       how long, each time
    --steps 10000     how many steps there are; cases that need more are left out
    --own             the bare route on our own worker as well: what that costs

Everything is started here: the third party, the callers, httpstep as `make run` starts it, and the bare route on the
same server settings (`benchmarks/bare.py`). CPU is that of a server's whole tree of processes, from /proc: the figure
that other work on the machine disturbs least.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

from benchmarks.load import Load, callers, path_of, started, third_party
from benchmarks.servers import Server, fill, prepare, running
from tests.server import free_port

Start = Callable[[], AbstractContextManager[Server]]
MEMORY_TARGET: Final = 110.0
FIRST_TARGET: Final = 0.8 / 0.25
"""Times the bare route's, like all targets: 0.8 s on an existing folder, where the bare route took 0.25."""
GROWTH_TARGET: Final = 1.15
WARM_SECONDS: Final = 6.0
STARTS: Final = 15
"""Of each server: a start varies by a third from one to the next."""


@dataclass(frozen=True)
class Case:
    """cpu, tail, rate: the most that CPU per call and 99th percentile, and the least that throughput may be, as ratios.
    cpu None: as `USUAL` has in the same run, times GROWTH_TARGET."""

    name: str
    callers: int = 16
    size: str = "330 B"
    secret: bool = False
    wait: bool = False
    steps: int = 1
    rows: int = 0
    others: int = 0
    cpu: float | None = 1.3
    tail: float | None = None
    rate: float | None = None

    @property
    def step_keys(self) -> list[str]:
        kind = "wait" if self.wait else "secret" if self.secret else "plain"
        return [f"{path_of(self.size)}-{n}-{kind}" for n in range(self.steps)]


USUAL: Final = Case("16 callers", rate=0.8, tail=2.0)
CASES: Final = (
    USUAL,
    Case("1 caller", callers=1),
    Case("64 callers", callers=64, rate=0.8, tail=2.0),
    Case("330 B, a secret", secret=True),
    Case("20 KB", size="20 KB", cpu=1.5),
    Case("20 KB, a secret", size="20 KB", secret=True, cpu=1.5),
    Case("1 MB", size="1 MB", cpu=2.5),
    Case("1 MB, a secret", size="1 MB", secret=True, cpu=2.5),
    Case("100 steps in turn", steps=100, cpu=None),
    Case("10,000 steps in turn", steps=10_000, cpu=None),
    Case("1,000 rows in the window", rows=1_000, cpu=None),
    Case("10,000 rows in the window", rows=10_000, cpu=None),
    Case("100,000 rows in the window", rows=100_000, cpu=None),
    Case("100,000 old rows of others", others=100_000, cpu=None),
    Case("100 ms upstream, 1,000 callers", callers=1000, wait=True, rate=0.9),
)


# ---------------------------------------------------------------- measuring


@dataclass(frozen=True)
class Figures:
    rate: float
    cpu: float
    median: float
    tail: float
    errors: str


def measure(server: Server, case: Case, work: Connection, seconds: float) -> Figures:
    asked = server.requests(case.step_keys)
    if server.folder is not None:
        work.send((server.port, asked[:1], 1, 0.05))
        work.recv()
        fill(server.folder, case.rows, case.others)
    before = server.cpu()
    work.send((server.port, asked, case.callers, seconds))
    load: Load = work.recv()
    spent = server.cpu() - before
    if not load.latencies:
        raise AssertionError(f"{server.name}, {case.name}: no answer, {load.errors}")
    answers = len(load.latencies) + sum(load.errors.values())
    errors = ", ".join(f"{count} x {status}" for status, count in sorted(load.errors.items()))
    return Figures(load.per_second, spent / answers * 1000, load.at(0.5), load.at(0.99), errors)


def median_of(found: list[Figures]) -> Figures:
    names = ("rate", "cpu", "median", "tail")
    return Figures(*(statistics.median(getattr(one, name) for one in found) for name in names),
                   "; ".join(one.errors for one in found if one.errors))  # fmt: skip


def show(case: Case, found: dict[str, Figures]) -> None:
    """Lines of the table."""
    bare = found["bare"]
    for name, one in found.items():
        ratio = f"{one.cpu / bare.cpu:5.2f} {one.rate / bare.rate:5.2f} {one.tail / bare.tail:5.2f}"
        say(f"{case.name if name == 'httpstep' else '':32}{name:12}{one.rate:9.0f}{one.cpu:9.2f}{one.median:9.1f}"
            f"{one.tail:9.1f}   {ratio if name != 'bare' else '':20}{one.errors}")  # fmt: skip


def missed_by(case: Case, found: dict[str, Figures], usual: float) -> list[str]:
    """usual: the ratio of CPU that `USUAL` has."""
    ours, bare = found["httpstep"], found["bare"]
    cpu = case.cpu or GROWTH_TARGET * usual
    return [
        f"{case.name}: {what}"
        for what, is_missed in (
            (f"CPU {ours.cpu / bare.cpu:.2f} > {cpu:.2f}", ours.cpu > cpu * bare.cpu),
            (f"throughput {ours.rate / bare.rate:.2f} < {case.rate}", ours.rate < (case.rate or 0) * bare.rate),
            (
                f"99 % {ours.tail / bare.tail:.2f} > {case.tail}",
                bool(case.tail) and ours.tail > (case.tail or 0) * bare.tail,
            ),
            (f"errors {ours.errors}", bool(ours.errors)),
        )
        if is_missed
    ]


def say(line: str) -> None:
    sys.stdout.write(f"{line.rstrip()}\n")
    sys.stdout.flush()


def begin(servers: list[Server]) -> list[str]:
    """Memory and first answer, before anything is asked."""
    time.sleep(1)
    for server in servers:
        say(
            f"{server.name:12} idle {server.memory():6.1f} MB (PSS of {len(server.tree())} processes), first answer after {server.first:5.2f} s"
        )
    ours, bare = servers[:2]
    say(f"{'':12} first answer {ours.first / bare.first:.2f} times bare's")
    return [
        *([f"memory {ours.memory():.0f} MB > {MEMORY_TARGET:.0f}"] if ours.memory() > MEMORY_TARGET else []),
        *(
            [f"first answer {ours.first / bare.first:.2f} > {FIRST_TARGET}"]
            if ours.first > FIRST_TARGET * bare.first
            else []
        ),
    ]


def compare(servers: list[Server], cases: list[Case], work: Connection, rounds: int, seconds: float) -> list[str]:
    """The first case, with which others are compared, is measured again in the middle and at the end: what else goes on
    below the machine takes minutes."""
    missed = begin(servers)
    for server in servers:  # or the first case is measured while all is still done for the first time
        measure(server, cases[0], work, WARM_SECONDS)
    say(f"{'':32}{'':12}{'calls/s':>9}{'CPU ms':>9}{'50 % ms':>9}{'99 % ms':>9}   times bare: CPU, calls/s, 99 %")
    found: dict[Case, dict[str, list[Figures]]] = {case: {one.name: [] for one in servers} for case in cases}
    medians: dict[Case, dict[str, Figures]] = {}
    middle = len(cases) // 2
    for case in (*cases[:middle], cases[0], *cases[middle:], cases[0]):
        for number in range(rounds + 1):
            for server in servers:
                figures = measure(server, case, work, seconds if number else min(1.0, seconds))
                if number:  # the first is for warming up
                    found[case][server.name].append(figures)
        medians[case] = {name: median_of(each) for name, each in found[case].items()}
        show(case, medians[case])  # of the first case, of all its rounds so far
    usual = medians[cases[0]]["httpstep"].cpu / medians[cases[0]]["bare"].cpu  # `USUAL` is the first
    return missed + [fault for case in cases for fault in missed_by(case, medians[case], usual)]


def start(
    folder: Path, cases: list[Case], stack: ExitStack, rounds: int, *, own: bool
) -> tuple[list[Server], Connection]:
    """All there is to start, ended with the stack: the servers under measurement, ours first, and the callers."""
    (upstream, port), (driving, work) = started(third_party), started(callers)
    stack.callback(upstream.terminate)
    stack.callback(driving.terminate)
    third = port.recv()
    token = prepare(folder, {key: None for case in cases for key in case.step_keys}, f"http://127.0.0.1:{third}")
    ports = [free_port() for _ in range(3)]
    environ = {
        "HTTPSTEP_DATA": str(folder), "HTTPSTEP_LISTEN": f"127.0.0.1:{ports[0]}", "HTTPSTEP_ALLOW_NETWORKS": "127.0.0.1",
    }  # fmt: skip
    log = folder.with_suffix(".log")
    bare = ["-m", "benchmarks.bare"]
    starts = [
        partial(running, "httpstep", ports[0], ["app.py"], log, **environ),
        partial(running, "bare", ports[1], [*bare, str(ports[1]), str(third)], log),
        *([partial(running, "bare, own", ports[2], [*bare, str(ports[2]), str(third), "own"], log)] if own else []),
    ]
    first = first_answers(starts)
    servers = [stack.enter_context(one()) for one in starts]
    for server, seconds in zip(servers, first, strict=True):
        server.first = seconds
    servers[0].token, servers[0].folder = token, folder
    return servers, work


def first_answers(starts: list[Start]) -> list[float]:
    """Seconds of each, medians of starts in turns after one to warm up."""
    found: list[list[float]] = [[] for _ in starts]
    for number in range(STARTS + 1):
        for each, one in zip(found, starts, strict=True):
            with one() as server:
                each += [server.first] if number else []
    return [statistics.median(each) for each in found]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--own", action="store_true")
    asked = parser.parse_args()
    words = asked.only.split(";")
    cases = [case for case in CASES if any(word in case.name for word in words) and case.steps <= asked.steps]
    if USUAL not in cases and any(case.cpu is None for case in cases):
        cases = [USUAL, *cases]
    with tempfile.TemporaryDirectory() as temporary, ExitStack() as stack:
        servers, work = start(Path(temporary) / "data", cases, stack, asked.rounds, own=asked.own)
        missed = compare(servers, cases, work, asked.rounds, asked.seconds)
    say(f"missed: {'; '.join(missed) or 'none'}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
