"""Asking for a selection, and reading what it has to say."""

from __future__ import annotations

from collections.abc import Iterator

import orjson
import sqlalchemy as sa

from lightly.server.auth.users import User
from lightly.server.datasets.access import load_dataset
from lightly.server.datasets.models import Action, Dataset
from lightly.server.datasets.repository import lock_dataset
from lightly.server.embeddings.access import choose_embedding, find_newest
from lightly.server.embeddings.arrival import require_reading
from lightly.server.embeddings.models import Embedding
from lightly.server.embeddings.sampling import (
    check_preselected,
    find_same,
    load_tags,
    make_key,
)
from lightly.server.errors import BadRequest, NotFound, TagNoScoresAvailable
from lightly.server.jobs.models import JobKind, NewJob
from lightly.server.jobs.outbox import add_job
from lightly.server.jobs.service import get_job
from lightly.server.platform import PlatformState
from lightly.server.selections import repository, requests
from lightly.server.selections.columns import cut_block, list_blocks
from lightly.server.selections.models import ColumnInfo, StoredReport
from lightly.server.selections.selection_input import SelectionInput
from lightly.server.tags.models import Tag
from lightly.server.tags.repository import list_scores
from lightly.server.tags.service import check_name, load_tag

#: Strategies that need a vector of every sample.
BY_DISTANCE = frozenset({"AUTO", "DIVERSITY", "TYPICALITY", "SIMILARITY", "REPRESENTATIVE"})


def request_selection(
    platform: PlatformState,
    caller: User,
    dataset_id: str,
    body: requests.SelectionCreateRequest,
) -> str:
    """Begin a selection and return the id of its job.

    The same request again gives the same job as long as that is under way or its tag exists.

    Raises:
        TagNameExists: If the new tag's name is taken, also by a selection under way.
        BadRequest: If the request contradicts itself or the data.
    """
    _check_consistency(body)
    with platform.database.write() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.WRITE)
        # Two requests for one name come one after the other.
        lock_dataset(connection, dataset.key)
        query_tag, preselected_tag = load_tags(
            connection, dataset, body.query_tag_id, body.preselected_tag_id
        )
        check_preselected(query_tag, preselected_tag)
        _check_data(connection, dataset, query_tag, body)
        embedding = _choose_embedding(connection, dataset, body)
        wanted = SelectionInput(
            selection=body.to_wire(),
            new_tag_name=body.new_tag_name,
            query_tag_id=query_tag.id,
            preselected_tag_id=preselected_tag.id if preselected_tag else None,
            embedding_id=embedding.id if embedding else None,
        )
        same = find_same(connection, dataset, wanted.new_tag_name, wanted.to_json())
        if same is not None:
            return same.id
        check_name(connection, dataset, wanted.new_tag_name)
        now_ms = platform.clock.now_ms()
        reading = None
        if embedding is not None and _needs_vectors(body):
            reading = require_reading(
                connection, platform.blobs, embedding, dataset.id, caller.id, now_ms
            )
        new_job = NewJob(
            kind=JobKind.SAMPLING,
            user_id=caller.id,
            dataset_id=dataset.id,
            input=wanted.to_json(),
            dedupe_key=make_key(dataset, wanted.new_tag_name),
            after_job_id=reading,
        )
        job_id = add_job(connection, new_job, now_ms)
    platform.jobs.notify()
    return job_id


def get_report(platform: PlatformState, caller: User, dataset_id: str, tag_id: str) -> StoredReport:
    """Return what the selection that made a tag has to say.

    Raises:
        NotFound: If the tag was not made by a selection of this server.
    """
    with platform.database.read() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.READ)
        tag = load_tag(connection, dataset, tag_id)
        report = repository.find_report(connection, tag.id)
    if report is None:
        raise NotFound("This tag has no report: only tags that a selection made have one.")
    return report


