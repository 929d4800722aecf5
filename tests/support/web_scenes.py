"""A dataset of street scenes for tests of the web app: pictures, values, an embedding, scores."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import requests
from numpy.typing import NDArray

from lightly.api import ApiWorkflowClient
from tests.support.pictures import draw_folder
from tests.support.platforms import TOKEN, ServerProcess, run_process
from tests.support.sdk import connect_client

HEADERS = {"Authorization": f"Bearer {TOKEN}"}
_DIMENSION = 8


@dataclass(frozen=True)
class Scenes:
    """Street scenes in a running server, in the order of the dataset.

    Attributes:
        server: The server.
        client: Of the dataset.
        folder: Where its pictures lie.
        weather: `sun`, `rain` or `snow` of each sample.
        gain: High in the dark.
        times: `day` or `night` of each sample.
        vectors: Shape (n, 8), of the embedding.
        scores: Of the type `uncertainty_entropy`.
    """

    server: ServerProcess
    client: ApiWorkflowClient
    folder: Path
    weather: list[str]
    gain: NDArray[np.float64]
    times: list[str]
    vectors: NDArray[np.float32]
    scores: NDArray[np.float64]

    @property
    def url(self) -> str:
        """Where the app shows the dataset."""
        return f"/datasets/{self.client.dataset_id}"

    @property
    def environment(self) -> dict[str, str]:
        """What printed commands and programs read."""
        return {"LIGHTLY_SERVER_LOCATION": self.server.url, "LIGHTLY_TOKEN": TOKEN}

    def call(self, method: str, path: str, body: Any = None) -> requests.Response:
        """Call the server below `/v1/datasets/{datasetId}`, or below `/ext`."""
        base = path if path.startswith("/ext") else f"/v1/datasets/{self.client.dataset_id}{path}"
        url = f"{self.server.url}{base}"
        answer = requests.request(method, url, json=body, headers=HEADERS, timeout=60)
        answer.raise_for_status()
        return answer

    def make_tag(self, name: str, indices: list[int]) -> str:
        """Make a tag below the initial one and return its id."""
        initial = self.call("GET", "/tags").json()[0]
        body = {
            "name": name,
            "prevTagId": initial["id"],
            "bitMaskData": hex(sum(1 << index for index in indices)),
            "totSize": initial["totSize"],
        }
        return str(self.call("POST", "/tags", body).json()["id"])

    def read_tag(self, name: str) -> set[int]:
        """Return which samples a tag has."""
        tag = next(tag for tag in self.call("GET", "/tags").json() if tag["name"] == name)
        mask = int(tag["bitMaskData"], 16)
        return {index for index in range(tag["totSize"]) if mask >> index & 1}


@contextmanager
def show_scenes(folder: Path, count: int) -> Iterator[Scenes]:
    """Yield `count` street scenes in a server of their own."""
    pictures = folder / "pictures"
    names = draw_folder(pictures, count)
    generator = np.random.default_rng(0)
    weather = [["sun", "sun", "rain", "snow"][k % 4] for k in range(count)]
    times = ["day" if k % 3 else "night" for k in range(count)]
    gain = np.asarray([3.0 if time == "night" else 1.0 for time in times])
    gain += np.arange(count) / count
    metadata = {
        "images": [{"file_name": name, "id": k} for k, name in enumerate(names)],
        "metadata": [
            {"image_id": k, "weather": weather[k], "time": times[k], "gain": float(gain[k])}
            for k in range(count)
        ],
    }
    vectors = generator.normal(size=(count, _DIMENSION)).astype(np.float32)
    scores = generator.random(count)
    with run_process(folder / "data") as server:
        client = connect_client(server.url, TOKEN)
        client.create_dataset("street scenes")
        client.upload_dataset(str(pictures), mode="full", custom_metadata=metadata)
        assert client.get_filenames() == names
        _write_embeddings(folder / "embeddings.csv", names, vectors)
        client.upload_embeddings(str(folder / "embeddings.csv"), name="clusters")
        scenes = Scenes(server, client, pictures, weather, gain, times, vectors, scores)
        initial = scenes.call("GET", "/tags").json()[0]["id"]
        scored = {"scoreType": "uncertainty_entropy", "scores": scores.tolist()}
        scenes.call("POST", f"/tags/{initial}/scores", scored)
        yield scenes


def _write_embeddings(path: Path, names: list[str], vectors: NDArray[np.float32]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        header = [f"embedding_{number}" for number in range(vectors.shape[1])]
        writer.writerow(["filenames", *header, "labels"])
        for name, row in zip(names, vectors, strict=True):
            writer.writerow([name, *[repr(float(value)) for value in row], 0])
