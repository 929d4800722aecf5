"""Why each pick was made, and which pick stands for each sample that was left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from lightly.selection.blas import hold_blas_to_one_thread
from lightly.selection.embeddings import EmbeddingSpace, Float64Array, IndexArray
from lightly.selection.errors import InvalidSelectionInput
from lightly.selection.nearest_picks import find_nearest_picks
from lightly.selection.objects import Objects
from lightly.selection.progress import Pulse, ReportProgress, ShouldCancel
from lightly.selection.result import SelectionResult


@dataclass(frozen=True, kw_only=True, eq=False)
class SelectionExplanation:
    """A selection in terms of its samples.

    Attributes:
        indices: Positions of the picks, in pick order, shape ``[n]``.
        gains: How much each pick raised each strategy's objective, shape ``[n, strategies]``.
        earlier: Position of the nearest sample that was selected before each pick, preselected ones
            included, ties to the earliest; -1 for the very first. Shape ``[n]``.
        earlier_distances: Distance to it; infinite for the very first.
        nearest: Position of the nearest selected sample of every sample, ties to the earliest;
            a selected sample's is itself; -1 if nothing is selected. Shape ``[N]``.
        distances: Distance to it; infinite if nothing is selected.
    """

    indices: IndexArray
    gains: Float64Array
    earlier: IndexArray
    earlier_distances: Float64Array
    nearest: IndexArray
    distances: Float64Array


def explain_selection(
    result: SelectionResult,
    embeddings: ArrayLike | None = None,
    *,
    progress: ReportProgress | None = None,
    should_cancel: ShouldCancel | None = None,
) -> SelectionExplanation:
    """Explain every pick by the sample before it, and every sample left out by its nearest pick.

    Distances are those of the defined float64 arithmetic, as in the selection itself. Cost: N n d
    multiply-adds inside float32 products, n^2 d / 2 for the picks, and a few exact evaluations per
    sample. Memory beyond the result: 20 MB.

    Args:
        result: What ``select`` returned.
        embeddings: Shape ``[N, d]``, where distances are measured; those of the first DIVERSITY,
            TYPICALITY or SIMILARITY if None. May be a memory map.
        progress: Called every now and then with (samples explained, samples).
        should_cancel: Asked every now and then; True ends the work with ``SelectionCancelled``.

    Returns:
        Arrays over the picks and over all N samples.

    Raises:
        InvalidSelectionInput: If there are no embeddings, or not one per sample.

    Example:
        >>> line = np.array([[0.0], [1.0], [5.0], [7.0]], dtype=np.float32)
        >>> result = select(n_samples=2, strategies=[Diversity(line)])
        >>> explain_selection(result).nearest
        array([0, 0, 3, 3])
    """
    space = open_space(result, embeddings, Pulse(0, None, should_cancel))
    pulse = Pulse(space.n_rows, progress, should_cancel)
    with hold_blas_to_one_thread():
        earlier, earlier_distances = _explain_picks(space, result, pulse)
        nearest, distances = _explain_samples(space, result, pulse)
    pulse.beat()
    return SelectionExplanation(
        indices=result.indices,
        gains=result.gains,
        earlier=earlier,
        earlier_distances=earlier_distances,
        nearest=nearest,
        distances=distances,
    )


def measure_pick_distances(
    result: SelectionResult,
    embeddings: ArrayLike | None = None,
    *,
    progress: ReportProgress | None = None,
    should_cancel: ShouldCancel | None = None,
) -> Float64Array:
    """Return the distance of each pick to the nearest sample that was selected before it.

    DIVERSITY knows it from picking; after any other strategy it is measured here. Cost: n^2 d / 2
    multiply-adds inside float32 products, and a few exact evaluations per pick.

    Args:
        result: What ``select`` returned.
        embeddings: As for ``explain_selection``.
        progress: Called every now and then with (0, picks), and at the end.
        should_cancel: Asked every now and then; True ends the work with ``SelectionCancelled``.

    Returns:
        Shape ``[n]``; infinite for the very first.

    Raises:
        InvalidSelectionInput: If there are no embeddings, or not one per sample.

    Example:
        >>> line = np.array([[0.0], [1.0], [5.0]], dtype=np.float32)
        >>> result = select(n_samples=3, strategies=[Weights([3.0, 2.0, 1.0])])
        >>> measure_pick_distances(result, line)
        array([inf,  1.,  4.])
    """
    pulse = Pulse(len(result.indices), progress, should_cancel)
    space = open_space(result, embeddings, pulse)
    with hold_blas_to_one_thread():
        distances = _explain_picks(space, result, pulse)[1]
    pulse.n_picked = len(distances)
    pulse.beat()
    return distances


def open_space(
    result: SelectionResult, embeddings: ArrayLike | None, pulse: Pulse
) -> EmbeddingSpace:
    """Return the space to measure a selection in.

    Raises:
        InvalidSelectionInput: If there are no embeddings, or not one per sample.
    """
    strategies = result.source.strategies
    n_samples = strategies[0].n_samples
    if embeddings is None:
        given = (getattr(strategy, "embeddings", None) for strategy in strategies)
        usable = (rows for rows in given if rows is not None and not isinstance(rows, Objects))
        embeddings = next(usable, None)
    if embeddings is None:
        raise InvalidSelectionInput(
            "No strategy of this selection has one embedding per sample. Give the embeddings in "
            "which distances are to be measured."
        )
    space = EmbeddingSpace({"embeddings": embeddings}, pulse=pulse)
    if space.n_rows != n_samples:
        raise InvalidSelectionInput(
            f"The embeddings must be those of the {n_samples} samples of the selection. "
            f"Got {space.n_rows}."
        )
    return space


def _explain_picks(
    space: EmbeddingSpace, result: SelectionResult, pulse: Pulse
) -> tuple[IndexArray, Float64Array]:
    """Return the nearest earlier sample of each pick, and the distance to it."""
    selected = _list_selected(result)
    earlier, distances = (
        np.empty(len(result.indices), dtype=np.int64),
        np.empty(len(result.indices)),
    )
    n_before = len(selected) - len(result.indices)
    tiles = find_nearest_picks(
        space,
        result.indices,
        selected,
        limits=np.arange(n_before, len(selected)),
        pulse=pulse,
    )
    for tile in tiles:
        earlier[tile.rows] = np.where(tile.nearest < 0, -1, selected[tile.nearest])
        distances[tile.rows] = tile.distances[:, 0]
    return earlier, distances


def _explain_samples(
    space: EmbeddingSpace, result: SelectionResult, pulse: Pulse
) -> tuple[IndexArray, Float64Array]:
    """Return the nearest selected sample of every sample, and the distance to it."""
    selected = _list_selected(result)
    nearest, distances = np.full(space.n_rows, -1), np.full(space.n_rows, np.inf)
    if not len(selected):
        return nearest, distances
    for tile in find_nearest_picks(space, np.arange(space.n_rows), selected, pulse=pulse):
        nearest[tile.rows] = selected[tile.nearest]
        distances[tile.rows] = tile.distances[:, 0]
        pulse.n_picked = tile.rows.stop
    nearest[selected], distances[selected] = selected, 0.0
    return nearest, distances


def _list_selected(result: SelectionResult) -> IndexArray:
    return np.concatenate([result.source.preselected, result.indices])
