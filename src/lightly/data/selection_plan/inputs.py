"""What a selection needs to know of a dataset, and who tells it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lightly.selection import Objects


@dataclass(frozen=True, eq=False)
class Column:
    """One number per sample.

    Attributes:
        values: Shape ``[N]``; anything where missing.
        missing: True where a sample has no number, shape ``[N]``.
    """

    values: NDArray[np.float64]
    missing: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class TaskPredictions:
    """Predictions of one task.

    Attributes:
        categories: Id and name of each category, in the order of the task's schema.
        samples: Position of a sample and its predictions in their wire form. Samples may be
            missing and may come in any order; it is read once.
    """

    categories: Sequence[tuple[int, str]]
    samples: Iterable[tuple[int, Sequence[Mapping[str, Any]]]]


class SelectionInputs(Protocol):
    """The data of a dataset, samples in their stable order.

    A method is called once per part of the configuration that needs it, and raises `BadInput` with
    a remedy if the dataset does not have what is asked for.
    """

    @property
    def n_samples(self) -> int:
        """How many samples there are, N."""

    def read_names(self) -> Sequence[str]:
        """Return the file name of each sample."""

    def open_embeddings(self) -> ArrayLike:
        """Return one embedding per sample, shape ``[N, d]``; may be a memory map."""

    def open_objects(self, task: str) -> Objects:
        """Return the embeddings of the objects that a task predicted."""

    def open_queries(self, dataset_id: str, tag_name: str) -> ArrayLike:
        """Return the embeddings of a tag's samples; of a crop dataset these are objects."""

    def read_scores(self, task: str, score: str) -> Column:
        """Return an active-learning score."""

    def read_metadata(self, key: str) -> Sequence[object]:
        """Return the decoded value of each sample at a key; None where there is none."""

    def read_predictions(self, task: str) -> TaskPredictions:
        """Return the predictions of a task."""
