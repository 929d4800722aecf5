"""The bar of chips on the explore page, and tags that are made and changed from it."""

from __future__ import annotations

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.support.browsers import sign_in
from tests.support.web_app import HEADERS, N_PICTURES, Shown, wait_count

pytestmark = pytest.mark.xdist_group("browser")


@pytest.fixture(scope="module")
def first_eight(shown: Shown) -> str:
    """A tag of the samples 0 to 7."""
    initial = shown.get("/tags")[0]
    body = {
        "name": "first eight",
        "prevTagId": initial["id"],
        "bitMaskData": "0xff",
        "totSize": N_PICTURES,
    }
    return str(shown.post("/tags", body)["id"])


def read_mask(shown: Shown, name: str) -> int:
    tags = requests.get(shown.api("/tags"), headers=HEADERS, timeout=30).json()
    return int(next(tag["bitMaskData"] for tag in tags if tag["name"] == name), 16)


def find_chip(page: Page, text: str):
    return page.locator(".chip", has_text=text)


def test_chips_count_and_turn_round_and_one_key_drops_what_hides_most(watched, shown):
    page = watched.page
    sign_in(watched, f"{shown.url}/explore?f=weather:rain~speed:..9&layout=grid")
    wait_count(page, 3)
    expect(find_chip(page, "weather").locator(".alone")).to_have_text("16")
    expect(find_chip(page, "speed").locator(".alone")).to_have_text("10")
    find_chip(page, "weather").locator(".flip").click()
    wait_count(page, 7)
    page.reload()
    wait_count(page, 7)

    page.fill(".search input", "no such name")
    page.wait_for_selector("text=Without “no such name” there would be 7 samples.")
    watched.shoot_both("explore-nothing")
    page.locator(".blank").click()
    page.keyboard.press("Backspace")
    wait_count(page, 7)
    page.fill(".search input", shown.names[8])
    wait_count(page, 1)
    find_chip(page, "name:").locator(".flip").click()
    wait_count(page, 6)
    assert "not=name" in page.url


def test_a_tag_and_a_lasso_are_turned_round(watched, shown, first_eight):
    page = watched.page
    # The right half of the map, by its corners.
    lasso = "0.01,-2;2,-2;2,2;0.01,2"
    right = {k for k in range(N_PICTURES) if shown.coordinates[k, 0] > 0.01}
    sign_in(watched, f"{shown.url}/explore?tag={first_eight}&lasso={lasso}&not=tag,lasso")
    wait_count(page, len(set(range(8, N_PICTURES)) - right))
    expect(find_chip(page, "lasso").locator(".alone")).to_have_text(str(N_PICTURES - len(right)))
    watched.shoot_both("explore-chips")
    find_chip(page, "lasso").locator(".flip").click()
    wait_count(page, len(right - set(range(8))))
    page.reload()
    wait_count(page, len(right - set(range(8))))
    find_chip(page, "first eight").locator(".flip").click()
    wait_count(page, len(right & set(range(8))))


def test_all_that_match_become_a_tag_by_one_key_and_samples_move_in_and_out(
    watched, shown, first_eight
):
    page = watched.page
    sign_in(watched, f"{shown.url}/explore?tag={first_eight}&not=tag&f=speed:..11&layout=grid")
    wait_count(page, 4)
    page.keyboard.press("t")
    page.keyboard.type("next four")
    page.keyboard.press("Enter")
    page.wait_for_selector("[role=treeitem]:has-text('next four')")
    assert read_mask(shown, "next four") == 0b1111 << 8

    # The first two of these go into the first tag, and one of them out again.
    page.get_by_role("listbox", name="Samples").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+T")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("2 samples more: 10 then.")
    watched.shoot_both("explore-tagging")
    dialog.get_by_role("button", name="Change the tag").click()
    expect(dialog).to_have_count(0)
    assert read_mask(shown, "first eight") == 0x3FF
    # Outside of the tag there are two less now.
    wait_count(page, 2)
    page.keyboard.press("Control+Shift+a")
    page.goto(f"{shown.url}/explore?tag={first_eight}&layout=grid")
    wait_count(page, 10)
    page.get_by_role("listbox", name="Samples").focus()
    page.keyboard.press("End")
    page.keyboard.press("Space")
    page.get_by_role("button", name="Tag …").click()
    dialog.get_by_label("Take the selection out").check()
    expect(dialog).to_contain_text("1 sample less: 9 then.")
    dialog.get_by_role("button", name="Change the tag").click()
    wait_count(page, 9)
    assert read_mask(shown, "first eight") == 0x1FF


def test_of_two_people_who_change_a_tag_the_second_is_told(watched, shown):
    body = {"prevTagId": shown.get("/tags")[0]["id"], "bitMaskData": "0x1", "totSize": N_PICTURES}
    tag_id = shown.post("/tags", body | {"name": "contested"})["id"]
    page = watched.page
    # Without news of the server, as for a moment on every slow line.
    page.route("**/ext/v1/events*", lambda _: None)
    sign_in(watched, f"{shown.url}/explore?f=speed:4..5&layout=grid")
    wait_count(page, 2)
    page.keyboard.press("Control+a")
    page.keyboard.press("Shift+T")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("combobox", name="Tag", exact=True).select_option(tag_id)
    expect(dialog).to_contain_text("2 samples more: 3 then.")
    other = {"name": "contested", "bitMaskData": "0x2", "updateCreator": "USER_PIP"}
    url = shown.api(f"/tags/{tag_id}")
    requests.put(url, json=other, headers=HEADERS, timeout=30).raise_for_status()
    dialog.get_by_role("button", name="Change the tag").click()
    note = dialog.get_by_role("alert")
    expect(note).to_contain_text("contested")
    assert read_mask(shown, "contested") == 0b10
    note.get_by_role("button", name="Change this version").click()
    expect(dialog).to_have_count(0)
    assert read_mask(shown, "contested") == 0b110010
    watched.faults[:] = [fault for fault in watched.faults if "409" not in fault]
