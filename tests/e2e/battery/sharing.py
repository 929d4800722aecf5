"""Sharing a dataset with another user."""

from __future__ import annotations

from battery.ledger import step
from battery.world import World


@step("share_dataset_only_with", "get_shared_users", since=(1, 4))
def a_dataset_is_shared(world: World) -> None:
    client, dataset_id = world.client, world.client._dataset_id
    client.share_dataset_only_with(dataset_id, [world.other_email])
    assert client.get_shared_users(dataset_id) == [world.other_email]
    client.share_dataset_only_with(dataset_id, [])
    assert client.get_shared_users(dataset_id) == []
