"""Objects of samples: embeddings of parts, where whole samples are selected."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lightly.selection.embeddings import EmbeddingSpace, Float64Array, IndexArray
from lightly.selection.errors import InvalidSelectionInput
from lightly.selection.progress import Pulse
from lightly.selection.row_source import as_matrix


@dataclass(frozen=True, eq=False)
class Objects:
    """Embeddings of objects, to be used as embeddings of ``Diversity`` and the like.

    Samples are selected, each with all of its objects. A sample may have none.

    Args:
        embeddings: One row per object, shape ``[M, d]``, float32 at best; may be a memory map.
        owners: Position of each object's sample, shape ``[M]``, integers.
        n_samples: How many samples there are, N.

    Example:
        >>> from lightly.selection import Diversity, select
        >>> cars = Objects([[0.0], [9.0], [1.0]], owners=[0, 0, 1], n_samples=3)
        >>> select(n_samples=3, strategies=[Diversity(cars)]).indices
        array([0, 1, 2])
    """

    embeddings: ArrayLike
    owners: ArrayLike
    n_samples: int


@dataclass(frozen=True, kw_only=True, eq=False)
class PartValues:
    """What differs where samples are weighed by their objects.

    Attributes:
        added: What a selected sample adds to the sum, shape ``[N]``.
        is_empty: Where a sample has no objects, shape ``[N]``: its objective is 0, whatever the
            sum, so that it ranks last.
    """

    added: Float64Array
    is_empty: NDArray[np.bool_]


class ObjectTable:
    """Which objects each sample has.

    Args:
        objects: As given by the user.

    Raises:
        InvalidSelectionInput: If there is not one valid owner per object.
    """

    def __init__(self, objects: Objects) -> None:
        owners = _check_owners(objects)
        self._embeddings = objects.embeddings
        self.owners = owners
        self._order = np.argsort(owners, kind="stable")
        self.n_samples = objects.n_samples
        self._starts = np.searchsorted(owners[self._order], np.arange(objects.n_samples + 1))

    def count(self, samples: IndexArray) -> IndexArray:
        """Return how many objects each sample has."""
        counts: IndexArray = self._starts[samples + 1] - self._starts[samples]
        return counts

    def list_objects(self, samples: IndexArray) -> IndexArray:
        """Return the objects of the samples one after another, ascending within each sample."""
        return self._order[spread_ranges(self._starts[samples], self.count(samples))]

    def add_up(self, objects: IndexArray, values: Float64Array) -> PartValues:
        """Return what samples add to a sum of values of objects, which ascend within a sample."""
        # Counting with weights is sequential, unlike a sum, whose order numpy may choose.
        added = np.bincount(self.owners[objects], weights=values, minlength=self.n_samples)
        is_empty = self.count(np.arange(self.n_samples)) == 0
        return PartValues(added=added.astype(np.float64), is_empty=is_empty)

    def open_space(self, pulse: Pulse) -> EmbeddingSpace:
        """Return the space of all objects.

        Raises:
            InvalidSelectionInput: If a value is not usable; names the sample.
        """
        try:
            return EmbeddingSpace({"object embeddings": self._embeddings}, pulse=pulse)
        except InvalidSelectionInput as error:
            raise self.name_owner(error) from error

    def name_owner(self, error: InvalidSelectionInput) -> InvalidSelectionInput:
        """Return an error about an object as one about its sample."""
        row = error.context.get("sample")
        if not isinstance(row, int) or row >= len(self.owners):
            return error
        sample = int(self.owners[row])
        return InvalidSelectionInput(
            f"The embedding of object {row}, which belongs to sample {sample}, holds a value that "
            "is not a finite float32 number. Leave the object out or embed it again.",
            sample=sample,
        )


def count_samples(embeddings: ArrayLike | Objects) -> int:
    """Return how many samples embeddings are for."""
    return embeddings.n_samples if isinstance(embeddings, Objects) else len(as_matrix(embeddings))


def spread_ranges(starts: IndexArray, counts: IndexArray) -> IndexArray:
    """Return start, start + 1, ... for each pair of start and count, one after another.

    >>> spread_ranges(np.array([7, 2]), np.array([2, 3])).tolist()
    [7, 8, 2, 3, 4]
    """
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    spread: IndexArray = np.arange(total) + np.repeat(starts - (ends - counts), counts)
    return spread


def sum_objects(values: Float64Array, counts: IndexArray) -> Float64Array:
    """Return the sum of each sample's values; float64, over ascending objects."""
    groups = np.repeat(np.arange(len(counts)), counts)
    # Counting with weights is sequential, unlike a sum, whose order numpy may choose.
    return np.bincount(groups, weights=values, minlength=len(counts)).astype(np.float64)


def average_objects(values: Float64Array, counts: IndexArray) -> Float64Array:
    """Return the mean of each sample's values, 0 for samples without objects."""
    averages: Float64Array = sum_objects(values, counts) / np.maximum(counts, 1)
    return averages


def _check_owners(objects: Objects) -> IndexArray:
    owners = np.asarray(objects.owners)
    n_objects = len(np.asarray(objects.embeddings))
    if owners.shape != (n_objects,) or (n_objects and owners.dtype.kind not in "iu"):
        raise InvalidSelectionInput(
            f"The owners must be one integer per object, shape ({n_objects},). "
            f"Got shape {owners.shape} and dtype {owners.dtype}."
        )
    outside = np.flatnonzero((owners < 0) | (owners >= objects.n_samples))
    if outside.size:
        raise InvalidSelectionInput(
            f"The owner of object {outside[0]} must be a position from 0 to "
            f"{objects.n_samples - 1}. Got {int(owners[outside[0]])}."
        )
    return owners.astype(np.int64)
