"""`make demo`: the application beside a small order API of its own on loopback, with three steps ready to play with.

The order API is a process of its own that ends with its parent. `POST /demo/change` on it renames and moves
what orders answer with, as APIs do one day; another POST changes it back.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from flask import Flask
from sqlalchemy import func, select

from httpstep.core import jsontext
from httpstep.core.document import stepdocument
from httpstep.extensions import db
from httpstep.serving import server
from httpstep.storage import keys, steps
from httpstep.storage.database import editing
from httpstep.storage.tables import Account, ApiKey, Attribute, Step
from httpstep.upkeep import installation

API_PORT = 8099
KEY_NAME = "demo"
CUSTOMERS = {
    "7": {"id": 7, "name": "Ana Souza", "email": "ana@shop.example", "tier": "gold", "open_orders": 2},
    "8": {"id": 8, "name": "Björn Ås", "email": "bjorn@shop.example", "tier": "none", "open_orders": 0},
}
SAMPLES = {
    "order.id": 1001, "customer.id": 7, "user.name": "Mia Wong", "user.email": "mia@shop.example",
    "user.message": 'Where is my "blue" parcel?',
}  # fmt: skip


def order(number: int, changed: bool) -> dict[str, Any]:
    """An order as the API answers it, before and after the change."""
    status = ("placed", "packed", "shipped", "delivered")[number % 4]
    items = [{"sku": "MUG-BLUE", "title": "Blue mug", "quantity": 2, "price": 9.5}]
    if not changed:
        return {"data": {"id": number, "status": status, "total": 19.0, "currency": "EUR", "items": items}}
    delivery = {"status": status, "carrier": "Postal"}
    return {"data": {"id": str(number), "delivery": delivery, "total": 19.0, "currency": "EUR", "items": items}}


class OrderApi(BaseHTTPRequestHandler):
    """GET /orders/<n>, GET /customers/<n>, POST /contacts (with the token demo-token), POST /demo/change."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    changed = False

    def do_GET(self) -> None:
        kind, _, number = self.path.split("?")[0].strip("/").partition("/")
        if kind == "orders" and number.isdigit() and 1000 <= int(number) < 10_000:
            self._answer(200, order(int(number), OrderApi.changed))
        elif kind == "customers" and number in CUSTOMERS:
            self._answer(200, CUSTOMERS[number])
        elif kind == "slow":
            time.sleep(min(float(number or 20), 90))
            self._answer(200, {"waited": number})
        else:
            self._answer(404, {"error": {"message": f"Nothing found at {self.path}"}})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/demo/change":
            OrderApi.changed = not OrderApi.changed
            self._answer(200, {"changed": OrderApi.changed})
        elif self.path != "/contacts":
            self._answer(404, {"error": {"message": f"Nothing found at {self.path}"}})
        elif self.headers.get("Authorization") != "Bearer demo-token":
            self._answer(401, {"error": {"message": "The token is missing or wrong. It is demo-token."}})
        else:
            self._create(body)

    def _create(self, body: bytes) -> None:
        try:
            contact = json.loads(body)
            name, email = str(contact["name"]), str(contact["email"])
        except (ValueError, KeyError, TypeError):
            self._answer(422, {"error": {"message": "A contact needs a name and an email."}})
            return
        self._answer(201, {"contact": {"id": 501, "name": name, "email": email, "created": True}})

    def _answer(self, status: int, document: Mapping[str, Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        with suppress(ConnectionError):  # a caller that cancelled
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """The application's own log tells what was called."""


class _Api(ThreadingHTTPServer):
    request_queue_size = 128


def serve_api(port: int) -> None:
    """The order API, until the process that started it is gone."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()
    listening = _Api(("127.0.0.1", port), OrderApi)
    sys.stdout.write("listening\n")
    sys.stdout.flush()
    listening.serve_forever()


def documents(base: str) -> list[dict[str, Any]]:
    """The three steps."""
    contact = '{\n  "name": "{{user.name}}",\n  "email": "{{user.email}}",\n  "note": "{{user.message}}"\n}'
    return [
        {
            "format": "httpstep/1", "key": "order-status", "name": "Order status",
            "request": {"method": "GET", "url": f"{base}/orders/{{{{order.id}}}}"},
        },
        {
            "format": "httpstep/1", "key": "customer", "name": "Look up a customer", "fallback": "continue",
            "request": {"method": "GET", "url": f"{base}/customers/{{{{customer.id}}}}"},
        },
        {
            "format": "httpstep/1", "key": "create-contact", "name": "Create a contact", "success_statuses": "201",
            "request": {
                "method": "POST", "url": f"{base}/contacts", "auth": {"type": "bearer", "token": "{{secret.demo_token}}"},
                "body": {"mode": "json", "text": contact},
            },
        },
    ]  # fmt: skip


def fill(app: Flask, base: str) -> str:
    """Make the steps, samples and secret that are not there yet, and a fresh API key whose token is returned."""
    now = time.time()
    with app.app_context():
        account = db.session.scalars(select(Account).order_by(Account.id)).one()
        have = steps.keys_taken(account.id)
        missing = [stepdocument.parse(document) for document in documents(base) if document["key"] not in have]
        steps.save_all(account.id, missing, by="demo", now=now)
        with editing():
            _samples(account.id)
            vault = app.extensions["httpstep"].vault
            installation.put_secret(vault, account.id, "demo_token", "demo-token", now, hosts=(base,))
            mine = ApiKey.account_id == account.id, ApiKey.name == KEY_NAME, ApiKey.revoked_at.is_(None)
            for old in db.session.scalars(select(ApiKey).where(*mine)):
                old.revoked_at = now
            return keys.create(account.id, KEY_NAME, "manage", now)[1]


def is_foreign(app: Flask) -> bool:
    """Whether the data is somebody's own: the demo writes into what it made, and into nothing else."""
    with app.app_context():
        accounts = db.session.scalar(select(func.count()).select_from(Account))
        its_key = db.session.scalar(select(ApiKey.id).where(ApiKey.name == KEY_NAME).limit(1))
        return accounts != 1 or (its_key is None and db.session.scalar(select(Step.id).limit(1)) is not None)


def _samples(account_id: int) -> None:
    have = set(db.session.scalars(select(Attribute.name).where(Attribute.account_id == account_id)))
    for name, value in SAMPLES.items():
        if name not in have:
            db.session.add(Attribute(account_id=account_id, name=name, sample=jsontext.dumps_text(value), in_bot=True))


def line_to_try(address: str, token: str) -> str:
    """For a person who reads the answer. It needs nothing but curl, ends in time, and shows a refusal as an error."""
    return (
        f"curl --fail-with-body --max-time 65 {address}/api/v1/steps/order-status/execute \\\n"
        f"  -H 'Authorization: Bearer {token}' \\\n"
        "  -H 'Content-Type: application/json' \\\n  -d '{\"attributes\": {\"order.id\": 1001}}'"
    )


def serve(create_app: Callable[[], Flask], api_port: int = API_PORT) -> None:
    """Start both and say how to begin. Calls to loopback are allowed here, and only here."""
    os.environ.setdefault("HTTPSTEP_DATA", "./demo-data")
    allowed = os.environ.get("HTTPSTEP_ALLOW_NETWORKS")
    os.environ["HTTPSTEP_ALLOW_NETWORKS"] = f"{allowed},127.0.0.1" if allowed else "127.0.0.1"
    app = create_app()
    installation.prepare(app)
    if is_foreign(app):
        sys.exit(
            f"The demo would write into the data in {os.environ['HTTPSTEP_DATA']}. Set HTTPSTEP_DATA to a new folder."
        )
    api = subprocess.Popen([sys.executable, "-m", "httpstep.serving.demo", str(api_port)], stdout=subprocess.PIPE)
    if api.stdout is None or api.stdout.readline() != b"listening\n":
        sys.exit(f"The order API of the demo cannot listen on port {api_port}. Is another demo running?")
    token = fill(app, f"http://127.0.0.1:{api_port}")
    address = app.config["HTTPSTEP"].base_url or f"http://{app.config['HTTPSTEP'].listen}"
    sys.stdout.write(
        f"\nOrder API for the demo: http://127.0.0.1:{api_port}/orders/1001\n"
        f"API key of the demo:    {token}\n\nRun a step by hand:\n\n"
        f"{line_to_try(address, token)}\n\n"
    )
    sys.stdout.flush()
    server.serve(create_app)


if __name__ == "__main__":
    serve_api(int(sys.argv[1]))
