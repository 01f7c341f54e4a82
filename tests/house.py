"""One application on a fresh data folder, with the few moves that tests repeat.

What every application would do again in the same way is done once in a process of tests: the migrations, whose result is
copied, and the compiling of templates and routes. The product's own code does it, so it follows whatever is newest.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import CodeType, MethodType
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy import Engine, select
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from app import create_app
from httpstep import config
from httpstep.core.document.flow import Condition, FlowSpec, FlowStep
from httpstep.core.exchange import HttpResponse, Send
from httpstep.extensions import db
from httpstep.storage import flows, keys, steps
from httpstep.storage.database import editing
from httpstep.storage.tables import Account, StepState
from httpstep.upkeep import installation

URL = "https://api.example/orders/{{order.id}}"


def document(key: str = "order-status", **members: Any) -> dict[str, Any]:
    """A step document; `url`, `method`, `headers`, `auth` and `body` go into its request."""
    request = {"method": "GET", "url": URL}
    for name in ("method", "url", "headers", "auth", "body"):
        if name in members:
            request[name] = members.pop(name)
    return {"format": "httpstep/1", "key": key, "name": key.capitalize(), "request": request} | members


class _CompiledTemplates(BytecodeCache):
    """Compiling a page takes 0.3 s. Jinja gives each code a key of its name and a checksum of its source."""

    def __init__(self) -> None:
        self.codes: dict[str, tuple[str, CodeType]] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        checksum, code = self.codes.get(bucket.key, ("", None))
        bucket.code = code if checksum == bucket.checksum else None

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            self.codes[bucket.key] = bucket.checksum, bucket.code


_templates = _CompiledTemplates()


def _compile_routes_once() -> None:
    """werkzeug takes each route of each application apart and compiles two functions for it (40 ms for all of them),
    which take the route as an argument."""
    compiled: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    compile_rule = Rule.compile

    def compile_once(rule: Rule) -> None:
        of_map = rule.map.host_matching, *rule.map.converters.values()
        key = rule.rule, str(rule.defaults), rule.subdomain, rule.host, rule.merge_slashes, *of_map
        if key not in compiled:
            compile_rule(rule)
            builders = rule._build.__func__, rule._build_unknown.__func__  # type: ignore[attr-defined]
            compiled[key] = rule._parts, rule._trace, rule._converters, frozenset(rule.arguments), builders
            return
        rule._parts, rule._trace, rule._converters, arguments, (build, build_unknown) = compiled[key]
        rule.arguments |= arguments
        rule._build, rule._build_unknown = MethodType(build, rule), MethodType(build_unknown, rule)

    Rule.compile = compile_once  # type: ignore[method-assign]


_compile_routes_once()


def _compile_statements_once() -> None:
    """SQLAlchemy compiles each statement for each engine (3 ms), and keeps it under its dialect. Two dialects of a kind
    are one here: engines of a kind are made with the same settings, on servers of one version."""
    for kind in (SQLiteDialect_pysqlite, PGDialect_psycopg):
        kind.__eq__ = lambda one, other: type(one) is type(other)  # type: ignore[assignment, method-assign]
        kind.__hash__ = lambda one: hash(type(one))  # type: ignore[assignment, method-assign]
    statements: LRUCache[Any, Any] = LRUCache(3000)
    make_engine = db._make_engine

    def make(*given: Any) -> Engine:
        engine = make_engine(*given)
        engine._compiled_cache = statements
        return engine

    db._make_engine = make  # type: ignore[method-assign]


_compile_statements_once()


@cache
def prepared() -> bytes:
    """A SQLite database as a first start leaves it, made by one."""
    with TemporaryDirectory() as folder:
        app = create_app(config.load({"HTTPSTEP_DATA": folder}), send=_nobody)
        installation.prepare(app)
        copy = Path(folder) / "copy.db"
        with app.app_context():
            installation.copy_database(copy)
            db.engine.dispose()
        return copy.read_bytes()


@cache
def compiled_templates() -> BytecodeCache:
    """With every page and fragment in it."""
    with TemporaryDirectory() as folder:
        app = create_app(config.load({"HTTPSTEP_DATA": folder}), send=_nobody)
        app.jinja_env.bytecode_cache = _templates
        for name in app.jinja_env.list_templates():
            app.jinja_env.get_template(name)
        with app.app_context():
            db.engine.dispose()
    return _templates


def _nobody(*_: object) -> HttpResponse:
    raise AssertionError("no call was expected")


class House:
    """The application under test and its first account.

    migrate: run the migrations on the new data folder, as a first start does, in the place of copying what they made.
    """

    def __init__(self, folder: Path, send: Send | None = None, *, migrate: bool = False, **variables: str) -> None:
        environ = {"HTTPSTEP_DATA": str(folder)} | {f"HTTPSTEP_{name}": value for name, value in variables.items()}
        if not (migrate or folder.exists() or "DATABASE_URL" in variables):
            folder.mkdir(mode=0o700, parents=True)
            (folder / "httpstep.db").touch(mode=0o600)
            (folder / "httpstep.db").write_bytes(prepared())
        self.app: Flask = create_app(config.load(environ), send=send)
        self.app.jinja_env.bytecode_cache = _templates
        installation.prepare(self.app)
        self.client: FlaskClient = self.app.test_client()
        self.tokens: dict[str, str] = {}

    def account(self, slug: str = "default") -> int:
        """The id of an account, made where there is none."""
        with self.app.app_context():
            found = db.session.scalar(select(Account).where(Account.slug == slug))
            if found is None:
                with editing():
                    found = Account(slug=slug, name=slug, created_at=time.time())
                    db.session.add(found)
            return found.id

    def token(self, scope: str = "manage", account: str = "default") -> str:
        name = f"{account}/{scope}"
        if name not in self.tokens:
            owner = self.account(account)
            with self.app.app_context(), editing():
                self.tokens[name] = keys.create(owner, name, scope, time.time())[1]
        return self.tokens[name]

    def call(self, method: str, path: str, *, token: str | None = None, **more: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {token or self.token()}"} | more.pop("headers", {})
        return self.client.open(f"/api/v1{path}", method=method, headers=headers, **more)

    def put(self, document: dict[str, Any], **more: Any) -> TestResponse:
        return self.call("PUT", f"/steps/{document['key']}", json=document, **more)

    def flow(self, *keys: str | tuple[str, Condition], name: str = "Order flow", account: str = "default") -> int:
        """Make a flow of these steps, each alone or with its condition, under the key made from the name."""
        owner, places = self.account(account), []
        with self.app.app_context():
            for one in keys:
                key, when = one if isinstance(one, tuple) else (one, None)
                step = steps.find(owner, key)
                assert step is not None, key
                places.append(FlowStep(step.id, when))
            return flows.save(owner, FlowSpec("", name, tuple(places)), by="ana@example.com", now=time.time()).id

    def run_flow(self, key: str = "order-flow", attributes: Any = None, **more: Any) -> TestResponse:
        body = {"attributes": {"order.id": 42} if attributes is None else attributes} | more.pop("body", {})
        return self.call("POST", f"/flows/{key}/execute{more.pop('query', '')}", json=body, **more)

    def execute(self, key: str = "order-status", attributes: Any = None, **more: Any) -> TestResponse:
        body = {"attributes": {"order.id": 42} if attributes is None else attributes} | more.pop("body", {})
        return self.call("POST", f"/steps/{key}/execute{more.pop('query', '')}", json=body, **more)

    def logs(self, key: str = "order-status") -> list[dict[str, Any]]:
        return list(self.call("GET", f"/steps/{key}/logs").json["logs"])

    def log(self, key: str = "order-status") -> dict[str, Any]:
        """The newest, with its bodies."""
        newest = self.logs(key)[0]["id"]
        return dict(self.call("GET", f"/steps/{key}/logs/{newest}").json)

    def limit(self, per_minute: int) -> None:
        with self.app.app_context(), editing():
            db.session.scalars(select(Account).where(Account.slug == "default")).one().per_minute = per_minute

    @contextmanager
    def state(self, key: str = "order-status") -> Iterator[StepState]:
        with self.app.app_context():
            step = steps.find(self.account(), key)
            assert step is not None
            yield steps.state(step.id)
