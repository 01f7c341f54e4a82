"""The lines that people copy: whatever comes back, a bot goes on only where it is told to."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.conftest import ABSENT
from tests.house import House, document
from tests.web.conftest import Web

SQLITE_ONLY = "what is written on a page does not depend on the database"
ROOT = Path(__file__).resolve().parent.parent
SHAPE = {"attributes": {}, "missing": [], "message": None}
REPLIES = {
    "continue": (200, json.dumps(SHAPE | {"next": "continue"})),
    "stop": (200, json.dumps(SHAPE | {"next": "stop"})),
    "401": (401, json.dumps({"title": "Unauthorized", "status": 401})),
    "429": (429, json.dumps({"title": "Rate Limit Exceeded", "status": 429, "next": "continue"})),
    "500": (500, json.dumps({"title": "Internal Server Error", "status": 500})),
    "502": (502, "<html><h1>Bad Gateway</h1></html>"),
    "a page": (200, "<html><h1>Welcome</h1></html>"),
}
WAYS = (*REPLIES, "silence", "nobody there")
ADDRESS = re.compile(r"https?://[^/\s\"']+(?=/api/v1/(?:steps|flows)/[\w-]+/execute)")
SECONDS = re.compile(r"(?<=--max-time )65\b|(?<=timeout=)65\b|(?<=timeout\()65000\b")


class Bot(ThreadingHTTPServer):
    """Stands in for httpstep: answers each POST in one way, or not at all."""

    way = ""
    asked = 0

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.over = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Bot

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.server.asked += 1
        if self.server.way == "silence":
            self.server.over.wait(30)
            return
        status, text = REPLIES[self.server.way]
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html" if text.startswith("<") else "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def bot() -> Iterator[Bot]:
    server = Bot()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.over.set()
    server.shutdown()
    thread.join()
    server.server_close()


class _Code(HTMLParser):
    """The texts of a page's <pre> elements."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag == "pre":
            self._inside = True
            self.found.append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "pre"

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.found[-1] += data


def language_of(text: str) -> str:
    if text.lstrip().startswith("curl"):
        return "curl"
    return "python" if "import requests" in text else "javascript" if "fetch(" in text else ""


def of_pages(house: House) -> dict[str, str]:
    """The examples of the pages of a step and of a flow, by where they stand."""
    web = Web(house)
    house.put(document())
    house.flow("order-status")
    found = {}
    for path in ("/steps/1", "/flows/1"):
        page = _Code()
        page.feed(web.as_("bob").get(path).text)
        found |= {
            f"{path} {language_of(text)}": text for text in page.found if ADDRESS.search(text) and language_of(text)
        }
    return found


def of_documents() -> dict[str, str]:
    """Every fenced block that calls execute, found by looking through all documents."""
    found = {}
    for file in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))):
        for number, block in enumerate(re.findall(r"^```\w*\n(.*?)^```", file.read_text(), re.DOTALL | re.MULTILINE)):
            if ADDRESS.search(block) and language_of(block):
                found[f"{file.name} {number} {language_of(block)}"] = block
    return found


def goes_on(text: str, url: str) -> bool:
    """Run an example against `url`: whether it went on after it. Its own limit is made a second and a half."""
    language = language_of(text)
    text = SECONDS.sub(lambda found: "1500" if found[0] == "65000" else "1.5", ADDRESS.sub(url, text))
    if language == "python":
        command = [
            sys.executable,
            "-c",
            _stopping(text, "...  # end this flow", "raise SystemExit(1)") + "print('on')\n",
        ]
    elif language == "javascript":
        text = _stopping(text, "// end this flow", "process.exit(1)")
        command = ["node", "--input-type=module", "-e", text + "console.log('on')"]
    else:
        command = ["sh", "-c", f'set -e; said=$({text}); echo "$said" | grep -Eq \'"next": *"continue"\' && echo on']
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert "Traceback" not in done.stderr and "Error" not in done.stderr, done.stderr
    return done.stdout.strip().endswith("on") and done.returncode == 0


def _stopping(text: str, mark: str, stop: str) -> str:
    assert text.count(mark) == 1, f"an example says with “{mark}” where a bot stops"
    return text.replace(mark, stop)


def test_every_example_stops_unless_it_is_told_to_go_on(
    make_house: Callable[..., House], bot: Bot, pytestconfig: pytest.Config
) -> None:
    examples = of_pages(make_house()) | of_documents()
    assert {language_of(text) for text in examples.values()} == {"curl", "python", "javascript"}
    assert any(name.startswith("/flows/1") for name in examples) and any(name.startswith("README") for name in examples)
    if shutil.which("node") is None:
        pytestconfig.stash[ABSENT]["the JavaScript examples"] = "node is not here"
        examples = {name: text for name, text in examples.items() if language_of(text) != "javascript"}
    went_on = []
    for name, text in examples.items():
        assert SECONDS.search(text), f"{name} waits for ever"
        for way in WAYS:
            bot.way, asked = way, bot.asked
            if goes_on(text, "http://127.0.0.1:9" if way == "nobody there" else bot.url):
                went_on.append((name, way))
            assert way == "nobody there" or bot.asked == asked + 1
    assert went_on == [(name, "continue") for name in examples]
