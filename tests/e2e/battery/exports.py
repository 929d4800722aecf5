"""Exports of a tag."""

from __future__ import annotations

from typing import Any

from battery.ledger import step
from battery.world import World, read_bytes


def as_dictionary(value: Any) -> dict[str, Any]:
    """Return a row with wire names; 1.5 hands out models where others hand out dictionaries."""
    return value if isinstance(value, dict) else value.to_dict(by_alias=True)


@step("export_label_studio_tasks_by_tag_id", "export_label_studio_tasks_by_tag_name", since=(1, 2))
def label_studio(world: World) -> None:
    client = world.client
    rows = client.export_label_studio_tasks_by_tag_name("two")
    again = client.export_label_studio_tasks_by_tag_id(client.get_tag_by_name("two").id)
    found = [as_dictionary(row)["data"] for row in rows]
    assert [data["lightlyFileName"] for data in found] == world.kept["names"][1:3]
    name = world.kept["names"][1]
    assert read_bytes(found[0]["image"]) == (world.folder / name).read_bytes()
    assert len(again) == 2


@step(
    "export_label_box_data_rows_by_tag_id", "export_label_box_data_rows_by_tag_name", since=(1, 2)
)
def label_box(world: World) -> None:
    client = world.client
    rows = client.export_label_box_data_rows_by_tag_name("two")
    again = client.export_label_box_data_rows_by_tag_id(client.get_tag_by_name("two").id)
    names = [as_dictionary(row)["externalId"] for row in rows]
    assert names == world.kept["names"][1:3]
    assert [as_dictionary(row)["externalId"] for row in again] == names


@step(
    "export_label_box_v4_data_rows_by_tag_id",
    "export_label_box_v4_data_rows_by_tag_name",
    since=(1, 4),
)
def label_box_v4(world: World) -> None:
    client = world.client
    rows = client.export_label_box_v4_data_rows_by_tag_name("two")
    again = client.export_label_box_v4_data_rows_by_tag_id(client.get_tag_by_name("two").id)
    names = [as_dictionary(row)["global_key"] for row in rows]
    assert names == world.kept["names"][1:3]
    assert [as_dictionary(row)["global_key"] for row in again] == names


@step("export_filenames_by_tag_id", "export_filenames_by_tag_name", since=(1, 2))
def file_names(world: World) -> None:
    client = world.client
    expected = "\n".join(world.kept["names"][1:3])
    assert client.export_filenames_by_tag_name("two") == expected
    assert client.export_filenames_by_tag_id(client.get_tag_by_name("two").id) == expected


@step(
    "export_filenames_and_read_urls_by_tag_id",
    "export_filenames_and_read_urls_by_tag_name",
    since=(1, 4),
)
def file_names_and_urls(world: World) -> None:
    client = world.client
    rows = client.export_filenames_and_read_urls_by_tag_name("two")
    again = client.export_filenames_and_read_urls_by_tag_id(client.get_tag_by_name("two").id)
    assert [row["fileName"] for row in rows] == world.kept["names"][1:3]
    assert [row["fileName"] for row in again] == world.kept["names"][1:3]
    content = (world.folder / rows[0]["fileName"]).read_bytes()
    assert read_bytes(rows[0]["readUrl"]) == content


@step("copy_selection", since=(2, 0))
def a_tag_is_copied_to_a_folder(world: World) -> None:
    folder, names = world.scratch / "copy", world.kept["names"][1:3]
    report = world.client.copy_selection(str(folder), tag_name="two", verbose=False)
    assert (report.n_copied, report.n_present, report.failures) == (2, 0, [])
    found = {path for path in folder.rglob("*") if path.is_file()}
    assert {folder / name for name in names} <= found
    for name in names:
        assert (folder / name).read_bytes() == (world.folder / name).read_bytes()
    again = world.client.copy_selection(str(folder), tag_name="two", verbose=False)
    assert (again.n_copied, again.n_present) == (0, 2)
    assert {path for path in folder.rglob("*") if path.is_file()} == found
