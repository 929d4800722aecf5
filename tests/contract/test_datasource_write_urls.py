"""A worker writes thumbnails, frames and crops into the datasource of a dataset over HTTP."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from tests.support.contract import ContractClient
from tests.support.datasources import (
    CONFIGURATIONS,
    PNG,
    make_client,
    make_dataset,
    make_local_dataset,
    write_files,
)
from tests.support.platforms import run_in_process
from tests.support.run_queue import RunQueue

EXTENSION = json.loads((Path(__file__).parents[2] / "openapi/ext-v1.json").read_text())
PATH = "/ext/v1/datasets/{datasetId}/datasource/writeUrls"
SCHEMAS = EXTENSION["components"]["schemas"]
NAMES = [
    ".lightly/thumbnails/a/b c_thumb.jpg",
    ".lightly/frames/film-01-mp4.png",
    ".lightly/crops/task/ä%2F.png",
]


@pytest.fixture
def mounted(tmp_path):
    mounts = {name: str(tmp_path / name) for name in ("input_mount", "lightly_mount")}
    with run_in_process(tmp_path / "data", **mounts) as running:
        yield running


@pytest.fixture
def local(mounted):
    return make_local_dataset(mounted, "photos")


@pytest.fixture
def stored(server):
    """The id of a dataset whose datasource is the server's own storage."""
    client = ContractClient(server.client)
    dataset_id = make_dataset(client)
    body = CONFIGURATIONS["LIGHTLY"]
    assert client.put(f"/v1/datasets/{dataset_id}/datasource", json=body).status_code == 204
    return dataset_id


def ask(server, dataset_id, names, **options):
    """Ask for URLs and hold the answer against the document."""
    url = PATH.format(datasetId=dataset_id)
    response = server.client.post(url, json={"fileNames": names}, **options)
    assert str(response.status_code) in EXTENSION["paths"][PATH]["post"]["responses"]
    if response.status_code == 200:
        Draft202012Validator(SCHEMAS["FileWriteUrlsResponse"]).validate(response.json())
        assert len(response.json()["urls"]) == len(names)
    return response


def put_all(server, urls, content=PNG):
    for url in urls:
        assert server.anonymous_client().put(url, content=content).status_code == 200


def test_files_of_a_worker_are_written_into_the_mount(local):
    urls = ask(local.server, local.id, NAMES).json()["urls"]

    put_all(local.server, urls)

    assert [(local.lightly / name).read_bytes() for name in NAMES] == [PNG] * len(NAMES)
    assert list(local.input.iterdir()) == []


def test_files_of_a_worker_are_written_into_the_servers_own_storage(server, stored):
    urls = ask(server, stored, NAMES).json()["urls"]

    put_all(server, urls)

    for name in NAMES:
        query = {"fileName": name}
        head = server.client.get(f"/v1/datasets/{stored}/datasource/fileHEAD", params=query).json()
        assert server.anonymous_client().head(head).status_code == 200


def test_urls_can_be_asked_for_and_used_again(server, stored):
    names = [NAMES[0], NAMES[0], NAMES[1]]
    put_all(server, ask(server, stored, names).json()["urls"])

    again = ask(server, stored, [*names, NAMES[2]])

    put_all(server, again.json()["urls"], PNG + b"2")


def test_written_predictions_are_listed_once(server, stored):
    name = ".lightly/predictions/task/a.json"
    put_all(server, ask(server, stored, [name, name]).json()["urls"], b"{}")
    put_all(server, ask(server, stored, [name]).json()["urls"], b"{}")

    url = f"/v1/datasets/{stored}/datasource/predictions/list?taskName=task"

    assert [row["fileName"] for row in server.client.get(url).json()["data"]] == [name]


def test_a_written_thumbnail_is_the_one_of_its_sample(local):
    body = CONFIGURATIONS["LOCAL"] | {
        "fullPath": "photos",
        "thumbSuffix": ".lightly/thumbnails/[filename]_thumb.[extension]",
    }
    assert local.client.put(local.url, json=body).status_code == 204
    samples = f"/v1/datasets/{local.id}/samples"
    sample_id = local.client.post(samples, json={"fileName": "a.jpg"}).json()["id"]
    urls = ask(local.server, local.id, [".lightly/thumbnails/a_thumb.jpg"]).json()["urls"]

    put_all(local.server, urls, PNG + b"small")

    read = local.client.get(f"{samples}/{sample_id}/readurl", params={"type": "thumbnail"}).json()
    assert local.server.anonymous_client().get(read).content == PNG + b"small"


