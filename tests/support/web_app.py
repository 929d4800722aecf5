"""A dataset in a running server for the web app, and what every test of a page does."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import requests
from playwright.sync_api import Page, expect

from tests.support.browsers import SCRIPT
from tests.support.pictures import draw_folder
from tests.support.platforms import TOKEN, ServerProcess, run_process
from tests.support.sdk import connect_client

N_PICTURES = 48
#: What somebody might put everywhere to run a script.
#: Where the page says how many samples it shows.
COUNT = ".chips .count strong"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}


@dataclass(frozen=True)
class Shown:
    """A dataset in a running server.

    Attributes:
        server: The server.
        dataset_id: The dataset.
        names: Of its samples in order.
        coordinates: Shape (n, 2), of its map and of its embedding.
        input_mount: Folder of LOCAL datasources.
    """

    server: ServerProcess
    dataset_id: str
    names: list[str]
    coordinates: np.ndarray
    input_mount: Path

    @property
    def url(self) -> str:
        """Where the dataset's pages begin."""
        return f"/datasets/{self.dataset_id}"

    def api(self, path: str, prefix: str = "/v1") -> str:
        """Return the address of something of the dataset."""
        return f"{self.server.url}{prefix}/datasets/{self.dataset_id}{path}"

    def find_sample(self, position: int) -> str:
        """Return the id of a sample."""
        url = self.api("/samples/records", "/ext/v1")
        answer = requests.post(url, json={"indices": [position]}, headers=HEADERS, timeout=30)
        found: str = answer.json()[0][1]
        return found

    def post(self, path: str, body: Any, prefix: str = "/v1") -> Any:
        """Send something to the dataset and return the answer."""
        answer = requests.post(self.api(path, prefix), json=body, headers=HEADERS, timeout=30)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def get(self, path: str, prefix: str = "/v1") -> Any:
        """Read something of the dataset."""
        answer = requests.get(self.api(path, prefix), headers=HEADERS, timeout=30)
        answer.raise_for_status()
        return answer.json()


@contextmanager
def run_shown(folder: Path) -> Iterator[Shown]:
    """Yield a dataset with pictures, metadata and a map in a server of its own."""
    names = draw_folder(folder / "pictures", N_PICTURES)
    metadata = {
        "images": [{"file_name": name, "id": k} for k, name in enumerate(names)],
        "metadata": [
            {"image_id": k, "speed": k, "weather": ["sun", "rain", SCRIPT][k % 3]}
            for k in range(len(names))
        ],
    }
    (folder / "input").mkdir()
    mounts = {"LIGHTLY_SERVER_INPUT_MOUNT": str(folder / "input")}
    with run_process(folder / "data", **mounts) as server:
        client = connect_client(server.url, TOKEN)
        client.create_dataset("street scenes")
        client.upload_dataset(str(folder / "pictures"), mode="full", custom_metadata=metadata)
        uploaded = client.get_filenames()
        coordinates = add_map(server, client.dataset_id, uploaded)
        yield Shown(server, client.dataset_id, uploaded, coordinates, folder / "input")


def add_map(server: ServerProcess, dataset_id: str, names: list[str]) -> np.ndarray:
    """Give a dataset an embedding whose map is known: a ring."""
    angles = np.arange(len(names)) * 2 * math.pi / len(names)
    coordinates = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    rows = [f'"{name}",{x},{y},0' for name, (x, y) in zip(names, coordinates.tolist(), strict=True)]
    csv = "\n".join(["filenames,embedding_0,embedding_1,labels", *rows, ""])
    url = f"{server.url}/v1/datasets/{dataset_id}/embeddings"
    made = requests.get(f"{url}/writeCSVUrl?name=ring", headers=HEADERS, timeout=30).json()
    requests.put(made["signedWriteUrl"], data=csv.encode(), timeout=30).raise_for_status()
    projection = {
        "name": "ring",
        "dimensionalityReductionMethod": "UMAP",
        "coordinatesDimension1": coordinates[:, 0].tolist(),
        "coordinatesDimension2": coordinates[:, 1].tolist(),
    }
    deadline = time.monotonic() + 60
    while True:
        # The embedding has to be read first.
        answer = requests.post(
            f"{url}/{made['embeddingId']}/2d", json=projection, headers=HEADERS, timeout=30
        )
        listed = requests.get(url, headers=HEADERS, timeout=30).json()
        if answer.ok and listed[0]["isProcessed"]:
            return coordinates
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.25)


def wait_job(shown: Shown, job_id: str) -> None:
    """Wait until a job has finished."""
    deadline = time.monotonic() + 60
    while True:
        url = f"{shown.server.url}/v1/jobs/{job_id}"
        job = requests.get(url, headers=HEADERS, timeout=30).json()
        if job["status"] == "FINISHED":
            return
        assert job["status"] != "FAILED", job
        assert time.monotonic() < deadline, job
        time.sleep(0.2)


def count_shown(page: Page) -> int:
    """Return how many samples the explore page says it shows."""
    return int(page.locator(COUNT).inner_text().replace(",", ""))


def wait_count(page: Page, count: int) -> None:
    """Wait until the explore page says that it shows so many."""
    expect(page.locator(COUNT)).to_have_text(f"{count:,}", timeout=30_000)
