"""Embeddings."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

from battery.ledger import step
from battery.world import World, raises


def read_names(path: Path) -> list[str]:
    with path.open(newline="", encoding="utf-8") as file:
        return [row[0] for row in csv.reader(file)][1:]


@step("upload_embeddings")
def embeddings_are_uploaded(world: World) -> None:
    world.client.upload_embeddings(str(world.csv), "default")
    embedding = world.wait_for_embedding(world.client._dataset_id, "default")
    assert world.client.embedding_id == embedding["id"]
    world.kept["first_embedding"] = embedding["id"]


@step("set_embedding_id_by_name", until=(1, 1), ours=True)
def an_embedding_is_chosen_by_name(world: World) -> None:
    client = world.make_client(dataset_id=world.client._dataset_id)
    client.set_embedding_id_by_name("default")
    assert client.embedding_id == world.kept["first_embedding"]
    client.set_embedding_id_by_name()
    assert client.embedding_id == world.kept["first_embedding"]


@step("upload_embeddings", "set_embedding_id_to_latest", since=(1, 2))
def the_latest_embedding_is_found(world: World) -> None:
    world.client.upload_embeddings(str(world.csv), "second")
    world.wait_for_embedding(world.client._dataset_id, "second")
    second = world.client.embedding_id
    client = world.make_client(dataset_id=world.client._dataset_id)
    client.set_embedding_id_to_latest()
    assert client.embedding_id == second != world.kept["first_embedding"]


@step("get_embedding_by_name", since=(1, 2))
def an_embedding_is_found_by_the_start_of_its_name(world: World) -> None:
    client = world.client
    assert client.get_embedding_by_name("def").id == world.kept["first_embedding"]
    found = client.get_embedding_by_name("default", ignore_suffix=False)
    assert found.id == world.kept["first_embedding"]
    assert raises(Exception, client.get_embedding_by_name, "nothing") is not None


@step("get_all_embedding_data", "get_embedding_data_by_name", since=(1, 4))
def embeddings_are_listed(world: World) -> None:
    client = world.client
    assert [found.name for found in client.get_all_embedding_data()] == ["second", "default"]
    assert client.get_embedding_data_by_name("default").is_processed is True
    assert raises(ValueError, client.get_embedding_data_by_name, "def")


@step("download_embeddings_csv", "download_embeddings_csv_by_id", since=(1, 4))
def embeddings_are_downloaded(world: World) -> None:
    path, by_id = world.scratch / "latest.csv", world.scratch / "by-id.csv"
    world.client.download_embeddings_csv(str(path))
    world.client.download_embeddings_csv_by_id(world.kept["first_embedding"], str(by_id))
    assert read_names(path) == world.kept["names"]
    assert by_id.read_bytes() == path.read_bytes()


@step("append_embeddings")
def embeddings_are_appended_to_a_file(world: World) -> None:
    local = world.scratch / "local.csv"
    shutil.copy(world.csv, local)
    text = local.read_text("utf-8").replace(world.names[0], "new/picture.jpg")
    local.write_text(text, "utf-8")
    world.client.append_embeddings(str(local), world.kept["first_embedding"])
    assert sorted(read_names(local)) == sorted([*world.names, "new/picture.jpg"])
