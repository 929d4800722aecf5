"""Deleting, last of all."""

from __future__ import annotations

from battery.ledger import step
from battery.world import World


@step("delete_tag_by_id", since=(1, 2))
def a_tag_is_deleted(world: World) -> None:
    client = world.client
    client.delete_tag_by_id(client.get_tag_by_name("two").id)
    assert "two" not in [tag.name for tag in client.get_all_tags()]


@step("delete_tag_by_name", since=(1, 4))
def a_tag_is_deleted_by_name(world: World) -> None:
    world.client.delete_tag_by_name("five")
    assert "five" not in [tag.name for tag in world.client.get_all_tags()]


@step("delete_dataset_by_id")
def a_dataset_is_deleted(world: World) -> None:
    dataset_id = world.client._dataset_id
    world.client.delete_dataset_by_id(dataset_id)
    names = [dataset["id"] for dataset in world.http.get("/v1/datasets")]
    assert dataset_id not in names
