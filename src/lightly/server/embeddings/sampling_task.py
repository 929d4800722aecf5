"""The task that selects samples and makes a tag of them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, overload

import numpy as np
import orjson
import sqlalchemy as sa
from numpy.typing import NDArray

from lightly.openapi_generated.swagger_client.models.tag_creator import TagCreator
from lightly.selection import Diversity, Random, SelectionResult, Strategy, Weights, select
from lightly.server.datasets.models import Dataset
from lightly.server.datasets.repository import find_dataset
from lightly.server.db.engine import Database
from lightly.server.embeddings.sampling_input import SamplingInput
from lightly.server.embeddings.task_inputs import open_ready_vectors
from lightly.server.jobs.crash_points import reach
from lightly.server.jobs.models import JobKind
from lightly.server.jobs.reports import make_report_key
from lightly.server.jobs.task import Task, TaskFailed
from lightly.server.samples.repository import read_file_names
from lightly.server.tags.masks import read_indices
from lightly.server.tags.models import NewTag, Tag
from lightly.server.tags.repository import find_tag
from lightly.server.tags.scores import read_scores
from lightly.server.tags.service import create_tag_in, find_initial_tag

IndexArray = NDArray[np.int64]

_NAMES_AT_ONCE = 10_000
#: The request has no seed. A fixed one keeps the promise that the same request picks the same.
_SEED = 0


@dataclass(frozen=True)
class Material:
    """What a selection works with.

    Attributes:
        dataset: The dataset.
        n_samples: How many samples its tags cover.
        candidates: Indices of the query tag, growing.
        preselected: Indices that are selected from the start, growing.
        scores: One per candidate at most; later candidates have none.
    """

    dataset: Dataset
    n_samples: int
    candidates: IndexArray
    preselected: IndexArray
    scores: NDArray[np.float64] | None


def run(task: Task) -> None:
    """Select, store the report, make the tag."""
    wanted = SamplingInput(**task.input)
    material = _load_material(task, wanted)
    result = select(
        n_samples=count_new_samples(wanted.n_samples, material),
        strategies=_make_strategies(task, wanted, material),
        preselected=material.preselected,
        candidates=material.candidates,
    )
    _write_report(task, wanted, result)
    reach("sampling.before_commit")
    picks = np.concatenate([material.preselected, result.indices])
    with task.conclude() as conclusion:
        dataset = _require_dataset(conclusion.connection, task)
        initial = find_initial_tag(conclusion.connection, dataset)
        new = NewTag(
            name=wanted.new_tag_name,
            mask=_make_mask(picks, material.n_samples),
            creator=TagCreator(f"SAMPLER_{wanted.method}").value,
            user_id=task.user_id,
            prev_tag_id=wanted.preselected_tag_id or initial.id,
            query_tag_id=wanted.query_tag_id,
            preselected_tag_id=wanted.preselected_tag_id,
            changes={"sampler": {"method": wanted.method}},
        )
        tag_id = create_tag_in(conclusion.connection, dataset, new, now_ms=conclusion.now_ms)
        conclusion.result = {"type": JobKind.SAMPLING.value, "data": tag_id}
    reach("sampling.after_commit")


def count_new_samples(n_samples: float | None, material: Material) -> int | None:
    """Return how many samples to add; None for all until another condition stops.

    The number that a request names counts preselected samples. A share is one of all samples of
    the query tag, computed in decimal, so that 0.1 of 10 is 1; it is at least one sample.
    """
    if n_samples is None:
        return None
    target = int(n_samples)
    if 0 < n_samples < 1:
        share = Decimal(repr(n_samples)) * len(material.candidates)
        target = max(1, math.floor(share))
    return max(0, target - len(material.preselected))


def _require_dataset(connection: sa.Connection, task: Task) -> Dataset:
    dataset = find_dataset(connection, task.dataset_id)
    if dataset is None:
        raise TaskFailed("The dataset was deleted.")
    return dataset


def _load_material(task: Task, wanted: SamplingInput) -> Material:
    with task.database.read() as connection:
        dataset = _require_dataset(connection, task)
        query_tag = find_tag(connection, dataset.key, wanted.query_tag_id)
        preselected_tag: Tag | None = None
        if wanted.preselected_tag_id is not None:
            preselected_tag = find_tag(connection, dataset.key, wanted.preselected_tag_id)
        if query_tag is None or (wanted.preselected_tag_id and preselected_tag is None):
            raise TaskFailed("The query tag or the preselected tag was deleted.")
        scores = None
        if wanted.score_type is not None:
            scores = read_scores(connection, query_tag.id, wanted.score_type)
    candidates = read_indices(query_tag)
    preselected = candidates[:0] if preselected_tag is None else read_indices(preselected_tag)
    if not np.isin(preselected, candidates, assume_unique=True).all():
        raise TaskFailed("The preselected tag must be a subset of the query tag.")
    return Material(dataset, query_tag.tot_size, candidates, preselected, scores)


def _make_strategies(task: Task, wanted: SamplingInput, material: Material) -> list[Strategy]:
    if wanted.method == "RANDOM":
        names = _FileNames(task.database, material.dataset.key, material.n_samples)
        return [Weights(Random(names, seed=_SEED))]
    strategies: list[Strategy] = []
    if wanted.method in {"CORESET", "CORAL"}:
        strategies.append(_make_diversity(task, wanted, material))
    if material.scores is not None:
        strategies.append(_make_weights(material, material.scores))
    return strategies


def _make_diversity(task: Task, wanted: SamplingInput, material: Material) -> Diversity:
    embedding, vectors = open_ready_vectors(task)
    if len(material.candidates) and material.candidates[-1] >= len(vectors):
        raise TaskFailed(
            f"The embedding '{embedding.name[:80]}' covers the first {len(vectors)} samples, but "
            f"the query tag has later ones. Upload embeddings of all {material.n_samples} samples."
        )
    # Samples that were added after the tags were sized are none of this selection's.
    return Diversity(vectors[: material.n_samples], min_distance=wanted.min_distance)


def _make_weights(material: Material, scores: NDArray[np.float64]) -> Weights:
    scored = material.candidates[: len(scores)]
    values = np.zeros(material.n_samples)
    values[scored] = scores[: len(scored)]
    is_missing = np.ones(material.n_samples, dtype=np.bool_)
    is_missing[scored] = False
    return Weights(values, missing=is_missing)


class _FileNames(Sequence[str]):
    """The file names of a dataset, read in pieces while they are iterated over."""

    def __init__(self, database: Database, dataset_key: int, n_samples: int) -> None:
        self._database = database
        self._dataset_key = dataset_key
        self._n_samples = n_samples

    def __len__(self) -> int:
        return self._n_samples

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...

    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(self._n_samples))]
        return self._read(index, index + 1)[0]

    def __iter__(self) -> Iterator[str]:
        for start in range(0, self._n_samples, _NAMES_AT_ONCE):
            yield from self._read(start, min(start + _NAMES_AT_ONCE, self._n_samples))

    def _read(self, start: int, stop: int) -> list[str]:
        with self._database.read() as connection:
            return read_file_names(connection, self._dataset_key, start, stop)


def _make_mask(indices: IndexArray, n_samples: int) -> bytes:
    bits = np.zeros(n_samples, dtype=np.bool_)
    bits[indices] = True
    return np.packbits(bits, bitorder="little").tobytes()


def _write_report(task: Task, wanted: SamplingInput, result: SelectionResult) -> None:
    """Store what the engine says about the selection, as JSON."""
    report = {"request": wanted.to_json(), **_to_json(result)}
    content = orjson.dumps(report, option=orjson.OPT_SERIALIZE_NUMPY, default=_write_unusual)
    task.blobs.put(make_report_key(task.dataset_id, task.job_id), [content])


def _to_json(value: object) -> dict[str, Any]:
    if not dataclasses.is_dataclass(value):
        raise TypeError(type(value).__name__)
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}


def _write_unusual(value: object) -> object:
    """Return what orjson can write in the place of what it cannot."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    return _to_json(value)
