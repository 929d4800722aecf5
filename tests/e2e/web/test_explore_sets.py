"""Which samples the explore page shows, and in which order: likeness, replay, comparison, views."""

from __future__ import annotations

import re

import pytest
import requests
from playwright.sync_api import expect

from tests.support.browsers import open_page, sign_in
from tests.support.web_app import HEADERS, N_PICTURES, Shown, wait_count, wait_job

pytestmark = pytest.mark.xdist_group("browser")

N_PICKS = 12


@pytest.fixture(scope="module")
def chosen(shown: Shown) -> list[int]:
    """The picks of a selection named `diverse`, in order."""
    initial = shown.get("/tags")[0]
    body = {
        "newTagName": "diverse",
        "queryTagId": initial["id"],
        "nSamples": N_PICKS,
        "strategies": [{"type": "DIVERSITY"}],
    }
    job = shown.post("/selection", body, "/ext/v1")
    wait_job(shown, job["jobId"])
    tag = next(tag for tag in shown.get("/tags") if tag["name"] == "diverse")
    path = f"/tags/{tag['id']}/selectionReport/columns/picks"
    content = requests.get(shown.api(path, "/ext/v1"), headers=HEADERS, timeout=30).content
    return [int.from_bytes(content[at : at + 8], "little") for at in range(0, len(content), 8)]


def list_names(page) -> list[str]:
    """Return the file names in the grid, in its order."""
    # Until their records are there, cells are called by their numbers.
    expect(page.locator(".cell[aria-label^='Sample ']")).to_have_count(0)
    cells = page.locator(".cell").all()
    cells.sort(key=lambda cell: int(cell.get_attribute("aria-posinset")))
    return [cell.get_attribute("aria-label") for cell in cells]


def test_those_most_alike_come_first_and_are_reached_from_a_sample(watched, shown):
    page = watched.page
    sign_in(watched, f"{shown.url}/explore?layout=grid")
    page.wait_for_selector(".cell img")
    page.get_by_role("listbox", name="Samples").focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("s")
    page.wait_for_selector(".chip:has-text('most alike first')")

    # On a ring, the neighbours of one are those beside it.
    expect(page.locator("#cell-0")).to_have_attribute("aria-label", shown.names[5])
    expect(page.locator("#cell-4")).to_have_attribute("aria-label", re.compile(r"\w"))
    assert {shown.names.index(name) for name in list_names(page)[:5]} == {3, 4, 5, 6, 7}
    page.reload()
    expect(page.locator("#cell-0")).to_have_attribute("aria-label", shown.names[5])
    watched.shoot("explore-alike")

    page.locator("#cell-0").click()
    near = page.get_by_role("region", name="Most alike")
    near.wait_for()
    assert near.get_by_role("checkbox").count() == 12
    near.get_by_role("checkbox").first.check()
    page.wait_for_load_state("networkidle")
    watched.shoot("sample-neighbours")
    assert watched.find_obstacles() == []
    page.keyboard.press("Escape")
    page.wait_for_selector("text=1 selected")


def test_a_selection_is_replayed_in_grid_and_address(watched, shown, chosen):
    page = watched.page
    sign_in(watched, f"{shown.url}/explore")
    page.get_by_role("treeitem").filter(has_text="diverse").click()
    wait_count(page, N_PICKS)
    page.get_by_role("button", name="Replay the selection").click()
    slider = page.get_by_role("slider", name="Number of first picks")
    slider.fill("3")
    wait_count(page, 3)

    assert list_names(page) == [shown.names[index] for index in chosen[:3]]
    page.wait_for_selector("[data-drawn=whole]")
    watched.shoot("explore-replay")
    assert "picks=3" in page.url
    page.reload()
    wait_count(page, 3)
    assert watched.find_obstacles() == []
    page.get_by_role("button", name="End the replay").click()
    wait_count(page, N_PICKS)


def test_samples_outside_of_the_tag_are_shown_dimmed(watched, shown, chosen):
    page = watched.page
    sign_in(watched, f"{shown.url}/explore?layout=grid")
    page.get_by_role("treeitem").filter(has_text="diverse").click()
    wait_count(page, N_PICKS)
    page.get_by_label("Compare with").select_option("All samples")
    wait_count(page, N_PICTURES)

    dimmed = page.locator(".cell.outside")
    assert dimmed.count() == page.locator(".cell").count() - len(
        [index for index in chosen if page.locator(f"#cell-{index}").count()]
    )
    watched.shoot("explore-compared")
    page.keyboard.press("Control+a")
    page.wait_for_selector(f"text={N_PICKS} selected")
    page.reload()
    wait_count(page, N_PICTURES)
    assert watched.find_obstacles() == []