def test_no_names_give_no_urls(server, stored):
    assert ask(server, stored, []).json() == {"urls": []}


@pytest.mark.parametrize(
    "name",
    [
        "a.jpg", "", ".lightly", ".lightly/", "/.lightly/a", "./.lightly/a", "a/.lightly/b",
        ".lightly/../a.jpg", ".lightly/a/../../b", ".lightly//a", ".lightly/./a", ".lightly/a\0",
        ".lightly\\a", ".lightly/..\\a", ".LIGHTLY/a", ".lightly/" + "a" * 1024, 1, None,
    ],
)  # fmt: skip
def test_only_names_below_the_platforms_folder_are_taken(local, name):
    refused = ask(local.server, local.id, [NAMES[0], name])

    assert (refused.status_code, refused.json()["code"]) == (400, "MALFORMED_REQUEST")
    assert "fileNames.1" in refused.json()["error"]


def test_a_request_for_urls_has_a_ceiling(server, stored):
    names = [f".lightly/thumbnails/{number}.webp" for number in range(10_001)]

    most, more = ask(server, stored, names[1:]), ask(server, stored, names)

    assert most.status_code == 200
    assert (more.status_code, more.json()["code"]) == (413, "PAYLOAD_TOO_LARGE")


def test_the_datasource_for_input_is_never_written_to(local):
    dataset_id = make_dataset(local.client, "input alone")
    body = CONFIGURATIONS["LOCAL"] | {"purpose": "INPUT", "fullPath": "photos"}
    local.client.put(f"/v1/datasets/{dataset_id}/datasource", json=body)

    refused = ask(local.server, dataset_id, NAMES)

    assert (refused.status_code, refused.json()["code"]) == (404, "DATASET_DATASOURCE_UNKNOWN")


def test_of_a_pair_the_datasource_for_lightly_is_written_to(local):
    dataset_id = make_dataset(local.client, "a pair")
    other = local.lightly.parent / "other"
    other.mkdir()
    for purpose, folder in (("INPUT", "photos"), ("LIGHTLY", "other")):
        body = CONFIGURATIONS["LOCAL"] | {"purpose": purpose, "fullPath": folder}
        local.client.put(f"/v1/datasets/{dataset_id}/datasource", json=body)

    put_all(local.server, ask(local.server, dataset_id, NAMES).json()["urls"])

    assert (other / NAMES[0]).read_bytes() == PNG
    assert list(local.lightly.iterdir()) == []


def test_without_a_mount_to_write_to_there_are_no_urls(tmp_path):
    with run_in_process(tmp_path / "data", input_mount=str(tmp_path / "in")) as running:
        client = make_client(running)
        dataset_id = make_dataset(client)
        body = CONFIGURATIONS["LOCAL"] | {"fullPath": ""}
        client.put(f"/v1/datasets/{dataset_id}/datasource", json=body)
        write_files(tmp_path / "in", ["a.jpg"])

        refused = ask(running, dataset_id, NAMES)

    assert refused.status_code == 422
    assert refused.json()["code"] == "DATASET_DATASOURCE_ILLEGAL_ACTION"


def test_urls_of_a_bucket_come_with_the_headers_that_they_take(server):
    client = make_client(server)
    dataset_id = make_dataset(client)
    client.put(f"/v1/datasets/{dataset_id}/datasource", json=CONFIGURATIONS["S3"])

    answer = ask(server, dataset_id, NAMES).json()

    key = CONFIGURATIONS["S3"]["s3ServerSideEncryptionKMSKey"]
    assert answer["headers"] == {
        "x-amz-server-side-encryption": "aws:kms",
        "x-amz-server-side-encryption-aws-kms-key-id": key,
    }
    signed = "SignedHeaders=host%3Bx-amz-server-side-encryption%3Bx-amz-server-side-encryption-aws"
    assert all(
        url.startswith("https://bucket.s3.eu-central-1.amazonaws.com/path/.lightly/")
        and signed in url
        for url in answer["urls"]
    )


def test_a_worker_that_has_lost_its_run_gets_no_urls(local):
    queue = RunQueue(local.server.client)
    worker = queue.start_worker()
    queue.schedule(local.id)
    claim = worker.claim()
    headers = {"Lightly-Lease": claim["lease"]}
    allowed = ask(local.server, local.id, NAMES, headers=headers)
    assert worker.finish(claim).status_code == 204

    refused = ask(local.server, local.id, NAMES, headers=headers)

    assert (allowed.status_code, refused.status_code) == (200, 409)
