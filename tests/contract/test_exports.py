"""Exports of tags to labelling tools, as names, as URLs, as an archive."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from pathlib import PurePosixPath
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lightly._kit.errors import BadInput
from lightly._kit.safe_paths import check_relative_name
from lightly.server.exports import archive
from tests.support.tagged_datasets import (
    DATABASES,
    TaggedDataset,
    add_dataset,
    add_stranger,
    run_for_module,
)

NAMES = ["a/0.jpg", "1 & 2.png", "ü/猫.jpg", "-3.jpg", "=4+5.jpg", "@6.jpg", 'quote".jpg', "7"]
#: The samples 1, 2, 4, 5 and 7.
MASK = "0xb6"
SELECTED = [NAMES[number] for number in (1, 2, 4, 5, 7)]
PIXELS = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
LIST_FORMATS = [
    "LabelStudio/tasks",
    "LabelBox/datarows",
    "LabelBoxV4/datarows",
    "Sama/tasks",
    "basic/filenamesAndReadUrls",
]
FORMATS = [*LIST_FORMATS, "basic/filenames", "zip"]


def add_tagged(server, name: str = "birds") -> tuple[TaggedDataset, str]:
    made = add_dataset(server, name)
    made.add_samples(NAMES)
    return made, made.add_tag("some", MASK, made.add_initial_tag(), len(NAMES))


@pytest.fixture(scope="module", params=DATABASES)
def server(request, tmp_path_factory):
    with run_for_module(request, tmp_path_factory) as running:
        yield running


@pytest.fixture
def tagged(server) -> tuple[TaggedDataset, str]:
    return add_tagged(server)


@pytest.fixture
def dataset(tagged) -> TaggedDataset:
    return tagged[0]


@pytest.fixture
def export(tagged):
    """A function that exports the tag in a format and returns the answer."""
    dataset, tag_id = tagged

    def get(path: str, **query: object):
        url = f"{dataset.url}/tags/{tag_id}/export/{path}"
        # Whoever asks for plain text gets it, even where the contract's clients, which never ask,
        # would take a line for a number.
        is_plain = query.get("format") == "PLAIN"
        client = dataset.server.client if is_plain else dataset.client
        return client.get(url, params=query)

    return get


def upload(dataset: TaggedDataset, number: int, pixels: bytes = PIXELS) -> str:
    sample_id = dataset.client.get(f"{dataset.url}/mappings?field=_id").json()[number]
    url = dataset.client.get(f"{dataset.url}/samples/{sample_id}/writeurls").json()["full"]
    assert dataset.client.put(url, content=pixels).status_code == 200
    return sample_id


@pytest.fixture
def let_time_pass(server):
    """A function that moves the server's clock on by some seconds, until the end of the test."""
    state = server.client.app.state
    platform = state.platform

    def move_on(seconds: int) -> None:
        class LaterClock:
            def now_ms(self) -> int:
                return platform.clock.now_ms() + 1000 * seconds

        state.platform = replace(platform, clock=LaterClock())

    yield move_on
    state.platform = platform


def test_label_studio_tasks_carry_what_is_known_of_the_sample(dataset, export):
    tasks = export("LabelStudio/tasks").json()

    samples = dataset.client.get(f"{dataset.url}/samples").json()
    assert [task["id"] for task in tasks] == [1, 2, 4, 5, 7]
    assert [task["data"]["lightlyFileName"] for task in tasks] == SELECTED
    assert [task["data"]["lightlyMetaInfo"] for task in tasks] == [
        samples[number] for number in (1, 2, 4, 5, 7)
    ]


def test_what_is_known_of_the_sample_can_be_left_out(export):
    tasks = export("LabelStudio/tasks", includeMetaData="False").json()

    assert all("lightlyMetaInfo" not in task["data"] for task in tasks)


def test_label_box_rows_have_name_and_url(export):
    rows = export("LabelBox/datarows").json()

    assert [row["externalId"] for row in rows] == SELECTED
    assert all("/readurlRedirect?" in row["imageUrl"] for row in rows)


def test_label_box_4_rows_have_name_url_and_kind(export):
    rows = export("LabelBoxV4/datarows").json()

    assert [row["global_key"] for row in rows] == SELECTED
    assert {row["media_type"] for row in rows} == {"IMAGE"}
    assert all("/readurlRedirect?" in row["row_data"] for row in rows)


