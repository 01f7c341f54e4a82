"""There is one way out of the house: no module outside transport can open a connection."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "httpstep"
WAYS_OUT = {
    "aiohttp", "asyncio", "ftplib", "http", "httpx", "imaplib", "poplib", "pycurl", "requests", "smtplib", "socket",
    "socketserver", "ssl", "telnetlib", "urllib3", "websocket", "xmlrpc", "_socket", "_ssl",
}  # fmt: skip
WAYS_OUT_BELOW = {"urllib.request", "urllib.error", "logging.handlers", "multiprocessing.connection"}
HARMLESS = {"http.HTTPStatus", "http.HTTPMethod", "http.cookies"}
LISTENS_ONLY = "http.server"
MAIL_ONLY = frozenset({"smtplib", "socket", "ssl"})
MAY_IMPORT = {"alerts/mailserver.py": MAIL_ONLY, "serving/clients.py": frozenset({"socket"}),
              "serving/server.py": frozenset({"socket"})}  # fmt: skip
"""The first connects to the mail server that the operator names, and to no address of a step. The second wraps sockets
that were accepted, the third tries whether it may listen; they connect none."""
CONNECTS = ("connect(", "connect_ex(", "create_connection")


def imported(source: str) -> Iterator[str]:
    """The dotted names of everything a module imports, also inside functions and through import_module."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in (
            "import_module", "__import__",
        ):  # fmt: skip
            yield str(node.args[0].value) if isinstance(node.args[0], ast.Constant) else "a computed name"


def ways_out(source: str, may_import: frozenset[str] = frozenset()) -> set[str]:
    found = set()
    for name in imported(source):
        root, parent = name.partition(".")[0], name.rpartition(".")[0]
        opens = name == "a computed name" or root in WAYS_OUT or name in WAYS_OUT_BELOW or parent in WAYS_OUT_BELOW
        constant = parent == "socket" and name.rpartition(".")[2].isupper()
        harmless = constant or name in HARMLESS or name.startswith(LISTENS_ONLY)
        if opens and not harmless and root not in may_import:
            found.add(name)
    return found


MODULES = [path for path in sorted(PACKAGE.rglob("*.py")) if "transport" not in path.relative_to(PACKAGE).parts]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_module_outside_transport_can_open_a_connection(path: Path) -> None:
    may_import = MAY_IMPORT.get(str(path.relative_to(PACKAGE)), frozenset())
    assert ways_out(path.read_text(), may_import) == set()


@pytest.mark.parametrize("module", ["serving/clients.py", "serving/server.py"])
def test_what_has_sockets_to_be_called_on_connects_none(module: str) -> None:
    assert [word for word in CONNECTS if word in (PACKAGE / module).read_text()] == []


@pytest.mark.parametrize(
    "source",
    [
        "import requests",
        "import requests as r",
        "from requests import get",
        "from urllib3.util import Retry",
        "import socket",
        "from socket import create_connection",
        "def f():\n    import ssl",
        "import http.client",
        "from http import client",
        "from urllib.request import urlopen",
        "import urllib.request",
        "from urllib import request",
        "import importlib\nimportlib.import_module('socket')",
        "__import__('req' + 'uests')",
    ],
)
def test_the_search_finds_a_way_out(source: str) -> None:
    assert ways_out(source)


@pytest.mark.parametrize(
    "source",
    ["from socket import MSG_PEEK", "from http import HTTPStatus", "from urllib.parse import quote", "import json"],
)
def test_the_search_leaves_the_harmless_alone(source: str) -> None:
    assert not ways_out(source)


def test_mail_may_use_smtp_and_nothing_else() -> None:
    assert not ways_out("import smtplib, socket, ssl", MAIL_ONLY)
    assert ways_out("import requests", MAIL_ONLY)
