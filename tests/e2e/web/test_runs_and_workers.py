"""Runs and workers in a real browser, with a real worker; nothing is reloaded, all is live."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import requests
from playwright.sync_api import Locator, Page, expect

from lightly.openapi_generated.swagger_client.models import DatasetType, DatasourcePurpose
from tests.support.browsers import SCRIPT, WatchedPage, open_page, sign_in
from tests.support.platforms import TOKEN
from tests.support.sdk import connect_client
from tests.support.shells import make_shell
from tests.support.worker_runs import LocalPlace, run_local_place

pytestmark = pytest.mark.xdist_group("browser")

N_PICTURES = 12
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
#: Every fourth picture has one of the second kind, all others one of the first.
CATEGORIES = ["cat", SCRIPT]
BALANCE = {
    "input": {"type": "PREDICTIONS", "task": "pets", "name": "CLASS_DISTRIBUTION"},
    "strategy": {"type": "BALANCE", "target": {"cat": 0.5, SCRIPT: 0.5}, "strength": 8},
}
#: A run of so few images takes seconds, on a busy machine many.
RUN_MS = 120_000


@dataclass(frozen=True)
class Shown:
    """A server with pictures that a worker reads.

    Attributes:
        place: The server and its folders.
        dataset_id: A dataset whose images are there.
        names: Of its pictures.
    """

    place: LocalPlace
    dataset_id: str
    names: list[str]

    def call(self, method: str, path: str, body: object = None) -> object:
        url = self.place.server.url + path
        answer = requests.request(method, url, json=body, headers=HEADERS, timeout=30)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None


def make_box(number: int) -> dict[str, object]:
    return {"category_id": int(number % 4 == 0), "bbox": [8, 6, 16, 12], "score": 0.8}


def make_dataset(place: LocalPlace, name: str, folder: str) -> str:
    client = connect_client(place.server.url, TOKEN)
    client.create_dataset(name, DatasetType.IMAGES)
    for purpose in (DatasourcePurpose.INPUT, DatasourcePurpose.LIGHTLY):
        client.set_local_config(relative_path=folder, purpose=purpose)
    return str(client.dataset_id)


@pytest.fixture(scope="module")
def shown(tmp_path_factory) -> Iterator[Shown]:
    with run_local_place(tmp_path_factory.mktemp("web-runs")) as place:
        names = place.draw("pictures", N_PICTURES)
        boxes = {name: [make_box(number)] for number, name in enumerate(names)}
        place.predict("pictures", "pets", CATEGORIES, boxes)
        yield Shown(place, make_dataset(place, "street scenes", "pictures"), names)


@pytest.fixture
def watched(browser, shown) -> Iterator[WatchedPage]:
    opened = open_page(browser, shown.place.server.url)
    yield opened
    opened.shoot("last-run-test")
    opened.page.context.close()
    # Samples of some tests have no image.
    assert [fault for fault in opened.faults if "404" not in fault] == []


def schedule_by_form(page: Page, shown: Shown) -> None:
    page.goto(f"/datasets/{shown.dataset_id}")
    page.get_by_role("link", name="Schedule run").first.click()
    page.get_by_label("Samples").fill("5")
    expect(page.locator("#json")).to_have_value(re.compile(r'"nSamples": 5'))
    config = json.loads(page.input_value("#json"))
    config["selection"]["strategies"].append(BALANCE)
    page.fill("#json", json.dumps(config))
    page.get_by_role("button", name="Schedule", exact=True).click()
    page.wait_for_url(f"**/datasets/{shown.dataset_id}/runs")
    page.wait_for_selector("text=Waiting for a worker")


def test_a_run_is_scheduled_followed_and_read_without_any_reload(watched, shown):
    page = watched.page
    sign_in(watched)
    schedule_by_form(page, shown)
    watched.shoot_both("runs-waiting")
    worker = shown.place.make_worker()
    worker.start()
    try:
        # The list hears of the run by itself.
        page.locator("tbody .badge").first.wait_for(timeout=RUN_MS)
        page.locator("tbody td.state a").first.click()
        page.wait_for_url("**/runs/*")
        page.locator(".badge.good").wait_for(timeout=RUN_MS)
    finally:
        worker.stop()

    page.get_by_text("log.txt", exact=True).wait_for()
    run_id = page.url.rpartition("/")[2]
    run = shown.call("GET", f"/v1/docker/runs/{run_id}")
    assert page.locator("section[aria-label='Files it has made'] li").count() == len(
        run["artifacts"]
    )
    tags = shown.call("GET", f"/v1/docker/runs/{run_id}/tags")
    for tag in tags:
        expect(page.locator("section[aria-label='Tags it has made']")).to_contain_text(tag["name"])
    assert page.locator("[role=log] .line").count() > 5
    # The report is drawn: what was looked at, charts, maps.
    report = page.locator("section[aria-label=Report]")
    expect(report.locator(".sizes div.main dd")).to_have_text("5")
    expect(report.locator(".sizes div").first).to_contain_text(str(N_PICTURES))
    assert report.locator("svg path.selected").count() >= 4
    check_predictions(report)
    page.get_by_text("Configuration").click()
    expect(page.locator("details pre")).to_contain_text('"nSamples": 5')
    page.get_by_text("Configuration").click()
    page.evaluate("window.scrollTo(0, 0)")
    watched.shoot_both("run")
    report.scroll_into_view_if_needed()
    watched.shoot("run-report")
    report.locator("figure", has_text="off by at most").scroll_into_view_if_needed()
    watched.shoot("run-report-balance")
    report.get_by_role("region", name="Predictions: pets").scroll_into_view_if_needed()
    watched.shoot_both("run-report-predictions")
    assert page.title() != "owned"


def check_predictions(report: Locator) -> None:
    """Balance and predictions are drawn as they were counted."""
    balance = report.locator("figure", has_text="off by at most").locator("li")
    expect(balance).to_have_count(2)
    task = report.get_by_role("region", name="Predictions: pets")
    expect(task.get_by_role("row", name="Predictions")).to_have_text(
        re.compile(rf"^\s*Predictions\s*{N_PICTURES}\s*5\s*5\s*$")
    )
    shares = task.locator("figure", has_text="Classes of the predictions")
    expect(shares.get_by_title("input: 25 %")).to_be_attached()
    # Of five pictures, half of each class are two or three.
    chosen = [int(text.split()[0]) for text in balance.locator(".number").all_inner_texts()]
    assert sorted(chosen) == [40, 60]
    expect(task.locator(".frame rect.box").first).to_be_attached()


def test_a_refused_run_names_stage_cause_and_remedy(watched, shown):
    dataset_id = make_dataset(shown.place, "no such folder", "nothing/there")
    body = {"workerType": "FULL", "selection": {"nSamples": 1, "strategies": [{
        "input": {"type": "RANDOM"}, "strategy": {"type": "WEIGHTS"}}]}}  # fmt: skip
    made = shown.call("POST", "/v1/docker/worker/config/vX", {"version": "V4", "config": body})
    path = f"/v1/datasets/{dataset_id}/docker/worker/schedule?disableConfigValidation=true"
    shown.call("POST", path, {"configId": made["id"], "priority": "HIGH"})
    shown.place.make_worker().finish_runs()
    page = watched.page
    sign_in(watched, f"/datasets/{dataset_id}/runs")
    # A folder that is not there is refused, which is no fault of the worker.
    page.locator("tbody .badge", has_text="Aborted").wait_for()
    page.locator("tbody td.state a").click()
    failure = page.locator("section.failure")
    failure.wait_for()

    run_id = page.url.rpartition("/")[2]
    message = shown.call("GET", f"/v1/docker/runs/{run_id}")["message"]
    state, cause = re.fullmatch(r"In the state ([A-Z_]+): (.*)", message, re.DOTALL).groups()
    words = state.replace("_", " ").capitalize()
    assert failure.locator("dd").nth(0).inner_text() == words
    assert failure.locator("dd").nth(1).inner_text() == cause
    assert len(failure.locator("dd").nth(2).inner_text()) > 10
    watched.shoot_both("run-failed")
    failure.get_by_role("button", name="Schedule it again").click()
    page.wait_for_selector("text=Waiting for a worker")
    page.get_by_role("button", name="Cancel").click()
    page.wait_for_selector("text=Waiting for a worker", state="detached")


def test_texts_of_a_run_are_only_texts_and_its_log_leads_to_samples(watched, shown):
    samples = {"samples": [{"fileName": "odd name.jpg"}, {"fileName": SCRIPT + ".jpg"}]}
    shown.call("POST", f"/ext/v1/datasets/{shown.dataset_id}/samples/bulk", samples)
    body = {"dockerVersion": SCRIPT, "datasetId": shown.dataset_id}
    run_id = shown.call("POST", "/v1/docker/runs", body)["id"]
    page = watched.page
    sign_in(watched, f"/runs/{run_id}")
    page.locator(".badge.live").wait_for()
    entries = [
        {"ts": 1, "level": "INFO", "group": SCRIPT, "msg": f"Look at {SCRIPT}"},
        {"ts": 2, "level": "WARNING", "group": "x", "msg": "The image odd name.jpg is left out: 1"},
    ]
    shown.call("PUT", f"/v1/docker/runs/{run_id}/logs", entries)
    update = {"state": "EMBEDDING", "message": SCRIPT, "ts": 3}
    shown.call("PUT", f"/v1/docker/runs/{run_id}", update)

    expect(page.locator(".message[role=status]")).to_have_text(SCRIPT)
    expect(page.locator("[role=log]")).to_contain_text(f"Look at {SCRIPT}")
    expect(page.locator("[aria-current=step]")).to_contain_text("Embed")
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("button", name="Stop the run").click()
    # Nobody works on it, so it ends at once.
    page.locator("section.failure", has_text="This run was stopped").wait_for()
    page.get_by_role("button", name="odd name.jpg").click()
    page.wait_for_url(f"**/datasets/{shown.dataset_id}/explore/*")
    page.wait_for_load_state("networkidle")
    assert page.title() != "owned"


def test_workers_come_go_and_are_deleted_live(watched, shown):
    page = watched.page
    sign_in(watched, "/workers")
    page.get_by_role("button", name="Add a worker").click()
    page.get_by_label("Name").fill("night shift")
    page.get_by_label("Labels").fill("gpu, big")
    page.get_by_role("button", name="Make a token").click()
    page.get_by_text("shown only this once").or_(page.get_by_text("It is shown only")).wait_for()
    command = page.locator("dialog pre").inner_text()
    assert "YOUR_API_TOKEN" not in command
    watched.shoot("worker-register")
    page.get_by_role("button", name="Done").click()

    # What is printed runs as it is; the folder is the test's own.
    shell = make_shell(f"{command} --work-dir night", shown.place.root)
    try:
        row = page.locator("li", has_text="night shift")
        expect(row.locator(".badge")).to_have_text(re.compile("Idle|At work"), timeout=60_000)
        expect(row).to_contain_text("gpu")
    finally:
        os.killpg(shell.pid, signal.SIGTERM)
        shell.communicate(timeout=60)
    expect(row.locator(".badge")).to_have_text(re.compile("Offline"), timeout=60_000)
    watched.shoot_both("workers")
    page.get_by_role("button", name="Delete night shift").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(row).to_have_count(0)


def test_a_page_says_that_the_server_is_away_and_goes_on_by_itself(watched, shown):
    page = watched.page
    sign_in(watched, "/runs")
    page.wait_for_selector("h1:has-text('Runs')")
    page.context.set_offline(True)
    page.wait_for_selector("text=No connection to the server")
    page.context.set_offline(False)
    page.wait_for_selector("text=No connection to the server", state="detached")
    watched.faults.clear()  # the browser notes the broken connections
