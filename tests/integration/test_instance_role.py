"""The role of the server's machine lets it into roles of users, where the operator wants that."""

from __future__ import annotations

import json

import pytest

from lightly.server.datasources.buckets.instance_role import InstanceRole
from lightly.server.errors import DatasourceUnreachable
from tests.support.bucket_datasets import LOOPBACK, RoleProvider, make_bucket_dataset
from tests.support.datasources import PNG
from tests.support.http_servers import Answer, serve
from tests.support.platforms import run_in_process

ROLES = "/latest/meta-data/iam/security-credentials/"
SECRET = "secret-of-the-machine"
CREDENTIALS = {
    "Code": "Success",
    "AccessKeyId": "ASIAMACHINE",
    "SecretAccessKey": SECRET,
    "Token": "session",
    "Expiration": "2099-01-01T00:00:00Z",
}


@pytest.fixture(autouse=True)
def no_other_identity(monkeypatch, tmp_path):
    """A machine without keys and profiles."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_WEB_IDENTITY_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))


def list_with_role(tmp_path, moto_server, **settings):
    provider = RoleProvider(moto_server)
    with run_in_process(tmp_path / "data", **provider.settings, **settings) as server:
        dataset = make_bucket_dataset(server, provider)
        dataset.put_files(["a.png"], PNG)
        return dataset.client.get(f"{dataset.url}/list")


def test_a_role_is_assumed_by_that_of_the_machine(tmp_path, moto_server, monkeypatch):
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", moto_server.endpoint)

    answer = list_with_role(tmp_path, moto_server, aws_instance_role=True)

    assert [row["fileName"] for row in answer.json()["data"]] == ["a.png"]


def test_the_metadata_service_is_not_asked_unless_the_operator_wants_that(
    tmp_path, moto_server, monkeypatch
):
    with serve(lambda _: Answer(500)) as service:
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", service.url)

        answer = list_with_role(tmp_path, moto_server)

    assert answer.status_code == 422
    assert "LIGHTLY_SERVER_AWS_INSTANCE_ROLE" in answer.json()["error"]
    assert service.requests == []


def test_a_datasource_does_not_lead_to_the_metadata_service_that_the_server_uses(tmp_path):
    settings = {"egress_allow": LOOPBACK, "aws_instance_role": True}
    endpoint = {
        "type": "OBS",
        "obsEndpoint": "http://169.254.169.254",
        "obsAccessKeyId": "key",
        "obsSecretAccessKey": "secret",
    }

    class Provider:
        def configure(self, prefix):
            return {"fullPath": f"obs://latest/{prefix}", "purpose": "INPUT_OUTPUT", **endpoint}

    with run_in_process(tmp_path / "data", **settings) as server:
        dataset = make_bucket_dataset(server, Provider())
        answer = dataset.client.get(f"{dataset.url}/list")

    assert answer.status_code == 422
    assert "obsEndpoint" in answer.json()["error"]


def answer_as_version_2(request):
    headers = {name.lower(): value for name, value in request.headers.items()}
    if request.method == "PUT":
        return Answer(body=b"token\n")
    if headers.get("x-aws-ec2-metadata-token") != "token":
        return Answer(401)
    return Answer(body=b"my role" if request.path == ROLES else json.dumps(CREDENTIALS).encode())


def test_the_second_version_of_the_service_is_spoken_past_all_proxies(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with serve(answer_as_version_2) as service:
        found = InstanceRole({"AWS_EC2_METADATA_SERVICE_ENDPOINT": service.url}).find()

    assert (found.access_key_id, found.secret_access_key, found.token) == (
        "ASIAMACHINE",
        SECRET,
        "session",
    )
    assert [(one.method, one.path) for one in service.requests] == [
        ("PUT", "/latest/api/token"),
        ("GET", ROLES),
        ("GET", f"{ROLES}my%20role"),
    ]


@pytest.mark.parametrize(
    ("answer", "remedy"),
    [
        # no role is attached
        (Answer(404), "attach one"),
        # another service, or none of this kind
        (Answer(body=b"<html>"), "hop limit"),
        (Answer(403), "hop limit"),
        (Answer(302, headers={"Location": "http://127.0.0.1:9/"}), "hop limit"),
    ],
)
def test_what_is_wrong_with_the_machine_is_said_without_secrets(answer, remedy):
    with serve(lambda _: answer) as service:
        role = InstanceRole({"AWS_EC2_METADATA_SERVICE_ENDPOINT": service.url})
        with pytest.raises(DatasourceUnreachable, match=remedy) as caught:
            role.find()

    assert service.url not in str(caught.value)
