"""Configurations of datasources: what is sent for each kind, and what is refused before."""

import json
from typing import Any

import pytest

from lightly.api import ApiWorkflowClient
from lightly.api.datasource_configs import split_local_path
from lightly.openapi_generated.swagger_client.models.datasource_config import DatasourceConfig
from lightly.openapi_generated.swagger_client.models.datasource_purpose import DatasourcePurpose
from lightly.openapi_generated.swagger_client.models.s3_region import S3Region
from tests.support.sdk import make_client
from tests.support.wire_fakes import WireFake

DATASET = "0123456789abcdef01234567"
DATASOURCE = f"/v1/datasets/{DATASET}/datasource"
SUFFIX = ".lightly/thumbnails/[filename]_thumb.[extension]"
ROLE = "arn:aws:iam::123456789012:role/reader"
SECRET = "5ecret-" * 3

KINDS: dict[str, tuple[str, tuple[str, ...], dict[str, str]]] = {
    "azure": (
        "set_azure_config",
        ("box/path", "account", f"?{SECRET}"),
        {
            "type": "AZURE",
            "fullPath": "box/path",
            "accountName": "account",
            "accountKey": f"?{SECRET}",
        },
    ),
    "gcs": (
        "set_gcs_config",
        ("gs://box/path", "project", '{"key": 1}'),
        {
            "type": "GCS",
            "fullPath": "gs://box/path",
            "gcsProjectId": "project",
            "gcsCredentials": '{"key": 1}',
        },
    ),
    "s3": (
        "set_s3_config",
        ("s3://box/path", "eu-central-1", "ACCESS", SECRET),
        {
            "type": "S3",
            "fullPath": "s3://box/path",
            "s3Region": "eu-central-1",
            "s3AccessKeyId": "ACCESS",
            "s3SecretAccessKey": SECRET,
        },
    ),
    "s3 delegated": (
        "set_s3_delegated_access_config",
        ("s3://box/path", "eu-central-1", ROLE, "external-id-1"),
        {
            "type": "S3DelegatedAccess",
            "fullPath": "s3://box/path",
            "s3Region": "eu-central-1",
            "s3ARN": ROLE,
            "s3ExternalId": "external-id-1",
        },
    ),
    "obs": (
        "set_obs_config",
        ("obs://box/path", "https://store.example.com", "ACCESS", SECRET),
        {
            "type": "OBS",
            "fullPath": "obs://box/path",
            "obsEndpoint": "https://store.example.com",
            "obsAccessKeyId": "ACCESS",
            "obsSecretAccessKey": SECRET,
        },
    ),
    "local": (
        "set_local_config",
        ("http://localhost:1234/path/to/data",),
        {
            "type": "LOCAL",
            "fullPath": "path/to/data",
            "webServerLocation": "http://localhost:1234",
        },
    ),
}


@pytest.fixture
def fake() -> WireFake:
    return WireFake({f"PUT {DATASOURCE}": None})


@pytest.fixture
def client(fake: WireFake) -> ApiWorkflowClient:
    return make_client(fake, dataset_id=DATASET)


def read_sent(fake: WireFake) -> Any:
    (sent,) = fake.read_bodies(f"PUT {DATASOURCE}")
    return sent


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_sent_as_the_contract_has_it(kind, client, fake):
    method, arguments, expected = KINDS[kind]

    getattr(client, method)(*arguments)

    sent = read_sent(fake)
    assert sent == {**expected, "thumbSuffix": SUFFIX, "purpose": "INPUT_OUTPUT"}
    assert DatasourceConfig.from_dict(sent).type == expected["type"]


@pytest.mark.parametrize(
    ("external_id", "is_warned"),
    [
        ("my-company", True),
        ("0123456789abcde", True),
        ("abababababababababababab", True),
        ("0123456789abcdef", False),
        ("9f4b7d7d37d1a9eaf96d97924841e930", False),
    ],
)
def test_an_external_id_that_is_easy_to_guess_is_warned_of_and_not_shown(
    client, fake, caplog, external_id, is_warned
):
    client.set_s3_delegated_access_config("s3://box", "eu-west-1", ROLE, external_id)

    assert read_sent(fake)["s3ExternalId"] == external_id
    assert ("easy to guess" in caplog.text) == is_warned
    assert external_id not in caplog.text


@pytest.mark.parametrize("kind", KINDS)
def test_purpose_and_thumbnails_can_be_chosen(kind, client, fake):
    method, arguments, _ = KINDS[kind]

    getattr(client, method)(*arguments, thumbnail_suffix=None, purpose=DatasourcePurpose.LIGHTLY)

    assert read_sent(fake)["purpose"] == "LIGHTLY"
    assert "thumbSuffix" not in read_sent(fake)


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"local"}))
def test_purpose_has_its_place(kind, client, fake):
    method, arguments, _ = KINDS[kind]

    getattr(client, method)(*arguments, None, "INPUT")

    assert read_sent(fake)["purpose"] == "INPUT"


