"""Listings for workers tell what stands for the bytes of each file."""

from __future__ import annotations

import os

import pytest

from lightly._kit import file_versions
from tests.support.datasources import make_local_dataset, write_files
from tests.support.extension import check_schema
from tests.support.platforms import run_in_process


@pytest.fixture
def mounted(tmp_path, monkeypatch):
    # Files of a test are as old as the test.
    monkeypatch.setattr(file_versions, "SETTLED_S", 0)
    mounts = {name: str(tmp_path / name) for name in ("input_mount", "lightly_mount")}
    with run_in_process(tmp_path / "data", **mounts) as running:
        yield running


@pytest.fixture
def local(mounted):
    return make_local_dataset(mounted, "photos")


def list_pages(local, **query):
    """Yield the pages of the listing for workers, held against the document."""
    while True:
        response = local.server.client.get(f"/ext{local.url}/list", params=query)
        assert response.status_code == 200, response.text
        check_schema(response.json(), "VersionedFiles")
        yield response.json()["data"]
        if not response.json()["hasMore"]:
            return
        query["cursor"] = response.json()["cursor"]


def list_versions(local, **query):
    return {
        row["fileName"]: row.get("version") for page in list_pages(local, **query) for row in page
    }


def test_a_worker_sees_the_files_that_the_contract_lists_and_their_versions(local):
    write_files(local.input, ["a.jpg", "b/c.png", "notes.txt"])
    rows = [row for page in list_pages(local, useRedirectedReadUrl=True) for row in page]
    assert [row["fileName"] for row in rows] == ["a.jpg", "b/c.png"]
    assert len({row["version"] for row in rows}) == 2
    assert all("readurlRedirect" in row["readUrl"] for row in rows)
    listed = local.client.get(f"{local.url}/list").json()
    assert all(set(row) == {"fileName", "readUrl"} for row in listed["data"])


def test_versions_stay_until_the_bytes_change(local):
    write_files(local.input, ["a.jpg", "b.jpg"])
    before = list_versions(local)
    assert list_versions(local) == before
    path = local.input / "a.jpg"
    status, content = path.stat(), path.read_bytes()
    path.write_bytes(content[::-1])
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    after = list_versions(local)
    assert after["a.jpg"] != before["a.jpg"]
    assert after["b.jpg"] == before["b.jpg"]


def test_a_file_that_was_just_written_has_no_version_yet(local, monkeypatch):
    monkeypatch.setattr(file_versions, "SETTLED_S", 60)
    write_files(local.input, ["a.jpg"])
    assert list_versions(local) == {"a.jpg": None}


def test_datasets_on_the_same_files_share_versions_and_other_folders_do_not(mounted):
    one = make_local_dataset(mounted, "photos", name="one")
    same = make_local_dataset(mounted, "photos", name="same")
    write_files(one.input, ["a/b.jpg"])
    below = make_local_dataset(mounted, "photos/a", name="below")
    assert list_versions(one) == list_versions(same)
    assert not set(list_versions(one).values()) & set(list_versions(below).values())


def test_parts_of_the_contract_are_listed_with_versions(local):
    names = [f"{number:02}.jpg" for number in range(20)]
    write_files(local.input, names)
    answer = local.client.get(f"{local.url}/list/dnc", params={"dncShards": 3}).json()
    found = {}
    for cursor in answer["cursors"]:
        found |= list_versions(local, cursor=cursor)
    assert sorted(found) == names
    assert None not in found.values()


def test_files_of_folders_never_expire(local):
    write_files(local.input, ["a.jpg"])
    ((row,),) = list_pages(local, withExpiry=True)
    assert set(row) == {"fileName", "readUrl", "version"}
