"""Google's storage sees who asks: by tokens, and by signatures of URLs."""

from __future__ import annotations

import json

import pytest
import requests

from tests.support.bucket_datasets import LOOPBACK, make_bucket_dataset
from tests.support.certificates import make_authority
from tests.support.datasources import PNG
from tests.support.emulators import make_service_account
from tests.support.google_stores import GoogleGate
from tests.support.platforms import run_in_process


class GateProvider:
    """GCS behind a gate that lets one service account pass, with TLS of a private authority."""

    def __init__(self, gate, endpoint, authority):
        self._name = gate.make_bucket()
        self.bucket = gate.open_bucket(self._name)
        self.authority = str(authority)
        self.settings = {
            "gcs_endpoint": endpoint,
            "egress_allow": LOOPBACK,
            "datasource_ca_file": str(authority),
        }

    def configure(self, prefix):
        return {
            "type": "GCS",
            "fullPath": f"gs://{self._name}/{prefix}",
            "purpose": "INPUT_OUTPUT",
            "gcsProjectId": "project",
            "gcsCredentials": json.dumps(make_service_account()),
        }

    def put(self, key, content):
        """Write an object without the server."""
        self.bucket.put(key, content)


@pytest.fixture
def gate(moto_server):
    return GoogleGate(moto_server, make_service_account())


@pytest.fixture
def open_dataset(tmp_path, gate):
    """Return a function that makes a dataset in a bucket behind the gate."""
    authority, tls = make_authority(tmp_path)
    with gate.listen(tls) as listening:
        provider = GateProvider(gate, listening.url, authority)
        with run_in_process(tmp_path / "data", **provider.settings) as server:
            yield lambda **fields: make_bucket_dataset(server, provider, **fields)


def test_a_bucket_is_listed_read_written_and_verified_by_the_key_of_its_account(open_dataset, gate):
    dataset = open_dataset()
    dataset.put_files(["a.png", "b c+%2F/é.png"])

    found = dataset.client.get(f"{dataset.url}/list").json()["data"]
    verified = dataset.client.get(f"{dataset.url}/verify").json()
    name = ".lightly/thumbnails/a_thumb.png"
    url = f"/ext/v1/datasets/{dataset.id}/datasource/writeUrls"
    (write_url,) = dataset.client.post(url, json={"fileNames": [name]}).json()["urls"]
    trusted = dataset.provider.authority
    written = requests.put(write_url, data=b"thumb", timeout=30, verify=trusted)

    assert [row["fileName"] for row in found] == ["a.png", "b c+%2F/é.png"]
    for row in found:
        assert requests.get(row["readUrl"], timeout=30, verify=trusted).content == PNG
    assert verified == dict.fromkeys(("canList", "canRead", "canWrite", "canOverwrite"), True)
    assert written.status_code == 200
    assert dataset.list_keys() == sorted([name, "a.png", "b c+%2F/é.png"])
    assert gate.passed["bearer"] > 0
    assert gate.passed["signed"] > 0


def test_urls_end_with_their_time_and_are_for_one_file_and_method(open_dataset):
    dataset = open_dataset()
    dataset.put_files(["a.png", "b.png"])
    url = dataset.client.get(f"{dataset.url}/list").json()["data"][0]["readUrl"]
    trusted = dataset.provider.authority

    def ask(method, changed):
        return requests.request(method, changed, timeout=30, verify=trusted).status_code

    assert ask("GET", url) == 200
    assert ask("PUT", url) == 403
    assert ask("GET", url.replace("a.png", "b.png")) == 403
    assert ask("GET", url.replace("X-Goog-Expires=", "X-Goog-Expires=9")) == 403


def test_the_key_of_another_account_is_refused_and_the_remedy_named(open_dataset):
    other = json.dumps(make_service_account.__wrapped__())
    dataset = open_dataset(gcsCredentials=other)

    answer = dataset.client.get(f"{dataset.url}/list")

    assert answer.status_code == 422
    assert "GCS bucket" in answer.json()["error"]
    assert "PRIVATE KEY" not in answer.text
