"""What the two heaviest pages cost: the list with 1,000 steps and 20 calls each, and the editor with an answer of 1 MB.

    .venv/bin/python -m benchmarks.pages

Server time is what the application itself works, without a network, the median of several, as CPU time, which other work
on the machine disturbs least; bytes are what a browser that
takes gzip gets for the page, and for the first visit with all its scripts and styles. Targets: 100 ms and 100 KB.
"""

from __future__ import annotations

import re
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Final

from msgspec.structs import replace
from werkzeug.test import TestResponse

from benchmarks.mapping import records
from httpstep.core.document import stepdocument
from httpstep.core.exchange import HttpResponse
from httpstep.storage import steps
from tests.fakes import ThirdParty, answer
from tests.house import House, document
from tests.web.conftest import Browser, Web
from tests.web.screen import open_step

STEPS: Final = 1000
CALLS: Final = 20
ROUNDS: Final = 9
MAX_MS: Final = 100
MAX_KB: Final = 100
_GZIP: Final = {"Accept-Encoding": "gzip"}
_STATIC: Final = re.compile(r'(?:href|src)="([^"]*/static/[^"#]+)')


def _large() -> HttpResponse:
    return replace(answer(200), body=records(1_000_000))


def prepare(folder: Path) -> Web:
    """The people, a step whose last test got 1 MB, and 999 others with 20 calls each."""
    house = House(folder, ThirdParty(_large()))
    house.limit(1000)
    web = Web(house)
    rules = [{"path": ["data", n, "number"], "attribute": f"number_{n}"} for n in range(5)]
    specs = [stepdocument.parse(document(f"step-{n:04}", mapping=rules)) for n in range(STEPS)]
    with house.app.app_context():
        steps.save_all(house.account(), specs, by="", now=time.time())
    assert house.execute("step-0000").json["outcome"] == "success"
    assert open_step(web.as_("alice")).set("value:order.id", "42").fragment("test").status_code == 200
    _copy_calls(folder / "httpstep.db")
    return web


def _copy_calls(file: Path) -> None:
    """The one call, twenty times for each of the others, without its large answer, which no list reads."""
    with sqlite3.connect(file) as database:
        left_out = {"id", "step_id", "response_body", "structure"}
        names = {row[1] for row in database.execute("pragma table_info(logs)")} - left_out
        copied = ", ".join(names)
        numbers = f"with recursive times(n) as (select 1 union all select n + 1 from times where n < {CALLS}), "
        numbers += "there(id) as (select id from steps where key <> 'step-0000')"
        rows = f"{numbers} select there.id, {copied} from logs, there, times where source = 'bot'"
        database.execute(f"insert into logs (step_id, {copied}) {rows}")


def measure(name: str, ask: Callable[[], TestResponse]) -> bool:
    """A line of the table; gives whether it is within the targets."""
    ask()
    spent, page = [], ask()
    for _ in range(ROUNDS):
        began = time.thread_time()
        page = ask()
        spent.append((time.thread_time() - began) * 1000)
    assert page.status_code == 200, page.text
    ms, sent = statistics.median(spent), len(page.data) / 1000
    sys.stdout.write(f"{name:40}{ms:8.1f} ms{sent:9.1f} KB\n")
    return ms <= MAX_MS and sent <= MAX_KB


def first_visit(browser: Browser, path: str) -> float:
    """KB of the page with all that its head names, none of it in the browser's cache."""
    page = browser.get(path, headers=_GZIP)
    plain = browser.get(path).text
    parts = {unescape(found) for found in _STATIC.findall(plain)}
    return (len(page.data) + sum(len(browser.get(one, headers=_GZIP).data) for one in parts)) / 1000


def main() -> int:
    with tempfile.TemporaryDirectory() as temporary:
        browser = prepare(Path(temporary) / "data").as_("alice")
        screen = open_step(browser).set("value:order.id", "42")
        pages = {
            f"list of {STEPS:,} steps": lambda: browser.get("/steps", headers=_GZIP),
            "its table, searched": lambda: browser.get("/steps/list?q=step-09", headers=_GZIP),
            "Test with an answer of 1 MB": lambda: browser.htmx(
                "POST", "/steps/1/test", data=screen.data(), headers=_GZIP
            ),
            "its whole page, without scripts": lambda: browser.client.post(
                "/steps/1", data=screen.data(op="test"), headers=_GZIP
            ),
            "editor after it": lambda: browser.get("/steps/1", headers=_GZIP),
        }
        good = [measure(name, ask) for name, ask in pages.items()]
        for path in ("/steps", "/steps/1"):
            sys.stdout.write(f"{'first visit of ' + path:40}{'':11}{first_visit(browser, path):9.1f} KB\n")
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
