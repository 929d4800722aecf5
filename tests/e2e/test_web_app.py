"""The web app in a real browser, against a real server with real pictures."""

from __future__ import annotations

import math
import re
import time
from dataclasses import dataclass

import numpy as np
import pytest
import requests
from playwright.sync_api import expect

from lightly.api import ApiWorkflowClient
from lightly.server.web.files import STATIC_DIR
from tests.support.browsers import open_page, run_browser
from tests.support.pictures import draw_folder
from tests.support.platforms import TOKEN, ServerProcess, run_process

N_PICTURES = 48
#: What somebody might put everywhere to run a script.
SCRIPT = "<img src=x onerror=\"document.title='owned'\">"
#: Where the page says how many samples it shows.
COUNT = ".chips .count strong"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}


@dataclass(frozen=True)
class Shown:
    """A dataset in a running server.

    Attributes:
        server: The server.
        dataset_id: The dataset.
        names: Of its samples in order.
        coordinates: Shape (n, 2), of its map.
    """

    server: ServerProcess
    dataset_id: str
    names: list[str]
    coordinates: np.ndarray

    @property
    def url(self) -> str:
        return f"/datasets/{self.dataset_id}"

    def api(self, path: str) -> str:
        return f"{self.server.url}/v1/datasets/{self.dataset_id}{path}"

    def find_sample(self, position: int) -> str:
        url = f"{self.server.url}/ext/v1/datasets/{self.dataset_id}/samples/records"
        answer = requests.post(url, json={"indices": [position]}, headers=HEADERS, timeout=30)
        return answer.json()[0][1]


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    folder = tmp_path_factory.mktemp("web")
    names = draw_folder(folder / "pictures", N_PICTURES)
    metadata = {
        "images": [{"file_name": name, "id": k} for k, name in enumerate(names)],
        "metadata": [
            {"image_id": k, "speed": k, "weather": ["sun", "rain", SCRIPT][k % 3]}
            for k in range(len(names))
        ],
    }
    with run_process(folder / "data") as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("LIGHTLY_SERVER_LOCATION", server.url)
        client = ApiWorkflowClient(token=TOKEN)
        client.create_dataset("street scenes")
        client.upload_dataset(str(folder / "pictures"), mode="full", custom_metadata=metadata)
        uploaded = client.get_filenames()
        coordinates = add_map(server, client.dataset_id, uploaded)
        yield Shown(server, client.dataset_id, uploaded, coordinates)


def add_map(server: ServerProcess, dataset_id: str, names: list[str]) -> np.ndarray:
    """Give a dataset an embedding whose map is known: a ring."""
    angles = np.arange(len(names)) * 2 * math.pi / len(names)
    coordinates = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    rows = [f'"{name}",{x},{y},0' for name, (x, y) in zip(names, coordinates.tolist(), strict=True)]
    csv = "\n".join(["filenames,embedding_0,embedding_1,labels", *rows, ""])
    url = f"{server.url}/v1/datasets/{dataset_id}/embeddings"
    made = requests.get(f"{url}/writeCSVUrl?name=ring", headers=HEADERS, timeout=30).json()
    requests.put(made["signedWriteUrl"], data=csv.encode(), timeout=30).raise_for_status()
    projection = {
        "name": "ring",
        "dimensionalityReductionMethod": "UMAP",
        "coordinatesDimension1": coordinates[:, 0].tolist(),
        "coordinatesDimension2": coordinates[:, 1].tolist(),
    }
    deadline = time.monotonic() + 60
    while True:
        # The embedding has to be read first.
        answer = requests.post(
            f"{url}/{made['embeddingId']}/2d", json=projection, headers=HEADERS, timeout=30
        )
        listed = requests.get(url, headers=HEADERS, timeout=30).json()
        if answer.ok and listed[0]["isProcessed"]:
            return coordinates
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.25)


@pytest.fixture(scope="module")
def browser():
    with run_browser() as running:
        yield running


