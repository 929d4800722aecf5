"""The grid of the explore page: filters and selection."""

from __future__ import annotations

import base64
import re

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.support.browsers import sign_in
from tests.support.web_app import COUNT, HEADERS, N_PICTURES, Shown, count_shown, wait_count

pytestmark = pytest.mark.xdist_group("browser")


def test_filters_narrow_grid_and_address_and_back_undoes_them(watched, shown):
    page = watched.page
    sign_in(watched, f"{shown.url}/explore")
    page.get_by_role("group", name="weather").get_by_text("rain").click()
    wait_count(page, 16)
    assert "f=weather:rain" in page.url
    handle = page.get_by_role("slider", name="speed, at least")
    handle.focus()
    page.keyboard.press("Shift+ArrowRight")
    expect(page.locator(COUNT)).not_to_have_text("16")
    narrowed = count_shown(page)
    page.reload()
    wait_count(page, narrowed)
    page.go_back()
    wait_count(page, 16)
    page.fill(".search input", "no such name")
    page.wait_for_selector("text=Nothing matches")
    page.get_by_role("button", name=f"Show all {N_PICTURES}").click()
    wait_count(page, N_PICTURES)


def test_a_tag_is_made_from_a_selection_by_keyboard_alone(watched, shown):
    page = watched.page
    sign_in(watched, f"{shown.url}/explore?layout=grid")
    grid = page.get_by_role("listbox", name="Samples")
    page.wait_for_selector(".cell img")
    grid.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    for _ in range(3):
        page.keyboard.press("Shift+ArrowRight")
    page.wait_for_selector("text=4 selected")
    page.keyboard.press("Control+z")
    page.wait_for_selector("text=3 selected")
    page.keyboard.press("Control+Shift+z")
    page.wait_for_selector("text=4 selected")
    page.keyboard.press("t")
    page.keyboard.type("by keyboard")
    page.keyboard.press("Enter")
    page.wait_for_selector("[role=treeitem]:has-text('by keyboard')")

    tags = requests.get(shown.api("/tags"), headers=HEADERS, timeout=30).json()
    made = next(tag for tag in tags if tag["name"] == "by keyboard")
    assert int(made["bitMaskData"], 16) == 0b11110


def test_all_that_match_are_selected_and_turned_round(watched, shown):
    page = watched.page
    sign_in(watched, f"{shown.url}/explore?f=speed:..9&layout=grid")
    wait_count(page, 10)
    page.get_by_role("listbox", name="Samples").focus()
    page.keyboard.press("Control+a")
    page.wait_for_selector("text=10 selected")
    page.keyboard.press("Space")
    page.wait_for_selector("text=9 selected")
    page.keyboard.press("i")
    page.wait_for_selector("text=1 selected")


N_MANY = 10_000_000
_PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)


def pretend_many(page: Page, shown: Shown) -> None:
    """Let the page believe that the dataset has ten million samples."""
    dataset = shown.get("") | {"nSamples": N_MANY}
    page.route(f"**/v1/datasets/{shown.dataset_id}", lambda route: route.fulfill(json=dataset))
    columns = {"state": "READY", "revision": 0, "nSamples": N_MANY, "columns": []}
    page.route(f"**{shown.url}/columns", lambda route: route.fulfill(json=columns))
    page.route("**/samples/*/image*", lambda route: route.fulfill(body=_PIXEL))

    def list_records(route) -> None:
        indices = route.request.post_data_json["indices"]
        route.fulfill(json=[[one, f"{one:024x}", f"{one}.jpg", "IMAGE"] for one in indices])

    page.route("**/samples/records", list_records)


def place_of(page: Page, position: int) -> float:
    """Return how far below the top of the window a cell is."""
    box = page.locator(f"#cell-{position}").bounding_box()
    assert box is not None
    return box["y"]


