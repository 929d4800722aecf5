"""Active-learning scores of a tag's samples: one number per sample, in the samples' order."""

from __future__ import annotations

import numpy as np
import sqlalchemy as sa

from lightly._kit.bitmask import count_bits
from lightly._kit.ids import make_id
from lightly.openapi_generated.swagger_client.models.active_learning_score_create_request import (
    ActiveLearningScoreCreateRequest,
)
from lightly.server.auth.users import User
from lightly.server.datasets.access import load_dataset
from lightly.server.datasets.models import Action
from lightly.server.datasets.repository import lock_dataset
from lightly.server.errors import (
    MalformedRequest,
    ScoresCannotBeSet,
    ScoreUnknown,
    TagNoScoresAvailable,
)
from lightly.server.platform import PlatformState
from lightly.server.samples.changes import note_scores
from lightly.server.tags import repository
from lightly.server.tags.masks import STORED, pack, read_mask, unpack
from lightly.server.tags.models import Score
from lightly.server.tags.service import load_tag

ScoreArray = np.ndarray[tuple[int], np.dtype[np.float64]]

#: The contract has no limit, but the index over types does.
MAX_TYPE_CHARACTERS = 255


def read_scores(connection: sa.Connection, tag_id: str, score_type: str) -> ScoreArray:
    """Return the scores of one type.

    Args:
        connection: An open transaction.
        tag_id: A tag that was loaded for the caller.
        score_type: As uploaded.

    Returns:
        float64, one per sample that the tag had when they were uploaded, in index order. An upsize
        since then appends samples to the initial tag, so there may be fewer than samples now.

    Raises:
        TagNoScoresAvailable: If there are none of this type.
    """
    score = repository.find_score_by_type(connection, tag_id, score_type)
    if score is None:
        raise TagNoScoresAvailable(
            f"The tag has no scores of type '{score_type[:80]}'. Upload them first."
        )
    return _read_values(connection, score)


def _read_values(connection: sa.Connection, score: Score) -> ScoreArray:
    packed = repository.read_packed_scores(connection, score)
    return np.frombuffer(unpack(packed), dtype=STORED)


def put_scores(
    platform: PlatformState,
    caller: User,
    dataset_id: str,
    tag_id: str,
    body: ActiveLearningScoreCreateRequest,
) -> str:
    """Store scores, in the place of older ones of the same type; return their id.

    Raises:
        ScoresCannotBeSet: If there are not as many as the tag has samples.
    """
    if len(body.score_type) > MAX_TYPE_CHARACTERS:
        raise MalformedRequest(f"'scoreType' may have at most {MAX_TYPE_CHARACTERS} characters.")
    packed = pack(np.asarray(body.scores, dtype=STORED).tobytes())
    with platform.database.write() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.WRITE)
        lock_dataset(connection, dataset.key)
        tag = load_tag(connection, dataset, tag_id)
        expected = count_bits(read_mask(tag))
        if len(body.scores) != expected:
            raise ScoresCannotBeSet(
                f"The tag has {expected} samples, but {len(body.scores)} scores were sent."
            )
        note_scores(connection, dataset.key)
        known = repository.find_score_by_type(connection, tag.id, body.score_type)
        if known is not None:
            repository.replace_scores(connection, known.id, packed)
            return known.id
        score = Score(make_id(), tag.id, body.score_type, platform.clock.now_ms())
        repository.insert_score(connection, score, packed)
        return score.id


def list_scores(platform: PlatformState, caller: User, dataset_id: str, tag_id: str) -> list[Score]:
    """Return which scores a tag has.

    Raises:
        TagNoScoresAvailable: If it has none.
    """
    with platform.database.read() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.READ)
        tag = load_tag(connection, dataset, tag_id)
        scores = repository.list_scores(connection, tag.id)
    if not scores:
        raise TagNoScoresAvailable
    return scores


def get_scores(
    platform: PlatformState, caller: User, dataset_id: str, tag_id: str, score_id: str
) -> tuple[Score, ScoreArray]:
    """Return one score with its values."""
    with platform.database.read() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.READ)
        tag = load_tag(connection, dataset, tag_id)
        score = repository.find_score(connection, tag.id, score_id)
        if score is None:
            raise ScoreUnknown
        return score, _read_values(connection, score)
