"""What real stores say when something is wrong, in our words."""

from __future__ import annotations

import json

import pytest

from tests.support.bucket_datasets import (
    AzureProvider,
    GcsProvider,
    ObsProvider,
    RoleProvider,
    S3Provider,
    make_bucket_dataset,
)
from tests.support.emulators import make_account_sas
from tests.support.platforms import run_in_process

MISSING = [
    ("s3_server", S3Provider, {"fullPath": "s3://not-there/path"}, "bucket 'not-there'"),
    ("s3_server", ObsProvider, {"fullPath": "obs://not-there/path"}, "bucket 'not-there'"),
    ("azure_server", AzureProvider, {"fullPath": "not-there/path"}, "container 'not-there'"),
    ("moto_server", RoleProvider, {"fullPath": "s3://not-there/path"}, "bucket 'not-there'"),
]
REFUSED = [
    ("s3_server", S3Provider, {"s3AccessKeyId": "unknown"}, "does not know the access key"),
    ("s3_server", S3Provider, {"s3SecretAccessKey": "wrong"}, "Send both keys again"),
    ("azure_server", AzureProvider, {"accountKey": "d3Jvbmc="}, "Send a new one"),
    ("azure_server", AzureProvider, {"accountKey": "no key"}, "accountKey: is neither"),
    ("azure_server", AzureProvider, {"accountKey": "?&&sig"}, "accountKey: is neither"),
    ("azure_server", AzureProvider, {"accountName": "UP/per"}, "accountName: must have"),
    ("gcs_server", GcsProvider, {"gcsCredentials": "{}"}, "lacks private_key"),
    ("gcs_server", GcsProvider, {"gcsCredentials": "no key"}, "JSON key file"),
    (
        "gcs_server",
        GcsProvider,
        {"gcsCredentials": json.dumps({"private_key": "x", "client_email": "a@b.c"})},
        "no RSA key",
    ),
]


def list_files(request, tmp_path, monkeypatch, case):
    fixture, make, change, _ = case
    provider = make(request.getfixturevalue(fixture))
    for name, value in getattr(provider, "variables", {}).items():
        monkeypatch.setenv(name, value)
    with run_in_process(tmp_path / "data", **provider.settings) as server:
        dataset = make_bucket_dataset(server, provider, **change)
        return dataset.client.get(f"{dataset.url}/list")


@pytest.mark.parametrize("case", MISSING, ids=lambda case: case[1].__name__)
def test_a_bucket_that_is_missing_is_named(request, tmp_path, monkeypatch, case):
    answer = list_files(request, tmp_path, monkeypatch, case)

    assert answer.status_code == 422, answer.text
    assert case[3] in answer.json()["error"]
    assert "There is no such" in answer.json()["error"]


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case[3])
def test_credentials_that_are_refused_come_with_what_helps(request, tmp_path, monkeypatch, case):
    answer = list_files(request, tmp_path, monkeypatch, case)

    assert answer.status_code == 422, answer.text
    assert case[3] in answer.json()["error"]


@pytest.mark.parametrize(
    ("rights", "failing", "remedy"),
    [
        ("r", "canList", "rights read, list"),
        ("rl", "canWrite", "write and delete"),
    ],
)
def test_verify_names_the_right_that_a_sas_lacks(tmp_path, azure_server, rights, failing, remedy):
    provider = AzureProvider(azure_server, f"?{make_account_sas(rights)}")
    with run_in_process(tmp_path / "data", **provider.settings) as server:
        dataset = make_bucket_dataset(server, provider)
        dataset.put_files(["one.png"])
        answer = dataset.client.get(f"{dataset.url}/verify").json()

    assert not answer[failing]
    assert remedy in answer["errors"][failing]


def test_a_sas_that_is_over_says_so(tmp_path, azure_server):
    provider = AzureProvider(azure_server, f"?{make_account_sas('rwdl', ttl_s=-60)}")
    with run_in_process(tmp_path / "data", **provider.settings) as server:
        dataset = make_bucket_dataset(server, provider)
        answer = dataset.client.get(f"{dataset.url}/list")

    assert answer.status_code == 422
    assert "expired" in answer.json()["error"]
