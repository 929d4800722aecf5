"""The page of tags in a real browser: algebra, history, deleting, and two people at once."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.support.browsers import open_page, sign_in
from tests.support.web_scenes import show_scenes

pytestmark = pytest.mark.xdist_group("browser")

N_SCENES = 12


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    with show_scenes(tmp_path_factory.mktemp("tags"), N_SCENES) as shown:
        shown.make_tag("evening", [0, 1, 2, 3])
        shown.make_tag("morning", [2, 3, 4])
        yield shown


@pytest.fixture
def watched(browser, scenes):
    opened = open_page(browser, scenes.server.url)
    yield opened
    opened.shoot("tags-last-test")
    opened.page.context.close()
    assert opened.faults == []


def open_algebra(watched, scenes, a: str, b: str) -> None:
    sign_in(watched, f"{scenes.url}/tags")
    for label, name in (("A", a), ("B", b)):
        box = watched.page.get_by_role("combobox", name=label, exact=True)
        value = box.locator("option", has_text=name).first.get_attribute("value")
        box.select_option(value)


def test_counts_of_algebra_are_those_of_the_python_client(watched, scenes):
    page = watched.page
    open_algebra(watched, scenes, "evening", "morning")
    names = {"UNION": "In A or B", "INTERSECTION": "In both", "DIFFERENCE": "In A, not in B"}
    ids = [scenes.client.get_tag_by_name(name).id for name in ("evening", "morning")]
    for operation, label in names.items():
        body = {"tagId1": ids[0], "tagId2": ids[1], "operation": operation}
        mask = scenes.call("POST", "/tags/arithmetics/bitmask", body).json()["bitMaskData"]
        page.get_by_role("button", name=label).click()
        count = str(int(mask, 16).bit_count())
        expect(page.locator(".algebra p[role=status] strong")).to_have_text(count)
    page.get_by_placeholder("Name of the new tag").fill("evening only")
    page.get_by_role("button", name="Make tag").click()
    page.get_by_role("link", name="evening only").wait_for()
    assert scenes.read_tag("evening only") == {0, 1}
    page.reload()
    expect(page.locator(".algebra p[role=status] strong")).to_have_text("2")


def test_a_deleted_tag_comes_back_with_undo_and_goes_without(watched, scenes):
    scenes.make_tag("to keep", [5])
    scenes.make_tag("to lose", [6])
    page = watched.page
    sign_in(watched, f"{scenes.url}/tags")
    expect(page.get_by_role("button", name="Delete initial-tag")).to_have_count(0)
    page.get_by_role("button", name="Delete to keep").click()
    expect(page.get_by_role("link", name="to keep")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("link", name="to keep").wait_for()
    page.get_by_role("button", name="Delete to lose").click()
    page.wait_for_timeout(10_500)  # so long it can be taken back
    expect(page.get_by_role("link", name="to lose")).to_have_count(0)

    names = {tag["name"] for tag in scenes.call("GET", "/tags").json()}
    assert "to keep" in names
    assert "to lose" not in names


def test_of_two_people_the_second_sees_what_the_first_did(browser, watched, scenes):
    tag_id = scenes.make_tag("shared", [7, 8])
    page = watched.page
    # Without news of the server, as for a moment on every slow line.
    page.route("**/ext/v1/events*", lambda _: None)
    open_algebra(watched, scenes, "evening", "morning")
    page.get_by_role("combobox", name="Into").select_option(tag_id)
    other = open_page(browser, scenes.server.url)
    sign_in(other, f"{scenes.url}/tags")
    other.page.get_by_role("button", name="Rename shared").click()
    other.page.get_by_label("New name of shared").fill("ours")
    other.page.get_by_role("dialog").get_by_role("button", name="Rename").click()
    other.page.get_by_role("link", name="ours").wait_for()
    other.page.context.close()

    page.get_by_role("button", name="Replace its samples").click()
    note = page.get_by_role("alert")
    expect(note).to_contain_text("It is now called ours and has 2 samples")
    assert scenes.read_tag("ours") == {7, 8}
    watched.shoot("tags-conflict")
    note.get_by_role("button", name="Change this version").click()
    expect(note).to_have_count(0)
    assert scenes.read_tag("ours") == {2, 3}
    # The browser notes each refusal.
    watched.faults[:] = [fault for fault in watched.faults if "409" not in fault]


def test_a_name_that_is_taken_is_no_conflict(watched, scenes):
    page = watched.page
    sign_in(watched, f"{scenes.url}/tags")
    page.get_by_role("button", name="Rename morning").click()
    page.get_by_label("New name of morning").fill("evening")
    page.get_by_role("dialog").get_by_role("button", name="Rename").click()
    expect(page.get_by_role("alert")).to_contain_text("A tag with this name exists")
    watched.faults[:] = [fault for fault in watched.faults if "409" not in fault]


def test_the_history_says_what_happened_and_is_a_page_of_its_own(watched, scenes):
    tag_id = scenes.make_tag("before", [9])
    body = {"name": "after", "bitMaskData": hex(0b111 << 9), "updateCreator": "USER_PIP"}
    scenes.call("PUT", f"/tags/{tag_id}", body)
    page = watched.page
    sign_in(watched, f"{scenes.url}/tags?view=timeline")
    page.get_by_role("button", name="History after").click()
    history = page.get_by_role("dialog")
    expect(history).to_contain_text("Renamed from “before” to “after”")
    expect(history).to_contain_text("2 added, 0 taken away: 3 samples")
    expect(history).to_contain_text("from Python")
    page.reload()
    expect(history).to_contain_text("Renamed from")
    page.keyboard.press("Escape")
    expect(history).not_to_be_visible()
    expect(page).not_to_have_url(re.compile("tag="))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_accessible(browser, scenes, scheme):
    watched = open_page(browser, scenes.server.url, scheme=scheme)
    sign_in(watched, f"{scenes.url}/tags?view=timeline")
    watched.page.locator(".algebra svg").wait_for()
    assert watched.find_obstacles() == []
    watched.shoot(f"tags-timeline-{scheme}")
    watched.page.get_by_role("button", name="History").first.click()
    watched.page.get_by_role("dialog").get_by_text("Below").wait_for()
    assert watched.find_obstacles() == []
    watched.page.context.close()
    assert watched.faults == []
