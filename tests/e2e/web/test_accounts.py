"""First start, tokens, sharing and teams in a real browser."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, expect

from tests.support.browsers import SCRIPT, WatchedPage, open_page, sign_in
from tests.support.pictures import draw_folder
from tests.support.platforms import TOKEN, ServerProcess, run_process
from tests.support.shells import make_shell

pytestmark = pytest.mark.xdist_group("browser")

ADMIN = "admin@localhost"


@dataclass(frozen=True)
class Place:
    """A server with users.

    Attributes:
        server: The server.
        root: Holds its data folder.
    """

    server: ServerProcess
    root: Path

    def administer(self, *words: str) -> str:
        """Run `lightly admin` and return what it prints."""
        command = [str(Path(sys.executable).parent / "lightly"), "admin", *words]
        command += ["--data-dir", str(self.server.data_dir)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def call(self, method: str, path: str, token: str = TOKEN, **more: object) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"}
        return requests.request(method, self.server.url + path, headers=headers, timeout=30, **more)


@pytest.fixture
def place(tmp_path) -> Iterator[Place]:
    with run_process(tmp_path / "data") as server:
        yield Place(server, tmp_path)


@pytest.fixture
def watched(browser, place) -> Iterator[WatchedPage]:
    opened = open_page(browser, place.server.url)
    yield opened
    opened.shoot("last-account-test")
    opened.page.context.close()
    assert opened.faults == []


def test_lines_of_the_first_start_run_as_they_are_printed(watched, place):
    draw_folder(place.root / "my pictures", 5)
    page = watched.page
    sign_in(watched)
    page.wait_for_selector("text=No dataset yet")
    assert "YOUR_API_TOKEN" in page.locator("pre").inner_text()
    watched.shoot_both("first-start")
    page.get_by_label("Folder of images").fill("my pictures")
    page.get_by_role("button", name="Make a token").click()
    page.get_by_text("It is shown only this once").wait_for()
    lines = page.locator("pre").inner_text()

    shell = make_shell(lines, place.root)
    printed, _ = shell.communicate(timeout=120)
    assert shell.returncode == 0, printed
    page.reload()
    page.wait_for_selector(".dataset:has-text('first-dataset')")
    expect(page.locator(".dataset")).to_contain_text("5 samples")
    # The page forgets the token; the server never knew it in the clear.
    token = lines.split("LIGHTLY_TOKEN=")[1].split()[0]
    kept = page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie])")
    assert token not in kept + page.url + page.content()
    assert token not in place.server.read_log()


def test_a_token_is_shown_once_listed_and_revoked(watched, place):
    page = watched.page
    sign_in(watched, "/account")
    page.fill("#token-name", SCRIPT)
    page.get_by_role("button", name="Make a token", exact=True).click()
    page.get_by_text("it is not shown again").wait_for()
    token = page.get_by_label("the new token", exact=True).inner_text()
    assert place.call("GET", "/v1/datasets", token).ok
    row = page.locator("li", has_text=SCRIPT)
    expect(row).to_have_count(1)
    expect(page.locator("li", has_text="you signed in with it")).to_have_count(1)
    watched.shoot_both("account")
    page.reload()
    row.wait_for()
    assert token not in page.content()
    row.get_by_role("button").click()
    page.locator("dialog .danger").click()
    expect(row).to_have_count(0)
    assert place.call("GET", "/v1/datasets", token).status_code == 401
    assert page.title() != "owned"


def test_the_theme_is_as_chosen_after_a_reload(watched):
    page = watched.page
    sign_in(watched, "/account")
    page.get_by_label("Dark", exact=True).check()
    page.reload()
    page.wait_for_selector("h1")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.get_by_label("As the system has it").check()
    assert page.evaluate("document.documentElement.dataset.theme ?? null") is None


def open_as(browser: Browser, place: Place, token: str, path: str) -> WatchedPage:
    watched = open_page(browser, place.server.url)
    sign_in(watched, path, token)
    return watched


def test_the_second_user_sees_what_is_shared_and_the_third_does_not(watched, browser, place):
    second = place.administer("user", "add", "second@example.com")
    third = place.administer("user", "add", "third@example.com")
    dataset = place.call("POST", "/v1/datasets", json={"name": "shared scenes"}).json()["id"]
    page = watched.page
    sign_in(watched, f"/datasets/{dataset}/settings/sharing")
    page.wait_for_selector("text=Shared with nobody")
    page.fill("#share-email", "second@example.com")
    page.get_by_role("button", name="Share", exact=True).click()
    page.locator("li", has_text="second@example.com").wait_for()
    watched.shoot_both("sharing")

    seeing = open_as(browser, place, second, f"/datasets/{dataset}")
    expect(seeing.page.locator("h1")).to_have_text("shared scenes")
    # What the role does not allow is said with the role, not hidden as unknown.
    seeing.page.goto(f"/datasets/{dataset}/settings/sharing")
    seeing.page.fill("#share-email", "third@example.com")
    seeing.page.get_by_role("button", name="Share", exact=True).click()
    expect(seeing.page.get_by_role("alert")).to_contain_text("Only the owner of a dataset")
    blind = open_as(browser, place, third, f"/datasets/{dataset}")
    expect(blind.page.locator("h1")).to_have_text("There is no such dataset")

    page.get_by_role("button", name="Stop sharing: second@example.com").click()
    page.wait_for_selector("text=Shared with nobody")
    seeing.page.goto(f"/datasets/{dataset}")
    expect(seeing.page.locator("h1")).to_have_text("There is no such dataset")
    for other in (seeing, blind):
        other.page.context.close()
        assert [f for f in other.faults if "403" not in f and "404" not in f] == []


def test_a_team_is_seen_by_its_members_and_changed_by_its_owners(watched, browser, place):
    member = place.administer("user", "add", "member@example.com")
    team = place.administer("team", "add", SCRIPT[:40], "--owner", ADMIN)
    place.administer("service-account", "add", team, "robot")
    page = watched.page
    sign_in(watched, "/account")
    page.get_by_role("link", name=SCRIPT[:40]).click()
    page.fill("#member-email", "member@example.com")
    page.get_by_role("button", name="Add", exact=True).click()
    row = page.locator("li", has_text="member@example.com")
    row.locator("select").select_option("ADMIN")
    row.locator("select").select_option("MEMBER")
    page.get_by_role("button", name="New token: robot").click()
    page.get_by_role("button", name="Make it").click()
    token = page.get_by_label("the new token of the service account", exact=True).inner_text()
    assert place.call("GET", "/v1/datasets", token).ok
    watched.shoot_both("team")

    seeing = open_as(browser, place, member, f"/teams/{team}")
    expect(seeing.page.get_by_text("You are member here")).to_be_visible()
    expect(seeing.page.locator("#member-email")).to_have_count(0)
    seeing.page.get_by_role("button", name="Leave: member@example.com").click()
    seeing.page.get_by_role("button", name="Leave it").click()
    seeing.page.wait_for_url("**/account")
    seeing.page.goto(f"/teams/{team}")
    expect(seeing.page.locator("h1")).to_have_text("There is no such team")
    seeing.page.context.close()
    assert page.title() != "owned"
