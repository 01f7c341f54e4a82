"""A real Chromium before a real server, and a small order API to call."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, Route, expect, sync_playwright

from tests.prepared import ADMIN, PASSWORD, SESSION
from tests.server import Server

CHROMIUM = next(
    (path for path in ("/usr/bin/chromium-headless-shell", "/usr/bin/chromium") if Path(path).exists()),
    "/usr/bin/chromium",
)
"""Without the windows that nobody sees a page takes two thirds of the work."""
NOT_NEEDED = (
    # What Playwright switches off: of two such options Chromium takes the last, so its own are said again here.
    "AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades",
    "HttpsFirstBalancedModeAutoEnable", "LensOverlay", "MediaRouter", "PaintHolding", "ThirdPartyStoragePartitioning",
    "AvoidCorsURLLoaderRestartOnRedirect", "TcpPortRandomizationWin", "OptimizationHints", "NetworkTimeServiceQuerying",
    "AimEnabled", "PreconnectToSearch",
    # Pages of the browser's own, hidden behind its address bar: a process and a second of work for each new window.
    "WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "WebUIOmniboxFullPopup", "PreloadTopChromeWebUI",
)  # fmt: skip
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", f"--disable-features={','.join(NOT_NEEDED)}",
]  # fmt: skip
PATIENCE = 30_000
"""Milliseconds after which what a test waits for counts as missing; that costs time only where something is wrong."""
expect.set_options(timeout=PATIENCE)
OF_AN_ABORT = ("htmx:afterRequest, ", "htmx:sendAbort, ")
"""What htmx says of a request that a newer one replaced. Of one that failed it says sendError, and the browser too."""
ORDER = {
    "data": {
        "id": 4711,
        "status": "shipped",
        "customer": {"name": "Ada Lovelace", "email": "ada@shop.example"},
        "items": [{"sku": "A-1", "price": 9.95}, {"sku": "B-2", "price": 9.95}],
    }
}
CHANGED = {
    "data": {
        "id": 4711,
        "state": "shipped",
        "buyer": {"name": "Ada Lovelace", "email": "ada@shop.example"},
        "items": [{"sku": "A-1", "price": "9.95"}],
    }
}


class OrderApi:
    """Orders at /orders/…; /slow answers after 30 s; /refusing says by its body whether it `agrees`. `changed` gives orders
    their other shape."""

    def __init__(self) -> None:
        self.changed = self.agrees = False
        self.paths: list[str] = []
        self.asked, self.hung_up = threading.Event(), threading.Event()  # /slow; and by whom it was left
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                api.paths.append(self.path)
                if self.path.startswith("/slow"):
                    self._wait()
                    return
                answer = CHANGED if api.changed else ORDER
                if self.path.startswith("/refusing"):
                    answer = {"ok": api.agrees, "description": "No such order", "order": {"id": 7}}
                body = json.dumps(answer).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def _wait(self) -> None:
                """Until the caller hangs up, 30 s at most."""
                api.asked.set()
                self.connection.settimeout(30)
                with suppress(ConnectionError):  # a reset is a hang-up as well
                    if self.connection.recv(1) != b"":
                        return
                api.hung_up.set()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@contextmanager
def order_api() -> Iterator[OrderApi]:
    api = OrderApi()
    try:
        yield api
    finally:
        api.close()


def _complaint(message: ConsoleMessage) -> list[str]:
    return [message.text] if message.type == "error" and not message.text.startswith(OF_AN_ABORT) else []


class _Kept:
    """What `one_browser` keeps: how it is ended, and the browser once there is one."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._playwright: Playwright | None = None
        self._browser: Browser | None = None

    def browser(self) -> Browser:
        if self._playwright is None:
            self._playwright = self._stack.enter_context(sync_playwright())
        if self._browser is None or not self._browser.is_connected():
            self._browser = self._playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            self._stack.callback(self._browser.close)
        return self._browser


