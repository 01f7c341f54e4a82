"""Whoever copies an example gets a bot that goes on after `next: continue` and stops after everything else.

Each example is taken from where it stands, a page or a document, and run against a server that answers well or badly.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from html import unescape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from httpstep.serving.demo import line_to_try
from httpstep.web.editor.shellcommand import usage
from httpstep.web.recipes.platforms import recipes
from tests.conftest import ABSENT
from tests.fakes import ThirdParty
from tests.house import House, document
from tests.server import ROOT, free_port
from tests.web.conftest import Browser, Web

SQLITE_ONLY = "an example is run without the application"
GO_ON, SILENCE, REFUSED = ("continue", "429 continue"), "silence", "refused"
_PROBLEM = {"type": "about:blank", "title": "Said by the test", "detail": "Why.", "request_id": "1"}
_RAN = {"outcome": "success", "attributes": {"next": "continue", "text": 'a "b"\\n'}, "message": None}
_STOPPED = {
    "outcome": "http_error",
    "next": "stop",
    "attributes": {"next": "continue"},
    "message": '"next": "continue"',
}
ANSWERS: dict[str, tuple[int, str]] = {
    "continue": (200, json.dumps(_RAN | {"next": "continue"})),
    "stop": (200, json.dumps(_STOPPED)),
    "neither": (200, json.dumps(_RAN)),
    "a list": (200, '["next", "continue"]'),
    "401": (401, json.dumps(_PROBLEM)),
    "429": (429, json.dumps(_PROBLEM | {"next": "stop"})),
    "429 continue": (429, json.dumps(_PROBLEM | {"next": "continue"})),
    "500": (500, json.dumps(_STOPPED | {"outcome": "internal"})),
    "HTML 502": (502, "<html><h1>502 Bad Gateway</h1></html>"),
    "nothing": (200, ""),
}
"""What a bot may meet; of two it goes on: the second is the fallback of a step, carried by a refusal."""


class _Answering(BaseHTTPRequestHandler):
    """The path's first part says which of the answers; the request has to be one that httpstep takes."""

    def do_POST(self) -> None:
        name = self.path.split("/")[1].replace("_", " ")
        sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if name == SILENCE:
            time.sleep(20)
            return
        fits = self.headers["Authorization"].startswith("Bearer ") and isinstance(sent["attributes"], dict)
        status, text = ANSWERS[name] if fits and self.path.endswith("/execute") else (400, "{}")
        self.send_response(status)
        self.send_header("Content-Type", "text/html" if text.startswith("<") else "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answering)
    server.daemon_threads = True
    server.block_on_close = False
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


# ---------------------------------------------------------------- the examples, from where they stand


@dataclass(frozen=True)
class Example:
    where: str
    language: str
    text: str
    by_hand: bool = False
    """Read by a person: it shows a `stop` like any other answer, and has only to end with an error or in time."""


_LANGUAGES = {
    "python": "python",
    "py": "python",
    "js": "javascript",
    "javascript": "javascript",
    "sh": "shell",
    "http": "",
}
_FENCE = re.compile(r"^( *)(```+|~~~+)(.*?)\n(.*?)^\1\2", re.S | re.M)


def documents() -> list[Example]:
    """Every fenced block of every document that calls execute. One of a language that is not known here fails."""
    paths = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
    return [example for path in sorted(paths) for example in in_document(str(path.relative_to(ROOT)), path.read_text())]


def in_document(name: str, text: str) -> list[Example]:
    found = []
    for fence in _FENCE.finditer(text):
        if "/execute" not in fence[4] or fence[4].strip() in _recipes():
            continue
        line = text.count("\n", 0, fence.start()) + 1
        language = _LANGUAGES.get(fence[3].strip(), f"? {fence[3]}")
        before = text[: fence.start()].rstrip().rpartition("\n\n")[2]
        if language:
            found.append(Example(f"{name}:{line}", language, fence[4], "by hand" in before))
    return found


@cache
def _recipes() -> set[str]:
    """The code for platforms as docs/bots.md has it: tests/web/test_recipes.py runs it, with the platform around it."""
    shown = recipes("https://httpstep.example", "order-status", {"order.id": 42}, ["order.status"])
    return {block.text.strip() for one in shown for block in one.blocks if block.name == "code"}


def in_page(path: str, html: str) -> list[Example]:
    """Every block of code of a page that calls execute, but for bare addresses and for recipes (test_recipes.py)."""
    found = []
    for id_, block in re.findall(r'<pre\b[^>]* id="([^"]*)"[^>]*>(.*?)</pre>', html, re.S):
        text = unescape(block)
        if id_.startswith("recipe-"):
            continue
        if "/execute" not in text or re.fullmatch(r"(POST )?https?://\S+", text.strip()):
            continue
        marks = {"import requests": "python", "await fetch(": "javascript", "curl ": "shell"}
        languages = [language for mark, language in marks.items() if mark in text]
        found.append(Example(f"{path} {languages}", languages[0] if languages else "?", text))
    return found


def pages(browser: Browser) -> dict[str, str]:
    """Every page that can be reached by links from the list of steps."""
    seen: dict[str, str] = {}
    to_see = ["/steps"]
    while to_see:
        path = to_see.pop()
        answer = browser.get(path)
        seen[path] = answer.text if answer.mimetype == "text/html" else ""
        links = {unescape(link).partition("#")[0] for link in re.findall(r'<a\b[^>]*\bhref="(/[^"]*)"', seen[path])}
        to_see += sorted(links - seen.keys() - set(to_see))
    return seen


# ---------------------------------------------------------------- run as they are


def program(config: pytest.Config, language: str) -> list[str] | None:
    """What runs a text of that language; None, and its name in the summary, where it is not here."""
    found = {"python": [sys.executable, "-"], "javascript": ["node", "--input-type=module", "-"], "shell": ["/bin/sh"]}
    needed = {"python": [], "javascript": ["node"], "shell": ["curl", "jq"]}[language]
    absent = [name for name in needed if shutil.which(name) is None]
    for name in absent:
        config.stash[ABSENT][f"the {language} examples"] = f"{name} is not installed"
    return None if absent else found[language]


def script(example: Example, base: str, name: str) -> str:
    """The example with another address and, for silence, with a shorter limit; where the bot goes on, it says so."""
    mark = {"python": 'print("\\nWENT ON")', "javascript": 'console.log("\\nWENT ON");', "shell": "echo; echo WENT ON"}
    target = f"{base}/{name.replace(' ', '_')}/execute"
    text, addresses = re.subn(r"https?://[^\s'\"]+/execute", target, example.text)
    text, places = re.subn(r"(#|//) go on\b.*", lambda _: mark[example.language], text)
    if example.by_hand:
        text, places = f"if {text.strip()}\nthen {mark['shell']}\nfi", 1
    assert (addresses, places) == (1, 1), f"{example.where}: one address, and one place where the bot goes on"
    if name == SILENCE:
        text, limits = re.subn(r"\b65(_000)?\b(?! seconds)", lambda limit: "1000" if limit[1] else "1", text)
        assert limits == 1, f"{example.where}: one limit, of 65 seconds"
    return text


def goes_on(example: Example, command: list[str], base: str, name: str) -> bool:
    text = script(example, base, name)
    ran = subprocess.run(command, input=text, capture_output=True, text=True, timeout=60, check=False)
    on = "WENT ON" in ran.stdout.splitlines()
    assert example.language == "shell" or on == (ran.returncode == 0), ran.stderr
    assert "SyntaxError" not in ran.stderr and "syntax error" not in ran.stderr, ran.stderr
    return on


FEW = ("continue", "stop", "401")
ALL = (*ANSWERS, SILENCE, REFUSED)


def program_of(example: Example) -> str:
    """The example without its address, key and body: two with the same are one program."""
    text = re.sub(r"https?://[^\s'\"]+/execute", "ADDRESS", example.text)
    return re.sub(r"Bearer [^\"']+", "KEY", re.sub(r"\{\"attributes\".*\}", "BODY", text))


def went_on(config: pytest.Config, example: Example, address: str, names: tuple[str, ...] = ALL) -> set[str] | None:
    """The names of the answers after which it went on; None where its language cannot be run here."""
    command = program(config, example.language)
    if command is None:
        return None
    refused = f"http://127.0.0.1:{free_port()}"
    with ThreadPoolExecutor(2) as pool:
        bases = [refused if name == REFUSED else address for name in names]
        said = list(pool.map(lambda name, base: goes_on(example, command, base, name), names, bases))
    return {name for name, on in zip(names, said, strict=True) if on}


def expected(example: Example) -> set[str]:
    return {"continue", "stop", "neither", "a list", "nothing"} if example.by_hand else set(GO_ON)


@pytest.mark.parametrize("example", documents(), ids=lambda example: example.where)
def test_an_example_of_a_document_goes_on_only_where_next_says_so(
    example: Example, address: str, pytestconfig: pytest.Config
) -> None:
    assert not example.language.startswith("?"), f"{example.where}: say its language: {sorted(_LANGUAGES)}"
    found = went_on(pytestconfig, example, address)
    if found is None:
        pytest.skip("what runs it is not here; the summary names it")
    assert found == expected(example)


@pytest.fixture
def shown(make_house: Callable[..., House]) -> dict[str, str]:
    """Every page, with a step and a flow there, and the one that follows a new key."""
    web = Web(make_house(ThirdParty()))
    web.house.put(document())
    web.house.flow("order-status")
    alice = web.as_("alice")
    new_key = alice.post("/settings/keys", {"name": "bot", "scope": "execute"})
    return pages(alice) | {"a new key": new_key.text}


def test_an_example_of_a_page_goes_on_only_where_next_says_so(
    shown: dict[str, str], address: str, pytestconfig: pytest.Config
) -> None:
    examples = {one.text: one for path, html in shown.items() for one in in_page(path, html)}
    languages = sorted((one.where.split()[0].rstrip("0123456789"), one.language) for one in examples.values())
    assert languages == [
        ("/docs/api", "shell"), ("/flows/", "shell"), ("/steps/", "javascript"), ("/steps/", "python"),
        ("/steps/", "shell"), ("a", "shell"),
    ]  # fmt: skip
    seen: set[str] = set()
    for one in examples.values():
        names = FEW if program_of(one) in seen else ALL
        seen.add(program_of(one))
        assert went_on(pytestconfig, one, address, names) in (None, expected(one) & set(names)), one
    assert len(seen) == 3, "the pages have one program for each language"


def test_the_line_that_the_demo_prints_ends_with_an_error_at_a_refusal(
    address: str, pytestconfig: pytest.Config
) -> None:
    line = Example("the demo", "shell", line_to_try("http://127.0.0.1", "hs_1"), True)
    assert went_on(pytestconfig, line, address) in (None, expected(line))


@pytest.mark.parametrize("value", ['it\'s "so" \\ $HOME `id`', "{braces}", "é\n\u2028", 12345678901234567890, None])
def test_whatever_a_sample_holds_the_lines_stay_whole(value: object, address: str, pytestconfig: pytest.Config) -> None:
    lines = usage("http://127.0.0.1", "order-status", {"order.id": value})  # type: ignore[dict-item]
    for language, text in (("python", lines.python), ("javascript", lines.javascript), ("shell", lines.curl)):
        if command := program(pytestconfig, language):
            assert goes_on(Example(language, language, text), command, address, "continue")


def test_the_examples_of_the_documents_are_those_of_the_pages() -> None:
    lines = usage("https://httpstep.example", "order-status", {"order.id": 42})
    text = Path(ROOT / "docs/bots.md").read_text()
    assert all(one.strip() in text for one in (lines.python, lines.javascript, lines.curl))


def test_a_new_example_cannot_escape() -> None:
    """In whatever language, fence or list it stands; a message of HTTP is none."""
    text = "Call:\n\n- so\n\n  ~~~ruby\n  post 'http://x/execute'\n  ~~~\n\n```http\nPOST /execute\n```\n\n```\n/execute\n```\n"
    assert [(one.where, one.language) for one in in_document("new.md", text)] == [
        ("new.md:5", "? ruby"),
        ("new.md:13", "? "),
    ]
