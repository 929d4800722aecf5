"""Datasources are configured in every spelling that clients have, and shown without secrets."""

import json

import pytest

from tests.support.contract import ContractClient
from tests.support.datasources import CANARY, CONFIGURATIONS, make_dataset

TYPES = sorted(CONFIGURATIONS)


@pytest.fixture
def client(server):
    return ContractClient(server.client)


@pytest.fixture
def url(client):
    return f"/v1/datasets/{make_dataset(client)}/datasource"


def put(client, url, **body):
    return client.put(url, json=body)


def get(client, url, purpose="INPUT_OUTPUT"):
    response = client.get(url, params={"purpose": purpose})
    assert response.status_code == 200, response.text
    return response.json()


@pytest.mark.parametrize("purpose", ["INPUT_OUTPUT", "INPUT", "LIGHTLY"])
@pytest.mark.parametrize("type_", TYPES)
def test_every_type_is_stored_for_every_purpose(client, url, type_, purpose):
    body = CONFIGURATIONS[type_] | {"purpose": purpose}

    assert put(client, url, **body).status_code == 204

    shown = get(client, url, purpose)
    hidden = {name for name, value in body.items() if CANARY in value}
    assert shown.keys() == body.keys() | {"id"}
    assert {name: shown[name] for name in body if name not in hidden} == {
        name: value for name, value in body.items() if name not in hidden
    }
    assert CANARY not in json.dumps(shown)


def test_the_purpose_defaults_to_input_and_output(client, url):
    put(client, url, **CONFIGURATIONS["LIGHTLY"])

    assert client.get(url).json()["type"] == "LIGHTLY"


def test_without_a_configuration_it_is_unknown(client, url):
    response = client.get(url)

    assert (response.status_code, response.json()["code"]) == (404, "DATASET_DATASOURCE_UNKNOWN")


def test_a_pair_is_listed_and_its_ids_are_those_of_the_dataset(client, url):
    put(client, url, **CONFIGURATIONS["LOCAL"] | {"purpose": "INPUT"})
    put(client, url, **CONFIGURATIONS["LIGHTLY"] | {"purpose": "LIGHTLY"})

    listed = client.get(f"{url}/all").json()
    dataset = client.get(url.removesuffix("/datasource")).json()

    assert [one["purpose"] for one in listed] == ["INPUT", "LIGHTLY"]
    assert dataset["datasources"] == [one["id"] for one in listed]


def test_one_for_everything_replaces_a_pair(client, url):
    put(client, url, **CONFIGURATIONS["LOCAL"] | {"purpose": "INPUT"})
    put(client, url, **CONFIGURATIONS["LIGHTLY"] | {"purpose": "LIGHTLY"})
    put(client, url, **CONFIGURATIONS["LIGHTLY"])

    assert [one["purpose"] for one in client.get(f"{url}/all").json()] == ["INPUT_OUTPUT"]


def test_a_pair_replaces_one_for_everything_once_it_is_complete(client, url):
    put(client, url, **CONFIGURATIONS["LIGHTLY"])
    put(client, url, **CONFIGURATIONS["LOCAL"] | {"purpose": "INPUT"})
    half = [one["purpose"] for one in client.get(f"{url}/all").json()]
    put(client, url, **CONFIGURATIONS["LIGHTLY"] | {"purpose": "LIGHTLY"})
    whole = [one["purpose"] for one in client.get(f"{url}/all").json()]

    assert (half, whole) == (["INPUT_OUTPUT", "INPUT"], ["INPUT", "LIGHTLY"])


def test_the_id_stays_when_a_datasource_is_configured_anew(client, url):
    put(client, url, **CONFIGURATIONS["S3"])
    before = get(client, url)["id"]
    put(client, url, **CONFIGURATIONS["OBS"])

    assert get(client, url)["id"] == before


@pytest.mark.parametrize("direction", ["east", "west"])
def test_the_old_names_of_two_regions_are_taken_and_the_new_ones_given(client, url, direction):
    put(client, url, **CONFIGURATIONS["S3"] | {"s3Region": f"us-gov-{direction}-1"})

    assert get(client, url)["s3Region"] == f"us-gov-{direction}"


@pytest.mark.parametrize(
    ("old", "location", "path"),
    [
        ("http://localhost:1234", "http://localhost:1234", ""),
        ("http://localhost:1234/", "http://localhost:1234", ""),
        (
            "https://files.example.com/my%20photos/raw/",
            "https://files.example.com",
            "my photos/raw",
        ),
    ],
)
def test_the_url_of_a_local_datasource_is_split(client, url, old, location, path):
    body = {"type": "LOCAL", "fullPath": old, "purpose": "INPUT_OUTPUT", "thumbSuffix": None}

    assert put(client, url, **body).status_code == 204

    shown = get(client, url)
    assert (shown["webServerLocation"], shown["fullPath"]) == (location, path)


@pytest.mark.parametrize("optional", ["thumbSuffix", "webServerLocation"])
def test_a_null_counts_as_not_given(client, url, optional):
    put(client, url, **CONFIGURATIONS["LOCAL"] | {optional: None})

    assert optional not in get(client, url)


