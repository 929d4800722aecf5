"""The task of `POST /ext/v1/datasets/{datasetId}/neighborhoods`."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from lightly._kit.ids import make_id
from lightly.selection import find_near_duplicates, score_outliers, suggest_near_distance
from lightly.server.embeddings.task_inputs import open_ready_vectors, require_embedding
from lightly.server.jobs.models import JobKind
from lightly.server.jobs.task import Task
from lightly.server.neighborhoods import repository
from lightly.server.neighborhoods.models import Neighborhood, NeighborhoodKind, pack_values
from lightly.server.samples.changes import note_scores
from lightly.server.selections.watch import JobWatch


def is_meant(task: Task) -> bool:
    """Tell whether a sampling job is one of ours."""
    return "neighborhood" in task.input


def run(task: Task) -> None:
    """Search, and store what was found."""
    kind = NeighborhoodKind(task.input["neighborhood"])
    parameters: dict[str, Any] = orjson.loads(task.input["parameters"])
    embedding, vectors = open_ready_vectors(task)
    watch = JobWatch(task)
    if kind is NeighborhoodKind.NEAR_DUPLICATES:
        values, summary = _group(vectors, parameters, watch)
    else:
        values, summary = _score(vectors, parameters, watch)
    with task.conclude() as conclusion:
        current = require_embedding(conclusion.connection, task)
        found = Neighborhood(
            id=make_id(),
            embedding_id=embedding.id,
            kind=kind.value,
            parameters_json=task.input["parameters"],
            source_etag=str(embedding.source_etag),
            created_at_ms=conclusion.now_ms,
            summary_json=orjson.dumps(summary).decode(),
            content=pack_values(values, kind),
        )
        # Of an earlier version of the embedding nobody would ever see anything.
        if current.source_etag == embedding.source_etag:
            repository.put_neighborhood(conclusion.connection, found)
            if kind is NeighborhoodKind.OUTLIERS:
                # They are a column like any other.
                note_scores(conclusion.connection, current.dataset_key)
        conclusion.result = {"type": JobKind.SAMPLING.value, "data": found.id}


def _group(
    vectors: NDArray[np.float32], parameters: dict[str, Any], watch: JobWatch
) -> tuple[NDArray[Any], dict[str, Any]]:
    max_distance = parameters["maxDistance"]
    if max_distance is None:
        max_distance = suggest_near_distance(vectors)
    found = find_near_duplicates(
        vectors,
        max_distance,
        rule="star" if parameters["rule"] == "STAR" else "transitive",
        progress=watch.begin("SEARCHING"),
    )
    summary = {
        "nSamples": len(vectors),
        "maxDistance": max_distance,
        "nGroups": found.n_groups,
        "nGrouped": found.n_grouped,
        "largest": found.largest,
    }
    return found.leaders, summary


def _score(
    vectors: NDArray[np.float32], parameters: dict[str, Any], watch: JobWatch
) -> tuple[NDArray[Any], dict[str, Any]]:
    found = score_outliers(
        vectors, n_neighbours=parameters["nNeighbors"], progress=watch.begin("SEARCHING")
    )
    return found.scores, {"nSamples": len(vectors), "nNeighborsUsed": found.n_neighbours}
