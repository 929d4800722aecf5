"""Signing in, and what is true of every page."""

from __future__ import annotations

import re

import pytest

from lightly.server.web.files import STATIC_DIR
from tests.support.browsers import open_page, sign_in
from tests.support.platforms import TOKEN

pytestmark = pytest.mark.xdist_group("browser")


def test_signing_in_leads_to_the_asked_page_and_the_token_is_nowhere(watched, shown):
    page = watched.page
    page.goto(shown.url)
    page.wait_for_selector("input[name=token]")
    assert "next=" in page.url
    page.fill("input[name=token]", "wrong-token")
    page.click("button.primary")
    page.wait_for_selector("[role=alert]")
    watched.faults.clear()  # the browser notes the refused request
    page.fill("input[name=token]", TOKEN)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{shown.url}")
    page.get_by_role("link", name="Explore").first.wait_for()

    stored = page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie])")
    assert TOKEN not in stored + page.url + page.content()
    assert "session" not in page.evaluate("document.cookie")

    page.get_by_role("button", name="Account").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_selector("input[name=token]")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_accessible_and_says_where_one_is(browser, shown, scheme):
    watched = open_page(browser, shown.server.url, scheme=scheme)
    page = watched.page
    page.goto("/login")
    page.wait_for_selector("input[name=token]")
    assert watched.find_obstacles() == []
    watched.shoot(f"login-{scheme}")
    sign_in(watched)
    sample = shown.find_sample(3)
    pages = {
        "datasets": ("/datasets", ".dataset"),
        "new-dataset": ("/datasets/new", "form"),
        "dataset": (shown.url, ".strip img"),
        "explore": (f"{shown.url}/explore?color=m:weather", ".canvas [data-drawn=whole]"),
        "sample": (f"{shown.url}/explore/{sample}", ".picture img"),
        "tags": (f"{shown.url}/tags", ".table .row"),
        "runs": ("/runs", "main .empty"),
        "workers": ("/workers", "main .empty"),
        "account": ("/account", "dl"),
        "not-found": ("/nothing/here", "main"),
    }
    for name, (path, selector) in pages.items():
        page.goto(path)
        page.wait_for_selector(selector)
        page.wait_for_load_state("networkidle")
        assert page.locator("h1").count() == 1, name
        assert watched.find_obstacles() == [], name
        watched.shoot(f"{name}-{scheme}")
    assert page.title() != "owned"
    page.context.close()
    assert watched.faults == []


def test_a_dataset_is_made_found_and_deleted_by_its_typed_name(watched, shown):
    page = watched.page
    sign_in(watched, "/datasets/new")
    page.fill("#name", "to be deleted")
    page.click("button.primary")
    page.get_by_text("lightly-upload").first.wait_for()
    page.goto("/datasets")
    page.fill("input[type=search]", "TO BE")
    page.wait_for_selector("text=1 dataset")
    page.get_by_role("button", name="Delete to be deleted").click()
    delete = page.get_by_role("button", name="Delete", exact=True)
    assert delete.is_disabled()
    page.fill("#typed", "to be deleted")
    delete.click()
    page.wait_for_selector("text=No dataset is called so")


def test_the_session_that_was_ended_leads_back_to_the_sign_in_page(watched, shown):
    page = watched.page
    sign_in(watched, f"{shown.url}/explore?layout=grid")
    page.wait_for_selector(".cell img")
    page.context.clear_cookies()
    page.get_by_role("link", name="Overview").click()
    page.wait_for_selector("input[name=token]")
    assert "next=" in page.url
    watched.faults.clear()  # the browser notes the refused requests


def test_the_first_page_loads_little():
    index = (STATIC_DIR / "index.html").read_text()
    first = re.findall(r'src="/(assets/[^"]+\.js)"', index)
    sizes = {path.name: path.stat().st_size for path in (STATIC_DIR / "assets").glob("*.js.gz")}

    assert sum(sizes[f"{name.rpartition('/')[2]}.gz"] for name in first) <= 90_000


@pytest.mark.parametrize("width", [1024, 720])
def test_pages_fit_into_narrow_windows_and_large_letters(browser, shown, width):
    """720 pixels are what a window of 1440 has at a zoom of 200 %."""
    watched = open_page(browser, shown.server.url, width=width)
    page = watched.page
    sign_in(watched)
    pages = {
        "datasets": ("/datasets", ".dataset"),
        "dataset": (shown.url, ".strip img"),
        "explore": (f"{shown.url}/explore?color=m:weather", ".canvas [data-drawn=whole]"),
        "sample": (f"{shown.url}/explore/{shown.find_sample(3)}", ".picture img"),
        "tags": (f"{shown.url}/tags", ".table .row"),
        "analyze": (f"{shown.url}/analyze", "h3"),
        "select": (f"{shown.url}/select", ".big"),
        "export": (f"{shown.url}/export", "aside pre"),
        "settings": (f"{shown.url}/settings/source", "h1"),
        "runs": ("/runs", "main .empty"),
        "account": ("/account", "dl"),
    }
    for name, (path, selector) in pages.items():
        page.goto(path)
        page.wait_for_selector(selector)
        sizes = "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        whole, seen = page.evaluate(sizes)
        watched.shoot(f"{name}-{width}")
        assert whole <= seen, (name, whole, seen)
    page.context.close()
    assert watched.faults == []
