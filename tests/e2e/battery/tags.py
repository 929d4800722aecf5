"""Tags."""

from __future__ import annotations

from battery.ledger import step
from battery.world import World, raises


@step("get_all_tags", "get_tag_by_id", "get_tag_by_name", "create_tag_from_filenames", since=(1, 2))
def a_tag_is_made_from_names(world: World) -> None:
    client, names = world.client, world.kept["names"]
    client.create_tag_from_filenames(names[:5], "five")
    five = client.get_tag_by_name("five")
    client.create_tag_from_filenames(names[1:3], "two", parent_tag_id=five.id)
    assert [tag.name for tag in client.get_all_tags()] == ["initial-tag", "five", "two"]
    assert client.get_tag_by_id(five.id).bit_mask_data == "0x1f"
    assert client.get_tag_by_name("two").prev_tag_id == five.id
    assert "five" in raises(RuntimeError, client.create_tag_from_filenames, names[:1], "five")
    assert raises(Exception, client.get_tag_by_name, "three") is not None


@step("get_filenames_in_tag", since=(1, 2))
def the_names_of_a_tag_are_listed(world: World) -> None:
    client, names = world.client, world.kept["names"]
    two = client.get_tag_by_name("two")
    initial = client.get_tag_by_name("initial-tag")
    assert client.get_filenames_in_tag(two) == names[1:3]
    assert client.get_filenames_in_tag(initial) == names
    assert client.get_filenames_in_tag(two, names) == names[1:3]
    assert client.get_filenames_in_tag(two, exclude_parent_tag=True) == []