def test_wheel_and_keys_skip_no_row_of_ten_million(watched, shown):
    page = watched.page
    pretend_many(page, shown)
    sign_in(watched, f"{shown.url}/explore?layout=grid")
    wait_count(page, N_MANY)
    grid = page.get_by_role("listbox", name="Samples")
    grid.focus()
    page.keyboard.press("End")
    last = page.locator(f"#cell-{N_MANY - 1}")
    expect(last).to_have_attribute("aria-label", f"{N_MANY - 1}.jpg")
    box = grid.bounding_box()
    assert place_of(page, N_MANY - 1) < box["y"] + box["height"]

    first = int(page.locator(".cell").first.get_attribute("aria-posinset")) - 1
    top = place_of(page, first)
    columns = sum(place_of(page, first + k) == top for k in range(12))
    pitch = place_of(page, first + columns) - top
    for _ in range(2):
        before = int(grid.get_attribute("aria-activedescendant").removeprefix("cell-"))
        page.keyboard.press("PageUp")
        after = int(grid.get_attribute("aria-activedescendant").removeprefix("cell-"))
        assert (before - after) % columns == 0
        assert 0 < before - after <= columns * (box["height"] // pitch)
    page.mouse.move(box["x"] + 300, box["y"] + 300)
    for direction in (-1, -1, -1, 1, 1):
        middle = int(page.locator(".cell").nth(3 * columns).get_attribute("aria-posinset")) - 1
        y = place_of(page, middle)
        page.mouse.wheel(0, direction * pitch)
        cell = f"document.querySelector('#cell-{middle}')"
        page.wait_for_function(f"Math.abs({cell}.getBoundingClientRect().y - {y}) > 1")
        assert place_of(page, middle) == pytest.approx(y - direction * pitch, abs=1)


def find_focus(page: Page) -> int:
    """Return the position of the cell that the keys act on."""
    active = page.get_by_role("listbox", name="Samples").get_attribute("aria-activedescendant")
    return int(active.removeprefix("cell-"))


def test_a_range_may_reach_over_rows_that_were_never_loaded(watched, shown):
    page = watched.page
    asked = []
    pretend_many(page, shown)
    sign_in(watched, f"{shown.url}/explore?layout=grid")
    wait_count(page, N_MANY)
    page.on("request", lambda one: "records" in one.url and asked.append(one.post_data_json))
    page.get_by_role("listbox", name="Samples").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    page.keyboard.press("Shift+End")
    page.wait_for_selector(f"text={N_MANY - 1:,} selected")
    expect(page.locator(f"#cell-{N_MANY - 1}")).to_have_attribute("aria-selected", "true")
    assert sum(len(body["indices"]) for body in asked) < 2_000
    page.keyboard.press("Control+z")
    page.wait_for_selector("text=1 selected")


def test_a_link_leads_to_its_sample_and_back_to_its_place(watched, shown):
    page = watched.page
    place = 777_777
    pretend_many(page, shown)
    sample = shown.get(f"/samples/{shown.find_sample(0)}") | {"index": place}
    sample |= {"fileName": f"{place}.jpg", "id": f"{place:024x}"}
    page.route(f"**/samples/{place:024x}", lambda route: route.fulfill(json=sample))
    for path in ("predictions/samples", "similar"):
        page.route(f"**/{path}*", lambda route: route.fulfill(status=404, json={}))
    sign_in(watched, f"{shown.url}/explore/{place:024x}?layout=grid")
    page.wait_for_selector(f".detail h2:has-text('{place}.jpg')")
    page.wait_for_selector(f"text={place + 1:,} of {N_MANY:,}")
    page.keyboard.press("Escape")
    grid = page.get_by_role("listbox", name="Samples")
    expect(grid).to_be_focused()
    expect(page.locator(f"#cell-{place}.focused")).to_be_visible()

    # Other windows and larger images keep it in sight, and so does the way there and back.
    page.set_viewport_size({"width": 1024, "height": 700})
    expect(page.locator(f"#cell-{place}")).to_be_in_viewport()
    page.keyboard.press("+")
    expect(page.locator(f"#cell-{place}")).to_be_in_viewport()
    top = place_of(page, place)
    page.keyboard.press("Enter")
    page.wait_for_selector(".detail")
    page.go_back()
    expect(grid).to_be_focused()
    assert find_focus(page) == place
    assert place_of(page, place) == pytest.approx(top, abs=1)
    watched.faults.clear()  # the browser notes what there is not of a pretended sample


def test_a_histogram_is_dragged_and_that_is_one_step_back(watched, shown):
    page = watched.page
    sign_in(watched, f"{shown.url}/explore")
    page.wait_for_selector("[data-drawn=whole]")
    area = page.get_by_role("slider", name="speed, at least").locator("..").bounding_box()
    y = area["y"] + area["height"] / 2
    page.mouse.move(area["x"] + 2, y)
    page.mouse.down()
    for share in (0.2, 0.35, 0.5):
        page.mouse.move(area["x"] + area["width"] * share, y)
    page.mouse.up()
    page.wait_for_selector(".chip:has-text('speed')")
    # Half of the values from 0 to 47, as precisely as a mouse is.
    expect(page.locator(COUNT)).to_have_text(re.compile("^2[1-7]$"))
    counted = count_shown(page)
    label = page.locator(".pad").get_attribute("aria-label")
    assert label.startswith(f"Map of {counted} samples")
    page.reload()
    wait_count(page, counted)
    page.go_back()
    wait_count(page, N_PICTURES)
