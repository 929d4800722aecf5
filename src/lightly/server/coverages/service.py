"""Asking how far samples are from a tag, and reading it."""

from __future__ import annotations

import numpy as np

from lightly._kit.bitmask import count_bits
from lightly.server.auth.users import User
from lightly.server.columns import wire
from lightly.server.columns.dataset_columns import N_BINS
from lightly.server.coverages.keys import make_key, name_version
from lightly.server.coverages.requests import CoverageCreateRequest
from lightly.server.datasets.access import load_dataset
from lightly.server.datasets.models import Action
from lightly.server.embeddings.access import choose_embedding
from lightly.server.embeddings.arrival import require_reading
from lightly.server.embeddings.models import Embedding
from lightly.server.errors import BadRequest
from lightly.server.jobs.models import JobKind, NewJob
from lightly.server.jobs.outbox import add_job
from lightly.server.platform import PlatformState
from lightly.server.selections.carrying_out import EXPLAIN_BUDGET
from lightly.server.tags.masks import read_mask
from lightly.server.tags.models import Tag
from lightly.server.tags.service import load_tag


def request_coverage(
    platform: PlatformState,
    caller: User,
    dataset_id: str,
    tag_id: str,
    body: CoverageCreateRequest,
) -> str:
    """Begin to measure distances and return the id of the job.

    Raises:
        EmbeddingNotReady: If the dataset has no embedding.
        BadRequest: If the tag has no samples, or measuring would take minutes.
    """
    with platform.database.write() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.WRITE)
        tag = load_tag(connection, dataset, tag_id)
        embedding = choose_embedding(connection, dataset, body.embedding_id)
        _check_work(tag, embedding)
        now_ms = platform.clock.now_ms()
        reading = require_reading(
            connection, platform.blobs, embedding, dataset.id, caller.id, now_ms
        )
        new_job = NewJob(
            kind=JobKind.SAMPLING,
            user_id=caller.id,
            dataset_id=dataset.id,
            input={"embedding_id": embedding.id, "coverage_of": tag.id},
            after_job_id=reading,
        )
        job_id = add_job(connection, new_job, now_ms)
    platform.jobs.notify()
    return job_id


def write_column(
    platform: PlatformState, caller: User, dataset_id: str, tag_id: str, embedding_id: str | None
) -> bytes | None:
    """Return the distance of each sample to the nearest one of a tag, as a column.

    None as long as nobody has measured it for the tag and the embedding as they are now.
    """
    with platform.database.read() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.READ)
        tag = load_tag(connection, dataset, tag_id)
        embedding = choose_embedding(connection, dataset, embedding_id)
    version = name_version(read_mask(tag), str(embedding.source_etag))
    key = make_key(dataset.id, embedding.id, tag.id, version)
    if platform.blobs.head(key) is None:
        return None
    with platform.blobs.open(key) as file:
        values = np.frombuffer(file.read(), "<f4")
    # Samples that were added since have no vector.
    whole = np.full(dataset.n_samples, np.nan, "<f4")
    count = min(len(values), dataset.n_samples)
    whole[:count] = values[:count]
    tail = {"key": "coverage", "kind": "number", "nPresent": count, "nBins": N_BINS}
    if count:
        radius, mean = float(whole[:count].max()), float(whole[:count].mean(dtype=np.float64))
        tail |= {"min": float(whole[:count].min()), "max": radius, "mean": mean}
    return wire.write_values(whole, tail | {"embeddingId": embedding.id})


def _check_work(tag: Tag, embedding: Embedding) -> None:
    n_selected = count_bits(read_mask(tag))
    if n_selected == 0:
        raise BadRequest("The tag has no samples: nothing is near it.")
    work = tag.tot_size * n_selected * (embedding.dimension or 1)
    if work > EXPLAIN_BUDGET:
        raise BadRequest(
            f"Measuring {tag.tot_size} samples against {n_selected} would take minutes. Choose a "
            "smaller tag."
        )
