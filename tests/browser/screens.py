"""`make screens`: every page of the demo in both themes and widths, into screens/, and those that documents show into docs/screens/."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import requests
from playwright.sync_api import Browser, Page

from tests.browser.chromium import chromium
from tests.server import Server, free_port

ROOT = Path(__file__).resolve().parents[2]
FOLDER, SHOWN = ROOT / "screens", ROOT / "docs/screens"
IN_DOCUMENTS = (
    "steps-1280-light",
    "editor-tested-1280-light",
    "editor-tested-390-dark",
    "drift-1280-dark",
    "log-dialog-1280-light",
)
WIDTHS = {1280: 1400, 390: 844}
"""And the height of the window: on a wide one high enough for all of the panel beside the form."""
THEMES = ("light", "dark")
EMAIL, PASSWORD = "ana@shop.example", "correct horse battery"
PAGES = {
    "steps": "/steps", "new-step": "/steps/new", "flows": "/flows", "attributes": "/attributes", "secrets": "/secrets",
    "account": "/settings/account", "keys": "/settings/keys", "users": "/settings/users", "mail": "/settings/mail",
    "sessions": "/settings/sessions", "accounts": "/settings/accounts", "backup": "/settings/backup", "about": "/about", "api": "/docs/api",
}  # fmt: skip


class Camera:
    """Takes each screen at every width and in every theme, from the page as it is."""

    def __init__(self, browser: Browser, folder: Path) -> None:
        self._folder = folder
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        self.page: Page = context.new_page()

    def take(self, name: str) -> None:
        for width, height in WIDTHS.items():
            self.page.set_viewport_size({"width": width, "height": height})
            for theme in THEMES:
                self.page.emulate_media(color_scheme=theme)
                self.page.wait_for_timeout(400)
                file = self._folder / f"{name}-{width}-{theme}.png"
                self.page.screenshot(
                    path=file, full_page=width < 600 and not name.endswith("dialog"), animations="disabled"
                )
        self.page.set_viewport_size({"width": 1280, "height": 900})
        self.page.emulate_media(color_scheme="light")


def sign_up(page: Page, server: Server, camera: Camera) -> None:
    code = server.log.read_text().split("one-time code ")[1].split()[0]
    page.goto(f"{server.url}/setup")
    camera.take("setup")
    page.get_by_label("One-time code").fill(code)
    page.get_by_label("E-mail").fill(EMAIL)
    for field in page.locator("input[type=password]").all():
        field.fill(PASSWORD)
    page.locator("main button[type=submit], main form button").last.click()
    page.wait_for_url("**/steps")


def tested(page: Page, server: Server, name: str) -> None:
    page.goto(f"{server.url}/steps")
    page.get_by_role("link", name=name).first.click()
    page.locator("#test-btn").click()
    page.locator("#test-result").get_by_text("200 OK").wait_for()


def tested_flow(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/flows/new")
    page.get_by_label("Name").fill("Order, then ticket")
    page.locator("#step-1").select_option(label="Order status")
    page.locator("#step-2").select_option(index=1)
    page.wait_for_timeout(500)
    page.locator("#when-2").select_option("equals")
    page.locator("#attribute-2").fill("status")
    page.locator("#value-2").fill("lost")
    page.locator("#test-btn").click()
    page.locator(".flow-timeline li").first.wait_for()
    page.wait_for_timeout(500)


def save(page: Page) -> None:
    with page.expect_response(lambda response: response.request.method == "POST") as saved:
        page.get_by_role("button", name="Save").first.click()
    assert saved.value.ok, saved.value.status
    page.wait_for_timeout(500)


def shoot(server: Server, api_port: int, camera: Camera) -> None:
    page = camera.page
    sign_up(page, server, camera)
    for name, path in PAGES.items():
        page.goto(server.url + path)
        camera.take(name)
    tested(page, server, "Order status")
    camera.take("editor-tested")
    save(page)
    page.locator("#logs").get_by_role("button", name="View").or_(
        page.locator("#logs").get_by_role("link", name="View")
    ).first.click()
    page.locator("dialog[open]").wait_for()
    camera.take("log-dialog")
    tested_flow(page, server)
    camera.take("flow-tested")
    requests.post(f"http://127.0.0.1:{api_port}/demo/change", timeout=10)
    tested(page, server, "Order status")
    page.locator("#h-drift").wait_for()
    camera.take("drift")
    page.goto(f"{server.url}/nothing-here")
    camera.take("not-found")
    page.context.clear_cookies()
    page.goto(f"{server.url}/login")
    camera.take("login")


def main(folder: Path = FOLDER) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    api_port = free_port()
    with (
        tempfile.TemporaryDirectory() as data,
        Server(Path(data) / "data", "--demo", str(api_port)) as server,
        chromium() as browser,
    ):
        shoot(server, api_port, Camera(browser, folder))
    for name in IN_DOCUMENTS:
        shutil.copy(folder / f"{name}.png", SHOWN)
    sys.stdout.write(f"{len(list(folder.glob('*.png')))} screens in {folder}\n")


if __name__ == "__main__":
    main()
