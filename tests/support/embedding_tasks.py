"""Tasks on embeddings, run in this process on a server's data without the server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import orjson
from numpy.typing import NDArray

from lightly._kit.ids import make_id
from lightly.server.auth.service import add_user
from lightly.server.datasets import repository as datasets
from lightly.server.embeddings import ingest_task
from lightly.server.embeddings import repository as embeddings
from lightly.server.embeddings.models import (
    Embedding,
    EmbeddingState,
    make_csv_key,
    make_vectors_key,
)
from lightly.server.embeddings.vectors import open_vectors
from lightly.server.jobs import repository as jobs
from lightly.server.jobs.models import Job, JobKind, NewJob
from lightly.server.jobs.outbox import add_job
from lightly.server.jobs.run_task import run_or_fail
from lightly.server.jobs.task import Task
from lightly.server.platform import PlatformState
from lightly.server.samples import repository as samples
from lightly.server.samples.models import NewSample, SampleContents
from lightly.server.settings import Settings
from lightly.server.startup import open_platform

_NO_CONTENTS = SampleContents(None, None, None, None, None, None, 0)


@dataclass(frozen=True)
class Bench:
    """A dataset with one embedding, and nothing that runs on its own.

    Attributes:
        platform: The parts of the server.
        user_id: The owner.
        dataset_key: Key of the dataset.
        dataset_id: Id of the dataset.
        embedding_id: Id of the embedding.
    """

    platform: PlatformState
    user_id: str
    dataset_key: int
    dataset_id: str
    embedding_id: str

    def put_csv(self, content: bytes) -> None:
        """Store a CSV as an upload does."""
        self.platform.blobs.put(make_csv_key(self.dataset_id, self.embedding_id), [content])

    def claim(self, kind: JobKind = JobKind.EMBEDDING) -> Task:
        """Add a job and begin an attempt at it."""
        wanted = NewJob(kind, self.user_id, self.dataset_id, {"embedding_id": self.embedding_id})
        token = make_id()
        with self.platform.database.write() as connection:
            job_id = add_job(connection, wanted, 0)
            job = jobs.claim_job(connection, job_id, token, 0)
        assert job is not None
        return Task(
            job_id=job.id,
            claim_token=token,
            user_id=job.user_id,
            dataset_id=job.dataset_id,
            input=orjson.loads(job.input_json),
            database=self.platform.database,
            blobs=self.platform.blobs,
            clock=self.platform.clock,
        )

    def run(self, task: Task, run: Callable[[Task], None] = ingest_task.run) -> Job:
        """Do a task and return how its job ended."""
        run_or_fail(task, run)
        return self.find_job(task.job_id)

    def ingest(self, content: bytes) -> Job:
        """Store a CSV, read it, and return how that ended."""
        self.put_csv(content)
        return self.run(self.claim())

    def find_job(self, job_id: str) -> Job:
        """Return a job."""
        with self.platform.database.read() as connection:
            job = jobs.find_job(connection, job_id)
        assert job is not None
        return job

    def find_embedding(self) -> Embedding:
        """Return the embedding."""
        with self.platform.database.read() as connection:
            found = embeddings.find_embedding(connection, self.dataset_key, self.embedding_id)
        assert found is not None
        return found

    def read_vectors(self) -> NDArray[np.float32]:
        """Return the vectors that were read last."""
        etag = str(self.find_embedding().source_etag)
        key = make_vectors_key(self.dataset_id, self.embedding_id, etag)
        return np.array(open_vectors(self.platform.blobs, key))

    def list_blobs(self) -> list[str]:
        """Return the names of all objects of the dataset."""
        keys = self.platform.blobs.list_keys(f"datasets/{self.dataset_id}/")
        return sorted(key.rsplit("/", 1)[1] for key in keys)


@contextmanager
def open_bench(data_dir: Path, database_url: str, names: list[str]) -> Iterator[Bench]:
    """Yield a dataset with samples of these names and an embedding that waits for its CSV."""
    platform = open_platform(replace(Settings(), data_dir=data_dir, database_url=database_url))
    try:
        yield make_bench(platform, names)
    finally:
        platform.database.close()


def make_bench(platform: PlatformState, names: list[str]) -> Bench:
    """Make a user, a dataset with samples, and an embedding that waits for its CSV."""
    dataset_id, embedding_id = make_id(), make_id()
    add_user(platform.database, platform.keys, platform.clock, f"{dataset_id}@example.com")
    with platform.database.write() as connection:
        user_id: str = connection.exec_driver_sql(
            "SELECT id FROM users ORDER BY created_at_ms DESC LIMIT 1"
        ).scalar_one()
        datasets.insert_dataset(
            connection,
            dataset_id=dataset_id,
            user_id=user_id,
            name=f"bench {dataset_id}",
            type_="Images",
            img_type=None,
            creator="UNKNOWN",
            parent_dataset_id=None,
            now_ms=0,
        )
        dataset = datasets.find_dataset(connection, dataset_id)
        assert dataset is not None
        new_samples = [NewSample(name, _NO_CONTENTS) for name in names]
        samples.append_samples(connection, dataset.key, 0, new_samples, 0)
        samples.update_counts(connection, dataset.key, 0, n_samples=len(names), size_bytes=0)
        state = EmbeddingState.WAITING.value
        embeddings.insert_embedding(
            connection, Embedding(embedding_id, dataset.key, "e", state, None, 0, 0, None, 0)
        )
    return Bench(platform, user_id, dataset.key, dataset_id, embedding_id)
