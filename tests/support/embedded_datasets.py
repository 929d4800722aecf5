"""Datasets with embeddings, for tests of embeddings, selections and jobs."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import requests

from tests.support.contract import ContractClient
from tests.support.platforms import InProcessServer, ServerProcess, run_in_process
from tests.support.postgres import lend_databases

#: A loaded machine starts processes slowly.
JOB_TIMEOUT_S = 120.0


def write_csv(
    names: Sequence[str], vectors: Any, labels: Sequence[object] | None = None, end: str = "\n"
) -> bytes:
    """Return an embeddings CSV as clients write it."""
    rows = np.asarray(vectors, dtype=np.float32).tolist()
    header = ["filenames", *(f"embedding_{i}" for i in range(len(rows[0]))), "labels"]
    lines = [",".join(header)]
    for number, (name, row) in enumerate(zip(names, rows, strict=True)):
        label = 0 if labels is None else labels[number]
        lines.append(",".join([name, *map(repr, row), str(label)]))
    return (end.join(lines) + end).encode()


@contextmanager
def run_shared_server(request: pytest.FixtureRequest, folder: Path) -> Iterator[InProcessServer]:
    """Yield a server for a whole module, on the database that the fixture's parameter names.

    Tests that run jobs share one: the first job of a server takes seconds longer than the others.
    """
    with (
        lend_databases(request, is_migrated=True) as make_url,
        run_in_process(folder / "data", make_url(request.param)) as running,
    ):
        yield running


@dataclass(frozen=True)
class EmbeddedDataset:
    """A dataset with samples and an initial tag. Answers below `/v1` are held to the contract.

    Attributes:
        client: Calls as its owner.
        id: The dataset's id.
        names: The samples' file names, in sample order.
        initial_tag_id: The tag over all samples.
        put: Uploads bytes to a signed URL and returns the status.
    """

    client: ContractClient
    id: str
    names: list[str]
    initial_tag_id: str
    put: Callable[[str, bytes], int]

    @property
    def path(self) -> str:
        """Where the contract's operations on it are."""
        return f"/v1/datasets/{self.id}"

    def embedding_path(self, embedding_id: str) -> str:
        """Where the contract's operations on one of its embeddings are."""
        return f"{self.path}/embeddings/{embedding_id}"

    def begin_upload(self, name: str = "default") -> tuple[str, str]:
        """Make an embedding; return where its CSV goes, and its id."""
        response = self.client.get(f"{self.path}/embeddings/writeCSVUrl", params={"name": name})
        assert response.status_code == 200, response.text
        data = response.json()
        return data["signedWriteUrl"], data["embeddingId"]

    def upload_csv(self, content: bytes, name: str = "default") -> str:
        """Upload a CSV and return the embedding's id; it is read afterwards."""
        url, embedding_id = self.begin_upload(name)
        assert self.put(url, content) == 200
        return embedding_id

    def upload(self, vectors: Any, name: str = "default") -> str:
        """Upload vectors in sample order, wait until they are read, return the embedding's id."""
        embedding_id = self.upload_csv(write_csv(self.names, vectors), name)
        job = self.wait_for_jobs("EMBEDDING")[0]
        assert job["status"] == "FINISHED", job
        return embedding_id

    def list_embeddings(self, **headers: str) -> list[dict[str, Any]]:
        """Return all embeddings."""
        answer = self.client.get(f"{self.path}/embeddings", headers=headers)
        return cast("list[dict[str, Any]]", answer.json())

    def list_jobs(self, kind: str) -> list[dict[str, Any]]:
        """Return the dataset's jobs of a kind, newest first."""
        jobs = self.client.get("/v1/jobs").json()
        return [job for job in jobs if job["datasetId"] == self.id and job["jobType"] == kind]

    def wait_for_jobs(self, kind: str) -> list[dict[str, Any]]:
        """Wait until all of the dataset's jobs of a kind have ended; return how, newest first."""
        return [self.wait_for_job(job["id"]) for job in self.list_jobs(kind)]

    def wait_for_job(self, job_id: str) -> dict[str, Any]:
        """Wait until a job has ended and return how."""
        deadline = time.monotonic() + JOB_TIMEOUT_S
        while time.monotonic() < deadline:
            job: dict[str, Any] = self.client.get(f"/v1/jobs/{job_id}").json()
            if job["status"] in {"FINISHED", "FAILED"}:
                return job
            time.sleep(0.05)
        raise AssertionError(f"job {job_id} has not ended: {job}")

    def request_sampling(
        self, embedding_id: str, method: str = "CORESET", name: str = "picked", **more: Any
    ) -> Any:
        """Ask for a selection and return the answer.

        Args:
            embedding_id: The embedding.
            method: Of the contract.
            name: Of the new tag.
            **more: `nSamples` and `minDistance`, and other fields of the request.
        """
        condition = {key: more.pop(key) for key in ("nSamples", "minDistance") if key in more}
        body = {
            "newTagName": name,
            "method": method,
            "config": {"stoppingCondition": condition},
            **more,
        }
        return self.client.post(f"{self.embedding_path(embedding_id)}/sampling", json=body)

    def select(self, embedding_id: str, method: str = "CORESET", **more: Any) -> dict[str, Any]:
        """Run a selection and return its tag."""
        response = self.request_sampling(embedding_id, method, **more)
        assert response.status_code == 200, response.text
        job = self.wait_for_job(response.json()["jobId"])
        assert job["status"] == "FINISHED", job
        tag: dict[str, Any] = self.client.get(f"{self.path}/tags/{job['result']['data']}").json()
        return tag

    def add_tag(self, indices: Sequence[int], name: str) -> str:
        """Make a tag below the initial one and return its id."""
        body = {
            "name": name,
            "prevTagId": self.initial_tag_id,
            "bitMaskData": hex(sum(1 << index for index in indices)),
            "totSize": len(self.names),
        }
        response = self.client.post(f"{self.path}/tags", json=body)
        assert response.status_code == 201, response.text
        tag_id: str = response.json()["id"]
        return tag_id

    def put_scores(self, tag_id: str, score_type: str, scores: Sequence[float]) -> None:
        """Store scores of a tag."""
        body = {"scoreType": score_type, "scores": list(scores)}
        response = self.client.post(f"{self.path}/tags/{tag_id}/scores", json=body)
        assert response.status_code == 201, response.text


