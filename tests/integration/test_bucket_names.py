"""Keys that buckets can have and libraries would rather not: listed, signed, split."""

from __future__ import annotations

import http.client
import time
from urllib.parse import urlsplit

import pytest
import requests

from lightly.server.datasources.buckets.query_signing import (
    encode_key,
    make_s3_scheme,
    sign_query,
)
from tests.support.bucket_datasets import LOOPBACK, AzureProvider, make_bucket_dataset
from tests.support.datasources import PNG
from tests.support.emulators import MOTO_KEY, MOTO_SECRET
from tests.support.platforms import run_in_process

ODD_NAMES = [
    "a b.png",
    "a%2Fb.png",
    "a+b.png",
    "percent%.png",
    "#hash?query&x=1.png",
    "trailing./x.png",
    "double//slash.png",
    "/leading.png",
    "tab\t.png",
    "back\\slash.png",
    "{b}[c]^`|<>'\"*~!$&(),;=@:.png",
    "e\u0301-decomposed.png",
    "\u00e9-composed.png",
    "\u202ertl.png",
    "\U0001f600.png",
    "x" * 980 + ".png",
]


class MotoProvider:
    """S3 with keys, in moto: its keys are any texts, as those of S3 are."""

    def __init__(self, store):
        self.name = f"names-{time.monotonic_ns()}"
        self.bucket = store.make_bucket(self.name)
        self.endpoint = store.endpoint
        self.settings = {"s3_endpoint": store.endpoint, "egress_allow": LOOPBACK}

    def configure(self, prefix):
        return {
            "type": "S3",
            "fullPath": f"s3://{self.name}/{prefix}",
            "purpose": "INPUT_OUTPUT",
            "s3Region": "us-east-1",
            "s3AccessKeyId": MOTO_KEY,
            "s3SecretAccessKey": MOTO_SECRET,
        }

    def put(self, key, content):
        """Write a key that the library would refuse."""
        scheme = make_s3_scheme(MOTO_KEY, MOTO_SECRET, "us-east-1")
        url = f"{self.endpoint}/{self.name}/{encode_key(key)}"
        signed = sign_query(scheme, "PUT", url, ttl_s=60, now_s=time.time())
        # Other clients would shorten paths with dots.
        parts = urlsplit(signed)
        connection = http.client.HTTPConnection(parts.netloc, timeout=30)
        connection.request("PUT", f"{parts.path}?{parts.query}", content)
        assert connection.getresponse().status == 200
        connection.close()


@pytest.fixture
def dataset(tmp_path, moto_server):
    provider = MotoProvider(moto_server)
    with run_in_process(tmp_path / "data", **provider.settings) as server:
        yield make_bucket_dataset(server, provider)


def walk(dataset, **query):
    while True:
        page = dataset.client.get(f"{dataset.url}/list", params=query).json()
        yield from ((row["fileName"], row["readUrl"]) for row in page["data"])
        if not page["hasMore"]:
            return
        query = {"cursor": page["cursor"]}


def test_every_key_is_listed_once_in_order_and_its_url_leads_to_it(dataset):
    for name in ODD_NAMES:
        dataset.put_files([name], PNG + name.encode())

    found = list(walk(dataset))

    assert [name for name, _ in found] == sorted(ODD_NAMES)
    for name, url in found:
        assert requests.get(url, timeout=30).content == PNG + name.encode(), name


def test_pages_go_on_behind_every_key(dataset, monkeypatch):
    monkeypatch.setattr("lightly.server.datasources.listings.PAGE_FILES", 1)
    dataset.put_files(ODD_NAMES)

    assert [name for name, _ in walk(dataset)] == sorted(ODD_NAMES)


def test_parts_of_odd_keys_share_nothing_and_are_all_of_them(dataset):
    dataset.put_files(ODD_NAMES)

    cursors = dataset.client.get(f"{dataset.url}/list/dnc", params={"dncShards": 5}).json()
    found = [name for cursor in cursors["cursors"] for name, _ in walk(dataset, cursor=cursor)]

    assert len(cursors["cursors"]) > 1
    assert sorted(found) == sorted(ODD_NAMES)


def test_keys_with_dots_for_folders_are_left_out_and_hide_nothing(dataset):
    """No client can ask for them: all of them shorten such paths."""
    dataset.put_files(["a/./dot.png", "a/../dots.png", "b.png"])

    assert [name for name, _ in walk(dataset)] == ["b.png"]


def test_odd_names_in_azure_are_listed_and_their_urls_lead_to_them(tmp_path, azure_server):
    names = ["a b.png", "a%2Fb.png", "a+b.png", "#h?q&x=1.png", "e\u0301.png", "\U0001f600.png"]
    provider = AzureProvider(azure_server)
    with run_in_process(tmp_path / "data", **provider.settings) as server:
        dataset = make_bucket_dataset(server, provider)
        dataset.put_files(names)

        found = dict(walk(dataset))

        assert sorted(found) == sorted(names)
        for url in found.values():
            assert requests.get(url, timeout=30).content == PNG
