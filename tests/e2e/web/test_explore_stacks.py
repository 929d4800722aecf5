"""Near-duplicates as stacks in the grid, outlier scores, and a page that follows its dataset."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import requests
from playwright.sync_api import expect

from lightly.api import ApiWorkflowClient
from tests.support.browsers import sign_in
from tests.support.pictures import draw_folder
from tests.support.platforms import TOKEN
from tests.support.web_app import HEADERS, Shown, wait_count

pytestmark = pytest.mark.xdist_group("browser")

#: On a line: three together, a pair, and one far away; the others lie apart.
PLACES = [0, 30, 0.01, 60, 30.01, 0.02, 90, 400]


@pytest.fixture
def repeated(shown: Shown, tmp_path: Path, monkeypatch) -> tuple[ApiWorkflowClient, list[str]]:
    """A dataset with pictures but without an embedding, and its file names."""
    draw_folder(tmp_path / "pictures", len(PLACES))
    monkeypatch.setenv("LIGHTLY_SERVER_LOCATION", shown.server.url)
    client = ApiWorkflowClient(token=TOKEN)
    client.create_dataset("bursts")
    client.upload_dataset(str(tmp_path / "pictures"), mode="thumbnails")
    return client, client.get_filenames()


def upload_vectors(server_url: str, dataset_id: str, names: list[str]) -> None:
    """Upload an embedding as a run does, without waiting for anything."""
    url = f"{server_url}/v1/datasets/{dataset_id}/embeddings/writeCSVUrl?name=line"
    made = requests.get(url, headers=HEADERS, timeout=30).json()
    rows = [f'"{name}",{x},0,0' for name, x in zip(names, PLACES, strict=True)]
    csv = "\n".join(["filenames,embedding_0,embedding_1,labels", *rows, ""])
    requests.put(made["signedWriteUrl"], data=csv.encode(), timeout=30).raise_for_status()


def test_the_page_follows_an_embedding_and_stacks_what_is_nearly_the_same(watched, shown, repeated):
    client, names = repeated
    page = watched.page
    sign_in(watched, f"/datasets/{client.dataset_id}/explore")
    wait_count(page, len(PLACES))
    page.keyboard.press("n")
    page.wait_for_selector("text=Near-duplicates need an embedding")

    # Nobody touches the page: map and button come by themselves.
    upload_vectors(shown.server.url, client.dataset_id, names)
    page.wait_for_selector("[data-drawn=whole]", timeout=60_000)
    assert page.get_by_role("button", name="Show it").count() == 0
    page.get_by_label("Up to a distance of").fill("0.5")
    page.get_by_role("button", name="Find near-duplicates").click()
    page.wait_for_selector("text=2 groups of 5 near-duplicates", timeout=60_000)

    expect(page.locator(".cell")).to_have_count(5)
    stacks = page.locator(".cell.stacked")
    expect(stacks.nth(0)).to_have_attribute("aria-label", f"{names[0]}, stack of 3")
    expect(stacks.nth(1)).to_have_attribute("aria-label", f"{names[1]}, stack of 2")
    wait_count(page, len(PLACES))
    assert re.search(r"stack=[a-f0-9]{24}", page.url)
    page.reload()
    expect(page.locator(".cell.stacked")).to_have_count(2)

    # All by keys: a stack is selected whole, opened, and its second one taken out.
    page.get_by_role("listbox", name="Samples").focus()
    page.keyboard.press("x")
    page.wait_for_selector("text=3 selected")
    page.keyboard.press("e")
    expect(page.locator(".cell")).to_have_count(7)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("x")
    page.wait_for_selector("text=2 selected")
    expect(page.locator("#cell-1")).to_have_attribute(
        "aria-label", f"{names[2]}, of an open stack of 3"
    )
    watched.shoot_both("explore-stacks")
    page.keyboard.press("e")
    expect(page.locator(".cell")).to_have_count(5)
    expect(page.locator("#cell-0.focused .badge")).to_have_attribute("data-text", "2 of 3")
    expect(page.locator("#cell-0")).to_have_attribute(
        "aria-label", f"{names[0]}, stack of 3, 2 selected"
    )

    page.keyboard.press("Control+Shift+a")
    page.get_by_role("button", name="Score outliers").click()
    page.get_by_label("Sort by").select_option("outlier score", timeout=60_000)
    page.get_by_role("button", name="Sorted up: sort down").click()
    expect(page.locator("#cell-0")).to_have_attribute("aria-label", names[7])
    page.get_by_label("Colour by").select_option("outlier score")
    page.wait_for_selector("[data-drawn=whole]")
    watched.shoot("explore-outliers")
    page.keyboard.press("n")
    expect(page.locator(".cell")).to_have_count(len(PLACES))
    assert "stack=" not in page.url
