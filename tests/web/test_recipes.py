"""Each recipe for a platform does what it says: JSON is sent as it stands, code is run as it stands, with the platform
played by the test. They are taken from the page of a step, and stand in docs/bots.md too."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import unescape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest

from httpstep.web.recipes.platforms import PLATFORMS, TOKEN, recipes
from tests.conftest import ABSENT
from tests.environments import served
from tests.fakes import ThirdParty, answer
from tests.house import House, document
from tests.server import ROOT
from tests.web.conftest import Web

SQLITE_ONLY = "what a platform sends is the same on either database"
MAPPING = [{"path": ["status"], "attribute": "order.status"}, {"path": ["items"], "attribute": "order.items"}]
GOOD = {"status": "shipped", "items": ["a", "b"]}
SORRY = "I cannot do that just now."
HTTP = [platform.name for platform in PLATFORMS if not platform.template]


@pytest.fixture
def house(make_house: Callable[..., House]) -> House:
    """Its step succeeds once, and then fails and stops."""
    house = make_house(ThirdParty(answer(200, GOOD), answer(500)))
    house.put(document(mapping=MAPPING))
    return house


@pytest.fixture
def web(house: House) -> Web:
    return Web(house)


def texts(web: Web) -> dict[str, dict[str, str]]:
    """The recipes of the step's page: platform -> block -> text."""
    html = web.as_("alice").get("/steps/1").text
    found: dict[str, dict[str, str]] = {}
    names = {platform.name.lower().replace(" ", "-"): platform.name for platform in PLATFORMS}
    for id_, text in re.findall(r'<pre\b[^>]* id="recipe-([^"]+)"[^>]*>(.*?)</pre>', html, re.S):
        platform, _, block = id_.rpartition("-")
        found.setdefault(names[platform], {})[block] = unescape(text)
    return found


def test_the_page_and_the_document_have_every_recipe(web: Web) -> None:
    assert list(texts(web)) == [platform.name for platform in PLATFORMS]
    written = (ROOT / "docs/bots.md").read_text()
    for one in recipes("https://httpstep.example", "order-status", {"order.id": 42}, ["order.status"]):
        assert f"| {one.platform.name} | {one.platform.limit} |" in written
        assert [block.label for block in one.blocks if block.text.strip() not in written] == [], one.platform.name


@pytest.mark.parametrize("platform", HTTP)
def test_the_body_is_sent_as_it_stands_and_every_value_is_where_the_recipe_says(web: Web, platform: str) -> None:
    recipe = texts(web)[platform]
    headers = dict(
        line.split(": ") for line in recipe["headers"].replace(TOKEN, web.house.token("execute")).split("\n")
    )
    place = urlsplit(recipe["address"])
    answered = web.house.client.open(f"{place.path}?{place.query}", method="POST", headers=headers, data=recipe["body"])
    assert answered.status_code == 200, answered.text
    json.loads(recipe["body"])
    assert [line.rpartition(" -> ")[2] for line in recipe["answer"].split("\n")] == [
        "next",
        "order_status",
        "order_items",
    ]
    values = {
        name: read(answered.json, place)
        for place, _, name in (line.partition(" -> ") for line in recipe["answer"].split("\n"))
    }
    assert values == {"next": "continue", "order_status": "shipped", "order_items": '["a","b"]'}


def read(told: Any, place: str) -> Any:
    """The member that a platform's own notation names: data.next, $.next, {{ $json.next }}, next."""
    path = re.sub(r"^(data\.|\$\.|\{\{ \$json\.)|( \}\})$", "", place)
    for name in path.split("."):
        told = told[name]
    return told


def test_a_platform_gets_its_answer_before_it_gives_up(web: Web) -> None:
    """Where it waits less than httpstep's 60 seconds, the body asks for less, or the bot is told that it comes later."""
    for platform in PLATFORMS:
        waits = [int(found) for found in re.findall(r"(\d+) seconds", platform.limit)]
        if not platform.template and waits:
            assert min(waits) > (platform.seconds or 60), platform.name
        body = texts(web)[platform.name].get("body")
        assert body is None or json.loads(body).get("timeout") == platform.seconds


# ---------------------------------------------------------------- code