@pytest.fixture
def watched(browser, shown):
    opened = open_page(browser, shown.server.url)
    yield opened
    opened.shoot("last-test")
    opened.page.context.close()
    assert opened.faults == []


def sign_in(watched, path: str = "/") -> None:
    page = watched.page
    page.goto(path)
    page.fill("input[name=token]", TOKEN)
    page.click("button.primary")
    page.wait_for_selector("header .brand")


def count_shown(page) -> int:
    return int(page.locator(COUNT).inner_text().replace(",", ""))


def wait_count(page, count: int) -> None:
    expect(page.locator(COUNT)).to_have_text(f"{count:,}", timeout=30_000)


def test_signing_in_leads_to_the_asked_page_and_the_token_is_nowhere(watched, shown):
    page = watched.page
    page.goto(shown.url)
    page.wait_for_selector("input[name=token]")
    assert "next=" in page.url
    page.fill("input[name=token]", "wrong-token")
    page.click("button.primary")
    page.wait_for_selector("[role=alert]")
    watched.faults.clear()  # the browser notes the refused request
    page.fill("input[name=token]", TOKEN)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{shown.url}")
    page.get_by_role("link", name="Explore").first.wait_for()

    stored = page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie])")
    assert TOKEN not in stored + page.url + page.content()
    assert "session" not in page.evaluate("document.cookie")

    page.get_by_role("button", name="Account").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_selector("input[name=token]")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_accessible_and_says_where_one_is(browser, shown, scheme):
    watched = open_page(browser, shown.server.url, scheme=scheme)
    page = watched.page
    page.goto("/login")
    page.wait_for_selector("input[name=token]")
    assert watched.find_obstacles() == []
    watched.shoot(f"login-{scheme}")
    sign_in(watched)
    sample = shown.find_sample(3)
    pages = {
        "datasets": ("/datasets", ".dataset"),
        "new-dataset": ("/datasets/new", "form"),
        "dataset": (shown.url, ".strip img"),
        "explore": (f"{shown.url}/explore?color=m:weather", ".canvas [data-drawn=whole]"),
        "sample": (f"{shown.url}/explore/{sample}", ".picture img"),
        "tags": (f"{shown.url}/tags", ".table .row"),
        "runs": ("/runs", "main .empty"),
        "workers": ("/workers", "main pre"),
        "account": ("/account", "dl"),
        "not-found": ("/nothing/here", "main"),
    }
    for name, (path, selector) in pages.items():
        page.goto(path)
        page.wait_for_selector(selector)
        page.wait_for_load_state("networkidle")
        assert page.locator("h1").count() == 1, name
        assert watched.find_obstacles() == [], name
        watched.shoot(f"{name}-{scheme}")
    assert page.title() != "owned"
    page.context.close()
    assert watched.faults == []


def test_a_dataset_is_made_found_and_deleted_by_its_typed_name(watched, shown):
    page = watched.page
    sign_in(watched, "/datasets/new")
    page.fill("#name", "to be deleted")
    page.click("button.primary")
    page.get_by_text("lightly-upload").first.wait_for()
    page.goto("/datasets")
    page.fill("input[type=search]", "TO BE")
    page.wait_for_selector("text=1 dataset")
    page.get_by_role("button", name="Delete to be deleted").click()
    delete = page.get_by_role("button", name="Delete", exact=True)
    assert delete.is_disabled()
    page.fill("#typed", "to be deleted")
    delete.click()
    page.wait_for_selector("text=No dataset is called so")


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


def test_a_sample_opens_over_the_grid_and_gives_the_focus_back(watched, shown):
    page = watched.page
    sign_in(watched, f"{shown.url}/explore?sort=-speed&layout=grid")
    page.wait_for_selector(".cell img")
    page.get_by_role("listbox", name="Samples").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_selector(".picture img")
    assert "2 of 48" in page.locator(".detail .bar").inner_text()
    assert page.locator(".detail h2").inner_text() == shown.names[-2]
    page.keyboard.press("j")
    page.wait_for_selector(f".detail h2:has-text('{shown.names[-3]}')")
    page.keyboard.press("Escape")
    page.wait_for_selector(".detail", state="detached")
    expect(page.get_by_role("listbox", name="Samples")).to_be_focused()
    active = page.get_by_role("listbox", name="Samples").get_attribute("aria-activedescendant")
    assert active == "cell-2"
    assert page.url.endswith("/explore?sort=-speed&layout=grid")


