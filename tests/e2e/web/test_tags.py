"""The page of tags."""

from __future__ import annotations

import pytest
import requests

from tests.support.browsers import sign_in
from tests.support.web_app import HEADERS

pytestmark = pytest.mark.xdist_group("browser")


def test_tags_are_combined_with_live_counts(watched, shown):
    def make(name: str, mask: str) -> None:
        tags = requests.get(shown.api("/tags"), headers=HEADERS, timeout=30).json()
        body = {"name": name, "prevTagId": tags[0]["id"], "bitMaskData": mask, "totSize": 48}
        requests.post(shown.api("/tags"), json=body, headers=HEADERS, timeout=30).raise_for_status()

    make("first", "0xff")
    make("second", "0xff0")
    page = watched.page
    sign_in(watched, f"{shown.url}/tags")
    page.wait_for_selector(".algebra svg text:has-text('4')")
    label = page.locator(".algebra svg").get_attribute("aria-label")
    assert label == "4 only in A, 4 in both, 4 only in B"
    for label, count in (("In A or B", "12"), ("In A, not in B", "4"), ("In both", "4")):
        page.get_by_role("button", name=label).click()
        assert page.locator(".algebra [role=status] strong").inner_text() == count
    page.get_by_role("button", name="In A or B").click()
    page.fill("input[placeholder='Name of the new tag']", "both of them")
    page.get_by_role("button", name="Make tag").click()
    page.wait_for_selector(".table a:has-text('both of them')")
    page.get_by_role("button", name="Delete both of them").click()
    page.get_by_role("button", name="Undo").click()
    page.wait_for_selector(".table a:has-text('both of them')")