@contextmanager
def platform_api() -> Iterator[tuple[str, list[tuple[str, dict[str, str], Any]]]]:
    """What stands for Chatwoot and for Meta's Graph API: its address, and what was posted to it."""
    posted: list[tuple[str, dict[str, str], Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            posted.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", posted
    server.shutdown()
    server.server_close()


def ran(web: Web, platform: str, after: str, api: str = "", command: tuple[str, ...] = (sys.executable, "-")) -> Any:
    """The JSON that the code of the recipe prints, followed by what the platform does with it."""
    with served(web.house.app) as address:
        text = texts(web)[platform]["code"]
        for old, new in (
            ("http://localhost", address), (TOKEN, web.house.token("execute")),
            ("https://app.chatwoot.com", api), ("https://graph.facebook.com", api),
        ):  # fmt: skip
            text = text.replace(old, new)
        environ = {"PYTHONPATH": f"{ROOT / 'tests/platforms'}:{ROOT}", "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(
            command, input=after % text if "%s" in after else text + after, capture_output=True, text=True, timeout=60,
            check=False, env=environ,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if done.stdout else None


RASA = """
import asyncio, json

class Tracker:
    def get_slot(self, name):
        return {"order_id": "42"}[name]

class Dispatcher:
    said = []

    def utter_message(self, text):
        self.said.append(text)

events = asyncio.run(RunStep().run(Dispatcher(), Tracker(), {}))
print(json.dumps([RunStep().name(), Dispatcher.said, {one["name"]: one["value"] for one in events}]))
"""


def test_rasa(web: Web) -> None:
    name = "action_order_status"
    assert ran(web, "Rasa", RASA) == [name, [], {"order_status": "shipped", "order_items": ["a", "b"]}]
    assert ran(web, "Rasa", RASA) == [name, [SORRY], {}]


def test_python_telegram_bot(web: Web) -> None:
    assert ran(web, "python-telegram-bot", "") == "order.status: shipped\norder.items: ['a', 'b']"


CHATWOOT = """
event = {"event": "message_created", "message_type": "incoming", "id": 7, "content": "42",
         "account": {"id": 1}, "conversation": {"id": 3}}
bot = app.test_client()
assert bot.post("/chatwoot", json=event).status_code == 200
assert bot.post("/chatwoot", json=event | {"message_type": "outgoing"}).status_code == 200
[thread.join() for thread in threading.enumerate() if thread is not threading.main_thread()]
"""


def test_chatwoot(web: Web) -> None:
    with platform_api() as (api, posted):
        ran(web, "Chatwoot", CHATWOOT, api)
        ran(web, "Chatwoot", CHATWOOT.replace('"id": 7', '"id": 8'), api)
    assert [(path, body) for path, _, body in posted] == [
        ("/api/v1/accounts/1/conversations/3/messages", {"content": "order.status: shipped\norder.items: ['a', 'b']"}),
        ("/api/v1/accounts/1/conversations/3/messages", {"content": SORRY}),
    ]
    assert posted[0][1]["api_access_token"] == "YOUR_BOT_TOKEN"


WHATSAPP = """
import json

sent = {"from": "491701", "id": "wamid.A==", "type": "text", "text": {"body": "42"}}
value = {"metadata": {"phone_number_id": "55"}, "messages": [sent, sent | {"type": "image"}]}
body = json.dumps({"entry": [{"changes": [{"value": value}, {"value": {"statuses": []}}]}]}).encode()
signed = "sha256=" + hmac.new(b"YOUR_APP_SECRET", body, "sha256").hexdigest()
bot = app.test_client()
assert bot.get("/whatsapp?hub.verify_token=YOUR_VERIFY_TOKEN&hub.challenge=1158").text == "1158"
assert bot.get("/whatsapp?hub.verify_token=other&hub.challenge=1158").status_code == 403
for wrong in ({}, {"X-Hub-Signature-256": "sha256=00"}, {"X-Hub-Signature-256": "sha256=\xfc"}):
    assert bot.post("/whatsapp", data=body, content_type="application/json", headers=wrong).status_code == 403
headers = {"X-Hub-Signature-256": signed}
for _ in range(2):  # as Meta does where it saw no 200
    assert bot.post("/whatsapp", data=body, content_type="application/json", headers=headers).status_code == 200
    [thread.join() for thread in threading.enumerate() if thread is not threading.main_thread()]
"""


def test_whatsapp_cloud(web: Web) -> None:
    with platform_api() as (api, posted):
        ran(web, "WhatsApp Cloud", WHATSAPP, api)
    text = {"messaging_product": "whatsapp", "to": "491701", "type": "text"}
    said = text | {"text": {"body": "order.status: shipped\norder.items: ['a', 'b']"}}
    assert [(path, body) for path, _, body in posted] == [("/v23.0/55/messages", said)] * 2
    assert len(web.house.logs()) == 1, "an event that comes again runs the step once"


BOTPRESS = """
const axios = { post: async (url, body, { headers, timeout }) => {
  const sent = { "Content-Type": "application/json", ...headers };
  const answer = await fetch(url, { method: "POST", headers: sent, body: JSON.stringify(body), signal: AbortSignal.timeout(timeout) });
  return { data: await answer.json() };
} };
const workflow = { order_id: "42" };
%s
console.log(JSON.stringify(workflow));
"""


def test_botpress(web: Web, pytestconfig: pytest.Config) -> None:
    if shutil.which("node") is None:
        pytestconfig.stash[ABSENT]["the recipe of Botpress"] = "node is not installed"
        pytest.skip("the summary says why")
    node = (str(shutil.which("node")), "--input-type=module", "-")
    assert ran(web, "Botpress", BOTPRESS, command=node) == {
        "order_id": "42", "next": "continue", "order_status": "shipped", "order_items": '["a","b"]',
    }  # fmt: skip
    assert ran(web, "Botpress", BOTPRESS, command=node) == {"order_id": "42", "next": "stop"}


@pytest.mark.parametrize("name", ["Chatwoot", "WhatsApp Cloud", "python-telegram-bot"])
def test_code_says_which_values_are_examples(name: str) -> None:
    def code(*names: str) -> str:
        found = recipes("https://httpstep.example", "order-status", dict.fromkeys(names, 42), [])
        return next(one.blocks[0].text for one in found if one.platform.name == name)

    remark = "# example values beside message: your bot sends its own\n"
    assert remark in code("text", "order.id") and remark not in code("text")


def test_every_recipe_of_code_is_run_by_a_test_of_its_own() -> None:
    tests = {name.removeprefix("test_") for name in globals() if name.startswith("test_")}
    assert {
        platform.name.lower().replace(" ", "_").replace("-", "_") for platform in PLATFORMS if platform.template
    } <= tests


@pytest.mark.parametrize("value", ['it\'s "so" \\ {x}', None, True, [1, {"a": None}], 12345678901234567890, "é\u2028"])
def test_whatever_a_sample_holds_the_code_stays_whole(value: Any) -> None:
    for one in recipes("https://h.example", "a-b", {"first": "x", "odd.na-me": value}, ["a.b"]):
        for block in one.blocks:
            if block.language == "python":
                compile(block.text, one.platform.name, "exec")
            elif block.language == "json":
                assert set(json.loads(block.text)["attributes"]) == {"first", "odd.na-me"}
