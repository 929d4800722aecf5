"""Stores that fail, are slow, cut off answers or refuse: F5, F6 and F11 for datasources."""

from __future__ import annotations

import time

import pytest
import requests

from lightly.server.datasets.purge import purge_deleted_datasets
from tests.support.bucket_datasets import RoleProvider, S3Provider, make_bucket_dataset
from tests.support.fault_stores import Fault, FaultStore
from tests.support.platforms import run_in_process

NAMES = [f"{number:02d}.png" for number in range(6)]
FAR_FUTURE_MS = 10**15
SLOW_DOWN = b"<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>"


def write_error(code: str, more: str = "") -> bytes:
    return f"<Error><Code>{code}</Code><Message>No.</Message>{more}</Error>".encode()


@pytest.fixture(autouse=True)
def _is_impatient(monkeypatch):
    """Give up sooner than in earnest, in the same way."""
    network = "lightly.server.datasources.buckets.network"
    monkeypatch.setattr(f"{network}.RETRY_FOR_S", 4.0)
    monkeypatch.setattr(f"{network}.READ_TIMEOUT_S", 0.7)
    monkeypatch.setattr("lightly.server.datasources.buckets.raw_requests.READ_TIMEOUT_S", 0.7)
    monkeypatch.setattr(f"{network}.REQUEST_TIMEOUT_S", 2.0)
    monkeypatch.setattr(f"{network}.MAX_RETRIES", 3)


@pytest.fixture
def store(s3_server):
    running = FaultStore(s3_server.endpoint)
    yield running
    running.stop()


@pytest.fixture
def dataset(tmp_path, s3_server, store):
    provider = S3Provider(s3_server)
    provider.settings["s3_endpoint"] = store.endpoint
    with run_in_process(tmp_path / "data", **provider.settings) as server:
        made = make_bucket_dataset(server, provider)
        made.put_files(NAMES)
        yield made


def list_names(dataset, **query):
    answer = dataset.client.get(f"{dataset.url}/list", params=query)
    assert answer.status_code == 200, answer.text
    return [row["fileName"] for row in answer.json()["data"]]


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=503, body=SLOW_DOWN),
        Fault(status=500, body=write_error("InternalError")),
        Fault(status=429, body=SLOW_DOWN),
        Fault(status=429, body=SLOW_DOWN, headers={"Retry-After": "1"}),
        Fault(resets=True),
        Fault(delay_s=3.0),
        Fault(cut_bytes=200),
    ],
    ids=["503", "500", "429", "429 with Retry-After", "reset", "stall", "truncated"],
)
def test_a_listing_outlives_faults_that_pass(dataset, store, fault):
    store.fail(fault, last=2)

    assert list_names(dataset) == NAMES


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=503, body=SLOW_DOWN),
        Fault(status=429, body=SLOW_DOWN, headers={"Retry-After": "3600"}),
        Fault(resets=True),
        Fault(delay_s=1.5),
        Fault(cut_bytes=200),
    ],
    ids=["503", "429 with Retry-After", "reset", "stall", "truncated"],
)
def test_a_fault_that_lasts_ends_in_an_error_within_bounds_and_later_the_listing_works(
    dataset, store, fault
):
    store.fail(fault)
    started_s = time.monotonic()

    answer = dataset.client.get(f"{dataset.url}/list")

    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert "Cannot list in the S3 bucket 'shared'" in answer.json()["error"]
    assert time.monotonic() - started_s < 20
    assert 1 < len(store.requests) < 12
    store.fail(Fault(), first=10**9)
    assert list_names(dataset) == NAMES


@pytest.mark.parametrize(
    ("status", "body", "remedy"),
    [
        (403, write_error("InvalidAccessKeyId"), "does not know the access key"),
        (403, write_error("SignatureDoesNotMatch"), "Send both keys again"),
        (403, write_error("RequestTimeTooSkewed"), "Set the server's clock"),
        (400, write_error("ExpiredToken"), "Send new ones"),
        (403, write_error("AccessDenied"), "Allow s3:ListBucket on 'arn:aws:s3:::shared'"),
        (404, write_error("NoSuchBucket"), "no such bucket"),
        (
            400,
            write_error("AuthorizationHeaderMalformed", "<Region>eu-west-3</Region>"),
            "It is in eu-west-3",
        ),
        (301, write_error("PermanentRedirect"), "another region"),
    ],
)
def test_what_does_not_pass_is_asked_once_and_explained_with_its_remedy(
    dataset, store, status, body, remedy
):
    store.fail(Fault(status=status, body=body))

    answer = dataset.client.get(f"{dataset.url}/list")

    assert answer.status_code == 422
    assert remedy in answer.json()["error"]
    assert len(store.requests) == 1


def test_credentials_that_are_revoked_within_a_listing_end_it_and_new_ones_go_on(
    dataset, store, monkeypatch
):
    monkeypatch.setattr("lightly.server.datasources.listings.PAGE_FILES", 2)
    first = dataset.client.get(f"{dataset.url}/list").json()
    store.fail(Fault(status=403, body=write_error("InvalidAccessKeyId")))
    refused = dataset.client.get(f"{dataset.url}/list", params={"cursor": first["cursor"]})
    assert refused.status_code == 422

    store.fail(Fault(), first=10**9)
    names = [row["fileName"] for row in first["data"]]
    cursor = first["cursor"]
    while True:
        page = dataset.client.get(f"{dataset.url}/list", params={"cursor": cursor}).json()
        names += [row["fileName"] for row in page["data"]]
        if not page["hasMore"]:
            break
        cursor = page["cursor"]

    assert names == NAMES


