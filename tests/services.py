"""PostgreSQL, Redis, nginx and Caddy from Debian's packages, started for the tests on sockets of their own and stopped after them."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
import redis
import requests

from tests.server import ROOT, free_port


class Absent(Exception):
    """The service cannot be started here. The text says what is missing."""


def _program(name: str) -> str:
    places = [
        *Path("/usr/lib/postgresql").glob("*/bin"),
        *map(Path, os.environ.get("PATH", "").split(":")),
        Path("/usr/sbin"),
    ]
    for place in sorted(places, key=lambda place: "/usr/lib/postgresql" not in str(place)):
        if (place / name).is_file() and os.access(place / name, os.X_OK):
            return str(place / name)
    raise Absent(f"{name} is not installed")


def _state(pid: int) -> str:
    """One letter, T for stopped (proc(5)); a signal is on its way for a moment."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


_SETTINGS = (
    "listen_addresses=127.0.0.1", "max_connections=300", "fsync=off", "full_page_writes=off", "synchronous_commit=off",
    # For replicas, of which there are none; less is written.
    "wal_level=minimal", "max_wal_senders=0",
    # Of use to a database that lives on: a test's has ended long before.
    "autovacuum=off",
    # Looked through with each database that is made or dropped.
    "shared_buffers=16MB",
)  # fmt: skip
_IN_MEMORY = Path("/dev/shm")
_ROOM = 1 << 30
"""Bytes that must be free there: a cluster takes some 60 MB, and 8 MB more for each database that is not dropped."""


def _where() -> Path | None:
    """Memory, where there is room: nothing of it is kept. None for the usual folder."""
    try:
        return _IN_MEMORY if shutil.disk_usage(_IN_MEMORY).free > _ROOM else None
    except OSError:
        return None


