"""Chromium for tests, and what every page of the app has to be like in it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, sync_playwright

from tests.support.platforms import TOKEN

ROOT = Path(__file__).resolve().parents[2]
#: Where screenshots go, to be looked at.
OUTPUT = ROOT / "test-output" / "web"
_AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
]
SERIOUS = {"serious", "critical"}
#: What somebody might put everywhere to run a script.
SCRIPT = "<img src=x onerror=\"document.title='owned'\">"


@contextmanager
def run_browser() -> Iterator[Browser]:
    """Yield Chromium. A machine without it fails the tests: they are not left out."""
    path = shutil.which("chromium")
    assert path is not None, "Chromium is missing. Run: make setup-test"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class WatchedPage:
    """A page, and everything about it that must not happen.

    Attributes:
        page: The page.
        host: The only host that it may speak to, with its port.
        faults: What happened.
    """

    page: Page
    host: str
    faults: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """Note errors, and requests to other hosts, from now on."""
        self.page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        self.page.on(
            "console",
            lambda message: (
                self.faults.append(
                    f"console: {message.text} {urlsplit(message.location['url']).path}"
                )
                if message.type in {"error", "warning"}
                else None
            ),
        )
        self.page.on("request", lambda request: self._check_host(request.url))

    def _check_host(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in {"http", "https", "ws", "wss"} and parts.netloc != self.host:
            self.faults.append(f"foreign host: {parts.netloc}")

    def shoot(self, name: str) -> None:
        """Keep a picture of the page."""
        OUTPUT.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=str(OUTPUT / f"{name}.png"))

    def shoot_both(self, name: str) -> None:
        """Keep a picture of the page in both themes; both have to be accessible."""
        for scheme in ("light", "dark"):
            self.page.emulate_media(color_scheme=scheme)
            assert self.find_obstacles() == [], (name, scheme)
            self.shoot(f"{name}-{scheme}")
        self.page.emulate_media(color_scheme="light")

    def find_obstacles(self) -> list[str]:
        """Return the serious findings of axe-core."""
        # Through the debugger: the page itself runs no script but its own.
        self.page.evaluate(_AXE.read_text())
        results: dict[str, Any] = self.page.evaluate("axe.run()")
        return [
            f"{found['id']}: {node['target']} {node.get('failureSummary', '')[:200]}"
            for found in results["violations"]
            if found["impact"] in SERIOUS
            for node in found["nodes"]
        ]


def sign_in(watched: WatchedPage, path: str = "/", token: str = TOKEN) -> None:
    """Sign in and go to a page of the app."""
    page = watched.page
    page.goto(path)
    page.fill("input[name=token]", token)
    page.click("button.primary")
    page.wait_for_selector("header .brand")


def open_page(
    browser: Browser, url: str, *, scheme: str = "light", width: int = 1440, height: int = 900
) -> WatchedPage:
    """Return a page of its own profile, watched from the start."""
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        base_url=url,
        locale="en-US",
    )
    page = context.new_page()
    page.set_default_timeout(float(os.environ.get("LIGHTLY_TEST_BROWSER_TIMEOUT_MS", "30000")))
    watched = WatchedPage(page, urlsplit(url).netloc)
    watched.watch()
    return watched
