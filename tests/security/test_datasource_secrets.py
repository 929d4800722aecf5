"""Credentials of datasources are written and never read: T22."""

import json

import pytest
import requests
import sqlalchemy as sa

from lightly.server.datasources import repository, service
from lightly.server.datasources.models import Purpose
from lightly.server.db.datasource_tables import datasources
from lightly.server.secrets.sealing import KEYS_FILE, KEYS_VARIABLE, SecretUnreadable
from tests.support.datasources import CANARY, CONFIGURATIONS, make_client, make_dataset
from tests.support.platforms import run_in_process

WITH_SECRETS = sorted(name for name, body in CONFIGURATIONS.items() if CANARY in str(body))
#: The canary as it would look like in JSON, in a URL, and in parts.
FORMS = [CANARY, CANARY.replace("/", "%2F"), CANARY.replace("/", "\\/"), "secret+0123"]


@pytest.fixture(autouse=True)
def _fresh_keys():
    service.get_secret_box.cache_clear()
    yield
    service.get_secret_box.cache_clear()


def configure(server, type_, name="dataset", **change):
    client = make_client(server)
    url = f"/v1/datasets/{make_dataset(client, name)}/datasource"
    response = client.put(url, json=CONFIGURATIONS[type_] | {"purpose": "INPUT_OUTPUT"} | change)
    assert response.status_code == 204, response.text
    return url


def find(server, url):
    with server.platform.database.read() as connection:
        row = connection.execute(
            sa.select(datasources.c.dataset_key, datasources.c.id).where(
                datasources.c.id == server.client.get(url).json()["id"]
            )
        ).one()
        return repository.find_datasource(connection, row.dataset_key, Purpose.INPUT_OUTPUT)


@pytest.mark.parametrize("type_", WITH_SECRETS)
def test_no_file_of_the_server_holds_a_secret(sqlite_server, type_):
    configure(sqlite_server, type_)
    with sqlite_server.platform.database.engine.connect() as connection:
        dump = "\n".join(connection.connection.driver_connection.iterdump())

    files = [path for path in sqlite_server.platform.settings.data_dir.rglob("*") if path.is_file()]

    assert "sealed_secrets" in dump
    for form in FORMS:
        assert form not in dump
        assert not [path.name for path in files if form.encode() in path.read_bytes()]


@pytest.mark.parametrize("type_", WITH_SECRETS)
def test_no_answer_about_a_datasource_holds_a_secret(sqlite_server, type_):
    url = configure(sqlite_server, type_)
    paths = ["", "/all", "/verify", "/list", "/list/dnc?dncShards=2", "/metadata/list",
             "/predictions/list?taskName=a", "/fileHEAD?fileName=a.jpg",
             "/predictions/writeUrl?fileName=a.json", "/metadata/file?fileName=a.json"]  # fmt: skip

    answers = [sqlite_server.client.get(url + path) for path in paths]
    answers.append(sqlite_server.client.get(url.removesuffix("/datasource")))

    # Whoever follows a signed URL has to find the store.
    endpoint = CONFIGURATIONS[type_].get("obsEndpoint", "https://")
    for answer in answers:
        text = answer.text.replace(endpoint, "") + str(answer.headers)
        assert not [form for form in FORMS if form in text]


@pytest.mark.parametrize("type_", WITH_SECRETS)
def test_the_secrets_open_for_the_server(server, type_):
    datasource = find(server, configure(server, type_))

    secrets = service.read_secrets(server.platform, datasource)

    assert secrets
    assert all(CANARY in value for value in secrets.values())


def test_no_log_line_holds_a_secret(server_process):
    session = requests.Session()
    session.params = {"token": server_process.token}
    base = f"{server_process.url}/v1/datasets"
    dataset_id = session.post(base, json={"name": "dataset"}, timeout=30).json()["id"]
    for body in CONFIGURATIONS.values():
        for change in ({}, {"unknown": CANARY}, {"fullPath": CANARY}, {"type": "FTP"}):
            session.put(f"{base}/{dataset_id}/datasource", json=body | change, timeout=30)
        for path in ("", "/all", "/verify", "/list"):
            session.get(f"{base}/{dataset_id}/datasource{path}", timeout=30)

    log = server_process.read_log()

    assert "/datasource" in log
    assert not [form for form in FORMS if form in log]


