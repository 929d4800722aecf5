"""Asking for a selection within the tags of a dataset: everything is checked before any work."""

from __future__ import annotations

import math
from typing import Any

import orjson
import sqlalchemy as sa

from lightly._kit.bitmask import is_subset
from lightly.openapi_generated.swagger_client.models.sampling_create_request import (
    SamplingCreateRequest,
)
from lightly.openapi_generated.swagger_client.models.sampling_method import SamplingMethod
from lightly.server.auth.users import User
from lightly.server.datasets.access import load_dataset
from lightly.server.datasets.models import Action, Dataset
from lightly.server.datasets.repository import lock_dataset
from lightly.server.embeddings.access import load_embedding
from lightly.server.embeddings.arrival import require_reading
from lightly.server.embeddings.sampling_input import SamplingInput
from lightly.server.errors import (
    BadRequest,
    EmbeddingRowCountInvalid,
    PreselectedTagNotInDataset,
    QueryTagNotInDataset,
    TagInvalid,
    TagNameExists,
    TagNoScoresAvailable,
)
from lightly.server.jobs.models import Job, JobKind, JobStatus, NewJob
from lightly.server.jobs.outbox import add_job
from lightly.server.jobs.repository import drop_key, find_job_by_key
from lightly.server.platform import PlatformState
from lightly.server.tags.masks import read_mask
from lightly.server.tags.models import Tag
from lightly.server.tags.repository import find_tag, list_scores
from lightly.server.tags.service import check_name, find_initial_tag

#: What "not set" looks like in the numbers of a stopping condition.
_NOT_SET = -1
#: More samples than any dataset holds; integers beyond 64 bits could not be written as JSON.
_MOST_SAMPLES = 2.0**53
#: Methods that need vectors, and those that need scores.
_BY_DISTANCE = {SamplingMethod.CORESET, SamplingMethod.CORAL}
_BY_SCORE = {SamplingMethod.CORAL, SamplingMethod.ACTIVE_LEARNING}
#: The score that is taken when a request names none, as all published clients do, and the tag has
#: several: the one that compute workers take by default.
_PREFERRED_SCORE = "uncertainty_margin"


def request_sampling(
    platform: PlatformState,
    caller: User,
    dataset_id: str,
    embedding_id: str,
    body: SamplingCreateRequest,
) -> str:
    """Begin a selection and return the id of its job.

    The same request again gives the same job as long as that is under way or its tag exists.

    Raises:
        TagNameExists: If the new tag's name is taken, also by a selection under way.
        BadRequest: If the request contradicts itself or the data.
    """
    n_samples, min_distance = read_stopping_condition(body)
    with platform.database.write() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.WRITE)
        # Two requests for one name come one after the other.
        lock_dataset(connection, dataset.key)
        embedding = load_embedding(connection, dataset, embedding_id)
        query_tag, preselected_tag = load_tags(
            connection, dataset, body.query_tag_id, body.preselected_tag_id
        )
        _check_row_count(body, query_tag)
        check_preselected(query_tag, preselected_tag)
        wanted = SamplingInput(
            embedding_id=embedding.id,
            new_tag_name=body.new_tag_name,
            method=body.method.value,
            n_samples=n_samples,
            min_distance=min_distance,
            query_tag_id=query_tag.id,
            preselected_tag_id=preselected_tag.id if preselected_tag else None,
            score_type=_choose_score(connection, query_tag, body),
        )
        same = find_same(connection, dataset, wanted.new_tag_name, wanted.to_json())
        if same is not None:
            return same.id
        check_name(connection, dataset, wanted.new_tag_name)
        now_ms = platform.clock.now_ms()
        reading = None
        if body.method in _BY_DISTANCE:
            reading = require_reading(
                connection, platform.blobs, embedding, dataset.id, caller.id, now_ms
            )
        job_id = add_job(
            connection,
            NewJob(
                kind=JobKind.SAMPLING,
                user_id=caller.id,
                dataset_id=dataset.id,
                input=wanted.to_json(),
                dedupe_key=make_key(dataset, wanted.new_tag_name),
                after_job_id=reading,
            ),
            now_ms,
        )
    platform.jobs.notify()
    return job_id


def read_stopping_condition(body: SamplingCreateRequest) -> tuple[float | None, float | None]:
    """Return the number of samples and the minimum distance; None stands for no limit.

    Raises:
        BadRequest: If one of them has no meaning for the method.
    """
    condition = body.config.stopping_condition
    n_samples = _read_limit(None if condition is None else condition.n_samples)
    min_distance = _read_limit(None if condition is None else condition.min_distance)
    if n_samples is not None and not (0 < n_samples < 1 or _is_count(n_samples)):
        raise BadRequest(
            f"'nSamples' must be a whole number of at least 1, a share between 0 and 1, or -1 for "
            f"no limit, got {n_samples:.15g}."
        )
    if min_distance is not None and (min_distance < 0 or not math.isfinite(min_distance)):
        raise BadRequest(
            f"'minDistance' must be at least 0, or -1 for no limit, got {min_distance:.15g}."
        )
    if min_distance is not None and body.method not in _BY_DISTANCE:
        raise BadRequest(
            f"'minDistance' works with CORESET and CORAL, not with {body.method.value}. "
            "Leave it out or set it to -1."
        )
    return n_samples and min(n_samples, _MOST_SAMPLES), min_distance


