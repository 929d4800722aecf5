"""Datasources in buckets of real stores, from the configuration to the bytes."""

from __future__ import annotations

import base64
import hashlib
import time

import pytest
import requests

from tests.support.bucket_datasets import (
    AzureProvider,
    GcsProvider,
    ObsProvider,
    RoleProvider,
    S3Provider,
    make_bucket_dataset,
)
from tests.support.datasources import PNG
from tests.support.emulators import make_account_sas
from tests.support.platforms import run_in_process

PROVIDERS = {
    "S3": ("s3_server", S3Provider),
    "OBS": ("s3_server", ObsProvider),
    "S3DelegatedAccess": ("moto_server", RoleProvider),
    "GCS": ("gcs_server", GcsProvider),
    "AZURE": ("azure_server", AzureProvider),
    "AZURE with a SAS": (
        "azure_server",
        lambda store: AzureProvider(store, f"?{make_account_sas('rwdl')}"),
    ),
}


@pytest.fixture(params=PROVIDERS)
def provider(request, monkeypatch):
    fixture, make = PROVIDERS[request.param]
    made = make(request.getfixturevalue(fixture))
    for name, value in getattr(made, "variables", {}).items():
        monkeypatch.setenv(name, value)
    return made


@pytest.fixture
def dataset(tmp_path, provider):
    with run_in_process(tmp_path / "data", **provider.settings) as server:
        yield make_bucket_dataset(server, provider)


def fetch(dataset, url):
    if url.startswith("http://testserver"):
        answer = dataset.server.anonymous_client().get(url, follow_redirects=False)
        assert answer.status_code == 302, answer.text
        url = answer.headers["Location"]
    return requests.get(url, timeout=30)


def test_versions_of_files_in_a_bucket_change_with_their_bytes(dataset):
    def list_versions():
        page = dataset.server.client.get(f"/ext{dataset.url}/list").json()
        return {row["fileName"]: row["version"] for row in page["data"]}

    dataset.put_files(["a.png", "b.png"])
    before = list_versions()
    assert list_versions() == before
    dataset.put_files(["a.png"], PNG[::-1])
    after = list_versions()
    assert [name for name in before if after[name] != before[name]] == ["a.png"]


@pytest.mark.parametrize("provider", ["S3DelegatedAccess"], indirect=True)
def test_rules_of_a_bucket_tell_when_its_files_expire(dataset, provider, moto_server):
    dataset.put_files(["a.png", "soon/b.png"])
    url = f"/ext{dataset.url}/list?withExpiry=true"
    assert all("expiresAt" not in row for row in dataset.server.client.get(url).json()["data"])
    put_lifecycle_rule(moto_server.endpoint, provider, f"{dataset.prefix}soon/", days=5)
    rows = {row["fileName"]: row for row in dataset.server.client.get(url).json()["data"]}
    assert "expiresAt" not in rows["a.png"]
    days = (rows["soon/b.png"]["expiresAt"] / 1000 - time.time()) / (24 * 3600)
    assert 4.9 < days < 6.1


def put_lifecycle_rule(endpoint, provider, prefix, *, days):
    bucket = provider.configure("")["fullPath"].removeprefix("s3://").strip("/")
    body = (
        "<LifecycleConfiguration><Rule><ID>soon</ID><Status>Enabled</Status>"
        f"<Filter><Prefix>{prefix}</Prefix></Filter>"
        f"<Expiration><Days>{days}</Days></Expiration></Rule></LifecycleConfiguration>"
    )
    digest = base64.b64encode(hashlib.md5(body.encode()).digest()).decode()
    headers = {"Content-MD5": digest, "Authorization": "AWS4-HMAC-SHA256 Credential=key/a/b/s3/c"}
    answer = requests.put(f"{endpoint}/{bucket}?lifecycle", data=body, headers=headers, timeout=30)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("provider", ["AZURE"], indirect=True)
def test_a_store_that_does_not_show_its_rules_says_so(dataset):
    answer = dataset.server.client.get(f"/ext{dataset.url}/list?withExpiry=true")
    assert answer.status_code == 422
    assert "is not known" in answer.json()["error"]


def test_files_of_a_bucket_are_listed_and_their_urls_lead_to_the_bytes(dataset):
    dataset.put_files(["b/two.png", "one.png", "notes.txt", ".lightly/thumbnails/one_thumb.png"])

    page = dataset.client.get(f"{dataset.url}/list").json()

    assert [row["fileName"] for row in page["data"]] == ["b/two.png", "one.png"]
    assert not page["hasMore"]
    for row in page["data"]:
        assert fetch(dataset, row["readUrl"]).content == PNG


def test_verify_finds_that_everything_works_and_leaves_nothing_behind(dataset):
    dataset.put_files(["one.png"])

    answer = dataset.client.get(f"{dataset.url}/verify").json()

    assert answer == {"canList": True, "canRead": True, "canWrite": True, "canOverwrite": True}
    assert dataset.list_keys() == ["one.png"]


def test_what_is_written_by_the_urls_of_a_worker_arrives(dataset):
    name = ".lightly/thumbnails/one thumb+é.png"

    answer = dataset.client.post(
        f"/ext/v1/datasets/{dataset.id}/datasource/writeUrls", json={"fileNames": [name]}
    ).json()
    (url,) = answer["urls"]
    if url.startswith("http://testserver"):
        written = dataset.server.anonymous_client().put(url, content=b"thumb")
    else:
        headers = answer.get("headers", {})
        written = requests.put(url, data=b"thumb", headers=headers, timeout=30)

    assert written.status_code in {200, 201}, written.text
    assert dataset.list_keys() == [name]