def read_tag(tag: dict[str, Any]) -> list[int]:
    """Return the indices of a tag's samples."""
    mask = int(tag["bitMaskData"], 16)
    return [index for index in range(mask.bit_length()) if mask >> index & 1]


def make_embedded_dataset(server: InProcessServer, n_samples: int = 6) -> EmbeddedDataset:
    """Create a dataset with samples and an initial tag, under a name of its own."""

    def put(url: str, content: bytes) -> int:
        return server.client.put(url, content=content).status_code

    return _make(ContractClient(cast("Any", server.client)), put, n_samples)


def make_remote_embedded_dataset(server: ServerProcess, n_samples: int = 6) -> EmbeddedDataset:
    """Do the same on a server process."""
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {server.token}"

    def put(url: str, content: bytes) -> int:
        return requests.put(url, data=content, timeout=60).status_code

    return _make(ContractClient(cast("Any", session), base_url=server.url), put, n_samples)


def _make(
    client: ContractClient, put: Callable[[str, bytes], int], n_samples: int
) -> EmbeddedDataset:
    body = {"name": f"birds {uuid.uuid4().hex}"}
    dataset_id = client.post("/v1/datasets", json=body).json()["id"]
    names = [f"folder/bird {number:05d}.jpg" for number in range(n_samples)]
    samples = {"samples": [{"fileName": name} for name in names]}
    client.post(f"/ext/v1/datasets/{dataset_id}/samples/bulk", json=samples)
    tag = client.post(f"/v1/datasets/{dataset_id}/tags/initial", json={"imgType": "meta"})
    return EmbeddedDataset(client, dataset_id, names, tag.json()["id"], put)