def test_predictions_are_drawn_at_their_pixels(watched, shown):
    sample_id = shown.find_sample(5)
    tasks = {
        "boxes": ("OBJECT_DETECTION", {"bbox": [8, 6, 16, 12]}),
        "mask": ("SEMANTIC_SEGMENTATION", {"segmentation": [64 * 24, 64 * 24]}),
        "one": ("INSTANCE_SEGMENTATION", {"bbox": [0, 0, 4, 1], "segmentation": [0, 4, 3068]}),
        "pose": ("KEYPOINT_DETECTION", {"keypoints": [32, 24, 1.0]}),
        "kind": ("CLASSIFICATION", {"probabilities": [1.0]}),
    }
    for name, (type_, _) in tasks.items():
        schema = {"name": name, "type": type_, "categories": [{"id": 0, "name": SCRIPT}]}
        if type_ == "KEYPOINT_DETECTION":
            schema["categories"][0]["keypointNames"] = ["nose"]
        answer = requests.post(
            shown.api("/predictions/tasks"), json=schema, headers=HEADERS, timeout=30
        )
        assert answer.status_code == 201, answer.text
    body = [
        {"type": type_, "taskName": name, "categoryId": 0, "score": 0.5 + k / 20, **more}
        for k, (name, (type_, more)) in enumerate(tasks.items())
    ]
    answer = requests.post(
        shown.api(f"/predictions/samples/{sample_id}"), json=body, headers=HEADERS, timeout=30
    )
    assert answer.ok, answer.text
    page = watched.page
    sign_in(watched, f"{shown.url}/explore/{sample_id}")
    page.wait_for_selector(".picture canvas")

    picture = page.locator(".picture img").bounding_box()
    box = page.locator(".picture rect.box").first.bounding_box()
    scale = picture["width"] / 64
    assert box["x"] - picture["x"] == pytest.approx(8 * scale, abs=2)
    assert box["width"] == pytest.approx(16 * scale, abs=3)
    alphas = page.evaluate(
        """() => {const context = document.querySelector('.picture canvas').getContext('2d');
        const {data} = context.getImageData(0, 0, 64, 48);
        return [[3, 0], [4, 0], [30, 23], [30, 24]].map(([x, y]) => data[4 * (64 * y + x) + 3])}"""
    )
    assert [alpha > 0 for alpha in alphas] == [True, False, False, True]
    assert page.locator(".picture circle").count() == 1
    assert page.locator(".classes span").count() == 1
    watched.shoot("predictions")
    page.locator(".score input").fill("0.9")
    assert page.locator(".picture rect.box").count() == 0
    assert page.title() != "owned"


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


def test_the_session_that_was_ended_leads_back_to_the_sign_in_page(watched, shown):
    page = watched.page
    sign_in(watched, f"{shown.url}/explore?layout=grid")
    page.wait_for_selector(".cell img")
    page.context.clear_cookies()
    page.get_by_role("link", name="Overview").click()
    page.wait_for_selector("input[name=token]")
    assert "next=" in page.url
    watched.faults.clear()  # the browser notes the refused requests


def test_the_first_page_loads_little():
    index = (STATIC_DIR / "index.html").read_text()
    first = re.findall(r'src="/(assets/[^"]+\.js)"', index)
    sizes = {path.name: path.stat().st_size for path in (STATIC_DIR / "assets").glob("*.js.gz")}

    assert sum(sizes[f"{name.rpartition('/')[2]}.gz"] for name in first) <= 90_000
