"""The example bots for Telegram, as processes, between httpstep and a stand-in of Telegram's Bot API: one polls and
calls httpstep at its address, one is called and has httpstep in its own process."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import requests
from werkzeug import Request, Response

from tests.environments import served
from tests.installed import environ_of
from tests.server import ROOT, Server, free_port

SQLITE_ONLY = "the bot asks a server"
ME = {"id": 1, "is_bot": True, "first_name": "Orders", "username": "orders_bot"}
SECRET = "X-Telegram-Bot-Api-Secret-Token"


class BotApi:
    """Telegram as a bot sees it: updates that it asks for or that are sent to it, and the messages that it sends."""

    def __init__(self) -> None:
        self.updates: list[dict[str, Any]] = []
        self.sent: list[str] = []
        self.webhook: dict[str, str] = {}
        self.changed = threading.Condition()

    def say(self, *texts: str) -> None:
        """People write to the bot."""
        with self.changed:
            for text in texts:
                number = len(self.updates) + 1
                message = {"message_id": number, "date": 0, "chat": {"id": number, "type": "private"}, "text": text}
                self.updates.append({"update_id": number, "message": message})
                if self.webhook:
                    threading.Thread(target=self.deliver, args=[number], daemon=True).start()
            self.changed.notify_all()

    def deliver(self, number: int, **headers: str) -> int:
        """The status of the webhook's answer to an update, which may have been there before."""
        secret = {SECRET: self.webhook["secret_token"]}
        update = self.updates[number - 1]
        return requests.post(self.webhook["url"], json=update, headers=secret | headers, timeout=60).status_code

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
            if method == "setWebhook":
                self.webhook = given
                self.changed.notify_all()
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
def bot(folder: Path, example: str = "telegram_bot.py", **variables: str) -> Iterator[None]:
    environ = environ_of(ROOT, TELEGRAM_TOKEN="1:token", **variables)
    with (folder / "bot.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, ROOT / "examples" / example], cwd=folder, env=environ, stderr=log)
        try:
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def shop(seven: threading.Event, asked: list[str] | None = None) -> Callable[..., Any]:
    """Order 7 comes when it is let go, order 404 is not there. asked: gets the number of each order asked for."""

    @Request.application
    def order(request: Request) -> Response:
        number = request.path.rpartition("/")[2]
        if asked is not None:
            asked.append(number)
        if number == "7":
            seven.wait(30)
        status = 404 if number == "404" else 200
        return Response(json.dumps({"status": f"shipped ({number})"}), status, content_type="application/json")

    return order


def step_of(shop: str, folder: Path) -> str:
    """The file of the examples' step, made for a shop at that address."""
    step = folder / "order-status.json"
    step.write_text((ROOT / "examples/order-status.json").read_text().replace("https://shop.example", shop))
    return str(step)


def test_the_example_bot_answers_people(tmp_path: Path) -> None:
    seven = threading.Event()
    with Server(tmp_path / "data") as running, telegram() as (address, people), served(shop(seven)) as orders:
        running.command("step", "import", step_of(orders, tmp_path))
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


def httpstep(folder: Path, *arguments: str) -> str:
    """What a command says, run in an empty folder as docs/embedding.md has it."""
    environ = environ_of(ROOT, HTTPSTEP_DATA="steps-data")
    command = [sys.executable, "-m", "httpstep", *arguments]
    return subprocess.run(
        command, cwd=folder, env=environ, stdout=subprocess.PIPE, text=True, timeout=120, check=True
    ).stdout.strip()


def test_the_example_bot_with_httpstep_inside_answers_people(tmp_path: Path) -> None:
    seven, asked, own = threading.Event(), list[str](), f"http://127.0.0.1:{free_port()}"
    with telegram() as (address, people), served(shop(seven, asked)) as orders:
        httpstep(tmp_path, "step", "import", step_of(orders, tmp_path))
        variables = {"HTTPSTEP_KEY": httpstep(tmp_path, "key", "create", "--name", "bot"), "TELEGRAM_API": address}
        variables |= {"BOT_ADDRESS": own, "BOT_OWN_ADDRESS": own, "TELEGRAM_WEBHOOK_SECRET": "of-the-webhook"}
        with bot(tmp_path, "telegram_webhook.py", HTTPSTEP_ALLOW_NETWORKS="127.0.0.1", **variables):
            assert answers(f"{own}/steps/health"), (tmp_path / "bot.log").read_text()
            assert people.webhook == {"url": f"{own}/telegram", "secret_token": "of-the-webhook"}
            people.say("Hello")
            assert people.replies(1) == ["Which order? Send me its number."]
            people.say("Where is order 7?", "And 1001?")
            assert people.replies(2)[1:] == ["Your order is shipped (1001)."], "nobody waits for another's order"
            seven.set()
            assert people.replies(3)[2:] == ["Your order is shipped (7)."]
            people.say("404")
            assert people.replies(4)[3] == "I cannot look that up just now."
            assert people.deliver(3) == 200
            assert people.replies(5)[4] == "Your order is shipped (1001)."
            assert asked.count("1001") == 1, "an update that comes again runs the step once"
            assert [people.deliver(3, **{SECRET: wrong}) for wrong in ("", "another", "ü")] == [403, 403, 403]


def answers(url: str) -> bool:
    """Whether somebody serves there, within the minute that a start may take."""
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        with suppress(requests.ConnectionError):
            return requests.get(url, timeout=30).ok
        time.sleep(0.1)
    return False
