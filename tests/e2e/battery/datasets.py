"""Making, finding and choosing datasets."""

from __future__ import annotations

import warnings

from battery.ledger import step
from battery.world import World, raises


@step("check_version_compatibility", until=(1, 2))
def a_client_checks_its_version(world: World) -> None:
    assert world.make_client().check_version_compatibility() is None


@step(
    "set_request_timeout",
    "api_workflow_client.set_api_client_request_timeout",
    since=(1, 2),
    until=(1, 2),
)
def requests_get_a_timeout(world: World) -> None:
    from lightly.api.api_workflow_client import set_api_client_request_timeout

    client = world.make_client()
    client.set_request_timeout(30)
    set_api_client_request_timeout(client.api_client, timeout=(10, 30))
    assert isinstance(client._datasets_api.get_datasets(), list)


@step("set_request_timeout", "token", "api_client", "close", since=(2, 0))
def connections_are_configured(world: World) -> None:
    client = world.make_client()
    client.set_request_timeout((10, 30))
    assert client.token == world.token
    assert client.api_client is not None
    client.close()
    assert isinstance(client.get_datasets(), list)


@step("create_dataset", "dataset_id")
def a_dataset_is_created(world: World) -> None:
    client = world.make_client()
    client.create_dataset(world.name("main"))
    found = world.http.get(f"/v1/datasets/{client.dataset_id}")
    assert (found["name"], found["type"]) == (world.name("main"), "Images")
    world.client = client


@step("create_dataset")
def a_name_that_exists_is_reused_or_refused(world: World) -> None:
    client = world.make_client()
    if (1, 4) <= world.line <= (1, 5):
        assert world.name("main") in raises(ValueError, client.create_dataset, world.name("main"))
    else:
        client.create_dataset(world.name("main"))
        assert client.dataset_id == world.client.dataset_id


@step("create_new_dataset_with_unique_name")
def a_free_name_is_found(world: World) -> None:
    client = world.make_client()
    made = []
    for _ in range(3):
        client.create_new_dataset_with_unique_name(world.name("unique"))
        made.append(world.http.get(f"/v1/datasets/{client._dataset_id}")["name"])
    assert made == [world.name("unique") + end for end in ("", "_1", "_2")]


@step("set_dataset_id_by_name")
def a_dataset_is_chosen_by_name(world: World) -> None:
    client = world.make_client()
    client.set_dataset_id_by_name(world.name("main"))
    assert client._dataset_id == world.client._dataset_id
    assert raises(ValueError, client.set_dataset_id_by_name, "there is none of this name")


@step("dataset_id")
def the_latest_dataset_is_the_default(world: World) -> None:
    world.http.put(f"/v1/datasets/{world.client._dataset_id}", {"name": world.name("main")})
    client = world.make_client()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert client.dataset_id == world.client._dataset_id
    assert any(world.name("main") in str(warning.message) for warning in caught)
    if world.line >= (1, 2):
        client.dataset_id = world.client._dataset_id
        assert raises(ValueError, setattr, client, "dataset_id", "0" * 24)


@step(
    "dataset_exists",
    "dataset_type",
    "get_dataset_by_id",
    "get_datasets",
    "get_all_datasets",
    since=(1, 2),
)
def datasets_are_listed(world: World) -> None:
    client, dataset_id = world.client, world.client._dataset_id
    assert client.dataset_exists(dataset_id) is True
    assert client.dataset_exists("0" * 24) is False
    assert client.dataset_type == "Images"
    assert client.get_dataset_by_id(dataset_id).name == world.name("main")
    assert dataset_id in [dataset.id for dataset in client.get_datasets()]
    assert dataset_id not in [dataset.id for dataset in client.get_datasets(shared=True)]
    assert dataset_id in [dataset.id for dataset in client.get_all_datasets()]


@step("dataset_name_exists", "get_datasets_by_name", "get_datasets_iter", since=(1, 4))
def datasets_are_found_by_name(world: World) -> None:
    client = world.client
    for shared in (False, None):
        assert client.dataset_name_exists(world.name("main"), shared=shared) is True
        found = client.get_datasets_by_name(world.name("main"), shared=shared)
        assert [dataset.id for dataset in found] == [client._dataset_id]
        ids = [dataset.id for dataset in client.get_datasets_iter(shared=shared)]
        assert len(set(ids)) == len(ids)
        assert client._dataset_id in ids
    assert client.dataset_name_exists(world.name("mai")) is False
    assert client.get_datasets_by_name(world.name("main"), shared=True) == []
