"""What one execution does after the answer arrived, for answers made to be much work, beside `json.loads` of the same.

    .venv/bin/python -m benchmarks.hostile_answers [--seconds 0.5]

Everything but network and database: reading, shape, comparison with the accepted shape, mapping, recording, masking, and
writing the record, the structure and the bot's answer, each shape with 0, 1 and 4 secrets. The target is 15 times
`json.loads` of the same answer or 60 ms a megabyte, whichever is more, and never less than the 8 ms that 100 rules and
400 listed differences cost whatever the size of the answer (docs/decisions/0019). Each figure is the best of its rounds, the two
taken in turn, so that a busy machine hits both.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
from collections.abc import Callable
from time import monotonic, perf_counter, thread_time, time
from typing import Final

from benchmarks.hostile_shapes import SECRETS, SHAPES
from httpstep.core import jsontext
from httpstep.core.answer.automatic import automatic_rules
from httpstep.core.authentication import Auth
from httpstep.core.drift.structure import shape_of
from httpstep.core.exchange import HttpResponse, RenderedRequest
from httpstep.core.jsontext import Json
from httpstep.core.outcome import record
from httpstep.core.step.spec import (
    MappingRule,
    Pair,
    RequestSpec,
    StepSpec,
)
from httpstep.execution import answers, executor

TIMES: Final = 15
MS_PER_MEGABYTE: Final = 60.0
FLOOR_MS: Final = 8.0


class _Clock:
    monotonic = staticmethod(monotonic)
    time = staticmethod(time)

    def wait(self, _: float) -> None:
        raise AssertionError("nothing is tried again here")


class _NoTokens:
    def get(self, *_: object, **__: object) -> str:
        raise AssertionError("no token is asked for here")


class Line:
    """One step whose accepted sample is `accepted`, asked again and again with `data` for an answer."""

    def __init__(self, accepted: bytes, data: bytes, secrets: dict[str, str], *, rules: bool) -> None:
        self.response = HttpResponse(200, "OK", (("Content-Type", "application/json"),), data, "https://api.example/x")
        document = _read(accepted)
        self.mapping: tuple[MappingRule, ...] | None = automatic_rules(document, step_key="hostile") if rules else None
        self.known = executor.Known(
            secrets=secrets, hosts=dict.fromkeys(secrets), structure=shape_of(document) if rules else None
        )
        headers = tuple(Pair(f"X-{name}", f"{{{{secret.{name}}}}}") for name in secrets if name != "token")
        auth = Auth("bearer", {"token": "{{secret.token}}"}) if secrets else Auth()
        request = RequestSpec(url="https://api.example/x", headers=headers, auth=auth)
        self.spec = StepSpec(key="hostile", name="Hostile", request=request, mapping=self.mapping)

    def send(self, _: RenderedRequest, __: float) -> HttpResponse:
        return self.response

    def run(self) -> bytes:
        execution = executor.execute(
            self.spec, {}, send=self.send, clock=_Clock(), tokens=_NoTokens(), known=self.known
        )
        kept = record.record_of(execution, {})
        jsontext.dumps_text(kept.detail)
        if execution.structure is not None:
            jsontext.dumps_text(execution.structure)
        return jsontext.dumps(answers.answer_of(execution, kept, 1, "request"))


def _read(data: bytes) -> Json:
    try:
        return jsontext.loads(data)
    except jsontext.UnreadableAnswer:
        return None


def in_turn(*works: Callable[[], object], seconds: float) -> list[float]:
    """The best time of each in milliseconds; each at least once."""
    best = [float("inf")] * len(works)
    end = perf_counter() + seconds
    while True:
        for number, work in enumerate(works):
            gc.collect()
            begun = thread_time()
            work()
            best[number] = min(best[number], (thread_time() - begun) * 1000)
        if perf_counter() > end:
            return best


def _loads(data: bytes) -> object:
    try:
        return json.loads(data)
    except ValueError:
        return None


def report(name: str, count: int, seconds: float, *, rules: bool = True) -> bool:
    """One line; whether it meets the target."""
    accepted, data = SHAPES[name]
    line = Line(accepted, data, dict(list(SECRETS.items())[:count]), rules=rules)
    given = len(line.run())
    bare, whole = in_turn(lambda: _loads(data), line.run, seconds=seconds)
    allowed = max(TIMES * bare, MS_PER_MEGABYTE * len(data) / 1_000_000, FLOOR_MS)
    good = whole <= allowed
    what = name if rules else f"{name}, first"
    sys.stdout.write(
        f"{what:36}{count:>8}{len(data):>11,}{bare:>12.2f}{whole:>11.2f}{whole / bare:>8.1f}{allowed:>10.1f}"
        f"{given:>12,}{'' if good else '   MISSED'}\n"
    )
    sys.stdout.flush()
    return good


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seconds", type=float, default=0.5, help="how long each figure is measured")
    parser.add_argument("--only", default="", help="shapes whose name has this in it")
    asked = parser.parse_args()
    gc.freeze()  # the answers above are no part of what is measured
    sys.stdout.write(
        f"{'milliseconds':36}{'secrets':>8}{'bytes':>11}{'json.loads':>12}{'execution':>11}{'times':>8}{'allowed':>10}{'to the bot':>12}\n"
    )
    missed = [
        f"{name} with {count} secrets"
        for name in SHAPES
        if asked.only in name
        for count in (0, 1, 4)
        if not report(name, count, asked.seconds)
    ]
    missed += [
        f"{name}, first answer"
        for name in SHAPES
        if asked.only in name and not report(name, 4, asked.seconds, rules=False)
    ]
    sys.stdout.write(f"missed: {'; '.join(missed) or 'none'}\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
