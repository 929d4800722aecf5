"""The map of the explore page."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageColor
from playwright.sync_api import Page

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


def draw_box(page: Page, *, modifier: str | None = None) -> None:
    """Draw a box around nearly the whole map."""
    box = page.locator(".pad").bounding_box()
    if modifier:
        page.keyboard.down(modifier)
    page.mouse.move(box["x"] + 3, box["y"] + 3)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 20, box["y"] + 40, steps=3)
    page.mouse.move(box["x"] + box["width"] - 3, box["y"] + box["height"] - 3, steps=3)
    page.mouse.up()
    if modifier:
        page.keyboard.up(modifier)


def test_hidden_classes_are_not_selected_and_alt_takes_out(watched, shown):
    page = watched.page
    sign_in(watched, f"{shown.url}/explore?layout=plot&color=m:weather")
    page.wait_for_selector("[data-drawn=whole]")
    page.locator(".legend button:has-text('rain')").click()
    wait_count(page, 32)
    page.keyboard.press("b")
    draw_box(page, modifier="Shift")
    page.wait_for_selector("text=32 selected")
    page.locator(".legend button:has-text('sun')").click()
    wait_count(page, 16)
    draw_box(page, modifier="Alt")
    page.wait_for_selector("text=16 selected")
    assert "lasso" not in page.url


def read_pixels(page: Page) -> np.ndarray:
    """Return the drawn map, shape (height, width, 3), without what lies on top of it."""
    page.evaluate(
        """for (const one of document.querySelectorAll('.overlay, .legend, .preview'))
             one.style.visibility = 'hidden'"""
    )
    content = page.locator(".pad canvas").screenshot()
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def find_colour(pixels: np.ndarray, x: float, y: float) -> np.ndarray:
    """Return what is drawn at a place of the ring, which fills the map as it fits it."""
    drawn = np.argwhere((np.abs(pixels - pixels[0, 0]) > 30).any(axis=2))
    (top, left), (bottom, right) = drawn.min(axis=0), drawn.max(axis=0)
    row = (top + bottom) / 2 - y * ((bottom - top) / 2 - 3)
    column = (left + right) / 2 + x * ((right - left) / 2 - 3)
    return pixels[round(row), round(column)]


def test_points_have_the_colours_of_their_classes_and_numbers(watched, shown):
    page = watched.page
    sign_in(watched, f"{shown.url}/explore?layout=plot&color=m:weather")
    page.wait_for_selector(".legend button")
    page.wait_for_selector("[data-drawn=whole]")
    colours = {
        name: ImageColor.getrgb(
            page.locator(f".legend button:has-text('{name}') circle").get_attribute("fill")
        )
        for name in ("sun", "rain")
    }
    pixels = read_pixels(page)
    # Samples are sun, rain and another one in turn.
    for index in (0, 1, 12, 13):
        found = find_colour(pixels, *shown.coordinates[index])
        expected = np.array(colours["sun" if index % 3 == 0 else "rain"])
        assert np.abs(found - expected).max() < 40, (index, found, expected)

    page.get_by_label("Colour by").select_option("speed")
    page.wait_for_selector(".legend.scale")
    page.wait_for_selector("[data-drawn=whole]")
    page.wait_for_timeout(300)
    pixels = read_pixels(page)
    first, last = (find_colour(pixels, *shown.coordinates[index]) for index in (0, 47))
    assert np.abs(first - last).max() > 60