def test_errors_never_show_keys_or_signed_urls(dataset, store):
    for fault in (Fault(resets=True), Fault(status=403, body=write_error("AccessDenied"))):
        store.fail(fault)
        for path in ("list", "verify"):
            text = dataset.client.get(f"{dataset.url}/{path}").text
            for secret in ("test-secret-key", "test-access-key", "Signature", store.endpoint):
                assert secret not in text


def test_verify_says_what_fails_and_leaves_nothing_when_writing_breaks_half_way(dataset, store):
    n_puts = 0

    def plan(_number, request):
        nonlocal n_puts
        n_puts += request.method == "PUT"
        # The second one is stored, and its answer lost.
        is_lost = request.method == "PUT" and n_puts >= 2
        return Fault(loses_answer=True) if is_lost else None

    store.plan = plan

    answer = dataset.client.get(f"{dataset.url}/verify").json()

    assert answer["canList"]
    assert answer["canRead"]
    assert answer["canWrite"]
    assert not answer["canOverwrite"]
    assert "Cannot overwrite" in answer["errors"]["canOverwrite"]
    assert dataset.list_keys() == NAMES


def test_verify_writes_nothing_that_it_could_not_remove(dataset, store):
    store.fail(Fault(status=403, body=write_error("AccessDenied")), method="DELETE")

    answer = dataset.client.get(f"{dataset.url}/verify").json()

    assert not answer["canWrite"]
    assert "s3:DeleteObject" in answer["errors"]["canWrite"]
    assert dataset.list_keys() == NAMES
    assert not any(request.method == "PUT" for request in store.requests)


def test_verify_removes_what_a_killed_trial_has_left(dataset, monkeypatch):
    monkeypatch.setattr("lightly.server.datasources.buckets.store._LEFT_AFTER_S", -60)
    dataset.put_files([".lightly/verify/0123456789abcdef01234567"])

    dataset.client.get(f"{dataset.url}/verify")

    assert dataset.list_keys() == NAMES


def test_an_input_side_is_only_ever_read(tmp_path, s3_server, store):
    provider = S3Provider(s3_server)
    provider.settings["s3_endpoint"] = store.endpoint
    with run_in_process(tmp_path / "data2", **provider.settings) as server:
        made = make_bucket_dataset(server, provider, purpose="INPUT")
        made.put_files(NAMES)
        list_names(made)
        made.client.get(f"{made.url}/verify")
        made.client.delete(f"/v1/datasets/{made.id}")
        platform = server.platform
        assert purge_deleted_datasets(platform.database, platform.blobs, FAR_FUTURE_MS) == 1
        assert {request.method for request in store.requests} <= {"GET", "HEAD"}
        assert made.list_keys() == NAMES


def test_files_that_vanish_after_they_were_listed_are_404_at_their_urls(dataset):
    page = dataset.client.get(f"{dataset.url}/list").json()
    url = page["data"][0]["readUrl"]
    dataset.bucket.delete(f"{dataset.prefix}{NAMES[0]}")

    assert requests.get(url, timeout=30).status_code == 404
    assert list_names(dataset) == NAMES[1:]


def test_a_session_of_a_role_that_ends_within_a_listing_is_made_anew(
    tmp_path, moto_server, monkeypatch
):
    for name, value in RoleProvider.variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("lightly.server.datasources.listings.PAGE_FILES", 2)
    provider, broken = RoleProvider(moto_server), FaultStore(moto_server.endpoint)
    provider.settings["s3_endpoint"] = provider.settings["sts_endpoint"] = broken.endpoint
    try:
        with run_in_process(tmp_path / "data", **provider.settings) as server:
            made = make_bucket_dataset(server, provider)
            made.put_files(NAMES)
            page = made.client.get(f"{made.url}/list").json()
            query = {"cursor": page["cursor"]}
            broken.fail(Fault(status=400, body=write_error("ExpiredToken")), method="GET")
            ended = made.client.get(f"{made.url}/list", params=query)
            broken.fail(Fault(), first=10**9)
            after = made.client.get(f"{made.url}/list", params=query)
    finally:
        broken.stop()

    assert ended.status_code == 503, ended.text
    assert "session of the role has ended" in ended.json()["error"]
    assert [row["fileName"] for row in after.json()["data"]] == NAMES[2:4]
    assert any(request.method == "POST" for request in broken.requests)


def test_a_right_that_only_reading_lacks_is_named(dataset, store):
    store.fail(Fault(status=403), method="HEAD")

    answer = dataset.client.get(f"{dataset.url}/verify").json()

    assert (answer["canList"], answer["canRead"]) == (True, False)
    assert "Allow s3:GetObject on 'arn:aws:s3:::shared" in answer["errors"]["canRead"]