_kept: list[_Kept] = []


@contextmanager
def one_browser() -> Iterator[None]:
    """Inside, `browsing` starts a browser once and then gives each a context of its own in it.

    Playwright's event loop runs in this thread until this ends, and none of another test could.
    """
    with ExitStack() as stack:
        _kept.append(_Kept(stack))
        stack.callback(_kept.pop)
        yield


@contextmanager
def chromium() -> Iterator[Browser]:
    """For a context, which has cookies, storage and a cache of its own."""
    if _kept:
        yield _kept[-1].browser()
    else:
        with one_browser():
            yield _kept[-1].browser()


@contextmanager
def browsing(
    folder: Path, *arguments: str, width: int = 1280, **variables: str
) -> Iterator[tuple[Server, Page, list[str]]]:
    """(server, page, what the browser complained of). Complaints of a page are a fault of the page."""
    complaints: list[str] = []
    ready = variables.get("ADMIN_EMAIL") == ADMIN and variables.get("ADMIN_PASSWORD") == PASSWORD
    with Server(folder, *arguments, ready=ready, **variables) as server, chromium() as browser:
        context = browser.new_context(viewport={"width": width, "height": 900}, base_url=server.url)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("console", lambda message: complaints.extend(_complaint(message)))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        try:
            yield server, page, complaints
        finally:
            context.close()


def set_up(server: Server, page: Page) -> None:
    """The first user, by the one-time code from the log."""
    code = server.log.read_text().split("one-time code ")[1].split()[0]
    page.goto("/")
    page.wait_for_url("**/setup")
    page.get_by_label("One-time code").fill(code)
    page.get_by_label("E-mail").fill(ADMIN)
    for field in page.locator("input[type=password]").all():
        field.fill(PASSWORD)
    page.get_by_role("button", name="Create the user and sign in").click()
    page.wait_for_url("**/steps")


def sign_in(page: Page, email: str = ADMIN, to: str | None = "/steps") -> None:
    """And open that page, the list unless told; None: none, where whoever calls opens the first one.

    By the session of a prepared database where there is one (None: there is), or else by the form, which is sent without
    being drawn; test_drafts.py fills it in as a person does.
    """
    if email == ADMIN:
        page.context.add_cookies([{"name": "httpstep_session", "value": SESSION, "domain": "127.0.0.1", "path": "/"}])
        if to is None:
            return
        page.goto(to)
        if "/login" not in page.url:
            return
    form = page.request.get("/login")
    token = re.search(r'name="csrf_token" value="([^"]+)"', form.text())
    assert token is not None, form.text()
    sent = {"csrf_token": token[1], "email": email, "password": PASSWORD}
    signed_in = page.request.post("/login", form=sent, headers={"Referer": form.url})
    assert signed_in.url.endswith("/steps"), signed_in.text()
    page.goto(to or "/steps")


def look_at_drift(page: Page) -> None:
    """Open the details of a changed structure."""
    page.locator("#drift-look").click()


def fill_from(page: Page, text: str) -> None:
    """A new step, from what is pasted."""
    page.goto("/steps")
    page.goto("/steps/new#paste-curl")
    page.locator("#at-curl").fill(text)
    page.get_by_role("button", name="Fill the form").click()
    expect(page.get_by_text("Filled from")).to_be_visible()
    settle(page)


def let_go(page: Page, held: list[Route]) -> None:
    """Lets the first request that is held back go on, once it has come: what the page shows of it may be seen before."""
    while not held:  # until pytest's own time is up
        page.wait_for_timeout(20)
    held.pop(0).continue_()


def settle(page: Page, seconds: float = 0.4) -> None:
    """Longer than the pause after which the page looks at what was typed, by the page's own timers: a browser that
    stood still has taken its look before this ends."""
    page.evaluate("pause => new Promise((done) => setTimeout(done, pause))", seconds * 1000)
