"""Datasources, metadata, predictions and the list of datasets in a real browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
from playwright.sync_api import expect

from tests.support.browsers import SCRIPT, WatchedPage, open_page, sign_in
from tests.support.platforms import TOKEN
from tests.support.worker_runs import LocalPlace, run_local_place

pytestmark = pytest.mark.xdist_group("browser")

HEADERS = {"Authorization": f"Bearer {TOKEN}"}
SECRET = "this-is-a-very-secret-key"


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Iterator[LocalPlace]:
    with run_local_place(tmp_path_factory.mktemp("web-settings")) as running:
        running.draw("pictures", 6)
        yield running


@pytest.fixture
def watched(browser, place) -> Iterator[WatchedPage]:
    opened = open_page(browser, place.server.url)
    yield opened
    opened.shoot("last-settings-test")
    opened.page.context.close()
    # Samples of some tests have no image.
    assert [fault for fault in opened.faults if "404" not in fault] == []


def call(place: LocalPlace, method: str, path: str, body: object = None) -> object:
    url = place.server.url + path
    answer = requests.request(method, url, json=body, headers=HEADERS, timeout=30)
    assert answer.ok, answer.text
    return answer.json() if answer.content else None


def make_dataset(place: LocalPlace, name: str) -> str:
    return str(call(place, "POST", "/v1/datasets", {"name": name})["id"])


def test_a_folder_is_set_up_and_its_lights_tell_the_truth(watched, place):
    dataset = make_dataset(place, "with a folder")
    page = watched.page
    sign_in(watched, f"/datasets/{dataset}/settings/source")
    page.get_by_role("radio").nth(1).check()
    for purpose in ("Images (only read)", "Results (read and written)"):
        page.get_by_role("button", name=f"Set up: {purpose}").click()
        page.get_by_label("Path").fill("pictures")
        page.get_by_role("button", name="Save and try it out").click()
        page.get_by_role("button", name=f"Change: {purpose}").wait_for()
    expect(page.locator(".lights .works")).to_have_count(4)
    watched.shoot_both("source")

    page.get_by_role("button", name="Change: Images (only read)").click()
    page.get_by_label("Path").fill("no such folder")
    page.get_by_role("button", name="Save and try it out").click()
    expect(page.locator(".lights .fails").first).to_be_visible()
    verified = call(place, "GET", f"/v1/datasets/{dataset}/datasource/verify")
    expect(page.locator(".fault").first).to_contain_text(verified["errors"]["canList"])
    expect(page.locator(".fault").first).to_contain_text("What to do")
    page.goto(f"/datasets/{dataset}")
    expect(page.locator(".lights .fails").first).to_be_visible()
    watched.shoot("home-with-broken-source")


@pytest.mark.parametrize(
    ("kind", "fields", "secret"),
    [
        (
            "S3",
            {"fullPath": "s3://b/x", "s3AccessKeyId": "AKIA1", "s3SecretAccessKey": SECRET},
            "s3SecretAccessKey",
        ),
        (
            "S3DelegatedAccess",
            {
                "fullPath": "s3://b/x",
                "s3ARN": "arn:aws:iam::123456789012:role/some-role",
                "s3ExternalId": SECRET,
            },
            "s3ExternalId",
        ),
        (
            "GCS",
            {"fullPath": "gs://b/x", "gcsProjectId": "p", "gcsCredentials": f'{{"k": "{SECRET}"}}'},
            "gcsCredentials",
        ),
        (
            "AZURE",
            {"fullPath": "box/x", "accountName": "me", "accountKey": SECRET},
            "accountKey",
        ),
        (
            "OBS",
            {
                "fullPath": "obs://b/x",
                "obsEndpoint": "https://obs.example.com",
                "obsAccessKeyId": "id",
                "obsSecretAccessKey": SECRET,
            },
            "obsSecretAccessKey",
        ),
    ],
)
def test_a_bucket_is_set_up_and_its_secrets_never_come_back(watched, place, kind, fields, secret):
    dataset = make_dataset(place, f"with {kind}")
    page = watched.page
    # Whatever the store would say: no test speaks to a real one.
    verified = {"canRead": False, "canWrite": False, "canList": False, "canOverwrite": False}
    verified["errors"] = {"canList": f"AccessDenied {SCRIPT}"}
    page.route("**/datasource/verify", lambda route: route.fulfill(json=verified))
    sign_in(watched, f"/datasets/{dataset}/settings/source")
    page.get_by_role("button", name="Set up: Images and results").click()
    page.select_option("#type", kind)
    for name, value in fields.items():
        page.fill(f"#{name}", value)
    page.get_by_role("button", name="Save and try it out").click()
    expect(page.locator(".fault")).to_contain_text(f"AccessDenied {SCRIPT}")
    assert SECRET not in page.content()

    page.get_by_role("button", name="Change: Images and results").click()
    assert page.input_value(f"#{secret}") != fields[secret]
    if kind == "S3":
        watched.shoot_both("source-form")
    page.fill("#fullPath", f"{fields['fullPath']}/deeper")
    page.get_by_role("button", name="Save and try it out").click()
    page.get_by_text(f"{fields['fullPath']}/deeper").wait_for()
    stored = call(place, "GET", f"/v1/datasets/{dataset}/datasource")
    assert stored["type"] == kind
    assert SECRET not in str(stored)
    assert page.title() != "owned"


def test_metadata_is_configured_by_what_the_samples_have(watched, place):
    dataset = make_dataset(place, "with metadata")
    samples = [
        {"fileName": f"{n}.jpg", "customMetaData": {"car": {"speed": n / 2}, "weather": SCRIPT}}
        for n in range(9)
    ]
    call(place, "POST", f"/ext/v1/datasets/{dataset}/samples/bulk", {"samples": samples})
    page = watched.page
    sign_in(watched, f"/datasets/{dataset}/settings/metadata")
    page.get_by_role("button", name="Add car.speed").click()
    page.get_by_role("button", name="Add weather").click()
    page.wait_for_selector("text=The samples have no other values")
    page.fill("#configuration-name", "driving")
    watched.shoot_both("metadata")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_selector("text=Saved.")

    made = call(place, "GET", f"/v1/datasets/{dataset}/configuration/metadata")
    assert [one["name"] for one in made] == ["driving"]
    found = [(entry["path"], entry["valueDataType"]) for entry in made[0]["configs"]]
    assert found == [("car.speed", "NUMERIC_FLOAT"), ("weather", "CATEGORICAL_STRING")]
    page.reload()
    expect(page.get_by_label("Path in the metadata: Weather")).to_have_value("weather")
    page.get_by_role("button", name="Remove Weather").click()
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_selector("text=Saved.")
    made = call(place, "GET", f"/v1/datasets/{dataset}/configuration/metadata")
    assert [len(one["configs"]) for one in made] == [1]


def test_prediction_tasks_are_defined(watched, place):
    dataset = make_dataset(place, "with predictions")
    page = watched.page
    sign_in(watched, f"/datasets/{dataset}/settings/predictions")
    page.wait_for_selector("text=No task yet")
    page.get_by_role("button", name="New task").click()
    page.fill("#task-name", "poses")
    page.select_option("#task-type", "KEYPOINT_DETECTION")
    page.fill("#task-categories", f"3 person\n7 {SCRIPT}")
    page.fill("#task-points", "nose, left eye")
    page.get_by_role("button", name="Define it").click()
    page.get_by_role("heading", name="poses").wait_for()
    watched.shoot_both("predictions-settings")

    schema = call(place, "GET", f"/v1/datasets/{dataset}/predictions/tasks")["schemas"][0]
    assert [category["id"] for category in schema["categories"]] == [3, 7]
    assert schema["categories"][0]["keypointNames"] == ["nose", "left eye"]
    assert page.title() != "owned"


def test_datasets_are_searched_sorted_marked_and_deleted(watched, place):
    for name in ("zebra crossings", "apples at night"):
        make_dataset(place, name)
    page = watched.page
    sign_in(watched, "/datasets")
    page.get_by_label("Sort by").select_option(label="Name")
    names = page.locator(".dataset h2")
    expect(names.first).to_have_text("apples at night")
    page.get_by_role("button", name="Mark zebra crossings").click()
    expect(names.first).to_have_text("zebra crossings")
    page.get_by_role("button", name="Only marked ones").click()
    expect(names).to_have_count(1)
    watched.shoot_both("datasets")
    # The mark is the user's, on every machine.
    page.reload()
    page.get_by_role("button", name="Take the mark of zebra crossings away").wait_for()
    page.fill("input[type=search]", "APPLES")
    expect(names).to_have_count(1)
    page.get_by_role("button", name="Delete apples at night").click()
    page.fill("#typed", "apples at night")
    page.get_by_role("button", name="Delete", exact=True).click()
    page.wait_for_selector("text=No dataset is called so")


def test_a_dataset_that_changes_says_so_once(watched, place):
    dataset = make_dataset(place, "growing")
    page = watched.page
    sign_in(watched, f"/datasets/{dataset}")
    page.wait_for_selector("text=No sample yet")
    page.wait_for_timeout(1_500)
    samples = {"samples": [{"fileName": "a.jpg"}, {"fileName": "b.jpg"}]}
    call(place, "POST", f"/ext/v1/datasets/{dataset}/samples/bulk", samples)
    page.wait_for_selector("text=2 samples now")
    watched.shoot("data-changed")
    page.get_by_role("button", name="Show it").click()
    expect(page.locator(".facts dd").first).to_have_text("2")
    page.wait_for_selector("text=2 samples now", state="detached")