def _read_limit(value: float | None) -> float | None:
    return None if value is None or value == _NOT_SET else value


def _is_count(value: float) -> bool:
    return value >= 1 and float(value).is_integer()


def load_tags(
    connection: sa.Connection,
    dataset: Dataset,
    query_tag_id: str | None,
    preselected_tag_id: str | None,
) -> tuple[Tag, Tag | None]:
    """Return the tag to pick from, the initial one if none is named, and the one to start with.

    Raises:
        QueryTagNotInDataset: If the dataset has no such tag; likewise `PreselectedTagNotInDataset`.
        TagMissing: If the dataset has no tag yet.
    """
    initial = find_initial_tag(connection, dataset)
    query_tag: Tag | None = initial
    if query_tag_id is not None:
        query_tag = find_tag(connection, dataset.key, query_tag_id)
    if query_tag is None:
        raise QueryTagNotInDataset
    if preselected_tag_id is None:
        return query_tag, None
    preselected = find_tag(connection, dataset.key, preselected_tag_id)
    if preselected is None:
        raise PreselectedTagNotInDataset
    return query_tag, preselected


def _check_row_count(body: SamplingCreateRequest, query_tag: Tag) -> None:
    """Refuse a client whose idea of the dataset's size is another one."""
    if body.row_count is not None and body.row_count != query_tag.tot_size:
        raise EmbeddingRowCountInvalid(
            f"'rowCount' is {body.row_count:.15g}, but the tags of the dataset cover "
            f"{query_tag.tot_size} samples. Read the tags again."
        )


def check_preselected(query_tag: Tag, preselected_tag: Tag | None) -> None:
    """Raise `TagInvalid` unless a selection from one tag can start with the other."""
    if preselected_tag is None:
        return
    if not is_subset(read_mask(preselected_tag), read_mask(query_tag)):
        raise TagInvalid(
            f"The preselected tag '{preselected_tag.name[:80]}' has samples that the query tag "
            f"'{query_tag.name[:80]}' does not have. It must be a subset of it."
        )


def _choose_score(
    connection: sa.Connection, query_tag: Tag, body: SamplingCreateRequest
) -> str | None:
    if body.method not in _BY_SCORE:
        return None
    types = [score.score_type for score in list_scores(connection, query_tag.id)]
    if body.score_type is not None:
        if body.score_type not in types:
            raise TagNoScoresAvailable(
                f"The tag '{query_tag.name[:80]}' has no scores of type "
                f"'{body.score_type[:80]}'. Upload them first."
            )
        return body.score_type
    if not types:
        raise TagNoScoresAvailable(
            f"{body.method.value} needs scores of the tag '{query_tag.name[:80]}'. "
            "Upload them first."
        )
    if len(types) == 1:
        return str(types[0])
    if _PREFERRED_SCORE in types:
        return _PREFERRED_SCORE
    shown = ", ".join(str(name)[:40] for name in types[:5])
    raise BadRequest(
        f"The tag '{query_tag.name[:80]}' has several kinds of scores ({shown}). Name one with "
        "'scoreType' or upload only one."
    )


def make_key(dataset: Dataset, new_tag_name: str) -> str:
    """Return what no two jobs have in common: one selection at a time makes the tag of a name."""
    return f"sample:{dataset.id}:{new_tag_name}"


def find_same(
    connection: sa.Connection, dataset: Dataset, new_tag_name: str, wanted: dict[str, Any]
) -> Job | None:
    """Return the job of the very same request.

    Args:
        connection: An open write transaction.
        dataset: Locked.
        new_tag_name: Name of the tag that the selection is to make.
        wanted: The job's input.

    Raises:
        TagNameExists: If another selection has the name.
    """
    job = find_job_by_key(connection, make_key(dataset, new_tag_name))
    if job is None:
        return None
    if job.status == JobStatus.FINISHED:
        tag_id = orjson.loads(job.result_json or "{}").get("data", "")
        if find_tag(connection, dataset.key, tag_id) is None:
            # Its tag was deleted or renamed away: the name is free for a new selection.
            drop_key(connection, job.id)
            return None
    if orjson.loads(job.input_json) != orjson.loads(orjson.dumps(wanted)):
        raise TagNameExists
    return job
