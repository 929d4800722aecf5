"""Reading columns, asking questions about them, and what lists of samples show."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from lightly._kit.bitmask import count_bits
from lightly.server.auth.users import User
from lightly.server.columns import wire
from lightly.server.columns.dataset_columns import N_BINS, ColumnInfo, ColumnInvalid, DatasetColumns
from lightly.server.columns.filtering import evaluate, load_material
from lightly.server.columns.projections import read_coordinates
from lightly.server.columns.requests import (
    MAX_DISTANCES,
    ColumnQueryRequest,
    SimilarityRequest,
)
from lightly.server.columns.similarity import measure_distances, order_by_distance
from lightly.server.columns.store import DatasetState
from lightly.server.datasets.access import load_dataset
from lightly.server.datasets.models import Action, Dataset
from lightly.server.embeddings.access import load_embedding
from lightly.server.embeddings.models import make_vectors_key
from lightly.server.errors import EmbeddingNotReady, ScoreUnknown
from lightly.server.platform import PlatformState
from lightly.server.samples.changes import read_revisions
from lightly.server.samples.models import SampleIdentity
from lightly.server.samples.service import load_sample
from lightly.server.selections.repository import find_reported
from lightly.server.tags import repository as tags_repository
from lightly.server.tags.masks import STORED, read_indices, read_mask, unpack
from lightly.server.tags.models import Tag
from lightly.server.tags.service import load_tag

_FOLDER = "columns"
_U8_MAX = 255


def find_state(platform: PlatformState, caller: User, dataset_id: str) -> tuple[Dataset, int]:
    """Return a dataset and the revision of its samples."""
    with platform.database.snapshot() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.READ)
        return dataset, sum(read_revisions(connection, dataset.key).values())


def open_columns(
    platform: PlatformState, caller: User, dataset_id: str
) -> tuple[Dataset, DatasetColumns]:
    """Return a dataset with its columns.

    Raises:
        ColumnsNotReady: If they are still being derived.
    """
    with platform.database.snapshot() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.READ)
        revisions = read_revisions(connection, dataset.key)
    state = DatasetState(dataset.id, dataset.key, dataset.n_samples, revisions)
    return dataset, platform.columns.open(platform.database, find_folder(platform), state)


def find_folder(platform: PlatformState) -> Path:
    """Return where this server keeps derived columns, in one folder per dataset."""
    return Path(platform.settings.data_dir, _FOLDER)


def write_info(info: ColumnInfo) -> dict[str, Any]:
    """Return the extension document's `ColumnInfo`."""
    body: dict[str, Any] = {"key": info.key, "kind": info.kind, "nPresent": info.n_present}
    if info.kind == "number":
        body |= {"min": info.minimum, "max": info.maximum, "nBins": N_BINS}
    if info.kind == "category":
        body["categories"] = [{"name": name, "count": count} for name, count in info.categories]
    return body


def write_metadata_column(columns: DatasetColumns, key: str) -> bytes:
    """Return a column of the metadata: numbers, or codes of categories."""
    info = columns.find(key)
    if info.kind == "text":
        raise ColumnInvalid(f"{ascii(key)[:80]} has too many different texts to be a column.")
    if info.kind == "number":
        return wire.write_values(columns.read_numbers(key).astype("<f4"), write_info(info))
    codes = columns.read_codes(key)
    if len(info.categories) < _U8_MAX:
        # The highest code means no value, in one byte as in two.
        codes = np.minimum(codes, _U8_MAX).astype(np.uint8)
    return wire.write_values(codes, write_info(info))


def write_tag(platform: PlatformState, caller: User, dataset_id: str, tag_id: str) -> bytes:
    """Return which samples a tag has."""
    with platform.database.read() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.READ)
        tag = load_tag(connection, dataset, tag_id)
    packed = read_mask(tag)
    return wire.write_packed_bits(packed, tag.tot_size, {"count": count_bits(packed)})


def write_tag_scores(
    platform: PlatformState, caller: User, dataset_id: str, tag_id: str, score_id: str
) -> bytes:
    """Return the scores of a tag's samples, NaN for all others."""
    with platform.database.read() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.READ)
        tag = load_tag(connection, dataset, tag_id)
        score = tags_repository.find_score(connection, tag.id, score_id)
        if score is None:
            raise ScoreUnknown
        packed = tags_repository.read_packed_scores(connection, score)
    scores = np.frombuffer(unpack(packed), dtype=STORED)
    indices = read_indices(tag)[: len(scores)]
    values = np.full(tag.tot_size, np.nan, dtype="<f4")
    values[indices] = scores[: len(indices)]
    present = scores[np.isfinite(scores)]
    tail = {"key": score.score_type, "kind": "number", "nPresent": len(present), "nBins": N_BINS}
    if len(present):
        tail |= {"min": float(present.min()), "max": float(present.max())}
    return wire.write_values(values, tail)


