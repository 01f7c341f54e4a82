"""The example bot for Telegram, as a process, between httpstep itself and a stand-in of Telegram's Bot API."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from werkzeug import Request, Response

from tests.environments import served
from tests.house import document
from tests.server import ROOT, Server

SQLITE_ONLY = "the bot asks a server"
ME = {"id": 1, "is_bot": True, "first_name": "Orders", "username": "orders_bot"}


class BotApi:
    """Telegram as a bot sees it: updates that it asks for, and the messages that it sends."""

    def __init__(self) -> None:
        self.updates: list[dict[str, Any]] = []
        self.sent: list[str] = []
        self.changed = threading.Condition()

    def say(self, *texts: str) -> None:
        """People write to the bot."""
        with self.changed:
            for text in texts:
                number = len(self.updates) + 1
                message = {"message_id": number, "date": 0, "chat": {"id": number, "type": "private"}, "text": text}
                self.updates.append({"update_id": number, "message": message})
            self.changed.notify_all()

    def replies(self, count: int) -> list[str]:
        """What the bot has sent, as soon as there are so many."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.sent) >= count, 60), self.sent
            return list(self.sent)

    def answer(self, method: str, given: dict[str, str]) -> Any:
        with self.changed:
            if method == "getMe":
                return ME
            if method == "getUpdates":
                new = [one for one in self.updates if one["update_id"] >= int(given.get("offset", "0"))]
                if not new:
                    self.changed.wait(0.3)
                return new
            if method == "sendMessage":
                self.sent.append(given["text"])
                self.changed.notify_all()
                return {"message_id": 1, "date": 0, "chat": {"id": int(given["chat_id"]), "type": "private"}}
            return True


@contextmanager
def telegram() -> Iterator[tuple[str, BotApi]]:
    api = BotApi()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            given = {name: values[0] for name, values in parse_qs(body).items()}
            text = json.dumps({"ok": True, "result": api.answer(self.path.rpartition("/")[2], given)}).encode()
            with suppress(OSError):  # a bot that ends does not wait for updates
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/bot", api
    server.shutdown()
    server.server_close()


@contextmanager
def bot(folder: Path, **variables: str) -> Iterator[None]:
    environ = os.environ | {"PYTHONPATH": str(ROOT), "TELEGRAM_TOKEN": "1:token", "PYTHONDONTWRITEBYTECODE": "1"}
    with (folder / "bot.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, ROOT / "examples/telegram_bot.py"], cwd=folder, env=environ | variables, stderr=log
        )
        try:
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def shop(seven: threading.Event) -> Callable[..., Any]:
    """Order 7 comes when it is let go, order 404 is not there."""

    @Request.application
    def order(request: Request) -> Response:
        number = request.path.rpartition("/")[2]
        if number == "7":
            seven.wait(30)
        status = 404 if number == "404" else 200
        return Response(json.dumps({"status": f"shipped ({number})"}), status, content_type="application/json")

    return order


def test_the_example_bot_answers_people(tmp_path: Path) -> None:
    seven = threading.Event()
    with Server(tmp_path / "data") as running, telegram() as (address, people), served(shop(seven)) as orders:
        url = f"{orders}/orders/{{{{order.id}}}}"
        step = document(url=url, mapping=[{"path": ["status"], "attribute": "order.status"}])
        (tmp_path / "step.json").write_text(json.dumps(step))
        running.command("step", "import", str(tmp_path / "step.json"))
        key = running.command("key", "create", "--name", "bot")
        with bot(tmp_path, HTTPSTEP_URL=running.url, HTTPSTEP_KEY=key, TELEGRAM_API=address):
            people.say("Hello")
            assert people.replies(1) == ["Which order? Send me its number."]
            people.say("Where is order 7?", "And 1001?")
            assert people.replies(2)[1:] == ["Your order is shipped (1001)."], "nobody waits for another's order"
            seven.set()
            assert people.replies(3)[2:] == ["Your order is shipped (7)."]
            people.say("404")
            assert people.replies(4)[3] == "I cannot look that up just now."
            assert running.stop() == 0
            people.say("1001")
            assert people.replies(5)[4] == "I cannot look that up just now.", "httpstep is away, and the bot is not"
