"""Active-learning scores of a task: one number per sample of the dataset, in the samples' order."""

from __future__ import annotations

import numpy as np
import sqlalchemy as sa

from lightly._kit.ids import make_id
from lightly.openapi_generated.swagger_client.models.active_learning_score_create_request import (
    ActiveLearningScoreCreateRequest,
)
from lightly.server.auth.users import User
from lightly.server.datasets.access import load_dataset
from lightly.server.datasets.models import Action
from lightly.server.datasets.repository import lock_dataset
from lightly.server.db.prediction_tables import prediction_scores, prediction_tasks
from lightly.server.errors import MalformedRequest, ScoresCannotBeSet, ScoreUnknown
from lightly.server.platform import PlatformState
from lightly.server.predictions.models import PredictionScore
from lightly.server.predictions.service import load_task
from lightly.server.samples.changes import note_scores
from lightly.server.tags.masks import STORED, pack, unpack
from lightly.server.tags.scores import MAX_TYPE_CHARACTERS, ScoreArray

_COLUMNS = [
    prediction_scores.c.id,
    prediction_tasks.c.name,
    prediction_scores.c.score_type,
    prediction_scores.c.version_ms,
    prediction_scores.c.created_at_ms,
]
_WITH_TASK = prediction_scores.join(
    prediction_tasks, prediction_tasks.c.key == prediction_scores.c.task_key
)


def put_scores(
    platform: PlatformState,
    caller: User,
    dataset_id: str,
    task_name: str,
    body: ActiveLearningScoreCreateRequest,
    version_ms: int | None,
) -> str:
    """Store scores, in the place of older ones of the same task and type; return their id.

    Raises:
        PredictionTaskUnknown: If the dataset has no such task.
        ScoresCannotBeSet: If there are not as many as the dataset has samples.
    """
    if len(body.score_type) > MAX_TYPE_CHARACTERS:
        raise MalformedRequest(f"'scoreType' may have at most {MAX_TYPE_CHARACTERS} characters.")
    now_ms = platform.clock.now_ms()
    values = {
        "scores": pack(np.asarray(body.scores, dtype=STORED).tobytes()),
        "version_ms": now_ms if version_ms is None else version_ms,
    }
    with platform.database.write() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.WRITE)
        n_samples = lock_dataset(connection, dataset.key)
        task = load_task(connection, dataset, task_name)
        if len(body.scores) != n_samples:
            raise ScoresCannotBeSet(
                f"The dataset has {n_samples} samples, but {len(body.scores)} scores were sent."
            )
        note_scores(connection, dataset.key)
        known = _find_id(connection, task.key, body.score_type)
        if known is not None:
            connection.execute(
                sa.update(prediction_scores).where(prediction_scores.c.id == known).values(values)
            )
            return known
        score_id = make_id()
        connection.execute(
            sa.insert(prediction_scores).values(
                id=score_id,
                dataset_key=dataset.key,
                task_key=task.key,
                score_type=body.score_type,
                created_at_ms=now_ms,
                **values,
            )
        )
        return score_id


def _find_id(connection: sa.Connection, task_key: int, score_type: str) -> str | None:
    found: str | None = connection.execute(
        sa.select(prediction_scores.c.id).where(
            prediction_scores.c.task_key == task_key, prediction_scores.c.score_type == score_type
        )
    ).scalar()
    return found


def list_scores(platform: PlatformState, caller: User, dataset_id: str) -> list[PredictionScore]:
    """Return which scores a dataset has, oldest first."""
    with platform.database.read() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.READ)
        query = (
            sa.select(*_COLUMNS)
            .select_from(_WITH_TASK)
            .where(prediction_scores.c.dataset_key == dataset.key)
            .order_by(prediction_scores.c.created_at_ms, prediction_scores.c.id)
        )
        return [PredictionScore(*row) for row in connection.execute(query)]


def get_scores(
    platform: PlatformState, caller: User, dataset_id: str, score_id: str
) -> tuple[PredictionScore, ScoreArray]:
    """Return one score with its values."""
    with platform.database.read() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.READ)
        row = connection.execute(
            sa.select(*_COLUMNS, prediction_scores.c.scores)
            .select_from(_WITH_TASK)
            .where(
                prediction_scores.c.dataset_key == dataset.key, prediction_scores.c.id == score_id
            )
        ).one_or_none()
    if row is None:
        raise ScoreUnknown
    *columns, packed = row
    return PredictionScore(*columns), np.frombuffer(unpack(packed), dtype=STORED)