def test_only_the_selection_is_shown_also_after_a_reload(watched, shown):
    page = watched.page
    sign_in(watched, f"{shown.url}/explore?f=speed:..9&layout=grid")
    wait_count(page, 10)
    page.get_by_role("listbox", name="Samples").focus()
    page.keyboard.press("Control+a")
    page.keyboard.press("o")
    page.goto(f"{page.url.replace('f=speed:..9&', '')}")
    wait_count(page, 10)
    page.wait_for_selector("text=10 selected")
    page.keyboard.press("Control+Shift+a")
    wait_count(page, N_PICTURES)


def test_a_view_is_saved_opened_by_its_link_renamed_and_deleted(watched, browser, shown):
    page = watched.page
    sign_in(watched, f"{shown.url}/explore?f=weather:rain&color=m:weather&layout=grid")
    wait_count(page, 16)
    page.keyboard.press("v")
    page.fill("#view-name", "rainy ones")
    page.get_by_role("button", name="Save this view").click()
    row = page.get_by_role("listitem").filter(has_text="rainy ones")
    row.wait_for()
    watched.shoot("explore-views")
    assert watched.find_obstacles() == []
    view = next(one for one in shown.get("/views", "/ext/v1") if one["name"] == "rainy ones")

    other = open_page(browser, shown.server.url)
    sign_in(other, f"/v/{view['id']}")
    wait_count(other.page, 16)
    assert other.page.url.endswith(f"/explore?v={view['id']}")
    other.page.go_back()
    other.page.context.close()
    assert other.faults == []

    row.get_by_role("button", name="Rename").click()
    page.get_by_role("listitem").get_by_role("textbox").fill("wet")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Delete wet").click()
    page.wait_for_selector("text=No view was saved yet")
    page.goto(f"/v/{view['id']}")
    page.wait_for_selector("text=There is no such saved view")
    watched.faults.clear()  # the browser notes the refused request


def test_a_long_address_becomes_a_short_link_by_itself(watched, shown):
    page = watched.page
    like = ",".join(shown.find_sample(position) for position in range(N_PICTURES))
    sign_in(watched, f"{shown.url}/explore?layout=grid")
    page.goto(f"{shown.url}/explore?layout=grid&like={like},{like}")
    page.wait_for_selector(".cell img")
    page.keyboard.press("2")
    page.wait_for_url(re.compile(r"/explore\?v=[a-f0-9]{24}$"))
    page.reload()
    page.wait_for_selector(".chip:has-text('most alike first')")


def test_classes_and_scores_colour_filter_and_sort(watched, shown):
    schema = {
        "name": "vehicles",
        "type": "OBJECT_DETECTION",
        "categories": [{"id": 0, "name": "car"}, {"id": 1, "name": "van"}],
    }
    shown.post("/predictions/tasks", schema)
    for position in range(6):
        box = {"type": "OBJECT_DETECTION", "taskName": "vehicles", "bbox": [1, 1, 4, 4]}
        body = [box | {"categoryId": position % 2, "score": 0.5 + position / 20}] * (position + 1)
        shown.post(f"/predictions/samples/{shown.find_sample(position)}", body)
    initial = shown.get("/tags")[0]["id"]
    scores = {"scoreType": "margin", "scores": [1 - k / 100 for k in range(N_PICTURES)]}
    shown.post(f"/tags/{initial}/scores", scores)
    page = watched.page
    sign_in(watched, f"{shown.url}/explore")
    page.get_by_placeholder("Find a filter").fill("vehicles")
    page.get_by_role("group", name="vehicles: class").get_by_text("van").click()
    wait_count(page, 3)
    page.get_by_label("Colour by").select_option("vehicles: class")
    page.get_by_label("Sort by").select_option("initial-tag: margin")
    expect(page.locator("#cell-0")).to_have_attribute("aria-label", shown.names[5])
    page.wait_for_selector(".legend button:has-text('van')")
    page.wait_for_selector("[data-drawn=whole]")
    watched.shoot("explore-classes")
    assert watched.find_obstacles() == []
