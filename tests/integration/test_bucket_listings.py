"""Listings of a bucket keep every rule that those of a folder keep."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import obstore
import pytest
import requests

from lightly.server.datasources import listings
from lightly.server.datasources.buckets import store
from tests.support.bucket_datasets import S3Provider, make_bucket_dataset
from tests.support.datasources import PNG, make_client, make_dataset
from tests.support.object_stores import S3Server
from tests.support.platforms import run_in_process
from tests.support.run_queue import RunQueue

ODD_NAMES = [
    "a b.jpg",
    "a%2Fb.jpg",
    "a%20b.jpg",
    "a+b.jpg",
    "a&b=c?d#e.jpg",
    "dots..jpg",
    "folder./x.jpg",
    "folder /x.jpg",
    "quo'te\"s.jpg",
    "ü/é.JPG",
    "日本/写真.webp",
    "🙂.png",
    "~tilde*star(1)!.jpg",
    "x" * 200 + "/" + "y" * 200 + ".jpg",
]


@pytest.fixture
def dataset(tmp_path, s3_server):
    provider = S3Provider(s3_server)
    with run_in_process(tmp_path / "data", **provider.settings) as server:
        yield make_bucket_dataset(server, provider)


def walk(dataset, path="list", **query):
    """Return names and URLs of a listing, page by page."""
    found = []
    while True:
        answer = dataset.client.get(f"{dataset.url}/{path}", params=query)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += [(row["fileName"], row["readUrl"]) for row in page["data"]]
        if not page["hasMore"]:
            return found
        query["cursor"] = page["cursor"]


def list_names(dataset, path="list", **query):
    return [name for name, _ in walk(dataset, path, **query)]


def sort_by_bytes(names):
    return sorted(names, key=lambda name: name.encode())


@pytest.mark.parametrize("is_redirected", [False, True])
def test_odd_names_come_back_and_their_urls_lead_to_their_bytes(dataset, is_redirected):
    for name in ODD_NAMES:
        dataset.put_files([name], PNG + name.encode())

    rows = walk(dataset, useRedirectedReadUrl=is_redirected)
    assert [name for name, _ in rows] == sort_by_bytes(ODD_NAMES)
    for name, read_url in rows:
        url = read_url
        if is_redirected:
            anonymous = dataset.server.anonymous_client()
            url = anonymous.get(url, follow_redirects=False).headers["Location"]
        assert requests.get(url, timeout=30).content == PNG + name.encode()


def test_a_key_of_1024_bytes_is_listed_and_read(dataset):
    # 255 bytes are the longest part that the test's server stores.
    rest = 1024 - len(dataset.prefix) - 4
    name = "/".join(["n" * 250] * (rest // 251) + ["é" * ((rest % 251) // 2)]) + ".jpg"
    dataset.put_files([name], PNG)

    ((found, url),) = walk(dataset)
    assert len((dataset.prefix + name).encode()) in {1023, 1024}
    assert found == name
    assert requests.get(url, timeout=30).content == PNG


@pytest.mark.parametrize("page_files", [1, 2, 5, 7])
def test_pages_together_are_the_whole_listing_whatever_their_size(dataset, monkeypatch, page_files):
    monkeypatch.setattr(listings, "PAGE_FILES", page_files)
    names = [f"{letter}/{number}.jpg" for letter in "ab" for number in range(5)]
    dataset.put_files([*names, "a/none.txt", "a/1.json"])

    assert list_names(dataset) == names


def refuse_keys(*_):
    raise store._KeyRefused


@pytest.mark.parametrize("is_refused", [False, True])
@pytest.mark.parametrize("page_files", [1, 2, 3])
def test_no_file_is_lost_where_a_store_sorts_folders_in_its_own_way(
    dataset, monkeypatch, page_files, is_refused
):
    monkeypatch.setattr(listings, "PAGE_FILES", page_files)
    if is_refused:
        # As it does for one odd key: then the server lists by itself.
        monkeypatch.setattr(store.BucketStore, "_iterate_known", refuse_keys)
    names = ["cam-2/1.jpg", "cam-2/2.jpg", "cam.jpg", "cam/1.jpg", "cam/2.jpg", "cam2/1.jpg"]
    dataset.put_files(names)

    assert sorted(list_names(dataset)) == names


@pytest.mark.parametrize("shards", [1, 2, 3, 8, 50])
def test_parts_are_walked_side_by_side_and_share_nothing(dataset, monkeypatch, shards):
    monkeypatch.setattr(listings, "PAGE_FILES", 4)
    # Without folders, which the tests' server sorts in its own way: it has one part then.
    names = [f"cam_{number % 7}-{number:03d}.jpg" for number in range(60)]
    dataset.put_files(names)
    query = {"dncShards": shards}
    cursors = dataset.client.get(f"{dataset.url}/list/dnc", params=query).json()["cursors"]

    with ThreadPoolExecutor(4) as executor:
        parts = list(executor.map(lambda cursor: list_names(dataset, cursor=cursor), cursors))
    assert min(2, shards) <= len(cursors) <= shards
    assert sorted(name for part in parts for name in part) == sorted(names)


def test_from_and_to_count_both(dataset):
    dataset.put_files(["a.jpg"])
    time.sleep(1.1)
    dataset.put_files(["b.jpg"])
    found = obstore.head(dataset.bucket, f"{dataset.prefix}a.jpg")["last_modified"]
    first_s = int(found.timestamp())

    assert list_names(dataset, **{"from": first_s, "to": first_s}) == ["a.jpg"]
    assert list_names(dataset, **{"from": first_s + 1}) == ["b.jpg"]
    assert list_names(dataset, to=first_s - 1) == []


def test_what_vanishes_while_listing_is_left_out_and_the_rest_is_not(dataset, monkeypatch):
    monkeypatch.setattr(listings, "PAGE_FILES", 2)
    dataset.put_files([f"{number}.jpg" for number in range(6)])
    first = dataset.client.get(f"{dataset.url}/list").json()
    # The file that the cursor stands at, and one that is to come.
    obstore.delete(dataset.bucket, [f"{dataset.prefix}1.jpg", f"{dataset.prefix}3.jpg"])

    assert list_names(dataset, cursor=first["cursor"]) == ["2.jpg", "4.jpg", "5.jpg"]


def test_a_listing_goes_on_after_a_restart_of_the_server(tmp_path, s3_server, monkeypatch):
    monkeypatch.setattr(listings, "PAGE_FILES", 2)
    provider = S3Provider(s3_server)
    with run_in_process(tmp_path / "data", **provider.settings) as server:
        dataset = make_bucket_dataset(server, provider)
        dataset.put_files(["0.jpg", "1.jpg", "2.jpg"])
        cursor = dataset.client.get(f"{dataset.url}/list").json()["cursor"]

    with run_in_process(tmp_path / "data", **provider.settings) as server:
        client = make_client(server)
        page = client.get(f"{dataset.url}/list", params={"cursor": cursor}).json()
    assert [row["fileName"] for row in page["data"]] == ["2.jpg"]


def test_predictions_and_metadata_are_listed_without_their_schemas(dataset):
    names = [
        ".lightly/predictions/cars/schema.json",
        ".lightly/predictions/cars/a.json",
        ".lightly/predictions/cars/sub/ä b.json",
        ".lightly/predictions/cars2/a.json",
        ".lightly/metadata/schema.json",
        ".lightly/metadata/a.json",
    ]
    dataset.put_files([*names, "a.jpg"])

    assert list_names(dataset, "predictions/list", taskName="cars") == names[1:3]
    assert list_names(dataset, "metadata/list") == [names[5]]
    assert list_names(dataset) == ["a.jpg"]


def test_relevant_filenames_in_the_bucket_restrict_a_listing(dataset):
    dataset.put_files(["a/1.jpg", "a/2.jpg", "b/1.jpg", "c.jpg"])
    dataset.put_files([".lightly/relevant.txt"], b"c.jpg\na/* a/2*\n")
    dataset.put_files([".lightly/metadata/a/1.json", ".lightly/metadata/b/1.json"])
    relevant = {"relevantFilenamesFileName": ".lightly/relevant.txt"}

    assert list_names(dataset, **relevant) == ["a/1.jpg", "c.jpg"]
    assert list_names(dataset, "metadata/list", **relevant) == [".lightly/metadata/a/1.json"]


def test_relevant_filenames_of_a_runs_artifact_in_the_bucket_restrict_a_listing(dataset):
    dataset.put_files([f".lightly/metadata/{name}.json" for name in "abc"])
    queue = RunQueue(dataset.client)
    scheduled_id = queue.schedule(dataset.id)
    run_id = queue.begin_by_contract(dataset.id, queue.add_worker(), scheduled_id)
    url = f"/v1/docker/runs/{run_id}/artifacts"
    body = {"fileName": "r.txt", "type": "RELEVANT_FILENAMES", "storageLocation": "DATASOURCE"}
    made = dataset.client.post(url, json=body).json()
    requests.put(made["signedWriteUrl"], data=b"a.jpg\nc.jpg\n", timeout=30).raise_for_status()
    artifact_id = made["artifactId"]
    dataset.client.put(f"{url}/{artifact_id}/confirmUpload")
    relevant = {"relevantFilenamesRunId": run_id, "relevantFilenamesArtifactId": artifact_id}

    found = list_names(dataset, "metadata/list", **relevant)
    assert found == [".lightly/metadata/a.json", ".lightly/metadata/c.json"]


def test_the_servers_own_storage_in_a_bucket_is_listed(tmp_path, s3_server: S3Server, monkeypatch):
    for name, value in s3_server.variables.items():
        monkeypatch.setenv(name, value)
    with run_in_process(tmp_path / "data", storage_url=s3_server.make_url()) as server:
        client = make_client(server)
        dataset_id = make_dataset(client)
        url = f"/v1/datasets/{dataset_id}"
        client.put(f"{url}/datasource", json={"type": "LIGHTLY", "fullPath": ""})
        for name in ("b.jpg", "never uploaded.jpg", "a.jpg"):
            made = client.post(f"{url}/samples/withWriteUrls", json={"fileName": name}).json()
            if "never" not in name:
                requests.put(made["sampleWriteUrls"]["full"], data=PNG, timeout=30)
        query = {"fileName": "cars/a.json"}
        write_url = client.get(f"{url}/datasource/predictions/writeUrl", params=query).json()
        requests.put(write_url, data=b"{}", timeout=30)

        images = client.get(f"{url}/datasource/list").json()["data"]
        query = {"taskName": "cars"}
        files = client.get(f"{url}/datasource/predictions/list", params=query).json()["data"]
        content = requests.get(images[0]["readUrl"], timeout=30).content

    assert sorted(row["fileName"] for row in images) == ["a.jpg", "b.jpg"]
    assert [row["fileName"] for row in files] == [".lightly/predictions/cars/a.json"]
    assert content == PNG