class PostgreSQL:
    """A cluster in a temporary folder. PostgreSQL refuses to run as root, so there it runs as its own user."""

    def __init__(self) -> None:
        initdb, server = _program("initdb"), _program("postgres")
        self._folder = Path(tempfile.mkdtemp(prefix="httpstep-pg-", dir=_where()))
        self._as = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
        if self._as:
            shutil.chown(self._folder, "postgres")
        data = str(self._folder / "data")
        try:
            subprocess.run(
                [*self._as, initdb, "-D", data, "-U", "test", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8"],
                check=True, capture_output=True,
            )  # fmt: skip
        except (subprocess.CalledProcessError, OSError) as error:
            raise Absent(f"initdb failed: {getattr(error, 'stderr', error)!r}") from error
        self.port = free_port()
        settings = [word for one in _SETTINGS for word in ("-c", one)]
        self._command = [*self._as, server, "-D", data, "-p", str(self.port), "-k", str(self._folder), *settings]
        self._made = 0
        self.resume()

    def resume(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._wait()

    def pause(self) -> None:
        """End it at once, connections and all (SIGINT: fast shutdown)."""
        self._process.send_signal(signal.SIGINT)
        self._process.wait(60)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Every process of the server stands still; the kernel goes on accepting its connections.

        The first one stops first and goes on last: it starts and buries the others, and a session may be at its end.
        """
        first = self._process.pid
        os.kill(first, signal.SIGSTOP)
        others: list[int] = []
        try:
            while _state(first) not in "Tt":
                time.sleep(0.005)
            others = list(map(int, Path(f"/proc/{first}/task/{first}/children").read_text().split()))
            for pid in others:
                os.kill(pid, signal.SIGSTOP)
            yield
        finally:
            for pid in (*others, first):
                os.kill(pid, signal.SIGCONT)

    def _wait(self) -> None:
        ends = time.monotonic() + 60
        while time.monotonic() < ends:
            try:
                self.run("SELECT 1")
                return
            except psycopg.OperationalError:
                time.sleep(0.1)
        raise Absent("PostgreSQL does not answer")

    def run(self, statement: str) -> None:
        with psycopg.connect(self._address("postgres"), autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[call-overload]

    def set_read_only(self, value: str) -> None:
        """'on' or 'off' for all transactions of new sessions, and no others are left when this returns."""
        self.run(f"ALTER SYSTEM SET default_transaction_read_only = {value}")
        self.run("SELECT pg_reload_conf()")
        self._until(lambda: self.asked("SHOW default_transaction_read_only") == value)
        others = f"FROM pg_stat_activity WHERE datname <> '' AND backend_start < '{self.asked('SELECT now()')}'"
        self.run(f"SELECT pg_terminate_backend(pid) {others}")
        self._until(lambda: self.asked(f"SELECT count(*) {others}") == 0)

    def asked(self, query: str) -> Any:
        with psycopg.connect(self._address("postgres"), autocommit=True) as connection:
            row = connection.execute(query).fetchone()  # type: ignore[call-overload]
            return row and row[0]

    def _until(self, done: Callable[[], bool]) -> None:
        ends = time.monotonic() + 60
        while not done():
            assert time.monotonic() < ends, "PostgreSQL does not do what it is told"
            time.sleep(0.05)

    def _address(self, name: str) -> str:
        return f"postgresql://test@127.0.0.1:{self.port}/{name}"

    def new_database(self, *, empty: bool = False, template: str = "test1") -> str:
        """The URL of a new database: a copy of the first one, once that was prepared, or of `template`, or an empty one."""
        self._made += 1
        # As files, which are there as soon as they are copied, with what a session would read from the catalogue first.
        copied = f" TEMPLATE {template} STRATEGY FILE_COPY" if self._made > 1 and not empty else ""
        self.run(f"CREATE DATABASE test{self._made}{copied}")
        return self._address(f"test{self._made}").replace("postgresql://", "postgresql+psycopg://")

    def drop(self, url: str) -> None:
        """A database that new_database made, whoever still uses it."""
        self.run(f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)")

    def stop(self) -> None:
        self.pause()
        shutil.rmtree(self._folder, ignore_errors=True)


class Redis:
    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._command = [_program("redis-server"), "--port", str(self.port), "--save", "", "--bind", "127.0.0.1"]
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        ends = time.monotonic() + 60
        while time.monotonic() < ends:
            try:
                redis.Redis(port=self.port).ping()
                return
            except redis.ConnectionError:
                time.sleep(0.05)
        raise Absent("Redis does not answer")

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """It stands still; the kernel goes on accepting its connections."""
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(60)


_NGINX = """
daemon off; pid {folder}/pid; error_log {folder}/errors; worker_processes 2;
events {{ worker_connections 1024; }}
http {{
  log_format one '$request_method $request_uri'; access_log {folder}/requests one;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  keepalive_timeout 1; keepalive_requests 3; default_type application/json;
  server {{
    listen 127.0.0.1:{port}; absolute_redirect off;
    location /old {{ return 302 /new$is_args$args; }}
    location /lost {{ if ($connection_requests = 2) {{ return 444; }} return 200 '{{"a": 1}}'; }}
    location / {{ return 200 '{{"a": 1}}'; }}
  }}
}}
"""


class Nginx:
    """Answers everything with {"a": 1}, /old with a redirect to /new, and keeps connections for a second and three requests.

    Of /lost it drops the connection without an answer where that is the second request on it (nginx's 444).
    """

    def __init__(self, settings_text: str = _NGINX, **values: object) -> None:
        program = _program("nginx")
        self.port = free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="httpstep-nginx-"))
        self._folder.chmod(0o755)
        settings = self._folder / "nginx.conf"
        settings.write_text(settings_text.format(folder=self._folder, port=self.port, **values))
        self._process = subprocess.Popen(
            [program, "-c", str(settings), "-e", str(self._folder / "errors")],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        ends = time.monotonic() + 60
        while time.monotonic() < ends and self._process.poll() is None:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 5):
                return
            time.sleep(0.05)
        self.stop()
        raise Absent("nginx does not start")

    def url(self, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def requests(self) -> list[str]:
        """Every request it has answered, or gave up: "GET /new?n=1"."""
        return (self._folder / "requests").read_text().splitlines()

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(60)
        shutil.rmtree(self._folder, ignore_errors=True)


class Caddy:
    """The Caddyfile of `packaging/` before a server on loopback, at https://localhost with certificates of its own making."""

    def __init__(self, target: int) -> None:
        program = _program("caddy")
        self.port, plain = free_port(), free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="httpstep-caddy-"))
        text = (ROOT / "packaging/Caddyfile").read_text(encoding="utf-8")
        assert "httpstep:8080" in text
        options = f"{{\nadmin off\nhttp_port {plain}\nhttps_port {self.port}\nskip_install_trust\nlocal_certs\n}}\n"
        settings = self._folder / "Caddyfile"
        settings.write_text(options + text.replace("httpstep:8080", f"127.0.0.1:{target}"))
        places = {"XDG_DATA_HOME": str(self._folder), "XDG_CONFIG_HOME": str(self._folder), "HOME": str(self._folder)}
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [program, "run", "--config", str(settings), "--adapter", "caddyfile"], stdout=log, stderr=log,
                env=os.environ | places | {"SITE": "localhost"},
            )  # fmt: skip
        self.url, self.authority = (
            f"https://localhost:{self.port}",
            self._folder / "caddy/pki/authorities/local/root.crt",
        )
        ends = time.monotonic() + 60
        while time.monotonic() < ends and self._process.poll() is None:
            with suppress(OSError, requests.RequestException):
                requests.get(f"{self.url}/health", verify=str(self.authority), timeout=5)
                return
            time.sleep(0.05)
        told = (self._folder / "log").read_text()
        self.stop()
        raise Absent(f"Caddy does not start: {told[-500:]}")

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(60)
        shutil.rmtree(self._folder, ignore_errors=True)