@pytest.mark.parametrize("type_", [one for one in TYPES if CANARY in str(CONFIGURATIONS[one])])
def test_what_was_shown_can_be_sent_back_and_keeps_the_secrets(client, url, type_, server):
    purpose = CONFIGURATIONS[type_]["purpose"]
    put(client, url, **CONFIGURATIONS[type_])
    shown = get(client, url, purpose)

    assert put(client, url, **shown | {"thumbSuffix": "t/[filename]"}).status_code == 204

    assert get(client, url, purpose)["thumbSuffix"] == "t/[filename]"
    put(client, url, **CONFIGURATIONS[type_])
    assert get(client, url, purpose)["id"] == shown["id"]


def test_a_stored_key_cannot_be_sent_to_another_endpoint(client, url):
    put(client, url, **CONFIGURATIONS["OBS"])
    shown = get(client, url)

    response = put(client, url, **shown | {"obsEndpoint": "https://evil.example.com"})

    assert response.status_code == 400
    assert "mask" in response.json()["error"]


def test_a_mask_without_anything_stored_is_no_secret(client, url):
    response = put(client, url, **CONFIGURATIONS["S3"] | {"s3SecretAccessKey": "********"})

    assert response.status_code == 400


@pytest.mark.parametrize(
    ("type_", "change", "named"),
    [
        ("S3", {"fullPath": "bucket/path"}, "fullPath"),
        ("S3", {"fullPath": "s3://"}, "fullPath"),
        ("S3", {"s3Region": "mars-north-1"}, "s3Region"),
        ("S3", {"s3SecretAccessKey": ""}, "s3SecretAccessKey"),
        ("S3", {"s3SecretAccessKey": None}, "s3SecretAccessKey"),
        ("S3", {"s3ServerSideEncryptionKMSKey": "alias/x"}, "s3ServerSideEncryptionKMSKey"),
        ("S3DelegatedAccess", {"s3ExternalId": "short"}, "s3ExternalId"),
        ("S3DelegatedAccess", {"s3ARN": f"arn:{CANARY}"}, "s3ARN"),
        ("GCS", {"fullPath": "s3://bucket"}, "fullPath"),
        ("AZURE", {"fullPath": ""}, "fullPath"),
        ("AZURE", {"fullPath": "https://account/container"}, "fullPath"),
        ("OBS", {"obsEndpoint": f"ftp://{CANARY}"}, "obsEndpoint"),
        ("LOCAL", {"fullPath": "/etc"}, "fullPath"),
        ("LOCAL", {"fullPath": "a/../../b"}, "fullPath"),
        ("LOCAL", {"fullPath": "a/./b"}, "fullPath"),
        ("LOCAL", {"fullPath": "ftp://host/a"}, "fullPath"),
        ("LOCAL", {"fullPath": "http://host/../a"}, "fullPath"),
        ("LOCAL", {"webServerLocation": "javascript:alert(1)"}, "webServerLocation"),
        ("LOCAL", {"webServerLocation": "http://user:pass@host"}, "webServerLocation"),
        ("LOCAL", {"thumbSuffix": "../[filename]"}, "thumbSuffix"),
        ("LOCAL", {"type": "FTP"}, "type"),
        ("LOCAL", {"unknown": "field"}, "unknown"),
        ("LOCAL", {"purpose": "OUTPUT"}, "purpose"),
    ],
)
def test_a_wrong_field_is_refused_by_its_name_and_never_repeated(client, url, type_, change, named):
    response = put(client, url, **CONFIGURATIONS[type_] | change)

    assert response.status_code == 400, response.text
    assert response.json()["error"].startswith(named)
    assert CANARY not in response.text
    assert client.get(f"{url}/all").json() == []


@pytest.mark.parametrize("body", [[], "S3", 1, None, {}, {"type": []}, {"type": "LOCAL"}])
def test_what_is_no_configuration_is_refused(client, url, body):
    assert client.put(url, json=body).status_code == 400


def test_a_fresh_dataset_was_processed_until_0(client, url):
    assert client.get(f"{url}/processedUntilTimestamp").json() == {"processedUntilTimestamp": 0}


def test_the_moment_of_processing_is_kept_in_seconds(client, url):
    for moment in (1_700_000_000, 1_700_000_001):
        response = client.put(
            f"{url}/processedUntilTimestamp", json={"processedUntilTimestamp": moment}
        )
        assert response.status_code == 204

    answer = client.get(f"{url}/processedUntilTimestamp").json()
    dataset = client.get(url.removesuffix("/datasource")).json()
    assert answer == {"processedUntilTimestamp": 1_700_000_001}
    assert dataset["datasourceProcessedUntilTimestamp"] == 1_700_000_001


def test_a_store_that_cannot_be_reached_says_so_everywhere(client, url):
    put(client, url, **CONFIGURATIONS["OBS"] | {"obsEndpoint": "https://store.invalid"})

    verified = client.get(f"{url}/verify").json()
    listed = client.get(f"{url}/list")

    assert [verified[name] for name in sorted(verified) if name != "errors"] == [False] * 4
    assert all("cannot be resolved" in text for text in verified["errors"].values())
    assert listed.status_code == 422
    assert listed.json()["code"] == "DATASET_DATASOURCE_INVALID"


def test_a_role_always_gets_redirected_urls(client, url):
    body = CONFIGURATIONS["S3DelegatedAccess"] | {"purpose": "INPUT_OUTPUT"}
    put(client, url, **body)

    made = client.get(f"{url}/predictions/file", params={"fileName": "tasks.json"}).json()

    assert "/datasource/readurlRedirect?" in made
