"""What must hold of a dataset whatever happened while it was uploaded."""

from __future__ import annotations

import io
import re
import sqlite3
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from PIL import Image

from lightly._kit.bitmask import (
    fill_bitmask,
    format_bitmask,
    iterate_indices,
    parse_bitmask,
)
from tests.support.platforms import ServerProcess

#: What a log holds when the server, not the caller, is at fault.
_FAULT = re.compile(r"Traceback|\bERROR\b|\" 500 | 500 \d+\.\d ms")


@dataclass(frozen=True)
class RemoteDataset:
    """A dataset on a server process, looked at from outside.

    Attributes:
        server: The server.
        id: The dataset's id.
    """

    server: ServerProcess
    id: str

    def get(self, path: str, **parameters: object) -> Any:
        """Return the decoded answer to a GET below the dataset."""
        answer = call(self.server, "GET", f"/v1/datasets/{self.id}{path}", params=parameters)
        answer.raise_for_status()
        return answer.json()

    def list_names(self) -> list[str]:
        """Return the file names in sample order."""
        names: list[str] = self.get("/mappings", field="fileName")
        return names

    def read_stored(self, kind: str) -> str:
        """Return the bit mask of the samples whose files of a kind are in the store."""
        path = f"/ext/v1/datasets/{self.id}/samples/stored"
        mask: str = call(self.server, "GET", path, params={"kind": kind}).json()["bitMaskData"]
        return mask

    def read_file(self, sample_id: str, kind: str) -> bytes:
        """Return the image (`full`) or the `thumbnail` of a sample."""
        answer = requests.get(self.get(f"/samples/{sample_id}/readurl", type=kind), timeout=30)
        answer.raise_for_status()
        return answer.content


def await_condition(is_met: Callable[[], bool], timeout_s: float = 120.0) -> None:
    """Wait until something holds.

    Raises:
        TimeoutError: If it does not within the time.
    """
    deadline = time.monotonic() + timeout_s
    while not is_met():
        if time.monotonic() > deadline:
            raise TimeoutError(f"what was waited for did not happen within {timeout_s:.0f} s")
        time.sleep(0.01)


def call(server: ServerProcess, method: str, path: str, **options: Any) -> requests.Response:
    """Make one request as the administrator."""
    headers = {"Authorization": f"Bearer {server.token}"}
    return requests.request(method, server.url + path, headers=headers, timeout=60, **options)


def find_dataset(server: ServerProcess, name: str) -> RemoteDataset:
    """Return the one dataset of this name."""
    (row,) = call(server, "GET", f"/v1/datasets/query/name/{name}", params={"exact": True}).json()
    return RemoteDataset(server, row["id"])


def count_samples(server: ServerProcess) -> int:
    """Return how many samples are committed to SQLite, whether the server runs or not."""
    path = server.data_dir / "lightly.sqlite"
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        count: int = connection.execute("SELECT total(n_samples) FROM datasets").fetchone()[0]
    return count


def check_samples(dataset: RemoteDataset, names: Sequence[str]) -> None:
    """Assert that every name is there once, and that rows and counts agree."""
    listed, ids = dataset.list_names(), dataset.get("/mappings", field="_id")
    assert len(listed) == len(names)
    assert set(listed) == set(names)
    assert len(set(ids)) == len(names)
    assert dataset.get("")["nSamples"] == len(names)
    whole = dataset.get("/samples") if len(names) <= 5_000 else []
    assert [sample["fileName"] for sample in whole] == listed[: len(whole)]
    assert [sample["index"] for sample in whole] == list(range(len(whole)))
    assert all(sample["metaData"]["sizeInBytes"] > 0 for sample in whole)


def check_tag_covers_all(dataset: RemoteDataset, count: int) -> None:
    """Assert that there is an initial tag, it alone, over all samples."""
    (tag,) = dataset.get("/tags")
    assert (tag["name"], tag["totSize"]) == ("initial-tag", count)
    assert tag["bitMaskData"] == format_bitmask(fill_bitmask(count))


def check_files(
    dataset: RemoteDataset, folder: Path, mode: str, *, lacking: Collection[str] = ()
) -> None:
    """Assert that all files of a mode are in the store, whole, and no others.

    Args:
        dataset: The dataset.
        folder: Where its images came from.
        mode: How they were uploaded.
        lacking: Names that may be without their files; what is there must be whole all the same.
    """
    ids, names = dataset.get("/mappings", field="_id"), dataset.list_names()
    stored = {
        kind: set(iterate_indices(parse_bitmask(dataset.read_stored(kind), len(ids))))
        for kind in ("full", "thumb")
    }
    for index, (sample_id, name) in enumerate(zip(ids, names, strict=True)):
        for kind, is_wanted in (("full", mode == "full"), ("thumb", mode != "metadata")):
            assert (index in stored[kind]) == is_wanted or name in lacking, (kind, name)
        if index in stored["full"]:
            assert dataset.read_file(sample_id, "full") == (folder / name).read_bytes(), name
        if index in stored["thumb"]:
            with Image.open(io.BytesIO(dataset.read_file(sample_id, "thumbnail"))) as picture:
                assert picture.format == "WEBP"
                picture.load()


def check_log(server: ServerProcess) -> None:
    """Assert that the server never was at fault in its own eyes."""
    found = [line for line in server.read_log().splitlines() if _FAULT.search(line)]
    assert found == [], found[:5]


def check_integrity(server: ServerProcess) -> None:
    """Assert that the SQLite file is sound and that no sample has half of its rows."""
    with sqlite3.connect(f"file:{server.data_dir}/lightly.sqlite?mode=ro", uri=True) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        query = (
            "SELECT count(*) FROM samples FULL JOIN sample_contents USING (dataset_key, idx) "
            "WHERE samples.id IS NULL OR sample_contents.last_modified_at_ms IS NULL"
        )
        assert connection.execute(query).fetchone() == (0,)
    connection.close()
