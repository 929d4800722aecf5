"""What users can make the server do by the stores that they name: T14, T18 and T20 to T23."""

from __future__ import annotations

import json
import re
import time

import pytest
import requests

from lightly.server.datasources.buckets.gcs import read_service_account
from lightly.server.datasources.buckets.roles import AssumedRole, sign_request
from lightly.server.datasources.buckets.s3 import S3Credentials
from lightly.server.errors import DatasourceUnreachable
from tests.support.bucket_datasets import (
    LOOPBACK,
    AzureProvider,
    ObsProvider,
    RoleProvider,
    S3Provider,
    make_bucket_dataset,
)
from tests.support.datasources import CANARY, PNG, make_client, make_dataset
from tests.support.emulators import make_account_sas, make_service_account
from tests.support.fault_stores import Fault, FaultStore
from tests.support.http_servers import Answer, serve
from tests.support.object_stores import SECRET_KEY
from tests.support.platforms import run_in_process

HOSTS = [
    "http://127.0.0.1:9000",
    "https://127.0.0.1:9000",
    "https://2130706433",
    "https://0x7f.1",
    "https://0177.0.0.1",
    "https://[::1]:9000",
    "https://[::ffff:127.0.0.1]",
    "https://[::ffff:169.254.169.254]",
    "https://[64:ff9b::a9fe:a9fe]",
    "http://169.254.169.254/latest",
    "https://169.254.169.254",
    "https://10.0.0.1",
    "https://localhost",
    "https://0.0.0.0",
    "https://100.100.100.200",
    "https://user:password@store.example.com",
    "https://store.example.com:99999",
    "https://store.example.com?x=1",
    "https://store.example.com#x",
]


def configure_obs(endpoint):
    return {
        "type": "OBS",
        "fullPath": "obs://bucket/path",
        "purpose": "INPUT_OUTPUT",
        "obsEndpoint": endpoint,
        "obsAccessKeyId": CANARY,
        "obsSecretAccessKey": CANARY,
    }


@pytest.fixture
def client(tmp_path):
    with run_in_process(tmp_path / "data") as server:
        yield make_client(server)


@pytest.mark.parametrize("endpoint", HOSTS)
def test_an_endpoint_that_is_not_public_is_refused_before_anything_is_sent(client, endpoint):
    dataset_id = make_dataset(client)
    url = f"/v1/datasets/{dataset_id}/datasource"
    assert client.put(url, json=configure_obs(endpoint)).status_code == 204

    listed = client.get(f"{url}/list")
    verified = client.get(f"{url}/verify").json()

    assert listed.status_code == 422
    assert "obsEndpoint" in listed.json()["error"]
    assert not any(verified[name] for name in verified if name != "errors")
    assert "user:password" not in listed.text


@pytest.mark.parametrize("endpoint", ["file:///etc/passwd", "gopher://store", "ftp://x", "//x"])
def test_other_schemes_are_no_endpoints_at_all(client, endpoint):
    dataset_id = make_dataset(client)

    answer = client.put(f"/v1/datasets/{dataset_id}/datasource", json=configure_obs(endpoint))

    assert answer.status_code == 400


def test_the_file_server_of_a_user_is_for_browsers_and_never_asked_by_the_server(client):
    with serve(lambda _: Answer(body=PNG)) as file_server:
        dataset_id = make_dataset(client)
        url = f"/v1/datasets/{dataset_id}"
        body = {"type": "LOCAL", "fullPath": "", "webServerLocation": file_server.url}
        assert client.put(f"{url}/datasource", json=body).status_code == 204
        sample = client.post(f"{url}/samples", json={"fileName": "a.png"}).json()

        client.get(f"{url}/datasource/verify")
        client.get(f"{url}/datasource/list")
        client.get(f"{url}/datasource/list?useRedirectedReadUrl=true")
        shown = client.get(f"{url}/samples/{sample['id']}/readurl?type=full").json()

        assert shown.startswith(file_server.url)
        assert file_server.requests == []


