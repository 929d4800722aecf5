"""Stores whose certificates are from an authority of the operator's own."""

from __future__ import annotations

import contextlib
from urllib.parse import urlsplit

import pytest
import requests

from lightly._kit.errors import BadInput
from lightly.server.datasources.buckets import store
from lightly.server.settings import read_settings
from tests.support.balancer import Balancer
from tests.support.bucket_datasets import LOOPBACK, S3Provider, make_bucket_dataset
from tests.support.certificates import make_authority
from tests.support.datasources import PNG
from tests.support.platforms import run_in_process
from tests.support.ports import find_free_port


@pytest.fixture
def open_dataset(tmp_path, s3_server):
    """Return a function that makes a dataset in a bucket behind TLS of a private authority."""
    authority, tls = make_authority(tmp_path)
    port = find_free_port()
    backend = urlsplit(s3_server.endpoint).port
    with Balancer(port, [backend], tls=tls), contextlib.ExitStack() as stack:

        def open_(**settings):
            provider = S3Provider(s3_server)
            server = stack.enter_context(
                run_in_process(
                    tmp_path / "data",
                    s3_endpoint=f"https://127.0.0.1:{port}",
                    egress_allow=LOOPBACK,
                    **settings,
                )
            )
            return make_bucket_dataset(server, provider)

        yield authority, open_


def refuse_keys(*_):
    raise store._KeyRefused


@pytest.mark.parametrize("is_refused", [False, True])
def test_a_store_of_a_private_authority_is_read_written_and_listed(
    open_dataset, monkeypatch, is_refused
):
    authority, open_ = open_dataset
    if is_refused:
        # Then requests of the server's own list.
        monkeypatch.setattr(store.BucketStore, "_iterate_known", refuse_keys)
    dataset = open_(datasource_ca_file=str(authority))
    dataset.put_files(["a.png"])

    found = dataset.client.get(f"{dataset.url}/list").json()["data"]
    verified = dataset.client.get(f"{dataset.url}/verify").json()

    assert [row["fileName"] for row in found] == ["a.png"]
    assert requests.get(found[0]["readUrl"], timeout=30, verify=str(authority)).content == PNG
    assert verified == dict.fromkeys(("canList", "canRead", "canWrite", "canOverwrite"), True)


def test_without_the_authority_the_store_is_not_trusted(open_dataset):
    dataset = open_dataset[1]()

    answer = dataset.client.get(f"{dataset.url}/list")

    assert answer.status_code == 503


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_file_without_certificates_is_refused_at_the_start(tmp_path, content):
    path = tmp_path / "authority.pem"
    if content is not None:
        path.write_text(content)

    with pytest.raises(BadInput, match="LIGHTLY_SERVER_DATASOURCE_CA_FILE"):
        read_settings({"LIGHTLY_SERVER_DATASOURCE_CA_FILE": str(path)})