def test_secrets_moved_to_another_row_do_not_open(server):
    urls = [configure(server, "S3", "first"), configure(server, "S3", "second")]
    first, second = (find(server, url) for url in urls)
    with server.platform.database.write() as connection:
        for row, other in ((first, second), (second, first)):
            connection.execute(
                sa.update(datasources)
                .where(datasources.c.id == row.id)
                .values(sealed_secrets=other.sealed_secrets)
            )

    for url in urls:
        with pytest.raises(SecretUnreadable):
            service.read_secrets(server.platform, find(server, url))


@pytest.mark.parametrize("column", ["dataset_key", "purpose", "id"])
def test_secrets_are_bound_to_dataset_purpose_and_id(server, column):
    datasource = find(server, configure(server, "S3"))
    values = {"dataset_key": 99, "purpose": "INPUT", "id": "f" * 24}

    moved = datasource.__class__(**{**vars(datasource), column: values[column]})

    with pytest.raises(SecretUnreadable):
        service.read_secrets(server.platform, moved)


@pytest.mark.parametrize("position", [0, 5, 20, 40, -1])
def test_changed_secrets_do_not_open(server, position):
    datasource = find(server, configure(server, "S3"))
    text = datasource.sealed_secrets
    index = position % len(text)
    changed = text[:index] + ("A" if text[index] != "A" else "B") + text[index + 1 :]

    moved = datasource.__class__(**{**vars(datasource), "sealed_secrets": changed})

    with pytest.raises(SecretUnreadable):
        service.read_secrets(server.platform, moved)


def test_the_same_secret_is_never_sealed_the_same_way(server):
    sealed = [find(server, configure(server, "S3", name)).sealed_secrets for name in ("one", "two")]

    assert sealed[0] != sealed[1]


@pytest.mark.parametrize("place", ["variable", "file"])
def test_keys_are_changed_step_by_step(tmp_path, monkeypatch, place):
    data_dir = tmp_path / "data"

    def name_keys(*keys):
        service.get_secret_box.cache_clear()
        if place == "variable":
            monkeypatch.setenv(KEYS_VARIABLE, ",".join(keys))
        else:
            (data_dir / KEYS_FILE).write_text("\n".join(keys) + "\n")

    with run_in_process(data_dir) as running:
        url = configure(running, "S3")
        seen = [find(running, url).sealed_secrets]
        for keys in (["11" * 32], ["22" * 32, "11" * 32], ["22" * 32]):
            name_keys(*keys)
            service.reseal_secrets(running.platform)
            datasource = find(running, url)
            assert CANARY in str(service.read_secrets(running.platform, datasource))
            seen.append(datasource.sealed_secrets)

        assert len(set(seen)) == 3
        assert seen[2] == seen[3]


def test_without_its_key_a_secret_is_lost_and_can_be_set_again(tmp_path, monkeypatch):
    with run_in_process(tmp_path / "data") as running:
        monkeypatch.setenv(KEYS_VARIABLE, "11" * 32)
        service.get_secret_box.cache_clear()
        url = configure(running, "S3")
        monkeypatch.setenv(KEYS_VARIABLE, "22" * 32)
        service.get_secret_box.cache_clear()

        with pytest.raises(SecretUnreadable):
            service.read_secrets(running.platform, find(running, url))
        assert service.reseal_secrets(running.platform) == 0
        body = CONFIGURATIONS["S3"]
        assert running.client.put(url, json=body).status_code == 204
        assert CANARY in str(service.read_secrets(running.platform, find(running, url)))


def test_a_collaborator_sees_the_masks_and_may_not_configure(server):
    url = configure(server, "S3")
    dataset_url = url.removesuffix("/datasource")
    friend = server.add_user("friend@example.com")
    body = {"accessType": "WRITE", "users": ["friend@example.com"], "creator": "USER_PIP"}
    shared = server.client.post(f"{dataset_url}/collaboration/access", json=body)
    assert shared.status_code == 201, shared.text

    shown = friend.get(url)
    changed = friend.put(url, json=CONFIGURATIONS["LIGHTLY"])

    assert shown.status_code == 200
    assert CANARY not in json.dumps(shown.json())
    assert (changed.status_code, changed.json()["code"]) == (403, "FORBIDDEN")
    assert server.client.get(url).json()["type"] == "S3"
