"""A delegated role with its external id is one tenant's: T21."""

import logging
import threading

import pytest
import sqlalchemy as sa

from lightly._kit.ids import make_id
from lightly.server.datasets.purge import purge_deleted_datasets
from lightly.server.datasources import service
from lightly.server.datasources.tenants import hash_role
from lightly.server.db.datasource_tables import datasources
from tests.support.datasources import CONFIGURATIONS, make_dataset
from tests.support.roles import add_team

ROLE = "arn:aws:iam::123456789012:role/Reader"
EXTERNAL_ID = "9f86d081884c7d659a2feaa0c55ad015"
ROLE_FIELDS = {
    **CONFIGURATIONS["S3DelegatedAccess"],
    "purpose": "INPUT_OUTPUT",
    "s3ARN": ROLE,
    "s3ExternalId": EXTERNAL_ID,
}


def configure(client, dataset_id=None, **change):
    """Configure the role for a dataset, a new one if none is named."""
    dataset_id = dataset_id or make_dataset(client, make_id())
    return client.put(f"/v1/datasets/{dataset_id}/datasource", json=ROLE_FIELDS | change)


@pytest.fixture
def alice(server):
    return server.add_user("alice@example.com")


@pytest.fixture
def mallory(server):
    return server.add_user("mallory@example.com")


def read_hashes(server):
    with server.platform.database.read() as connection:
        return list(connection.execute(sa.select(datasources.c.role_hash)).scalars())


def test_a_role_with_the_external_id_of_another_tenant_is_refused(server, alice, mallory):
    assert configure(alice).status_code == 204
    dataset_id = make_dataset(mallory, "mine")

    refused = configure(mallory, dataset_id)

    assert refused.status_code == 422
    assert refused.json()["code"] == "DATASET_DATASOURCE_INVALID"
    url = f"/v1/datasets/{dataset_id}/datasource"
    assert mallory.get(url).json()["code"] == "DATASET_DATASOURCE_UNKNOWN"


def test_the_refusal_does_not_tell_whose_role_it_is(server, alice, mallory):
    dataset_id = make_dataset(alice, "street of alice")
    configure(alice, dataset_id, fullPath="s3://bucket-of-alice")

    text = configure(mallory).text

    for secret in ("alice", dataset_id, ROLE, "Reader", EXTERNAL_ID, "123456789012"):
        assert secret not in text
    assert "openssl rand -hex 16" in text


@pytest.mark.parametrize("name", ["reader", "READER", "rEADER"])
def test_another_spelling_of_the_same_role_is_refused(server, alice, mallory, name):
    configure(alice)

    assert configure(mallory, s3ARN=f"arn:aws:iam::123456789012:role/{name}").status_code == 422


def test_the_same_tenant_uses_a_role_in_any_number_of_datasets(server, alice):
    assert [configure(alice).status_code for _ in range(3)] == [204, 204, 204]


def test_the_same_role_with_an_external_id_of_ones_own_is_taken(server, alice, mallory):
    """AWS tells the two apart, so the server has no reason to refuse."""
    configure(alice)

    assert configure(mallory, s3ExternalId="another-external-id").status_code == 204


def test_a_datasource_cannot_be_changed_into_the_role_of_another_tenant(server, alice, mallory):
    configure(alice)
    dataset_id = make_dataset(mallory, "mine")
    assert configure(mallory, dataset_id, s3ExternalId="another-external-id").status_code == 204

    assert configure(mallory, dataset_id).status_code == 422


def test_whoever_administers_the_server_gets_no_exception(server, alice):
    configure(alice)

    assert configure(server.client).status_code == 422


def test_a_team_shares_the_roles_of_its_datasets(server, alice, mallory):
    team_id = add_team(server, "alice@example.com")
    configure(alice)
    bob = server.add_user("bob@example.com")
    added = alice.post(
        f"/v1/teams/{team_id}/members", json={"email": "bob@example.com", "role": "MEMBER"}
    )
    assert added.status_code == 200, added.text

    assert configure(bob).status_code == 204
    assert configure(mallory).status_code == 422


def test_naming_somebody_in_ones_team_does_not_open_their_roles(server, alice, mallory):
    configure(alice)
    team_id = add_team(server, "mallory@example.com")
    mallory.post(
        f"/v1/teams/{team_id}/members", json={"email": "alice@example.com", "role": "MEMBER"}
    )

    assert configure(mallory).status_code == 422


def test_a_role_is_free_when_its_last_datasource_has_another_one(server, alice, mallory):
    datasets = [make_dataset(alice, name) for name in ("one", "two")]
    for dataset_id in datasets:
        configure(alice, dataset_id)
    configure(alice, datasets[0], s3ExternalId="another-external-id")
    assert configure(mallory).status_code == 422

    alice.put(f"/v1/datasets/{datasets[1]}/datasource", json=CONFIGURATIONS["LIGHTLY"])

    assert configure(mallory).status_code == 204
    assert configure(alice, datasets[1]).status_code == 422


def test_a_role_is_free_when_its_deleted_dataset_cannot_come_back(server, alice, mallory):
    dataset_id = make_dataset(alice, "gone")
    configure(alice, dataset_id)
    assert alice.delete(f"/v1/datasets/{dataset_id}").status_code == 204
    assert configure(mallory).status_code == 422

    platform = server.platform
    purge_deleted_datasets(platform.database, platform.blobs, platform.clock.now_ms() + 1)

    assert configure(mallory).status_code == 204


def test_of_two_tenants_at_the_same_moment_one_gets_the_role(server, alice, mallory):
    targets = [(client, make_dataset(client, "race")) for client in (alice, mallory)]
    for number in range(5):
        external_id = f"external-id-{number}"
        statuses, gate = [], threading.Barrier(2)

        def compete(client, dataset_id, external_id=external_id, gate=gate, statuses=statuses):
            gate.wait()
            statuses.append(configure(client, dataset_id, s3ExternalId=external_id).status_code)

        threads = [threading.Thread(target=compete, args=target) for target in targets]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(statuses) == [204, 422]


def test_the_database_has_a_keyed_hash_of_the_role(server, alice):
    configure(alice)

    (found,) = read_hashes(server)

    assert found == hash_role(server.platform.keys, ROLE_FIELDS)
    assert found != hash_role(type(server.platform.keys)(bytes(32)), ROLE_FIELDS)


def test_roles_that_an_older_release_stored_are_noted(server, alice, mallory):
    configure(alice)
    with server.platform.database.write() as connection:
        connection.execute(sa.update(datasources).values(role_hash=None))

    assert service.note_roles(server.platform) == 1
    assert service.note_roles(server.platform) == 0

    assert configure(mallory).status_code == 422


def test_two_tenants_who_had_one_role_keep_it_and_the_log_says_so(server, alice, mallory, caplog):
    dataset_id = make_dataset(mallory, "mine")
    configure(mallory, dataset_id)
    with server.platform.database.write() as connection:
        connection.execute(sa.update(datasources).values(role_hash=None))
    configure(alice)

    with caplog.at_level(logging.WARNING, "lightly.server"):
        assert service.note_roles(server.platform) == 1

    datasource_id = mallory.get(f"/v1/datasets/{dataset_id}/datasource").json()["id"]
    assert f"datasource {datasource_id} has the role" in caplog.text
    assert ROLE not in caplog.text
    assert configure(mallory, dataset_id, fullPath="s3://bucket/other").status_code == 204
