"""Keys of the explore page and of one sample do what the sheet of keys says."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.support.browsers import sign_in
from tests.support.web_app import N_PICTURES, Shown, wait_count

pytestmark = pytest.mark.xdist_group("browser")


def test_keys_of_view_and_map(watched, shown):
    page = watched.page
    sign_in(watched, f"{shown.url}/explore?color=m:weather")
    page.wait_for_selector("[data-drawn=whole]")
    for key, layout in (("1", "layout=grid"), ("3", "layout=plot"), ("2", "explore?color")):
        page.keyboard.press(key)
        page.wait_for_url(f"**{layout}*")
    for key, name in (("l", "Lasso (l)"), ("b", "Box (b)")):
        tool = page.get_by_role("button", name=name)
        page.keyboard.press(key)
        expect(tool).to_have_attribute("aria-pressed", "true")
        page.keyboard.press("Escape")
        expect(tool).to_have_attribute("aria-pressed", "false")
    for key, count in (("]", 16), ("]", 16), ("]", 16), ("]", N_PICTURES), ("[", 16)):
        page.keyboard.press(key)
        wait_count(page, count)
    page.keyboard.press("Backspace")
    wait_count(page, N_PICTURES)
    page.keyboard.press("/")
    expect(page.locator(".search input")).to_be_focused()
    # Where somebody types, keys are letters.
    page.keyboard.type("l3")
    expect(page.locator(".search input")).to_have_value("l3")
    page.locator(".search input").fill("")
    wait_count(page, N_PICTURES)
    page.get_by_role("listbox", name="Samples").focus()
    page.keyboard.press("c")
    expect(page.get_by_label("Colour by")).to_be_focused()
    page.get_by_role("listbox", name="Samples").focus()
    page.keyboard.press("f")
    focused = "document.activeElement.closest('section').getAttribute('aria-labelledby')"
    assert page.evaluate(focused) == "filters-title"


def test_keys_of_the_map_move_and_zoom_it(watched, shown):
    page = watched.page
    sign_in(watched, f"{shown.url}/explore?layout=plot&lasso=-9,-9;9,-9;9,9;-9,9")
    page.wait_for_selector("[data-drawn=whole]")
    outline = page.locator("path.lasso")
    whole = outline.bounding_box()["width"]
    page.locator(".pad").focus()
    page.keyboard.press("+")
    page.wait_for_function(f"document.querySelector('path.lasso').getBBox().width > {whole * 1.2}")
    page.keyboard.press("0")
    page.wait_for_function(
        f"Math.abs(document.querySelector('path.lasso').getBBox().width - {whole}) < 2"
    )
    left = outline.bounding_box()["x"]
    page.keyboard.press("ArrowRight")
    page.wait_for_function(
        f"document.querySelector('path.lasso').getBoundingClientRect().x < {left - 30}"
    )


def test_keys_of_a_sample(watched, shown):
    page = watched.page
    sign_in(watched, f"{shown.url}/explore/{shown.find_sample(5)}")
    page.wait_for_selector(".picture img")
    title = page.locator(".detail h2")
    for key, index in (("j", 6), ("k", 5), ("ArrowRight", 6), ("ArrowLeft", 5)):
        page.keyboard.press(key)
        expect(title).to_have_text(shown.names[index])
    width = page.locator(".picture").bounding_box()["width"]
    page.keyboard.press("+")
    page.wait_for_function(
        f"document.querySelector('.picture').getBoundingClientRect().width > {width * 1.2}"
    )
    page.keyboard.press("0")
    page.wait_for_function(
        f"Math.abs(document.querySelector('.picture').getBoundingClientRect().width - {width}) < 2"
    )
    page.keyboard.press("x")
    expect(page.get_by_role("button", name="Selected")).to_be_visible()
    page.keyboard.press("Escape")
    page.wait_for_selector("text=1 selected")


def open_by(page: Page, keys: str, address: str) -> None:
    for key in keys:
        page.keyboard.press(key)
    page.wait_for_url(f"**{address}")


def test_pages_are_reached_by_two_keys(watched, shown: Shown):
    page = watched.page
    sign_in(watched, shown.url)
    page.wait_for_selector("h1:has-text('street scenes')")
    for keys, path in (("ge", "/explore"), ("gt", "/tags"), ("ga", "/analyze"), ("gx", "/export")):
        open_by(page, keys, f"{shown.url}{path}")
    for keys, path in (("gr", "/runs"), ("gw", "/workers"), ("gd", "/datasets")):
        open_by(page, keys, path)
