"""Deleted datasets leave nothing behind, and only those."""

from __future__ import annotations

import sqlalchemy as sa

from lightly.server.columns.leftovers import remove_leftover_columns
from lightly.server.columns.service import find_folder
from lightly.server.datasets.purge import purge_deleted_datasets
from lightly.server.db import tables
from lightly.server.maintenance import Maintenance
from lightly.server.storage.blobs import make_sample_key

FAR_FUTURE_MS = 10**15


def count_rows(server) -> dict[str, int]:
    names = ("datasets", "samples", "sample_contents", "tags", "embeddings")
    with server.platform.database.read() as connection:
        return {
            name: connection.execute(
                sa.select(sa.func.count()).select_from(tables.metadata.tables[name])
            ).scalar_one()
            for name in names
        }


def fill_dataset(server, name: str) -> str:
    client = server.client
    dataset_id = client.post("/v1/datasets", json={"name": name}).json()["id"]
    sample = client.post(f"/v1/datasets/{dataset_id}/samples", json={"fileName": "a.jpg"}).json()
    client.post(f"/v1/datasets/{dataset_id}/tags/initial", json={"imgType": "meta"})
    server.platform.blobs.put(make_sample_key(dataset_id, sample["id"], "thumb"), [b"x"])
    return dataset_id


def list_blobs(server) -> list[str]:
    return list(server.platform.blobs.list_keys("datasets/"))


def test_a_purge_removes_deleted_datasets_and_leaves_others(server):
    kept = fill_dataset(server, "kept")
    before = count_rows(server)
    deleted = fill_dataset(server, "deleted")
    server.client.delete(f"/v1/datasets/{deleted}")

    platform = server.platform
    count = purge_deleted_datasets(platform.database, platform.blobs, FAR_FUTURE_MS)

    assert count == 1
    assert count_rows(server) == before
    assert all(kept in key for key in list_blobs(server))
    assert len(list_blobs(server)) == 1


def test_a_dataset_that_can_still_come_back_is_kept(server):
    deleted = fill_dataset(server, "deleted")
    server.client.delete(f"/v1/datasets/{deleted}")
    before = count_rows(server)

    platform = server.platform

    assert purge_deleted_datasets(platform.database, platform.blobs, 1) == 0
    assert count_rows(server) == before
    assert len(list_blobs(server)) == 1


def test_files_that_were_derived_from_purged_datasets_go_and_others_stay(sqlite_server):
    server, platform = sqlite_server, sqlite_server.platform
    kept, deleted = (fill_dataset(server, name) for name in ("kept", "deleted"))
    for dataset_id in (kept, deleted):
        answer = server.client.get(f"/ext/v1/datasets/{dataset_id}/columns")
        assert answer.status_code == 200, answer.text
    folder = find_folder(platform)
    server.client.delete(f"/v1/datasets/{deleted}")
    assert remove_leftover_columns(platform.database, folder) == 0

    purge_deleted_datasets(platform.database, platform.blobs, FAR_FUTURE_MS)
    Maintenance(platform).tidy_up()

    assert [found.name for found in folder.iterdir()] == [kept]
