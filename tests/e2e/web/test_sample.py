"""One sample on top of the grid."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
import requests
from playwright.sync_api import expect

from tests.support.browsers import SCRIPT, sign_in
from tests.support.web_app import HEADERS, Shown

pytestmark = pytest.mark.xdist_group("browser")


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
    sample_id = shown.find_sample(20)
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


N_FRAMES = 24
RATE = 12


def write_video(path: Path) -> None:
    """Write a video whose frame k is as grey as 10 k."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libvpx", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for k in range(N_FRAMES):
            picture = np.full((48, 64, 3), 10 * k, dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


def make_clip(shown: Shown) -> tuple[Shown, str]:
    """Return a dataset of one frame of a video, and the frame's id."""
    write_video(shown.input_mount / "clip.webm")
    url = f"{shown.server.url}/v1/datasets"
    made = requests.post(
        url, json={"name": "clips", "type": "Videos"}, headers=HEADERS, timeout=30
    ).json()
    clips = replace(shown, dataset_id=made["id"])
    source = {"type": "LOCAL", "fullPath": "", "purpose": "INPUT"}
    requests.put(clips.api("/datasource"), json=source, headers=HEADERS, timeout=30)
    frame = {"sourceVideo": "clip.webm", "sourceVideoFrameIndex": 6}
    frame["sourceVideoFrameTimestamp"] = 6 / RATE
    sample = {"fileName": "clip-06-webm.png", "videoFrameData": frame}
    ids = clips.post("/samples/bulk", {"samples": [sample]}, "/ext/v1")["ids"]
    return clips, ids[0]


def read_grey(page) -> int:
    """Return how bright the shown frame is."""
    return page.evaluate(
        """() => {const canvas = document.createElement('canvas');
        const context = canvas.getContext('2d');
        context.drawImage(document.querySelector('video'), 0, 0);
        return context.getImageData(30, 20, 1, 1).data[0]}"""
    )


def test_a_frame_says_why_it_is_missing_and_its_video_is_stepped_through(watched, shown):
    clips, frame_id = make_clip(shown)
    page = watched.page
    sign_in(watched, f"{clips.url}/explore/{frame_id}")
    page.wait_for_selector("text=The image cannot be shown")
    watched.shoot("sample-missing")
    watched.faults.clear()  # the browser notes the missing image
    page.keyboard.press("p")
    shown_frame = page.locator(".player [role=status]")
    expect(shown_frame).to_have_text(f"frame 6 of about {N_FRAMES}")
    for key, frame in ((".", 7), (".", 8), (",", 7)):
        page.keyboard.press(key)
        expect(shown_frame).to_contain_text(f"frame {frame} ")
        page.wait_for_function("!document.querySelector('video').seeking")
        assert read_grey(page) == pytest.approx(10 * frame, abs=5)
    watched.shoot("sample-video")
    assert watched.find_obstacles() == []
    page.get_by_role("button", name="Back to the frame").click()
    page.wait_for_selector("text=The image cannot be shown")
    watched.faults.clear()


def test_an_image_whose_link_expired_is_fetched_again_once(watched, shown):
    sample_id = shown.find_sample(2)
    answers = ["expired", "fresh"]

    def answer(route) -> None:
        if answers and answers.pop(0) == "expired":
            route.fulfill(status=403, body="expired")
        else:
            route.continue_()

    page = watched.page
    sign_in(watched, f"{shown.url}/explore?layout=grid")
    page.route(f"**/samples/{sample_id}/image?type=full*", answer)
    page.goto(f"{shown.url}/explore/{sample_id}")
    page.wait_for_selector(".picture img[src$='#again']")
    page.wait_for_function("document.querySelector('.picture img').naturalWidth === 64")
    assert answers == []
    watched.faults.clear()  # the browser notes the refused request