def get_report_of_job(platform: PlatformState, caller: User, job_id: str) -> StoredReport:
    """Return what a selection has to say by its job.

    Raises:
        NotFound: If the job is no selection, has not finished, or its tag was deleted.
    """
    job = get_job(platform, caller, job_id)
    with platform.database.read() as connection:
        report = repository.find_report_of_job(connection, job.id)
    if report is None:
        raise NotFound("This job has no report: only finished selections whose tag exists do.")
    return report


def find_column(report: StoredReport, name: str) -> ColumnInfo:
    """Return what a report says of a column. Raises `NotFound` if it has none of this name."""
    columns = (ColumnInfo(**one) for one in orjson.loads(report.report_json)["columns"])
    found = next((column for column in columns if column.name == name), None)
    if found is None:
        raise NotFound("The report has no such column. Its 'columns' name those that it has.")
    return found


def iterate_column(
    platform: PlatformState, report: StoredReport, column: ColumnInfo, start: int, stop: int
) -> Iterator[bytes]:
    """Yield the values between two places of a column, block by block.

    Each block is read in a transaction of its own; if the tag is deleted meanwhile, the rest is
    missing.
    """
    for block in list_blocks(start, stop):
        with platform.database.read() as connection:
            packed = repository.read_block(connection, report.tag_id, column.name, block)
        if packed is None:
            return
        yield cut_block(packed, column, block, start, stop)


def _needs_vectors(body: requests.SelectionCreateRequest) -> bool:
    return any(strategy.type in BY_DISTANCE for strategy in body.strategies)


def _check_consistency(body: requests.SelectionCreateRequest) -> None:
    if body.n_samples is not None and body.proportion_samples is not None:
        raise BadRequest("Give 'nSamples' or 'proportionSamples', not both.")
    types = [strategy.type for strategy in body.strategies if strategy.type != "THRESHOLD"]
    if "AUTO" in types and len(types) > 1:
        raise BadRequest("The strategy AUTO goes with THRESHOLD only: it does all else itself.")
    for strategy in body.strategies:
        _check_strategy(strategy)


def _check_strategy(strategy: requests.AnyStrategy) -> None:
    if isinstance(strategy, requests.WeightsStrategy | requests.ThresholdStrategy):
        has_one_source = (strategy.score_type is None) != (strategy.metadata_key is None)
        if not has_one_source:
            raise BadRequest(
                f"The strategy {strategy.type} takes either a 'scoreType' or a 'metadataKey'."
            )
        return
    if not isinstance(strategy, requests.BalanceStrategy):
        return
    if (strategy.distribution == "TARGET") != bool(strategy.target):
        raise BadRequest(
            "The strategy BALANCE takes a 'target' with the distribution TARGET, and none with the "
            "others."
        )


def _check_data(
    connection: sa.Connection,
    dataset: Dataset,
    query_tag: Tag,
    body: requests.SelectionCreateRequest,
) -> None:
    known = {score.score_type for score in list_scores(connection, query_tag.id)}
    for strategy in body.strategies:
        if isinstance(strategy, requests.SimilarityStrategy):
            load_tag(connection, dataset, strategy.tag_id)
        score_type = getattr(strategy, "score_type", None)
        if score_type is not None and score_type not in known:
            raise TagNoScoresAvailable(
                f"The tag '{query_tag.name[:80]}' has no scores of type '{score_type[:80]}'. "
                "Upload them first."
            )


def _choose_embedding(
    connection: sa.Connection, dataset: Dataset, body: requests.SelectionCreateRequest
) -> Embedding | None:
    """Return the embedding that is named, else the newest that was read, else the newest.

    Raises:
        EmbeddingNotReady: If a strategy needs one and there is none.
    """
    if body.embedding_id is not None or _needs_vectors(body):
        return choose_embedding(connection, dataset, body.embedding_id)
    newest = find_newest(connection, dataset)
    return newest if newest is not None and newest.is_ready else None
