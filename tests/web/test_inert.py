"""What others wrote is shown as text wherever it comes from: an API's answer, a bot's values, a colleague's names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from html.parser import HTMLParser

import pytest

from tests.fakes import ThirdParty, answer
from tests.house import House, document
from tests.web.conftest import Web
from tests.web.screen import open_step

SQLITE_ONLY = "how a value is written into a page is decided above the database"
MARK = "evilmark"
PAYLOADS = [
    f'"><script>{MARK}</script>', f"<img id={MARK} src=x onerror={MARK}>", f'"><svg onload={MARK} id={MARK}>',
    f'" hx-get="/{MARK}" hx-trigger="load" x="', f"' data-hx-get='/{MARK}' data-hx-trigger='load' x='",
    f'<div id={MARK} data-hx-on:click="{MARK}">', f"x hx-on::load={MARK} data-hx-post=/{MARK}",
    f'<a id={MARK} href="javascript:{MARK}">', f"javascript:{MARK}//", f"JaVaScRiPt:{MARK}",
    f"</textarea></script></title><b id={MARK}>", f"<style>@import '//{MARK}'</style>", f"{{{{{MARK}}}}}&lt;b id={MARK}>",
]  # fmt: skip
LEADS = ("href", "src", "action", "formaction", "srcset", "data", "poster", "xlink:href")
RUNS = ("style", "srcdoc")


class _Active(HTMLParser):
    """What of a page would act, and was not written by us. To htmx `data-hx-…` is the same as `hx-…`."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._script = False

    def handle_starttag(self, tag: str, pairs: list[tuple[str, str | None]]) -> None:
        at = {name: value or "" for name, value in pairs}
        self._script = tag in ("script", "style")
        for name, value in at.items():
            plain = name.removeprefix("data-")
            if self._acts(plain, value.strip().lower()) or MARK in name or (name == "id" and value == MARK):
                self.found.append(f"<{tag} {name}={value!r}>")

    @staticmethod
    def _acts(name: str, value: str) -> bool:
        if name.startswith(("on", "hx-on")) or name in RUNS:
            return True
        if value.startswith(("javascript:", "js:", "data:text")):
            return name in LEADS or name.startswith("hx-")
        if MARK not in value.partition("?")[0] or name == "hx-vals":
            return False
        ours = value.startswith("/") and not value.startswith((f"/{MARK}", "//"))
        return (name in LEADS or name.startswith("hx-")) and not ours

    def handle_data(self, data: str) -> None:
        if self._script and MARK in data:
            self.found.append(data)

    def handle_endtag(self, tag: str) -> None:
        self._script = False


def active(page: str) -> list[str]:
    parser = _Active()
    parser.feed(page)
    return parser.found


@pytest.mark.parametrize(
    "page", ["<b onclick=x>", "<a href=' JavaScript:x'>", f"<b data-hx-get='/{MARK}'>", "<b data-hx-on:click=x>",
             f"<b id={MARK}>", f"<script>{MARK}</script>", "<b style=x>", f"<a href='//{MARK}/'>", "<b hx-vals='js:x'>"],
)  # fmt: skip
def test_what_acts_is_recognised(page: str) -> None:
    """The test's own test."""
    assert active(page) and not active(f"<b title='x {MARK}'>{MARK}</b><a hx-get='/steps/1?path={MARK}'>")


def hostile(house: House) -> Iterator[str]:
    """The ids of calls that carry every payload, in every place that can hold it."""
    for number, payload in enumerate(PAYLOADS):
        named = document(
            f"step-{number}", name=payload[:90], url="https://api.example/{{where}}?q={{where}}",
            headers=[{"name": "X-Given", "value": "{{where}}"}], missing_attributes="empty",
        )  # fmt: skip
        if "{{" in payload:
            named["name"] = payload.replace("{{", "{")
        assert house.put(named).status_code == 201, payload
        given = {"where": payload, payload: payload, "inside": {payload: [payload]}}
        yield house.execute(f"step-{number}", given, headers={"X-Request-Id": "r"}).json["log_id"]


@pytest.mark.parametrize("kind", ["json", "html", "failure"])
def test_hostile_texts_are_inert_in_every_view_of_a_call(make_house: Callable[..., House], kind: str) -> None:
    document_ = {payload: [payload, {payload: payload}] for payload in PAYLOADS}
    noted = {f"X_Note{number}": payload for number, payload in enumerate(PAYLOADS)}
    third = ThirdParty(
        {
            "json": answer(200, document_, Location=f"javascript:{MARK}", **noted),
            "html": answer(200, text="".join(PAYLOADS), Refresh=f"0;url=javascript:{MARK}", **noted),
            "failure": answer(500, {"message": "".join(PAYLOADS[:3]), "error": PAYLOADS[7]}, **noted),
        }[kind]
    )
    web = Web(make_house(third))
    web.house.limit(100)
    bob = web.as_("bob")
    for number, log in enumerate(hostile(web.house), start=1):
        page = bob.get(f"/steps/{number}/logs/{log}")
        assert page.status_code == 200 and MARK in page.text, "it is shown"
        paths = [f"/logs/{log}", f"/steps/{number}", f"/steps/{number}/logs", f"/steps/{number}/tree?log={log}"]
        for path in paths if number < 4 else paths[:2]:
            assert active(bob.get(path).text) == [], path
        assert active(page.text) == []
    for path in (
        "/steps",
        "/steps/list",
        "/attributes",
        "/attributes/picker?field=url",
        "/flows/new",
        "/settings/keys",
    ):
        assert active(bob.get(path).text) == [], path


def test_hostile_texts_are_inert_where_a_call_is_tested_and_its_answer_drifts(make_house: Callable[..., House]) -> None:
    third = ThirdParty(*(answer(200, {payload: payload}) for payload in PAYLOADS))
    web = Web(make_house(third))
    web.house.limit(100)
    web.house.put(document(name=PAYLOADS[2], url="https://api.example/{{where}}"))
    screen = open_step(web.as_("bob"))
    for payload in PAYLOADS[:5]:
        screen.fill(value__where=payload).press("test")
        assert MARK in screen.html and active(screen.html) == []
    for op in ("preview", "remap", "accept"):
        assert active(screen.press(op).html) == [], op
    assert active(screen.fill(url=f"javascript:{MARK}", name=PAYLOADS[4]).press("save").html) == []
    assert screen.status == 422