def test_local_files_are_named_in_the_newer_form_too(client, fake):
    client.set_local_config(relative_path="my/data", web_server_location="https://files.example")

    assert read_sent(fake)["fullPath"] == "my/data"
    assert read_sent(fake)["webServerLocation"] == "https://files.example"


def test_local_files_may_be_the_whole_mount(client, fake):
    client.set_local_config()

    assert read_sent(fake)["fullPath"] == ""
    assert read_sent(fake)["webServerLocation"] == "http://localhost:3456"


def test_a_path_in_the_place_of_the_address_is_a_relative_one(client, fake):
    client.set_local_config("my/data", web_server_location=None)

    assert read_sent(fake)["fullPath"] == "my/data"
    assert "webServerLocation" not in read_sent(fake)


def test_an_address_in_the_second_place_is_that_of_the_file_server(client, fake):
    client.set_local_config("my/data", "https://files.example")

    assert read_sent(fake)["fullPath"] == "my/data"
    assert read_sent(fake)["webServerLocation"] == "https://files.example"
    assert read_sent(fake)["thumbSuffix"] == ".lightly/thumbnails/[filename]_thumb.[extension]"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"resource_path": "http://host/a", "relative_path": "b"}, "not both"),
        (
            {"thumbnail_suffix": "http://host:1", "web_server_location": "http://host:2"},
            "'thumbnail_suffix' must be a path",
        ),
        ({"resource_path": "s3://box/a"}, "relative to the mount"),
        ({"resource_path": "http://host/a?token=x"}, "relative to the mount"),
        ({"relative_path": "a", "purpose": "WRONG"}, "'purpose' is not valid"),
        ({"web_server_location": "ftp://host"}, "'web_server_location' is not valid"),
    ],
)
def test_local_forms_that_contradict_themselves_are_refused(client, fake, arguments, problem):
    with pytest.raises(ValueError, match=problem):
        client.set_local_config(**arguments)

    assert fake.calls == []


@pytest.mark.parametrize(
    ("method", "arguments", "parameter"),
    [
        ("set_s3_config", ("s3://box", "nowhere", "A", SECRET), "region"),
        ("set_s3_config", ("s3://box", "eu-west-1", "A", ""), "secret_access_key"),
        ("set_azure_config", ("box", "", SECRET), "account_name"),
        (
            "set_s3_delegated_access_config",
            ("s3://box", "eu-west-1", "not an arn", SECRET),
            "role_arn",
        ),
        ("set_s3_delegated_access_config", ("s3://box", "eu-west-1", ROLE, "short"), "external_id"),
        ("set_obs_config", ("obs://box", "no address", "A", SECRET), "obs_endpoint"),
    ],
)
def test_a_value_that_breaks_a_rule_is_named_and_never_repeated(
    client, fake, method, arguments, parameter
):
    with pytest.raises(ValueError, match=f"'{parameter}' is not valid") as caught:
        getattr(client, method)(*arguments)

    assert SECRET not in f"{caught.value!r} {caught.value.__context__!r}"
    assert fake.calls == []


def test_regions_that_were_renamed_are_sent_under_their_new_names(client, fake):
    client.set_s3_config("s3://box", "us-gov-east-1", "A", SECRET)

    assert read_sent(fake)["s3Region"] == S3Region.US_MINUS_GOV_MINUS_EAST.value


def test_a_datasource_can_be_read_as_object_and_as_dictionary():
    stored = {"type": "LOCAL", "purpose": "INPUT", "fullPath": "my/data"}
    client = make_client(WireFake({f"GET {DATASOURCE}": stored}), dataset_id=DATASET)

    datasource = client.get_datasource()

    assert datasource.full_path == datasource["fullPath"] == "my/data"
    assert dict(datasource) == stored
    assert json.loads(datasource.to_json(by_alias=True)) == stored


def test_permissions_are_a_dictionary_with_errors_only_if_there_are_any():
    verdict = {"canRead": True, "canWrite": True, "canList": True, "canOverwrite": True}
    fake = WireFake({f"GET {DATASOURCE}/verify": lambda *_: verdict})
    client = make_client(fake, dataset_id=DATASET)

    good = client.list_datasource_permissions()
    verdict.update({"canList": False, "errors": {"canList": "No such folder."}})  # type: ignore[dict-item]
    bad = client.list_datasource_permissions()

    assert good == {"can_read": True, "can_write": True, "can_list": True, "can_overwrite": True}
    assert bad == {**good, "can_list": False, "errors": {"can_list": "No such folder."}}


def test_an_address_is_split_with_its_path_decoded():
    assert split_local_path("https://host/a%20b/", None) == ("a b", "https://host")
