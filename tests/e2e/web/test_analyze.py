"""The page of analyses in a real browser: distributions, two numbers, two tags and coverage."""

from __future__ import annotations

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.support.browsers import open_page, sign_in
from tests.support.web_scenes import show_scenes

pytestmark = pytest.mark.xdist_group("browser")

N_SCENES = 48
CHOSEN = [1, 2, 3, 17, 33]


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    with show_scenes(tmp_path_factory.mktemp("analyze"), N_SCENES) as shown:
        shown.make_tag("first half", list(range(24)))
        shown.make_tag("chosen", CHOSEN)
        # Maps come a moment after their embedding.
        embedding = shown.call("GET", "/embeddings").json()[0]["id"]
        while not shown.call("GET", f"/embeddings/{embedding}/2d").json():
            pass
        yield shown


@pytest.fixture
def watched(browser, scenes):
    opened = open_page(browser, scenes.server.url)
    yield opened
    opened.shoot("analyze-last-test")
    opened.page.context.close()
    assert opened.faults == []


def choose(page, label: str, text: str) -> None:
    box = page.get_by_role("combobox", name=label, exact=True)
    box.select_option(box.locator("option", has_text=text).first.get_attribute("value"))


def test_values_filter_and_become_a_tag(watched, scenes):
    page = watched.page
    sign_in(watched, f"{scenes.url}/analyze")
    choose(page, "Samples of", "first half")
    choose(page, "Outline of", "chosen")
    page.get_by_role("group", name="weather").get_by_text("snow").click()
    expect(page.locator("p.found")).to_have_text("6 of 24 match")
    page.get_by_role("group", name="time").get_by_text("night").click()
    expected = {k for k in range(24) if scenes.weather[k] == "snow" and scenes.times[k] == "night"}
    expect(page.locator("p.found strong")).to_have_text(str(len(expected)))
    expect(page.locator("path.outline").first).to_be_attached()
    page.reload()
    expect(page.locator("p.found strong")).to_have_text(str(len(expected)))
    page.get_by_placeholder("Name of the new tag").fill("snow at night")
    page.get_by_role("button", name="Make tag").click()
    expect(page.get_by_text(f"snow at night has {len(expected)} samples")).to_be_visible()

    assert scenes.read_tag("snow at night") == expected
    page.get_by_role("link", name="Look at them").click()
    expect(page.locator(".chips .count strong")).to_have_text(str(len(expected)))


def test_two_numbers_have_axes_and_a_lasso_takes_exactly_what_is_in_it(watched, scenes):
    page = watched.page
    # What was uploaded last is largest, by little: gain is 1 + k/n by day and 3 + k/n by night.
    box = "2,-1;5,-1;5,100;2,100"
    sign_in(watched, f"{scenes.url}/analyze?view=relation&x=gain&y=image_id&lasso={box}")
    night = {k for k in range(N_SCENES) if scenes.gain[k] > 2}
    expect(page.locator(".inside strong")).to_have_text(str(len(night)))
    expected = np.corrcoef(scenes.gain, np.arange(N_SCENES))[0, 1]
    expect(page.locator(".low p").first).to_contain_text(f"{expected:.2f}")
    expect(page.locator("svg text.name").first).to_have_text("gain")

    # By the mouse: a box around all that is right of the middle of the axis.
    page.get_by_role("button", name="Show all", exact=True).last.click()
    expect(page.locator(".inside")).to_have_count(0)
    page.get_by_role("button", name="Box").click()
    two = page.locator("svg text", has_text=re.compile(r"^2$")).bounding_box()
    area = page.locator(".area").bounding_box()
    left = two["x"] + two["width"] / 2
    page.mouse.move(left, area["y"] + 3)
    page.mouse.down()
    page.mouse.move(area["x"] + area["width"] - 4, area["y"] + 200, steps=3)
    page.mouse.move(area["x"] + area["width"] - 4, area["y"] + area["height"] - 45, steps=3)
    page.mouse.up()
    expect(page.locator(".inside strong")).to_have_text(str(len(night)))
    assert "lasso=" in page.url
    page.get_by_placeholder("Name of the new tag").fill("high gain")
    page.get_by_role("button", name="Make tag").click()
    expect(page.get_by_text(f"high gain has {len(night)} samples")).to_be_visible()
    assert scenes.read_tag("high gain") == night
    page.reload()
    expect(page.locator(".inside strong")).to_have_text(str(len(night)))


def test_two_tags_are_compared_by_samples_values_and_coverage(watched, scenes):
    page = watched.page
    sign_in(watched, f"{scenes.url}/analyze?view=compare")
    choose(page, "A", "first half")
    choose(page, "B", "chosen")
    for label in ("20 only in A", "4 in both", "1 only in B"):
        expect(page.get_by_role("button", name=label)).to_be_visible()
    page.get_by_role("button", name="1 only in B").click()
    grid = page.get_by_role("listbox", name="Samples")
    expect(grid.get_by_role("option")).to_have_count(1)
    expect(page.locator("main section.card h3 + .note").first).to_contain_text("% different")

    page.get_by_role("button", name="Measure it").click()
    distances = np.linalg.norm(scenes.vectors[:24, None] - scenes.vectors[None, CHOSEN], axis=2)
    nearest = distances.min(axis=1)
    facts = page.locator("header p[role=status]")
    # A job of the server: on a busy machine it waits for its turn.
    expect(facts).to_contain_text(f"{nearest.max():.4g}", timeout=30_000)
    expect(facts).to_contain_text(f"{nearest.mean():.4g}")
    page.locator(".area canvas[data-drawn=whole]").wait_for()
    worst = page.locator(".worst a")
    expect(worst).to_have_count(8)
    names = scenes.client.get_filenames()
    expect(worst.first).to_have_attribute("title", names[int(nearest.argmax())])
    page.reload()
    expect(facts).to_contain_text(f"{nearest.max():.4g}")


def test_a_selection_shows_the_coverage_of_its_report(watched, scenes):
    made = scenes.client.create_selection("far apart", n_samples=5)
    page = watched.page
    sign_in(watched, f"{scenes.url}/analyze?view=compare&b={made.id}")
    expect(page.get_by_text("As the selection measured it.")).to_be_visible()
    report = scenes.client.get_selection_report(made.id)
    radius = report["coverage"]["radius"][-1]
    expect(page.locator("header p[role=status]")).to_contain_text(f"{radius:.4g}")
    page.get_by_text("Report of the selection that made B").click()
    expect(page.locator("details")).to_contain_text(report["strategies"][0]["reason"][:40])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_accessible(browser, scenes, scheme):
    watched = open_page(browser, scenes.server.url, scheme=scheme)
    page = watched.page
    chosen = scenes.client.get_tag_by_name("chosen").id
    sign_in(watched, f"{scenes.url}/analyze?b={chosen}&f=weather:snow")
    pages = {
        "values": (f"?b={chosen}&f=weather:snow", "p.found strong"),
        "relation": ("?view=relation&x=gain&color=time", ".area [data-drawn=whole]"),
        "compare": (f"?view=compare&b={chosen}", ".cell img"),
    }
    for name, (query, selector) in pages.items():
        page.goto(f"{scenes.url}/analyze{query}")
        page.locator(selector).first.wait_for()
        page.wait_for_load_state("networkidle")
        assert page.locator("h1").count() == 1
        assert watched.find_obstacles() == [], name
        watched.shoot(f"analyze-{name}-{scheme}")
    page.context.close()
    assert watched.faults == []
