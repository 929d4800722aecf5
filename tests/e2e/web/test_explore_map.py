"""The map of the explore page."""

from __future__ import annotations

import pytest

from tests.support.browsers import sign_in
from tests.support.web_app import N_PICTURES, count_shown, wait_count

pytestmark = pytest.mark.xdist_group("browser")


def test_a_lasso_takes_exactly_the_points_in_it_and_survives_a_reload(watched, shown):
    page = watched.page
    sign_in(watched, f"{shown.url}/explore?layout=plot")
    page.wait_for_selector("[data-drawn=whole]")
    box = page.locator(".pad").bounding_box()
    page.get_by_role("button", name="Box (b)").click()
    # The right half: the map is centred.
    middle = box["x"] + box["width"] / 2
    page.mouse.move(middle + 2, box["y"] + 4)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 2, box["y"] + 60, steps=3)
    page.mouse.move(box["x"] + box["width"] - 2, box["y"] + box["height"] - 4, steps=3)
    page.mouse.up()
    page.wait_for_selector(".chip:has-text('lasso')")

    expected = int((shown.coordinates[:, 0] > 0.01).sum())
    assert abs(count_shown(page) - expected) <= 1
    counted = count_shown(page)
    page.reload()
    page.wait_for_selector("[data-drawn=whole]")
    wait_count(page, counted)
    page.go_back()
    wait_count(page, N_PICTURES)


def test_the_map_comes_back_after_the_graphics_were_lost(watched, shown):
    page = watched.page
    sign_in(watched, f"{shown.url}/explore?layout=plot")
    page.wait_for_selector("[data-drawn=whole]")
    page.evaluate(
        """() => {const canvas = document.querySelector('canvas');
        window.extension = canvas.getContext('webgl2').getExtension('WEBGL_lose_context');
        delete canvas.dataset.drawn; window.extension.loseContext()}"""
    )
    page.wait_for_timeout(200)
    page.evaluate("window.extension.restoreContext()")
    page.wait_for_selector("[data-drawn=whole]")
    watched.shoot("map-restored")


def test_without_graphics_a_table_stands_for_the_map(watched, shown):
    page = watched.page
    page.add_init_script(
        """const original = HTMLCanvasElement.prototype.getContext;
        HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
          return kind === 'webgl2' ? null : original.call(this, kind, ...rest)}"""
    )
    sign_in(watched, f"{shown.url}/explore?color=m:weather&f=speed:..9")
    page.wait_for_selector("text=The map cannot be drawn here")
    table = page.get_by_role("region", name="Samples on the map")
    table.get_by_text("10 of 10 samples").wait_for()

    row = table.get_by_role("row").nth(3).inner_text().split("\t")
    x, y = shown.coordinates[2]
    assert [float(row[1]), float(row[2])] == [round(float(x), 4), round(float(y), 4)]
    watched.shoot("map-table")
    assert watched.find_obstacles() == []