def test_sama_tasks_carry_what_is_known_of_the_sample_as_text(dataset, export):
    tasks = export("Sama/tasks").json()

    sample = dataset.client.get(f"{dataset.url}/samples").json()[1]
    assert [task["data"]["id"] for task in tasks] == [1, 2, 4, 5, 7]
    assert tasks[0]["data"]["url"] == tasks[0]["data"]["image"]
    assert json.loads(tasks[0]["data"]["lightlyMetaInfo"]) == sample


def test_names_are_one_text_that_is_no_json_by_accident(export):
    response = export("basic/filenames")

    assert response.headers["content-type"] == "application/json"
    assert response.json() == "\n".join(SELECTED)


def test_names_can_be_had_as_plain_text(export):
    response = export("basic/filenames", format="PLAIN")

    assert response.headers["content-type"].startswith("text/plain")
    assert response.content.decode() == "\n".join(SELECTED)


@pytest.mark.parametrize("output_format", ["JSON", "PLAIN"])
def test_pages_of_names_do_not_end_with_a_newline(export, output_format):
    pages = [
        export("basic/filenames", format=output_format, pageSize=2, pageOffset=offset)
        for offset in (0, 2, 4, 6)
    ]

    texts = [p.json() if output_format == "JSON" else p.text for p in pages]
    assert texts == ["1 & 2.png\nü/猫.jpg", "=4+5.jpg\n@6.jpg", "7", ""]


def test_all_forms_of_names_line_up(export):
    forms = {
        form: export("basic/filenames", fileNameFormat=form).json().split("\n")
        for form in ("NAME", "REDIRECTED_READ_URL", "DATASOURCE_FULL")
    }
    urls = [row["readUrl"] for row in export("basic/filenamesAndReadUrls").json()]

    assert forms["NAME"] == forms["DATASOURCE_FULL"] == SELECTED
    assert forms["REDIRECTED_READ_URL"] == urls


@pytest.mark.parametrize("full_path", ["s3://bucket/photos", "s3://bucket/photos/"])
def test_full_names_say_where_the_image_lies_in_the_datasource(dataset, export, full_path):
    datasource = {
        "type": "S3",
        "purpose": "INPUT_OUTPUT",
        "fullPath": full_path,
        "s3Region": "eu-central-1",
        "s3AccessKeyId": "key",
        "s3SecretAccessKey": "secret",
    }
    stored = dataset.client.put(f"{dataset.url}/datasource", json=datasource)
    assert stored.status_code < 300, stored.text

    names = export("basic/filenames", fileNameFormat="DATASOURCE_FULL").json().split("\n")
    tasks = export("LabelStudio/tasks", fileNameFormat="DATASOURCE_FULL").json()

    assert names == [f"s3://bucket/photos/{name}" for name in SELECTED]
    assert [task["data"]["lightlyFileName"] for task in tasks] == names


@pytest.mark.parametrize("path", LIST_FORMATS)
def test_pages_of_entries_make_up_the_whole(export, path):
    pages = [export(path, pageSize=2, pageOffset=offset).json() for offset in (0, 2, 4, 6)]

    assert [len(page) for page in pages] == [2, 2, 1, 0]
    assert [entry for page in pages for entry in page] == export(path).json()


@pytest.mark.parametrize("path", LIST_FORMATS)
def test_a_preview_is_the_first_entry(export, path):
    assert export(path, previewExample="True").json() == export(path).json()[:1]


@pytest.mark.parametrize("path", FORMATS)
def test_an_empty_tag_exports_to_nothing(server, path):
    dataset = add_dataset(server)
    tag_id = dataset.add_initial_tag()

    response = dataset.client.get(f"{dataset.url}/tags/{tag_id}/export/{path}")

    assert response.status_code == 200
    if path != "zip":
        assert response.json() in ([], "")


def test_exported_urls_lead_to_the_image_without_a_token(server, dataset, export):
    upload(dataset, 1)
    url = export("basic/filenamesAndReadUrls").json()[0]["readUrl"]

    response = server.anonymous_client().get(url)

    assert (response.status_code, response.content) == (200, PIXELS)


def test_urls_of_a_dataset_of_thumbnails_lead_to_those(server):
    dataset = add_dataset(server)
    dataset.add_samples(["a.jpg"])
    tag_id = dataset.add_initial_tag("thumbnail")

    rows = dataset.client.get(f"{dataset.url}/tags/{tag_id}/export/LabelBox/datarows").json()

    assert parse_qs(urlsplit(rows[0]["imageUrl"]).query)["type"] == ["thumbnail"]


