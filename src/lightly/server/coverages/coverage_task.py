"""The task of `POST /ext/v1/datasets/{datasetId}/tags/{tagId}/coverage`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lightly.selection import Diversity, explain_selection, select
from lightly.server.coverages.keys import make_folder, make_key, name_version, read_tag_id
from lightly.server.embeddings.task_inputs import open_ready_vectors
from lightly.server.jobs.models import JobKind
from lightly.server.jobs.task import Task, TaskFailed
from lightly.server.selections.material import require_dataset
from lightly.server.selections.watch import JobWatch
from lightly.server.tags.masks import read_indices, read_mask
from lightly.server.tags.models import Tag
from lightly.server.tags.repository import find_tag, list_tag_ids


def is_meant(task: Task) -> bool:
    """Tell whether a sampling job is one of ours."""
    return "coverage_of" in task.input


def run(task: Task) -> None:
    """Measure, and keep what was measured in place of what was measured of the tag before."""
    tag = _require_tag(task)
    embedding, vectors = open_ready_vectors(task)
    distances = measure_distances(vectors[: tag.tot_size], read_indices(tag), JobWatch(task))
    version = name_version(read_mask(tag), str(embedding.source_etag))
    key = make_key(task.dataset_id, embedding.id, tag.id, version)
    task.blobs.put(key, [distances.astype("<f4").tobytes()])
    _forget_others(task, embedding.id, tag.id, key)
    with task.conclude() as conclusion:
        conclusion.result = {"type": JobKind.SAMPLING.value, "data": tag.id}


def measure_distances(
    vectors: NDArray[np.float32], chosen: NDArray[np.int64], watch: JobWatch
) -> NDArray[np.float64]:
    """Return the distance of each sample to the nearest chosen one, shape `[n]`.

    Raises:
        TaskFailed: If a chosen sample has no vector.
    """
    if not len(chosen) or chosen[-1] >= len(vectors):
        raise TaskFailed("The tag has no samples, or some that the embedding does not cover.")
    # A selection that begins with these and picks none: distances are those of its report.
    result = select(n_samples=0, strategies=[Diversity(vectors)], preselected=chosen)
    found = explain_selection(result, vectors, progress=watch.begin("MEASURING"))
    return found.distances


def _require_tag(task: Task) -> Tag:
    with task.database.read() as connection:
        dataset = require_dataset(connection, task)
        tag = find_tag(connection, dataset.key, task.input["coverage_of"])
    if tag is None:
        raise TaskFailed("The tag was deleted.")
    return tag


def _forget_others(task: Task, embedding_id: str, tag_id: str, kept: str) -> None:
    """Remove earlier versions, and what was measured of tags that are no more."""
    with task.database.read() as connection:
        dataset = require_dataset(connection, task)
        known = set(list_tag_ids(connection, dataset.key)) - {tag_id}
    for key in list(task.blobs.list_keys(make_folder(task.dataset_id, embedding_id))):
        if key != kept and read_tag_id(key) not in known:
            task.blobs.delete(key)
