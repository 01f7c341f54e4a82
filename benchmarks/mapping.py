"""What reading, shaping and mapping an answer costs, beside `json.loads` alone, in one run on one core; then how many
rules Re-map leaves right after real and generated changes, with one press and with one choice in each row that asks.

    .venv/bin/python -m benchmarks.mapping

Answers of 20 KB, 200 KB and 1 MB: records as a shop sends them, and lists of `{}`. Records are walked three times: read,
shaped, and measured where a rule takes their whole list. That is 3 times `json.loads` of 20 KB and 2.5 to 2.7 of more;
it fails beyond 3.5. Each figure is the best of several rounds, the two taken in turn, so that a busy machine hits both.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from time import perf_counter, thread_time

from benchmarks import api_changes
from httpstep.core.answer.automatic import automatic_rules
from httpstep.core.answer.mapping import CallFacts, apply_rules
from httpstep.core.drift.structure import compare, shape_of
from httpstep.core.jsontext import dumps, loads
from httpstep.core.query.jsonpath import find
from httpstep.core.step.spec import MappingRule
from tests.core.drifting import drifted

SIZES = {"20 KB": 20_000, "200 KB": 200_000, "1 MB": 1_000_000}
TARGET = 3.5
QUERIES = (
    "$.data[*].total",
    "$.data[?@.status=='open' && @.total>500].number",
    "$..sku",
    "$.data[?search(@.number,'7.8')]",
)
CALL = CallFacts(status=200, error=None, duration_ms=1, headers=())


def records(size: int) -> bytes:
    """An answer of about that many bytes: orders with numbers, texts, a list and an object each."""
    chance = random.Random(size)
    orders: list[object] = []
    length = 0
    while length < size:
        order = {
            "id": chance.randint(10**8, 10**9),
            "number": f"SO-{len(orders):06}",
            "status": chance.choice(("open", "shipped", "delivered")),
            "total": chance.randint(100, 99999) / 100,
            "paid": chance.random() < 0.5,
            "note": None,
            "customer": {"name": f"Customer {len(orders)}", "email": f"c{len(orders)}@shop.example", "city": "Köln"},
            "tags": ["a", "b"],
            "items": [{"sku": f"A-{n}", "quantity": n, "price": chance.randint(1, 9999) / 100} for n in range(2)],
        }
        orders.append(order)
        length += len(json.dumps(order, ensure_ascii=False)) + 2
    return json.dumps({"data": orders, "page": 1}, ensure_ascii=False).encode()


def empty_objects(size: int) -> bytes:
    return b"[" + b"{}," * (size // 3 - 1) + b"{}]"


def line(data: bytes, rules: tuple[MappingRule, ...]) -> None:
    """What a live call does with its answer."""
    document = loads(data)
    shape_of(document)
    apply_rules(rules, document, True, CALL)


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def in_turn(*works: Callable[[], object], seconds: float = 1.5) -> list[float]:
    """The best time of each in milliseconds of its own: what others take of the processor meanwhile is not counted."""
    best = [float("inf")] * len(works)
    end = perf_counter() + seconds * len(works)
    while perf_counter() < end:
        for number, work in enumerate(works):
            begun = thread_time()
            work()
            best[number] = min(best[number], (thread_time() - begun) * 1000)
    return best


def report(name: str, data: bytes) -> float:
    document = loads(data)
    rules = automatic_rules(document, step_key="orders")
    shape = shape_of(document)
    bare, whole, read, shaped, mapped, compared, written = in_turn(
        lambda: json.loads(data),
        lambda: line(data, rules),
        lambda: loads(data),
        lambda: shape_of(document),
        lambda: apply_rules(rules, document, True, CALL),
        lambda: compare(shape, shape, rules),
        lambda: dumps(document),
    )
    say(
        f"{name:24}{len(data):>10,}{bare:>12.2f}{whole:>10.2f}{whole / bare:>8.2f}"
        f"{read:>10.2f}{shaped:>8.2f}{mapped:>8.2f}{compared:>9.2f}{written:>8.2f}"
    )
    return whole / bare


def generated() -> list[api_changes.Change]:
    found = [drifted(seed) for seed in range(300)]
    return [
        api_changes.Change("", one.old, one.new, {path: truth for path, (truth, _) in one.truth.items()})
        for one in found
    ]


def other_values(found: list[api_changes.Change]) -> list[api_changes.Change]:
    return [replace(change, after=api_changes.scrambled(change.after)) for change in found]


def report_remapping() -> int:
    """Prints right, asked, wrong; returns how many were chosen wrongly beforehand."""
    real = list(api_changes.changes())
    back = [api_changes.backwards(change) for change in real]
    say(f"{'rules after a change':34}{'rules':>7}{'right':>8}{'with a choice':>15}{'asked':>7}{'silently wrong':>16}")
    silent = 0
    for name, found in (
        (f"{len(real)} of real APIs, same values", real),
        (f"{len(real)} of real APIs, other values", other_values(real)),
        ("the same backwards, same values", back),
        ("the same backwards, other values", other_values(back)),
        ("300 generated", generated()),
    ):
        told = api_changes.score(found)
        silent += told.silent
        say(
            f"{name:34}{told.rules:>7}{told.right / told.rules:>8.1%}{told.with_a_choice:>15.1%}"
            f"{told.asked:>7}{told.silent:>16}"
        )
    return silent


def main() -> int:
    say(
        f"{'milliseconds':24}{'bytes':>10}{'json.loads':>12}{'all':>10}{'times':>8}"
        f"{'read':>10}{'shape':>8}{'map':>8}{'compare':>9}{'write':>8}"
    )
    ratios = [report(f"records, {name}", records(size)) for name, size in SIZES.items()]
    report("{} only, 1 MB", empty_objects(SIZES["1 MB"]))
    document = loads(records(SIZES["1 MB"]))
    for query in QUERIES:
        (spent,) = in_turn(partial(find, query, document), seconds=0.5)
        say(f"{spent:8.2f} ms on 1 MB: {query}")
    say(f"worst of the records: {max(ratios):.2f} times json.loads, target {TARGET}")
    silent = report_remapping()
    return 0 if max(ratios) <= TARGET and not silent else 1


if __name__ == "__main__":
    sys.exit(main())
