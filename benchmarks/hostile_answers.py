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
import random
import sys
from collections.abc import Callable
from time import monotonic, perf_counter, thread_time, time
from typing import Any, Final

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
SECRETS: Final = {
    "token": "sk_live_51H8xT2eZvKYlo2C0aBcDeFgH",
    "password": 'p"w/ü+1% &<long>',
    "client": "a-b-c-1f0e9d8c",
    "pin": "4711",
}


class _Clock:
    monotonic = staticmethod(monotonic)
    time = staticmethod(time)

    def wait(self, _: float) -> None:
        raise AssertionError("nothing is tried again here")


class _NoTokens:
    def get(self, *_: object, **__: object) -> str:
        raise AssertionError("no token is asked for here")


def ids(count: int, seed: int) -> bytes:
    """An object whose keys are ids, others in every answer; not the sort that looks like ids."""
    chance = random.Random(seed)
    keys = ("".join(chance.choices("abcdefghijklmnop", k=10)) for _ in range(count))
    return json.dumps({key: {"n": 1, "s": "x"} for key in keys}).encode()


def nested(levels: int, pairs: int) -> bytes:
    return b"[" * levels + b",".join([b"[[1]]"] * pairs) + b"]" * levels


def _lists(count: int) -> bytes:
    return b"[" + b",".join([b"[[1]]"] * count) + b"]"


def filled(piece: str, size: int = 900_000, around: str = '{"text": "%s"}') -> bytes:
    return (around % (piece * (size // len(piece)))).encode()


def numbers(kind: str, size: int = 1_000_000) -> bytes:
    return ("[" + ",".join([kind] * (size // (len(kind) + 1))) + "]").encode()


def records(size: int = 900_000) -> list[dict[str, Any]]:
    return [
        {
            "id": n,
            "number": f"SO-{n:06}",
            "total": n / 8,
            "note": None,
            "customer": {"name": f"Name {n}", "city": "Köln"},
        }
        for n in range(size // 120)
    ]


ENCODED: Final = "".join(f"%{ord(letter):02x}" for letter in SECRETS["token"])
SHAPES: Final[dict[str, tuple[bytes, bytes]]] = {
    "20,000 ids, others each call": (ids(20_000, 1), ids(20_000, 2)),
    "20,000 ids, the same": (ids(20_000, 1), ids(20_000, 1)),
    "1,000 ids, others each call": (ids(1_000, 1), ids(1_000, 2)),
    "95 levels, 150,000 [[1]]": (nested(95, 150_000), nested(95, 150_000)),
    "95 levels around 200 KB": (nested(95, 33_000), nested(95, 33_000)),
    "0.9 MB of {}": (b"[" + b"{}," * 299_999 + b"{}]",) * 2,
    "0.9 MB of [[[]]]": (b"[" + b"[[[]]]," * 128_999 + b"[]]",) * 2,
    "45,000 flat keys": (json.dumps({f"key{n:08}": n for n in range(45_000)}).encode(),) * 2,
    "one text, 900 KB": (filled("All good things. "),) * 2,
    "one text, 900 KB, no words": (filled("A"),) * 2,
    "one text, 900 KB of \\u0041": (filled("\\u0041"),) * 2,
    "one text, 900 KB of \\n": (filled("\\n"),) * 2,
    "one text, 900 KB of %41": (filled("%41"),) * 2,
    "a name, 900 KB of %41": (filled("%41", around='{"%s": 1}'),) * 2,
    "a name, 900 KB of \\u0041": (filled("\\\\u0041", around='{"%s": 1}'),) * 2,
    "many texts, 900 KB": (json.dumps([f"text {n}" for n in range(65_000)]).encode(),) * 2,
    "1 MB of whole numbers": (numbers("1234567"),) * 2,
    "1 MB of one digit": (numbers("7"),) * 2,
    "1 MB of decimals": (numbers("12.5"),) * 2,
    "1 MB of 1e5": (numbers("1e5"),) * 2,
    "1 MB with one -0": (numbers("7")[:-1] + b",-0]",) * 2,
    "records, 900 KB": (json.dumps(records(), ensure_ascii=False).encode(),) * 2,
    "records on many lines": (json.dumps(records(600_000), indent=2).encode()[:1_000_000],) * 2,
    "echoed secrets, 900 KB": (json.dumps({"a": [*SECRETS.values()] * 12_000}).encode(),) * 2,
    "1 MB of 1.5e10": (numbers("1.5e10"),) * 2,
    "1 MB of 1e-300": (numbers("1e-300"),) * 2,
    "1 MB of 1e999": (numbers("1e999"),) * 2,
    "1 MB of 0.0000001": (numbers("0.0000001"),) * 2,
    "1 MB of -0": (numbers("-0"),) * 2,
    "1 MB of NaN": (numbers("NaN"),) * 2,
    "one number, 900 KB": (b'{"a":' + b"9" * 900_000 + b"}",) * 2,
    "records in Latin-1": (json.dumps(records(), ensure_ascii=False).encode("latin-1"),) * 2,
    "one text in Latin-1": (filled("\u00e4", 400_000).decode().encode("latin-1"),) * 2,
    "a name, 900 KB of %": (filled("%", around='{"%s": 1}'),) * 2,
    "a name, 900 KB of &": (filled("&", around='{"%s": 1}'),) * 2,
    "a name, 900 KB of Base64 lines": (filled("QUJDREVGR0hJSktM" * 4 + "\\n", around='{"%s": 1}'),) * 2,
    "echoed secrets, encoded": (json.dumps({"a": [ENCODED] * 9_000}).encode(),) * 2,
    "a list of one object each": (json.dumps({f"n{n:05}": [{"a": 1, "b": "x"}] for n in range(30_000)}).encode(),) * 2,
    "secrets as names": (json.dumps({f"{n}-{SECRETS['token']}": 1 for n in range(18_000)}).encode(),) * 2,
}


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
