"""Scores of active learning, as values to filter, sort and colour by.

`lightly.score.TASK.TYPE` are scores of a prediction task, `lightly.tagScore.TAG.TYPE` those of the
samples of a tag.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from lightly.server.db.engine import Database
from lightly.server.db.prediction_tables import prediction_scores, prediction_tasks
from lightly.server.db.tables import tag_scores, tags
from lightly.server.tags.masks import STORED, read_indices, unpack
from lightly.server.tags.repository import find_tag

TASK_PREFIX = "lightly.score."
TAG_PREFIX = "lightly.tagScore."
#: More are left out: each takes eight bytes per sample.
MAX_SCORES = 50
_MAX_KEY_CHARACTERS = 200

FloatArray = NDArray[np.float64]
ReadValues = Callable[[], FloatArray]


def find_score_values(
    database: Database, dataset_key: int, n_samples: int
) -> dict[str, ReadValues]:
    """Return what reads each kind of score of a dataset, by key."""
    with database.read() as connection:
        of_tasks = connection.execute(
            sa.select(
                prediction_tasks.c.name, prediction_scores.c.score_type, prediction_scores.c.id
            )
            .join(prediction_tasks, prediction_tasks.c.key == prediction_scores.c.task_key)
            .where(prediction_scores.c.dataset_key == dataset_key)
            .order_by(prediction_scores.c.created_at_ms, prediction_scores.c.id)
            .limit(MAX_SCORES)
        ).all()
        of_tags = connection.execute(
            sa.select(tags.c.name, tag_scores.c.score_type, tag_scores.c.id, tags.c.id)
            .join(tags, tags.c.id == tag_scores.c.tag_id)
            .where(tags.c.dataset_key == dataset_key)
            .order_by(tag_scores.c.created_at_ms, tag_scores.c.id)
            .limit(MAX_SCORES)
        ).all()
    found: dict[str, ReadValues] = {}
    for name, type_, score_id in of_tasks:
        found[f"{TASK_PREFIX}{name}.{type_}"] = partial(
            _read_of_task, database, dataset_key, score_id, n_samples
        )
    for name, type_, score_id, tag_id in of_tags:
        found[f"{TAG_PREFIX}{name}.{type_}"] = partial(
            _read_of_tag, database, dataset_key, score_id, tag_id, n_samples
        )
    return {key: read for key, read in found.items() if len(key) <= _MAX_KEY_CHARACTERS}


def _read_of_task(
    database: Database, dataset_key: int, score_id: str, n_samples: int
) -> FloatArray:
    query = sa.select(prediction_scores.c.scores).where(
        prediction_scores.c.id == score_id, prediction_scores.c.dataset_key == dataset_key
    )
    with database.read() as connection:
        packed = connection.execute(query).scalar()
    scores = np.array([]) if packed is None else np.frombuffer(unpack(packed), STORED)
    return _spread(np.arange(len(scores)), scores, n_samples)


def _read_of_tag(
    database: Database, dataset_key: int, score_id: str, tag_id: str, n_samples: int
) -> FloatArray:
    query = sa.select(tag_scores.c.scores).where(
        tag_scores.c.id == score_id, tag_scores.c.tag_id == tag_id
    )
    with database.read() as connection:
        packed = connection.execute(query).scalar()
        tag = find_tag(connection, dataset_key, tag_id)
    if packed is None or tag is None:
        return np.full(n_samples, np.nan)
    return _spread(read_indices(tag), np.frombuffer(unpack(packed), STORED), n_samples)


def _spread(indices: NDArray[np.int64], scores: NDArray[np.float64], n_samples: int) -> FloatArray:
    """Return a number per sample: there may be samples without score, added since."""
    count = min(len(indices), len(scores))
    indices, scores = indices[:count], scores[:count]
    values = np.full(n_samples, np.nan)
    is_there = indices < n_samples
    values[indices[is_there]] = scores[is_there]
    values[~np.isfinite(values)] = np.nan
    return values
