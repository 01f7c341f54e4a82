"""A real nginx that keeps connections for a second and three requests: no call is lost to it, and none is made twice."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from httpstep.core.errors import SendError
from httpstep.core.exchange import HttpResponse
from tests.services import Nginx
from tests.transport.conftest import wait_until

CallIt = Callable[..., HttpResponse]
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")


def all_of(work: Callable[[int], None], threads: int) -> None:
    started = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()


def asked(call: CallIt, failures: list[str], url: str, **options: Any) -> None:
    try:
        answer = call(url, **options)
    except SendError as error:
        failures.append(f"{url} {error.message}")
    else:
        if answer.body != b'{"a": 1}':
            failures.append(f"{url} {answer}")


def test_300_calls_and_200_redirects_all_arrive(call: CallIt, nginx: Nginx) -> None:
    """Thirty callers at once, each again about when nginx closes what it had kept for him: a second later."""
    failures: list[str] = []

    def work(number: int) -> None:
        for turn in range(10):
            asked(call, failures, nginx.url(f"/plain?n={number}.{turn}"), account=str(number))
            if number < 20:
                asked(call, failures, nginx.url(f"/old?n={number}.{turn}"), account=str(number))
            if turn % 3 == 2:
                time.sleep(0.985 + number * 0.001)

    all_of(work, 30)
    assert failures == []
    wait_until(lambda: len(nginx.requests()) >= 700)
    arrived = Counter(line.split("?")[0] for line in nginx.requests())
    assert {name: count >= most for name, count, most in [
        (path, arrived[f"GET /{path}"], most) for path, most in (("plain", 300), ("old", 200), ("new", 200))
    ]} == {"plain": True, "old": True, "new": True}  # fmt: skip


def test_what_does_something_arrives_at_most_once(call: CallIt, nginx: Nginx) -> None:
    failures: list[str] = []

    def work(number: int) -> None:
        for turn in range(10):
            url = nginx.url(f"/orders?n={number}.{turn}")
            asked(call, failures, url, method=UNSAFE[(number + turn) % 4], body=b"order=1", account=str(number))
            if turn % 3 == 2:
                time.sleep(0.985 + number * 0.001)

    all_of(work, 30)
    wait_until(lambda: len(nginx.requests()) >= 300 - len(failures))
    arrived = Counter(line for line in nginx.requests() if not line.startswith("GET"))
    assert max(arrived.values()) == 1
    assert len(arrived) >= 300 - len(failures)
    assert {line.split()[0] for line in arrived} == set(UNSAFE)


def test_what_it_drops_on_a_kept_connection_is_asked_again_only_where_that_is_safe(call: CallIt, nginx: Nginx) -> None:
    lost, again = 0, 0
    for number in range(120):
        method = ("GET", "HEAD", *UNSAFE)[number % 6]
        try:
            again += len(call(nginx.url(f"/lost?n={number}"), method=method).trace.notes)
        except SendError as error:
            assert method in UNSAFE, error
            lost += 1
    wait_until(lambda: len(nginx.requests()) == 120 + again)
    arrived = Counter(nginx.requests())
    assert lost > 0 and again > 0
    assert len(arrived) == 120
    assert all(count == 1 for line, count in arrived.items() if line.startswith(UNSAFE))
    assert sum(count - 1 for count in arrived.values()) == again