def test_a_store_that_redirects_to_what_is_not_public_is_not_followed(tmp_path, s3_server):
    metadata = FaultStore(s3_server.endpoint)
    location = {"Location": "http://169.254.169.254/latest/meta-data/"}
    metadata.fail(Fault(status=302, headers=location))
    provider = ObsProvider(s3_server)
    try:
        with run_in_process(tmp_path / "data", egress_allow=LOOPBACK) as server:
            dataset = make_bucket_dataset(server, provider, obsEndpoint=metadata.endpoint)
            answer = dataset.client.get(f"{dataset.url}/list")
    finally:
        metadata.stop()

    assert answer.status_code in {422, 503}
    assert "latest" not in answer.text


def test_addresses_in_the_key_file_of_a_service_account_are_never_asked():
    content = {
        **make_service_account(),
        "gcs_base_url": "http://169.254.169.254",
        "token_uri": "http://169.254.169.254/token",
        "disable_oauth": True,
    }

    key = read_service_account(json.dumps(content))

    assert "169.254" not in json.dumps(key)
    assert key.keys() == {
        "private_key",
        "private_key_id",
        "client_email",
        "client_id",
        "project_id",
    }


@pytest.mark.parametrize("kind", ["authorized_user", "external_account"])
def test_key_files_that_name_other_services_are_refused(kind):
    with pytest.raises(DatasourceUnreachable, match="service account") as caught:
        read_service_account(json.dumps({"type": kind, "refresh_token": CANARY}))

    assert CANARY not in str(caught.value)


def test_variables_of_the_servers_own_storage_do_not_reach_a_users_store(
    tmp_path, s3_server, monkeypatch
):
    provider = S3Provider(s3_server)
    provider.put("variables/one.png", PNG)
    for name, value in {
        "AWS_SESSION_TOKEN": CANARY,
        "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_ACCESS_KEY_ID": CANARY,
        "AWS_SECRET_ACCESS_KEY": CANARY,
        "AWS_REGION": "eu-west-3",
        "AWS_SKIP_SIGNATURE": "true",
        "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "true",
    }.items():
        monkeypatch.setenv(name, value)
    with run_in_process(tmp_path / "data", **provider.settings) as server:
        path = provider.configure("variables")["fullPath"]
        dataset = make_bucket_dataset(server, provider, fullPath=path)
        page = dataset.client.get(f"{dataset.url}/list").json()

    (row,) = page["data"]
    assert "canary" not in row["readUrl"]
    assert requests.get(row["readUrl"], timeout=30).content == PNG


def test_a_signed_url_is_good_for_one_method_on_one_key_for_its_time(tmp_path, s3_server):
    provider = S3Provider(s3_server)
    with run_in_process(tmp_path / "data", signed_url_ttl_s=2, **provider.settings) as server:
        dataset = make_bucket_dataset(server, provider)
        dataset.put_files(["one.png", "two.png"])
        page = dataset.client.get(f"{dataset.url}/list").json()
    url = page["data"][0]["readUrl"]

    assert requests.get(url, timeout=30).status_code == 200
    assert requests.put(url, data=b"x", timeout=30).status_code == 403
    assert requests.delete(url, timeout=30).status_code == 403
    assert requests.get(url.replace("one.png", "two.png"), timeout=30).status_code == 403
    longer = re.sub(r"X-Amz-Expires=\d+", "X-Amz-Expires=9000", url)
    assert requests.get(longer, timeout=30).status_code == 403
    time.sleep(3)
    assert requests.get(url, timeout=30).status_code == 403


def test_a_sas_is_seen_by_nobody_but_the_target_of_a_redirect(tmp_path, azure_server):
    sas = make_account_sas("rwdl")
    signature = re.search(r"sig=([^&]+)", sas)[1]
    provider = AzureProvider(azure_server, f"?{sas}")
    with run_in_process(tmp_path / "data", **provider.settings) as server:
        dataset = make_bucket_dataset(server, provider)
        dataset.put_files(["one.png"])
        client, url = dataset.client, dataset.url
        body = {"fileNames": [".lightly/a.json"]}
        texts = [
            client.get(f"{url}/list").text,
            client.get(f"{url}/verify").text,
            client.get(url).text,
            client.get(f"{url}/fileHEAD", params={"fileName": "one.png"}).text,
            client.get(f"{url}/predictions/file", params={"fileName": "tasks.json"}).text,
            client.get(f"{url}/predictions/writeUrl", params={"fileName": "tasks.json"}).text,
            client.post(f"/ext{url}/writeUrls", json=body).text,
        ]

    assert not any(signature in text for text in texts)