def test_urls_end_when_asked_to(server, dataset, export, let_time_pass):
    upload(dataset, 1)
    ending = export("LabelBox/datarows", expiresIn=60).json()[0]["imageUrl"]
    lasting = export("LabelBox/datarows").json()[0]["imageUrl"]
    anonymous = server.anonymous_client()
    assert anonymous.get(ending).status_code == 200

    let_time_pass(61)

    assert anonymous.get(ending).status_code == 401
    assert anonymous.get(lasting).status_code == 200


@pytest.mark.parametrize("expires_in", [0, -1, "soon"])
def test_an_end_in_the_past_is_refused(export, expires_in):
    response = export("LabelBox/datarows", expiresIn=expires_in)

    assert (response.status_code, response.json()["code"]) == (400, "MALFORMED_REQUEST")


def test_a_far_end_is_far(server, dataset, export, let_time_pass):
    upload(dataset, 1)
    url = export("LabelBox/datarows", expiresIn=10**30).json()[0]["imageUrl"]

    let_time_pass(10**9)

    assert server.anonymous_client().get(url).status_code == 200


def test_this_server_has_no_access_controls(export):
    response = export("LabelStudio/tasks", accessControl="mine")

    assert (response.status_code, response.json()["code"]) == (404, "ACCESS_CONTROL_UNKNOWN")


@pytest.mark.parametrize("path", FORMATS)
def test_tags_of_others_cannot_be_exported(server, tagged, path):
    dataset, tag_id = tagged
    stranger = add_stranger(server)
    own = add_dataset(server, "own")

    by_stranger = stranger.get(f"{dataset.url}/tags/{tag_id}/export/{path}")
    of_other_dataset = own.client.get(f"{own.url}/tags/{tag_id}/export/{path}")

    assert (by_stranger.status_code, by_stranger.json()["code"]) == (404, "DATASET_UNKNOWN")
    assert (of_other_dataset.status_code, of_other_dataset.json()["code"]) == (404, "TAG_UNKNOWN")


def test_an_archive_holds_the_images_under_their_names(dataset, export):
    large = PIXELS * 10_000
    upload(dataset, 2, large)
    upload(dataset, 4)
    upload(dataset, 0)

    response = export("zip")

    assert response.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(response.content)) as opened:
        assert opened.testzip() is None
        assert opened.namelist() == ["ü/猫.jpg", "=4+5.jpg"]
        assert opened.read("ü/猫.jpg") == large
        assert opened.comment == b"2 of 5 images are stored."


def test_without_any_image_there_is_no_archive(export):
    response = export("zip")

    assert (response.status_code, response.json()["code"]) == (404, "NOT_FOUND")


def test_an_archive_has_at_most_a_thousand_images(server):
    dataset = add_dataset(server, "many")
    dataset.add_samples([f"{number}.jpg" for number in range(archive.MAX_IMAGES + 1)])
    tag_id = dataset.add_initial_tag()

    response = dataset.client.get(f"{dataset.url}/tags/{tag_id}/export/zip")

    assert (response.status_code, response.json()["code"]) == (413, "PAYLOAD_TOO_LARGE")


@given(st.text(min_size=1, max_size=60))
def test_members_of_archives_stay_where_they_are_unpacked(name):
    member = archive.name_member(name, "65f0c0ffee65f0c0ffee1234")

    path = PurePosixPath(member.replace("\\", "/"))
    assert not path.is_absolute()
    assert ".." not in path.parts
    assert check_relative_name(member) == member


def is_allowed(name: str) -> bool:
    try:
        return check_relative_name(name) == name
    except BadInput:
        return False


NAMES_OF_ANY_KIND = st.lists(
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=30).filter(is_allowed),
    min_size=1,
    max_size=10,
    unique=True,
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(names=NAMES_OF_ANY_KIND)
def test_names_of_any_kind_come_back_as_they_were(server, names):
    dataset = add_dataset(server, "names")
    dataset.add_samples(names)
    url = f"{dataset.url}/tags/{dataset.add_initial_tag()}"

    as_text = dataset.client.get(f"{url}/export/basic/filenames").json()
    as_plain = server.client.get(f"{url}/export/basic/filenames?format=PLAIN").text
    as_list = dataset.client.get(f"{url}/filenames").json()
    tasks = dataset.client.get(f"{url}/export/LabelStudio/tasks").json()

    assert as_text.split("\n") == as_plain.split("\n") == as_list == names
    assert [task["data"]["lightlyFileName"] for task in tasks] == names
