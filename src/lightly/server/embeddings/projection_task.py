"""The task that makes a 2-D embedding."""

from __future__ import annotations

import os

from lightly._kit.ids import make_id
from lightly.server.embeddings import repository
from lightly.server.embeddings.coordinates import pack_coordinates
from lightly.server.embeddings.models import Projection, make_projection_name
from lightly.server.embeddings.projections import project
from lightly.server.embeddings.task_inputs import open_ready_vectors, require_embedding
from lightly.server.jobs.crash_points import reach
from lightly.server.jobs.models import JobKind
from lightly.server.jobs.task import Task

#: The lowest priority there is: requests and other jobs go first.
_NICENESS = 19


def run(task: Task) -> None:
    """Project an embedding and store the coordinates."""
    method: str = task.input["method"]
    if method != "PCA":
        os.nice(_NICENESS)
    embedding, vectors = open_ready_vectors(task)
    coordinates = project(vectors, method)
    reach("projection.before_commit")
    with task.conclude() as conclusion:
        current = require_embedding(conclusion.connection, task)
        projection = Projection(
            id=make_id(),
            embedding_id=embedding.id,
            name=make_projection_name(embedding.name),
            method=method,
            created_at_ms=conclusion.now_ms,
            coordinates=pack_coordinates(coordinates),
        )
        # A newer CSV that was read meanwhile has a projection of its own under way.
        if current.source_etag == embedding.source_etag:
            repository.put_projection(conclusion.connection, projection)
        conclusion.result = {"type": JobKind.EMBEDDINGS2D.value, "data": embedding.id}
