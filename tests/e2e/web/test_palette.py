"""Everything by keyboard: the command palette and the sheet of keys."""

from __future__ import annotations

import pytest

from tests.support.browsers import sign_in
from tests.support.web_app import N_PICTURES, wait_count

pytestmark = pytest.mark.xdist_group("browser")


def test_the_palette_leads_to_commands_pages_tags_and_datasets(watched, shown):
    page = watched.page
    sign_in(watched, f"{shown.url}/explore?layout=grid")
    wait_count(page, N_PICTURES)
    page.keyboard.press("Control+k")
    page.keyboard.type("select all")
    watched.shoot("palette")
    assert watched.find_obstacles() == []
    page.keyboard.press("Enter")
    page.wait_for_selector(f"text={N_PICTURES} selected")

    page.keyboard.press("Control+k")
    page.keyboard.type("workers")
    page.keyboard.press("Enter")
    page.wait_for_url("**/workers")
    page.keyboard.press("Control+k")
    page.keyboard.type("street sc")
    page.locator("[role=option]:has-text('street scenes')").wait_for()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{shown.url}")
    page.keyboard.press("Control+k")
    page.keyboard.type("initial-t")
    page.locator("[role=option]:has-text('initial-tag')").wait_for()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{shown.url}/explore?tag=*")
    wait_count(page, N_PICTURES)


def test_every_key_of_the_explore_page_is_on_the_sheet(watched, shown):
    page = watched.page
    sign_in(watched, f"{shown.url}/explore?layout=grid")
    wait_count(page, N_PICTURES)
    page.keyboard.press("?")
    shown_keys = set(page.locator("dialog kbd").all_inner_texts())
    watched.shoot("keys")

    signs = set("/flb123itcsovxhjkpne[],.+-0?")
    names = {"Space", "Enter", "Esc", "Home", "End", "Ctrl", "Shift", "Backspace"}
    assert signs | names <= shown_keys
