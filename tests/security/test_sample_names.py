"""Names are data: no name that somebody sends becomes a path. T14 of the threat list."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest

from tests.support.samples import make_dataset

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
SAMPLE_KEY = re.compile(r"datasets/[a-f0-9]{24}/samples/(full|thumb)/[a-f0-9]{3}/[a-f0-9]{24}")

#: Refused everywhere: they would lead out of a folder on some machine.
TRICKS = {
    "parent": "../a.jpg",
    "parent of parent": "a/../../b.jpg",
    "only dots": "..",
    "this folder": "./a.jpg",
    "dot inside": "a/./b.jpg",
    "a parent once Windows drops the blank": "a/.. /b.jpg",
    "three dots": "...",
    "absolute": "/etc/passwd",
    "absolute twice": "//etc/passwd",
    "windows parent": "..\\a.jpg",
    "windows parent inside": "a\\..\\..\\b.jpg",
    "mixed separators": "a/..\\b.jpg",
    "windows root": "\\a.jpg",
    "UNC": "\\\\server\\share\\a.jpg",
    "drive": "C:\\a.jpg",
    "drive without root": "c:a.jpg",
    "NUL": "a\0.jpg",
    "NUL at the end": "a.jpg\0",
    "newline": "a\n.jpg",
    "delete": "a\x7f.jpg",
    "empty": "",
    "10,000 levels": "a/" * 10_000 + "b.jpg",
    "65 levels": "a/" * 64 + "b.jpg",
    "1025 bytes": "a" * 1025,
    "1026 bytes": "é" * 513,
}

#: Strange, but names like any other: kept letter by letter.
ODD_NAMES = {
    "encoded parent": "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "parent encoded twice": "%252e%252e%252fa.jpg",
    "encoded NUL": "a%00.jpg",
    "fragment and query": "a#b?c=d&e=f;g.jpg",
    "dots in a name": "..a/b../....jpg",
    "reserved on Windows": "CON",
    "stream of NTFS": "a.jpg:stream",
    "option": "-rf",
    "shell": "$(id)`id`|;&.jpg",
    "SQL": "a'; DROP TABLE samples; --",
    "pattern": "%_*?[a-z]",
    "script": "<script>alert(1)</script>.html",
    "template": "{{7*7}}${7*7}",
    "right to left": "\u202egpj.exe",
    "emoji": "😀.jpg",
    "trailing blank": "a.jpg ",
    "trailing dot": "a.jpg.",
    "double slash": "a//b.jpg",
    "backslash": "a\\b.jpg",
    "1024 bytes": "é" * 512,
}


@pytest.fixture
def dataset(server):
    return make_dataset(server)


def list_files(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def list_files_outside_of_blobs(folder):
    return {path for path in list_files(folder) if not path.startswith("data/blobs/")}


def send_name(dataset, name, existing_id):
    """Yield the answers of every operation that takes a name to store."""
    client, path, ext_path = dataset.client, dataset.path, dataset.ext_path
    for body in (
        {"fileName": name},
        {"fileName": "x.jpg", "thumbName": name},
        {"fileName": "x.jpg", "videoFrameData": {"sourceVideo": name}},
    ):
        yield client.post(f"{path}/samples", json=body)
        yield client.post(f"{path}/samples/withWriteUrls", json=body)
        yield client.post(f"{ext_path}/bulk", json={"samples": [{"fileName": "y.jpg"}, body]})
    for field in ("fileName", "thumbName"):
        yield client.put(f"{path}/samples/{existing_id}", json={field: name})


@pytest.mark.parametrize("name", TRICKS.values(), ids=TRICKS)
def test_a_name_that_leads_elsewhere_is_refused_by_every_field(sqlite_server, tmp_path, name):
    dataset = make_dataset(sqlite_server)
    existing_id = dataset.add("existing.jpg")
    before = list_files(tmp_path)

    answers = list(send_name(dataset, name, existing_id))

    assert {(a.status_code, a.json()["code"]) for a in answers} == {(400, "MALFORMED_REQUEST")}
    # The rule is named and the name is shown, if at all, in a form that is safe to print.
    for answer in answers:
        assert "file name" in answer.json()["error"]
        assert answer.json()["error"].isascii()
        assert len(answer.json()["error"]) < 250
    assert dataset.list_names() == ["existing.jpg"]
    assert list_files(tmp_path) == before


def test_a_name_that_leads_elsewhere_finds_nothing(dataset):
    dataset.add("existing.jpg")

    for name in TRICKS.values():
        short = quote(name, safe="")[:3000]
        for path in (f"{dataset.path}/samples", f"{dataset.path}/samples/partial"):
            response = dataset.client.get(f"{path}?fileName={short}")
            assert (response.status_code, response.json()) == (200, [])
        body = {"items": [{"fileName": name, "customMetaData": {}}]}
        response = dataset.client.put(f"{dataset.ext_path}/customMetadata", json=body)
        assert (response.status_code, response.json()["code"]) == (404, "SAMPLE_UNKNOWN")


def test_an_odd_name_is_kept_letter_by_letter(dataset):
    names = list(ODD_NAMES.values())

    ids = dataset.add_many(names)

    assert dataset.list_names() == names
    for sample_id, name in zip(ids, names, strict=True):
        assert dataset.get_sample(sample_id)["fileName"] == name
        found = dataset.client.get(f"{dataset.path}/samples?fileName={quote(name, safe='')}")
        assert [sample["id"] for sample in found.json()] == [sample_id]


def test_no_part_of_a_name_gets_into_the_store(dataset, tmp_path):
    blobs = dataset.server.platform.blobs
    outside = list_files_outside_of_blobs(tmp_path)
    for sample_id in dataset.add_many(list(ODD_NAMES.values())):
        for kind in ("full", "thumb"):
            dataset.upload(sample_id, kind, PNG)

    keys = list(blobs.list_keys(f"datasets/{dataset.id}/"))

    assert len(keys) == 2 * len(ODD_NAMES)
    assert all(SAMPLE_KEY.fullmatch(key) for key in keys)
    assert list_files_outside_of_blobs(tmp_path) == outside


def test_ids_are_no_way_to_other_files_either(dataset):
    sample_id = dataset.add("a.jpg")
    # `..` itself and `%2e%2e` are folded away by clients before they are sent.
    tricks = ["..%2f..%2fetc%2fpasswd", "%252e%252e", "..;", f"{sample_id}%00", "a" * 5000]

    for trick in tricks:
        for path in (
            f"/v1/datasets/{trick}/samples",
            f"{dataset.path}/samples/{trick}",
            f"{dataset.path}/samples/{trick}/writeurls",
            f"{dataset.path}/samples/{trick}/readurl",
        ):
            response = dataset.client.get(path)
            assert response.status_code in {400, 404}
