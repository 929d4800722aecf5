"""Asking for neighborhoods, and reading them."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson

from lightly.server.auth.users import User
from lightly.server.columns import wire
from lightly.server.columns.dataset_columns import N_BINS
from lightly.server.datasets.access import load_dataset
from lightly.server.datasets.models import Action
from lightly.server.embeddings.access import choose_embedding
from lightly.server.embeddings.arrival import require_reading
from lightly.server.errors import NotFound
from lightly.server.jobs.models import JobKind, NewJob
from lightly.server.jobs.outbox import add_job
from lightly.server.neighborhoods import repository
from lightly.server.neighborhoods.models import NO_LEADER, Neighborhood, NeighborhoodKind
from lightly.server.neighborhoods.requests import NeighborhoodCreateRequest
from lightly.server.platform import PlatformState


def request_neighborhood(
    platform: PlatformState, caller: User, dataset_id: str, body: NeighborhoodCreateRequest
) -> str:
    """Begin a search and return the id of its job.

    The same request on the same version of an embedding gives the same job.

    Raises:
        EmbeddingNotReady: If the dataset has no embedding.
    """
    parameters = orjson.dumps(body.list_parameters(), option=orjson.OPT_SORT_KEYS).decode()
    with platform.database.write() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.WRITE)
        embedding = choose_embedding(connection, dataset, body.embedding_id)
        now_ms = platform.clock.now_ms()
        reading = require_reading(
            connection, platform.blobs, embedding, dataset.id, caller.id, now_ms
        )
        # While a new version is being read nobody knows its name yet: each request is a job then.
        key = f"neighborhood:{embedding.id}:{body.search.type}:{parameters}:{embedding.source_etag}"
        new_job = NewJob(
            kind=JobKind.SAMPLING,
            user_id=caller.id,
            dataset_id=dataset.id,
            input={
                "embedding_id": embedding.id,
                "neighborhood": body.search.type,
                "parameters": parameters,
            },
            dedupe_key=key if reading is None else None,
            after_job_id=reading,
        )
        job_id = add_job(connection, new_job, now_ms)
    platform.jobs.notify()
    return job_id


def list_neighborhoods(
    platform: PlatformState, caller: User, dataset_id: str
) -> list[dict[str, Any]]:
    """Return the extension document's `Neighborhood`s of a dataset, the newest first."""
    with platform.database.read() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.READ)
        found = repository.list_neighborhoods(connection, dataset.key)
    return [_describe(one) for one in found]


def write_column(
    platform: PlatformState, caller: User, dataset_id: str, neighborhood_id: str
) -> bytes:
    """Return the values of a neighborhood, one per sample of the dataset.

    Raises:
        NotFound: If the dataset has none of this id, or its embedding has changed since.
    """
    with platform.database.read() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.READ)
        found = repository.find_neighborhood(connection, dataset.key, neighborhood_id)
    if found is None:
        raise NotFound("The dataset has no such neighborhood, or its embedding has changed since.")
    values, tail = found.read_values(), _describe(found)
    is_groups = found.kind == NeighborhoodKind.NEAR_DUPLICATES
    missing = NO_LEADER if is_groups else np.nan
    # Samples that were added since have no vector, and so no value.
    whole = np.full(dataset.n_samples, missing, dtype=values.dtype)
    count = min(len(values), dataset.n_samples)
    whole[:count] = values[:count]
    if not is_groups:
        tail |= {"key": "outliers", "kind": "number", "nPresent": count, "nBins": N_BINS}
        if count:
            tail |= {"min": float(whole[:count].min()), "max": float(whole[:count].max())}
    return wire.write_values(whole, tail)


def _describe(found: Neighborhood) -> dict[str, Any]:
    return {
        "id": found.id,
        "embeddingId": found.embedding_id,
        "createdAt": found.created_at_ms,
        "type": found.kind,
        **orjson.loads(found.parameters_json),
        **orjson.loads(found.summary_json),
    }