def test_a_url_for_head_tells_the_size_of_a_file(dataset):
    dataset.put_files(["one.png"])

    url = dataset.client.get(f"{dataset.url}/fileHEAD", params={"fileName": "one.png"}).json()
    if url.startswith("http://testserver"):
        answer = dataset.server.anonymous_client().head(url)
    else:
        answer = requests.head(url, timeout=30)

    assert answer.status_code == 200
    assert int(answer.headers["Content-Length"]) == len(PNG)


def test_redirected_urls_end_with_the_access_of_the_one_who_listed(dataset):
    dataset.put_files(["one.png"])
    page = dataset.client.get(f"{dataset.url}/list", params={"useRedirectedReadUrl": True}).json()
    url = page["data"][0]["readUrl"]
    assert url.startswith("http://testserver/")
    assert fetch(dataset, url).content == PNG

    dataset.client.delete(f"/v1/datasets/{dataset.id}")

    answer = dataset.server.anonymous_client().get(url, follow_redirects=False)
    assert answer.status_code in {401, 404}


def test_a_listing_goes_on_with_its_cursor_page_by_page(dataset, monkeypatch):
    monkeypatch.setattr("lightly.server.datasources.listings.PAGE_FILES", 2)
    names = [f"{number:02d}.png" for number in range(7)]
    dataset.put_files(names)

    found, query = [], {}
    while True:
        page = dataset.client.get(f"{dataset.url}/list", params=query).json()
        found += [row["fileName"] for row in page["data"]]
        if not page["hasMore"]:
            break
        query = {"cursor": page["cursor"]}

    assert found == names


def test_parts_of_a_listing_share_nothing_and_are_all_of_it(dataset):
    names = [f"{folder}/{number:02d}.png" for folder in "abc" for number in range(5)]
    dataset.put_files(names)

    cursors = dataset.client.get(f"{dataset.url}/list/dnc", params={"dncShards": 3}).json()
    found = []
    for cursor in cursors["cursors"]:
        page = dataset.client.get(f"{dataset.url}/list", params={"cursor": cursor}).json()
        found += [row["fileName"] for row in page["data"]]

    assert sorted(found) == names


def test_raw_data_and_what_is_made_of_it_can_lie_in_different_stores(
    tmp_path, s3_server, azure_server
):
    raw, made = S3Provider(s3_server), AzureProvider(azure_server)
    with run_in_process(tmp_path / "data", **{**raw.settings, **made.settings}) as server:
        dataset = make_bucket_dataset(server, raw, purpose="INPUT")
        output = made.configure("output") | {"purpose": "LIGHTLY"}
        assert dataset.client.put(dataset.url, json=output).status_code == 204
        dataset.put_files(["one.png", ".lightly/metadata/wrong-side.json"])
        made.put("output/.lightly/metadata/one.json", b"{}")

        listed = dataset.client.get(f"{dataset.url}/list").json()["data"]
        metadata = dataset.client.get(f"{dataset.url}/metadata/list").json()["data"]
        verified = dataset.client.get(f"{dataset.url}/verify").json()

    assert [row["fileName"] for row in listed] == ["one.png"]
    assert [row["fileName"] for row in metadata] == [".lightly/metadata/one.json"]
    assert "errors" not in verified


KMS_KEY = "arn:aws:kms:us-east-1:123456789012:key/0123"


def ask_write_url(dataset):
    body = {"fileNames": [".lightly/a.json"]}
    url = f"/ext/v1/datasets/{dataset.id}/datasource/writeUrls"
    answer = dataset.client.post(url, json=body).json()
    return answer["urls"][0], answer["headers"]


def test_what_is_written_is_encrypted_with_the_key_of_the_datasource(
    tmp_path, moto_server, monkeypatch
):
    provider = RoleProvider(moto_server)
    for name, value in provider.variables.items():
        monkeypatch.setenv(name, value)
    with run_in_process(tmp_path / "data", **provider.settings) as server:
        dataset = make_bucket_dataset(server, provider, s3ServerSideEncryptionKMSKey=KMS_KEY)
        url, headers = ask_write_url(dataset)
        requests.put(url, data=b"{}", headers=headers, timeout=30).raise_for_status()
        head = dataset.client.get(f"{dataset.url}/fileHEAD", params={"fileName": ".lightly/a.json"})
        found = requests.head(head.json(), timeout=30).headers

    assert found["x-amz-server-side-encryption"] == "aws:kms"
    assert found["x-amz-server-side-encryption-aws-kms-key-id"] == KMS_KEY


def test_nothing_can_be_written_without_the_key_of_the_datasource(tmp_path, s3_server):
    provider = S3Provider(s3_server)
    with run_in_process(tmp_path / "data", **provider.settings) as server:
        dataset = make_bucket_dataset(server, provider, s3ServerSideEncryptionKMSKey=KMS_KEY)
        url, _ = ask_write_url(dataset)
        answer = requests.put(url, data=b"{}", timeout=30)

    assert answer.status_code == 403
    assert dataset.list_keys() == []


def test_a_role_lets_the_server_in_that_has_only_the_token_of_a_cluster(
    tmp_path, moto_server, monkeypatch
):
    provider = RoleProvider(moto_server)
    for name in provider.variables:
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "token").write_text("header.payload.signature")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/lightly-server")
    with run_in_process(tmp_path / "data", **provider.settings) as server:
        dataset = make_bucket_dataset(server, provider)
        dataset.put_files(["a.png"])

        page = dataset.client.get(f"{dataset.url}/list").json()

        assert [row["fileName"] for row in page["data"]] == ["a.png"]
        assert fetch(dataset, page["data"][0]["readUrl"]).content == PNG