def test_external_ids_are_sent_with_every_role_and_another_tenants_one_gets_nothing():
    """The token service decides by the external id: it has to get the tenant's own."""
    agreed = "tenant-a-" + "0" * 20
    seen = []

    class TokenService:
        def send(self, _method, _make_url, content, _headers):
            seen.append(content.decode())
            if f"ExternalId={agreed}" not in content.decode():
                raise_denied()
            return ANSWER

    def raise_denied():
        from lightly.server.datasources.buckets.raw_requests import StoreAnswered

        raise StoreAnswered("status 403: <Code>AccessDenied</Code>")

    def assume(external_id):
        return AssumedRole(
            TokenService(),
            "https://sts.example.com",
            "us-east-1",
            arn="arn:aws:iam::123456789012:role/images",
            external_id=external_id,
            session_name="lightly-1",
            find_own=lambda: S3Credentials("key", "secret"),
        ).find()

    assert assume(agreed).token == "session-token"
    with pytest.raises(DatasourceUnreachable, match="sts:ExternalId") as caught:
        assume("tenant-b-" + "0" * 20)
    assert all("ExternalId=" in content for content in seen)
    assert "tenant-b" not in str(caught.value)


ANSWER = b"""<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<AssumeRoleResult><Credentials><AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>s</SecretAccessKey>
<SessionToken>session-token</SessionToken><Expiration>2100-01-01T00:00:00Z</Expiration>
</Credentials></AssumeRoleResult></AssumeRoleResponse>"""


def test_requests_to_the_token_service_are_signed_as_its_makers_sign_them():
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    own = S3Credentials("AKIDEXAMPLE", "secret", "token")
    url, content = "https://sts.eu-west-1.amazonaws.com/", b"Action=AssumeRole&Version=2011-06-15"
    headers = sign_request(own, url, "eu-west-1", content, time.time())
    wanted = AWSRequest("POST", url, data=content)
    wanted.headers["Content-Type"] = headers["content-type"]
    SigV4Auth(Credentials("AKIDEXAMPLE", "secret", "token"), "sts", "eu-west-1").add_auth(wanted)

    if wanted.headers["X-Amz-Date"] == headers["x-amz-date"]:
        assert headers["authorization"] == wanted.headers["Authorization"]


def test_a_server_without_credentials_says_that_it_cannot_assume_roles(
    tmp_path, moto_server, monkeypatch
):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    provider = RoleProvider(moto_server)
    with run_in_process(tmp_path / "data", **provider.settings) as server:
        dataset = make_bucket_dataset(server, provider)
        answer = dataset.client.get(f"{dataset.url}/list")

    assert answer.status_code == 422
    assert "AWS_ACCESS_KEY_ID" in answer.json()["error"]


def test_credentials_are_in_no_log_and_no_answer_when_a_store_refuses(tmp_path, s3_server, caplog):
    provider = S3Provider(s3_server)
    with run_in_process(tmp_path / "data", **provider.settings) as server:
        dataset = make_bucket_dataset(server, provider, s3SecretAccessKey=CANARY)
        texts = [dataset.client.get(f"{dataset.url}/{path}").text for path in ("list", "verify")]

    assert all("Send both keys again" in text for text in texts)
    for text in (*texts, caplog.text):
        assert "canary" not in text
        assert SECRET_KEY not in text


@pytest.mark.parametrize("name", ["../x.json", "a/../../x.json", "/etc/passwd", "a\\..\\b", "\0"])
def test_names_that_would_lead_elsewhere_are_refused_before_they_are_signed(
    tmp_path, s3_server, name
):
    provider = S3Provider(s3_server)
    with run_in_process(tmp_path / "data", **provider.settings) as server:
        dataset = make_bucket_dataset(server, provider)
        body = {"fileNames": [f".lightly/{name}"]}
        written = dataset.client.post(f"/ext{dataset.url}/writeUrls", json=body)
        params = {"fileName": f"{name}/longer.json"}
        read = dataset.client.get(f"{dataset.url}/predictions/writeUrl", params=params)

    assert written.status_code == 400
    assert read.status_code == 400
