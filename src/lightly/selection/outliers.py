"""How far samples are from all others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from lightly.selection.blas import hold_blas_to_one_thread
from lightly.selection.embeddings import EmbeddingSpace, Float64Array, IndexArray
from lightly.selection.errors import InvalidSelectionInput
from lightly.selection.neighbours import find_neighbours
from lightly.selection.progress import Pulse, ReportProgress, ShouldCancel
from lightly.selection.samples import read_candidates
from lightly.selection.threads import count_threads, use_threads

DEFAULT_NEIGHBOURS = 10


@dataclass(frozen=True, kw_only=True, eq=False)
class OutlierScores:
    """How far samples are from all others.

    Attributes:
        scores: Per sample the mean distance to its nearest other samples; NaN where it was not
            looked at. Shape ``[N]``, float64.
        n_neighbours: How many other samples that is.
    """

    scores: Float64Array
    n_neighbours: int

    def rank(self, limit: int | None = None) -> IndexArray:
        """Return positions of samples, the highest score first, ties to the lowest position.

        Args:
            limit: Most positions to return.
        """
        rows = np.flatnonzero(~np.isnan(self.scores))
        order: IndexArray = rows[np.argsort(-self.scores[rows], kind="stable")]
        return order[:limit]


def score_outliers(
    embeddings: ArrayLike,
    *,
    n_neighbours: int = DEFAULT_NEIGHBOURS,
    candidates: ArrayLike | None = None,
    threads: int | None = None,
    progress: ReportProgress | None = None,
    should_cancel: ShouldCancel | None = None,
) -> OutlierScores:
    """Score samples by the mean Euclidean distance to their K nearest other samples.

    That is the weight of Angiulli & Pizzuti (2002), there the sum of the K distances. High scores
    are rare or broken samples; a group of more than K alike is none, however rare. Neighbours are
    exact, distances those of the defined arithmetic, sums over ascending distances.

    Cost: M^2 d multiply-adds for M candidates, of bytes where the processor has instructions for
    them, and a few exact evaluations per sample and neighbour. Memory: 3 d bytes per sample,
    4 d more if the embeddings are not C-ordered float32.

    Args:
        embeddings: Shape ``[N, d]``, float32 at best; may be a memory map.
        n_neighbours: K, at least 1; at most M - 1 are used.
        candidates: Positions, or one flag per sample, of those to look at; all if None.
        threads: How many to use; by default what ``LIGHTLY_SELECTION_THREADS`` says, or all cores.
        progress: Called every now and then with (samples done, samples to look at).
        should_cancel: Asked every now and then; True ends the work with ``SelectionCancelled``.

    Returns:
        The scores.

    Raises:
        InvalidSelectionInput: If a value breaks a rule, or there are fewer than two samples.

    Example:
        >>> import numpy as np
        >>> from lightly.selection import score_outliers
        >>> line = np.array([[0.0], [1.0], [2.0], [9.0]], dtype=np.float32)
        >>> score_outliers(line, n_neighbours=2).scores
        array([1.5, 1. , 1.5, 7.5])
    """
    if isinstance(n_neighbours, bool) or not isinstance(n_neighbours, (int, np.integer)):
        raise InvalidSelectionInput("The number of neighbours must be an integer of at least 1.")
    if n_neighbours < 1:
        raise InvalidSelectionInput(
            f"The number of neighbours must be an integer of at least 1. Got {n_neighbours}."
        )
    n_threads = count_threads(threads)
    pulse = Pulse(0, progress, should_cancel)
    space = EmbeddingSpace({"embeddings": embeddings}, pulse=Pulse(0, None, should_cancel))
    samples = read_candidates(candidates, space.n_rows)
    if len(samples) < 2:
        raise InvalidSelectionInput(
            "Outlier scores compare samples with each other: they need at least 2. "
            f"Got {len(samples)}."
        )
    n_used = min(int(n_neighbours), len(samples) - 1)
    pulse.n_total = len(samples)
    scores = np.full(space.n_rows, np.nan)
    with hold_blas_to_one_thread(), use_threads(n_threads):
        for tile in find_neighbours(space, samples, n_used, pulse):
            # Accumulating is sequential by definition; a sum's order would be numpy's choice.
            sums = np.add.accumulate(tile.distances, axis=1)[:, -1]
            scores[samples[tile.rows]] = sums / n_used
            pulse.n_picked += len(tile.rows)
    pulse.beat()
    return OutlierScores(scores=scores, n_neighbours=n_used)
