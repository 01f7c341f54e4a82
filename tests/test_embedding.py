"""httpstep in the process of somebody else's Flask application (docs/embedding.md), from a checkout and installed."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import Flask, session
from pytest_httpserver import HTTPServer
from sqlalchemy import select
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client

import httpstep
from httpstep.extensions import db
from httpstep.storage import logs
from httpstep.storage.tables import Account
from tests.installed import environ_of, install
from tests.server import ROOT, free_port

PASSWORD = "correct horse battery"


@contextmanager
def made(folder: Path, **variables: Any) -> Iterator[Flask]:
    app = httpstep.create_app(data=folder, **variables)
    try:
        yield app
    finally:
        app.extensions["httpstep.served"].close()
        with app.app_context():
            db.engine.dispose()


def browser(app: Flask, *paths: str) -> Client:
    host = Flask("bot")
    host.secret_key = "a key of the host's own"
    return Client(DispatcherMiddleware(host, dict.fromkeys(paths, app)))


def sign_in(client: Client, path: str, email: str = "ana@example.com", password: str = PASSWORD) -> int:
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(f"{path}/login").text)
    assert found
    form = {"email": email, "password": password, "csrf_token": found[1]}
    return client.post(f"{path}/login", data=form).status_code


ADMIN = {"admin_email": "ana@example.com", "admin_password": PASSWORD}


def test_it_is_ready_from_an_empty_folder(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with made(tmp_path / "new" / "data") as app:
        client = browser(app, "/steps")
        assert client.get("/steps/health").json == {"status": "ok"}
        assert client.get("/steps/").location == "/steps/setup"
        assert re.search(r"open /setup of httpstep and enter the one-time code \S{19}", caplog.text)
        with app.app_context():
            assert db.session.scalars(select(Account.slug)).all() == ["default"]
        assert {"vault.key", "session.key"} <= {file.name for file in (tmp_path / "new" / "data").iterdir()}


def test_the_page_for_the_first_user_is_named_as_people_open_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with made(tmp_path / "data", base_url="https://bot.example.com/steps"):
        assert re.search(r"open https://bot.example.com/steps/setup and enter the one-time code", caplog.text)


def test_what_does_not_fit_is_an_exception_with_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    file.write_text("no folder")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "httpstep.db").write_bytes(b"no database " * 1000)
    for wrong, words in (
        ({"data": file}, "HTTPSTEP_DATA: "),
        ({"data": tmp_path / "a", "datas": "x"}, "Unknown variable HTTPSTEP_DATAS. Did you mean HTTPSTEP_DATA?"),
        ({"data": tmp_path / "a", "base_url": "ftp://x"}, "HTTPSTEP_BASE_URL"),
        ({"data": tmp_path / "broken"}, "damaged"),
        ({"data": tmp_path / "a", "database_url": "postgresql+psycopg://u:hunter2@127.0.0.1:1/x"}, "cannot be opened"),
    ):
        with pytest.raises(httpstep.StartError, match=re.escape(words)) as raised:
            httpstep.create_app(**wrong)
        assert "hunter2" not in str(raised.value)
    monkeypatch.setenv("HTTPSTEP_KEY", "hs_of_the_bot")
    monkeypatch.setenv("FLASK_DEBUG", "1")
    with made(tmp_path / "data") as app:
        assert not app.debug


def test_two_in_one_process_share_nothing(tmp_path: Path) -> None:
    with made(tmp_path / "a", **ADMIN) as one, made(tmp_path / "b", **ADMIN) as other:
        shared = [name for name in one.extensions if one.extensions[name] is other.extensions[name]]
        assert shared == ["sqlalchemy"], "which has an engine for each"
        clients = browser(one, "/steps"), browser(other, "/steps")
        tries = [sign_in(clients[0], "/steps", password="wrong") for _ in range(6)]
        assert tries == [422] * 5 + [429]
        assert sign_in(clients[1], "/steps") == 303
        assert one.secret_key != other.secret_key


def test_the_hosts_session_and_its_remember_cookie_are_not_ours(tmp_path: Path) -> None:
    """Flask-Login looks for a session by its own cookie first; found, ours was never asked for."""
    with made(tmp_path / "a", **ADMIN) as app:
        client = browser(app, "/steps")
        for name in ("session", "remember_token"):
            client.set_cookie(name, "the host's|0123")
        assert sign_in(client, "/steps") == 303
        assert client.get("/steps/steps").status_code == 200


def _host_that_knows_people(*paths: tuple[str, Flask]) -> Client:
    """A host with a session of its own under the usual name, its own key, and a user whose id is one of ours."""
    host = Flask("bot")
    host.secret_key = "a key of the host's own"

    @host.get("/enter")
    def enter() -> str:
        session.update(_user_id="1", _fresh=True, _id="x", basket=["tea"])
        return "in"

    @host.get("/who")
    def who() -> dict[str, Any]:
        return dict(session)

    return Client(DispatcherMiddleware(host, dict(paths)))


def test_who_is_signed_in_at_the_host_is_not_with_us_and_stays_signed_in_there(tmp_path: Path) -> None:
    with made(tmp_path / "a", **ADMIN) as app:
        client = _host_that_knows_people(("/steps", app))
        client.get("/enter")
        before = client.get("/who").json
        assert client.get("/steps/steps").location == "/steps/login?next=/steps"
        assert sign_in(client, "/steps") == 303
        page = client.get("/steps/steps")
        assert page.status_code == 200 and client.get("/who").json == before
        found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
        assert found and client.post("/steps/logout", data={"csrf_token": found[1]}).status_code == 303
        assert client.get("/steps/steps").location == "/steps/login?next=/steps"
        assert client.get("/who").json == before and before["basket"] == ["tea"]


def test_two_of_them_in_one_host_have_users_of_their_own(tmp_path: Path) -> None:
    with made(tmp_path / "a", **ADMIN) as one, made(tmp_path / "b", **ADMIN) as other:
        client = _host_that_knows_people(("/a", one), ("/b", other))
        assert sign_in(client, "/a") == 303
        assert (client.get("/a/steps").status_code, client.get("/b/steps").location) == (200, "/b/login?next=/steps")
        assert sign_in(client, "/b") == 303
        assert client.get("/a/steps").status_code == client.get("/b/steps").status_code == 200


def test_mounted_elsewhere_than_its_base_url_says_it_says_so(tmp_path: Path) -> None:
    with made(tmp_path / "a", base_url="https://bot.example/steps") as app:
        refused = browser(app, "/other").get("/other/api/v1/steps")
        assert refused.status_code == 404 and "below “/other”, but HTTPSTEP_BASE_URL says" in refused.json["detail"]
        assert browser(app, "/steps").get("/steps/setup").status_code == 200


def test_mounted_twice_a_browser_signs_in_at_each_path(tmp_path: Path) -> None:
    with made(tmp_path / "a", **ADMIN) as app:
        client = browser(app, "/a", "/b")
        assert sign_in(client, "/a") == 303
        assert (client.get("/a/steps").status_code, client.get("/b/steps").location) == (200, "/b/login?next=/steps")
        assert sign_in(client, "/b") == 303
        assert client.get("/a/steps").status_code == client.get("/b/steps").status_code == 200


def test_made_twice_on_one_folder_the_second_leaves_the_calls_of_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    closed: list[str] = []
    monkeypatch.setattr(logs, "interrupt", lambda instance, pid=None: closed.append(instance) or 0)
    with made(tmp_path / "a") as one:
        assert len(closed) == 1
        with made(tmp_path / "a") as two:
            assert len(closed) == 1 and caplog.text.count("one-time code") == 1
            assert browser(one, "/x").get("/x/health").status_code == 200
            assert browser(two, "/x").get("/x/health").status_code == 200


# ---------------------------------------------------------------- installed


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("site")
    install(tmp_path_factory.mktemp("source"), target)
    return target


def test_everything_is_inside_and_the_checkouts_entry_is_not(site: Path) -> None:
    for name in ("templates", "static", "migrations"):
        files = {
            str(file.relative_to(ROOT / name)) for file in (ROOT / name).rglob("*.*") if "__pycache__" not in str(file)
        }
        assert {one for one in files if not (site / "httpstep" / name / one).exists()} == set()
    entries = {entry.name for entry in site.iterdir()} - {"__pycache__"}
    assert entries == {"bin", "httpstep", "httpstep_client.py", f"httpstep-{httpstep.__version__}.dist-info"}


def test_installed_it_mounts_in_a_host_whose_module_is_named_app(site: Path, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(
        textwrap.dedent("""
        from flask import Flask
        from werkzeug.middleware.dispatcher import DispatcherMiddleware
        from httpstep import create_app
        import httpstep, sys

        app = Flask(__name__)
        app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/steps": create_app(data="steps-data")})

        @app.get("/")
        def mine():
            return "the host's own page"

        client = app.test_client()
        assert client.get("/").text == "the host's own page"
        page = client.get("/steps/setup")
        assert page.status_code == 200 and "/steps/static/app.css" in page.text, page.text
        assert client.get("/steps/static/app.css", buffered=True).status_code == 200
        print(httpstep.__file__, sys.modules["__main__"].__file__)
        """)
    )
    ran = subprocess.run(
        [sys.executable, "app.py"],
        cwd=tmp_path,
        env=environ_of(site),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0 and ran.stdout.startswith(str(site)), ran.stdout + ran.stderr
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["app.py", "steps-data"]


def command(site: Path, folder: Path, *arguments: str, **more: str) -> str:
    environ = environ_of(site, HTTPSTEP_DATA=str(folder / "steps-data"), **more)
    ran = subprocess.run(
        [sys.executable, site / "bin/httpstep", *arguments], cwd=folder, env=environ, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout.strip()


def test_the_example_bot_answers_from_a_step(site: Path, tmp_path: Path, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/orders/1001").respond_with_json({"status": "shipped"})
    step = (
        (ROOT / "examples/order-status.json").read_text().replace("https://shop.example", httpserver.url_for("")[:-1])
    )
    (tmp_path / "order-status.json").write_text(step)
    command(site, tmp_path, "step", "import", "order-status.json")
    port = free_port()
    environ = environ_of(
        site, BOT_ADDRESS=f"http://127.0.0.1:{port}", HTTPSTEP_ALLOW_NETWORKS="127.0.0.1,::1",
        HTTPSTEP_KEY=command(site, tmp_path, "key", "create", "--name", "bot"),
    )  # fmt: skip
    with subprocess.Popen(
        [sys.executable, ROOT / "examples/flask_bot.py"], cwd=tmp_path, env=environ, stderr=subprocess.DEVNULL
    ) as bot:
        try:
            assert ask(port, "Hello") == "Which order? Send me its number."
            assert ask(port, "Where is order 1001?") == "Your order is shipped."
            assert ask(port, "Where is order 7?") == "I cannot look that up just now."
        finally:
            bot.kill()


def ask(port: int, text: str) -> str:
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        with suppress(requests.ConnectionError):
            answer = requests.post(f"http://127.0.0.1:{port}/webhook", json={"text": text}, timeout=90)
            return str(answer.json()["reply"])
        time.sleep(0.1)
    raise AssertionError("the bot does not answer")
