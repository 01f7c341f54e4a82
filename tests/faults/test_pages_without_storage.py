"""What a person sees while storage is away: sentences and no traceback, and nothing typed is lost."""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from html import unescape
from pathlib import Path

import pytest
import requests
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from tests.faults.test_storage import third
from tests.faults.visiting import SIGN_IN, Visitor
from tests.server import Server
from tests.services import PostgreSQL
from tests.web.screen import Screen

__all__ = ["third"]
TYPED = "Typed while storage was away"


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Visitor]]:
    with Server(tmp_path_factory.mktemp("pages") / "data", WORKERS="1", **SIGN_IN) as server:
        server.command("account", "limit", "default", "1000")
        yield server, Visitor(server)


@contextmanager
def locked(file: Path) -> Iterator[None]:
    holder = sqlite3.connect(file, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        holder.close()


@contextmanager
def moved(file: Path) -> Iterator[None]:
    away = file.rename(file.with_name("away.db"))
    try:
        yield
    finally:
        away.rename(file)


def says_so(answer: requests.Response, *, fragment: bool) -> bool:
    """Whether an answer is the page, or the fragment that the browser shows, of storage that is away."""
    assert answer.status_code == 503, answer.text
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8", answer.text
    assert "httpstep cannot reach its storage just now" in answer.text
    assert ("X-Fault" in answer.headers, "<html" in answer.text) == (fragment, not fragment)
    assert "Traceback" not in answer.text and "sqlalche" not in answer.text
    return True


def write_everything(visitor: Visitor, path: str, screen: Screen) -> requests.Response:
    """Every button that writes, at once (each is given up after five seconds); returns the answer to the plain Save."""
    with ThreadPoolExecutor() as at_once:
        saved = at_once.submit(visitor.post, path, screen.data(op="save"))
        tested = at_once.submit(visitor.post, path, screen.data(op="test"))
        asked = [at_once.submit(visitor.fragment, f"{path}/{what}", screen.data()) for what in ("save", "test")]
    assert says_so(tested.result(), fragment=False)
    assert all(says_so(one.result(), fragment=True) for one in asked)
    return saved.result()


def sent_again(visitor: Visitor, path: str, offered: requests.Response) -> requests.Response:
    """The button of the page that keeps what was typed."""
    assert says_so(offered, fragment=False)
    assert "What you typed is kept" in offered.text
    kept = re.findall(r'<textarea name="([^"]+)" hidden>\n(.*?)</textarea>', offered.text, re.DOTALL)
    token = re.findall(r'name="csrf_token" value="([^"]+)"', offered.text)[-1]
    data: dict[str, list[str]] = {"csrf_token": [token]}
    for name, value in kept:
        data.setdefault(unescape(name), []).append(unescape(value))
    return visitor.post(path, data)


def test_a_locked_database_keeps_nobody_from_reading_and_loses_nothing_typed(
    sqlite: tuple[Server, Visitor], third: HTTPServer
) -> None:
    server, visitor = sqlite
    path = visitor.make_step(third.url_for("/a"))
    screen = visitor.screen(path).fill(name=TYPED)
    with locked(server.folder / "httpstep.db"):
        assert [visitor.get(page).status_code for page in ("/steps", path, f"{path}/logs", f"{path}/logs/1")] == [
            200
        ] * 4
        refused = write_everything(visitor, path, screen)
    assert sent_again(visitor, path, refused).status_code == 303
    assert TYPED in visitor.get(path).text
    assert len(third.log) == 1


def test_pages_of_a_database_that_is_moved_away_are_sentences(
    sqlite: tuple[Server, Visitor], third: HTTPServer
) -> None:
    server, visitor = sqlite
    look_without_storage(server, visitor, third, partial(moved, server.folder / "httpstep.db"))


def test_pages_of_a_database_server_that_is_stopped_are_sentences(
    tmp_path: Path, third: HTTPServer, postgresql: PostgreSQL | None
) -> None:
    if postgresql is None:
        pytest.skip("PostgreSQL is not here; the summary names it")

    @contextmanager
    def stopped() -> Iterator[None]:
        postgresql.pause()
        try:
            yield
        finally:
            postgresql.resume()

    with Server(tmp_path / "data", WORKERS="1", DATABASE_URL=postgresql.new_database(), **SIGN_IN) as server:
        look_without_storage(server, Visitor(server), third, stopped)


def look_without_storage(server: Server, visitor: Visitor, third: HTTPServer, away: partial[object]) -> None:
    path = visitor.make_step(third.url_for("/a"))
    screen = visitor.screen(path).fill(name=TYPED)
    with away():
        assert all(
            says_so(visitor.get(page), fragment=False) for page in ("/steps", path, "/login", "/settings/account")
        )
        assert all(says_so(visitor.fragment(page), fragment=True) for page in (f"{path}/logs", f"{path}/logs/1"))
        refused = write_everything(visitor, path, screen)
    assert sent_again(visitor, path, refused).status_code == 303
    assert TYPED in visitor.get(path).text
    assert len(third.log) == 1
    assert "could not be drawn" not in server.log.read_text()


def test_a_test_whose_database_goes_during_it_does_not_say_that_no_call_was_made(
    sqlite: tuple[Server, Visitor], httpserver: HTTPServer
) -> None:
    server, visitor = sqlite
    arrived, go = threading.Event(), threading.Event()

    def slow(_request: Request) -> Response:
        arrived.set()
        go.wait(20)
        return Response('{"a": 1}', content_type="application/json")

    httpserver.expect_request("/slow").respond_with_handler(slow)
    screen = visitor.screen("/steps/new").fill(name="Slow", url=httpserver.url_for("/slow"))
    with ThreadPoolExecutor() as beside:
        test = beside.submit(visitor.fragment, "/steps/new/test", screen.data())
        assert arrived.wait(60)
        with moved(server.folder / "httpstep.db"):
            go.set()
            answer = test.result()
    assert says_so(answer, fragment=True)
    assert "The call was made" in answer.text and "No call was made" not in answer.text
    assert len(httpserver.log) == 1