def write_projection(
    platform: PlatformState, caller: User, dataset_id: str, embedding_id: str, embedding2d_id: str
) -> bytes:
    """Return the coordinates of all samples on a map."""
    with platform.database.read() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.READ)
        found = read_coordinates(
            connection, dataset, embedding_id, embedding2d_id, dataset.n_samples
        )
    finite = np.isfinite(found).all(axis=0)
    tail: dict[str, Any] = {"nPresent": int(finite.sum())}
    if finite.any():
        x, y = found[0][finite], found[1][finite]
        tail["bounds"] = [float(each) for each in (x.min(), y.min(), x.max(), y.max())]
    return wire.write_values(found, tail)


def write_order(columns: DatasetColumns, key: str | None, *, descending: bool) -> bytes:
    """Return the indices of all samples in another order."""
    return wire.write_values(columns.sort(key, descending=descending), {})


def write_similar(
    platform: PlatformState,
    caller: User,
    dataset_id: str,
    embedding_id: str,
    body: SimilarityRequest,
) -> bytes:
    """Return the samples in the order of their distance to the nearest of some of them.

    Examples without a vector, such as samples that came after the embedding, tell nothing. Where no
    example has one, the order is that of the indices, and there are no distances.

    Raises:
        EmbeddingNotReady: If the embedding has not been read.
    """
    with platform.database.read() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.READ)
        embedding = load_embedding(connection, dataset, embedding_id)
        examples = np.unique([load_sample(connection, dataset, one).idx for one in body.sample_ids])
    if not embedding.is_ready:
        raise EmbeddingNotReady("The embedding has no vectors yet.")
    key = make_vectors_key(dataset.id, embedding.id, str(embedding.source_etag))
    vectors = platform.vectors.open(platform.blobs, key)[: dataset.n_samples]
    examples = examples[examples < len(vectors)]
    distances = measure_distances(vectors, examples)
    order = order_by_distance(distances, dataset.n_samples)[: body.limit]
    near = order[: min(MAX_DISTANCES, len(distances))]
    tail = {"nPresent": len(vectors), "distances": distances[near].tolist()}
    return wire.write_values(order, tail)


def query(
    platform: PlatformState, caller: User, dataset_id: str, body: ColumnQueryRequest
) -> bytes:
    """Return which samples meet some filters, and how the values of those are distributed."""
    with platform.database.read() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.READ)
        material = load_material(connection, dataset, body)
    _, columns = open_columns(platform, caller, dataset_id)
    result = evaluate(columns, material, body)
    tail: dict[str, Any] = {
        "count": int(result.mask.sum()),
        "revision": columns.revision,
        "histograms": result.histograms,
        "filters": [asdict(counts) for counts in result.filters],
    }
    if result.tag is not None:
        tail["tag"] = asdict(result.tag)
    return wire.write_bits(result.mask, tail)


def list_tags(platform: PlatformState, caller: User, dataset_id: str) -> list[dict[str, Any]]:
    """Return what a list of tags shows: the extension document's `TagSummary`."""
    with platform.database.read() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.READ)
        tag_ids = tags_repository.list_tag_ids(connection, dataset.key)
        tags = tags_repository.find_tags(connection, dataset.key, tag_ids)
        reported = find_reported(connection, dataset.key)
        scored = tags_repository.find_scored(connection, dataset.key)
    return [
        _write_summary(tag) | {"hasReport": tag.id in reported, "hasScores": tag.id in scored}
        for tag in tags
    ]


def _write_summary(tag: Tag) -> dict[str, Any]:
    optional = {
        "prevTagId": tag.prev_tag_id,
        "queryTagId": tag.query_tag_id,
        "preselectedTagId": tag.preselected_tag_id,
        "runId": tag.run_id,
    }
    return {
        "id": tag.id,
        "name": tag.name,
        "count": count_bits(read_mask(tag)),
        "totSize": tag.tot_size,
        "creator": tag.creator,
        "createdAt": tag.created_at_ms,
        "lastModifiedAt": tag.last_modified_at_ms,
    } | {name: value for name, value in optional.items() if value is not None}


def list_records(
    platform: PlatformState, caller: User, dataset_id: str, indices: list[int]
) -> list[SampleIdentity]:
    """Return index, id, file name and type of some samples, in the order of their indices.

    Indices that the dataset does not have are left out.
    """
    wanted = np.unique(np.asarray(indices, dtype=np.int64))
    with platform.database.read() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.READ)
        wanted = wanted[wanted < dataset.n_samples]
        if not len(wanted):
            return []
        return tags_repository.read_identities_at(connection, dataset.key, wanted)
