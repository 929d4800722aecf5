"""Groups of samples that are almost the same."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from lightly.selection.blas import hold_blas_to_one_thread
from lightly.selection.embeddings import EmbeddingSpace, IndexArray
from lightly.selection.errors import InvalidSelectionInput
from lightly.selection.near_pairs import (
    BATCH_ROWS,
    BLOCK_ROWS,
    NearPairs,
    find_roots,
    join_pairs,
    open_near_pairs,
)
from lightly.selection.progress import Pulse, ReportProgress, ShouldCancel
from lightly.selection.samples import read_candidates
from lightly.selection.threads import count_threads, run_in_threads, use_threads

GroupRule = Literal["transitive", "star"]
_RULES = ("transitive", "star")
# Batches that one thread works on between two beats of progress.
_BATCHES_PER_BEAT = 8
# Samples that look for a centre among all earlier ones, and then among each other, at a time.
STAR_ROWS, _OWN_ROWS = 16_384, 512
_NOBODY = -1


@dataclass(frozen=True, kw_only=True, eq=False)
class NearDuplicates:
    """Groups of samples that are almost the same.

    Attributes:
        leaders: Per sample the first one of its group, itself where it is alone; -1 where it was
            not looked at. Shape ``[N]``, int64.
        max_distance: Pairs up to this distance are near-duplicates.
        rule: How pairs become groups.
    """

    leaders: IndexArray
    max_distance: float
    rule: GroupRule

    @cached_property
    def sizes(self) -> IndexArray:
        """Per sample how many its group has, itself included; 0 where it was not looked at."""
        looked_at = self.leaders >= 0
        counts = np.bincount(self.leaders[looked_at], minlength=len(self.leaders))
        sizes: IndexArray = np.where(looked_at, counts[self.leaders], 0)
        return sizes

    @property
    def n_groups(self) -> int:
        """Groups of two samples or more."""
        is_first = self.leaders == np.arange(len(self.leaders))
        return int(np.count_nonzero(is_first & (self.sizes > 1)))

    @property
    def n_grouped(self) -> int:
        """Samples that are in groups of two or more."""
        return int(np.count_nonzero(self.sizes > 1))

    @property
    def largest(self) -> int:
        """Samples of the largest group."""
        return int(self.sizes.max(initial=0))

    def list_groups(self, limit: int | None = None) -> list[IndexArray]:
        """Return positions of the members of each group of two or more, the largest first.

        Args:
            limit: Most groups to return.
        """
        members = np.flatnonzero(self.sizes > 1)
        order = np.lexsort((members, self.leaders[members], -self.sizes[members]))
        ordered = members[order]
        starts = np.flatnonzero(np.diff(self.leaders[ordered], prepend=-1))
        groups = np.split(ordered, starts[1:]) if len(starts) else []
        return groups[:limit]


def find_near_duplicates(
    embeddings: ArrayLike,
    max_distance: float,
    *,
    rule: GroupRule = "transitive",
    candidates: ArrayLike | None = None,
    threads: int | None = None,
    progress: ReportProgress | None = None,
    should_cancel: ShouldCancel | None = None,
) -> NearDuplicates:
    """Group samples whose Euclidean distance is at most ``max_distance``.

    With the rule ``transitive`` groups are the connected components of the graph of such pairs: who
    is near a member belongs to the group, so that the ends of a chain may be far apart. With
    ``star`` samples are taken in order: one that is near an earlier centre joins the first such
    centre, any other becomes a centre. So members are near their centre, and centres are not near
    each other.

    Distances are those of the defined arithmetic; groups do not depend on threads, memory layout or
    processor. All pairs are screened by 8-bit codes (or float32 products where codes do not help),
    those that are connected already are skipped.

    Cost: M^2 d / 2 multiply-adds of bytes for M candidates; for ``star`` at most that, M C d for C
    centres. Memory: a block of 65,536 samples as codes, d bytes each, 4 d more if the embeddings
    are not C-ordered float32, and 8 bytes per sample and thread.

    Args:
        embeddings: Shape ``[N, d]``, float32 at best; a memory map is read piece by piece.
        max_distance: At least 0; pairs at exactly this distance are near.
        rule: How pairs become groups.
        candidates: Positions, or one flag per sample, of those to look at; all if None.
        threads: How many to use for ``transitive``; by default what ``LIGHTLY_SELECTION_THREADS``
            says, or all cores.
        progress: Called every now and then with (samples done, samples to look at).
        should_cancel: Asked every now and then; True ends the work with ``SelectionCancelled``.

    Returns:
        The groups.

    Raises:
        InvalidSelectionInput: If a value breaks a rule, for example is not finite.

    Example:
        >>> import numpy as np
        >>> from lightly.selection import find_near_duplicates
        >>> line = np.array([[0.0], [9.0], [0.4], [0.8]], dtype=np.float32)
        >>> find_near_duplicates(line, 0.5).leaders
        array([0, 1, 0, 0])
        >>> find_near_duplicates(line, 0.5, rule="star").leaders
        array([0, 1, 0, 3])
    """
    if not math.isfinite(max_distance) or max_distance < 0:
        raise InvalidSelectionInput(
            f"The largest distance of near-duplicates must be a number >= 0. Got {max_distance!r}."
        )
    if rule not in _RULES:
        raise InvalidSelectionInput(
            f"The rule of groups must be 'transitive' or 'star'. Got {str(rule)[:40]!r}."
        )
    n_threads = count_threads(threads)
    pulse = Pulse(0, progress, should_cancel)
    space = EmbeddingSpace({"embeddings": embeddings}, pulse=Pulse(0, None, should_cancel))
    samples = read_candidates(candidates, space.n_rows)
    pulse.n_total = len(samples)
    with hold_blas_to_one_thread(), use_threads(n_threads):
        pairs = open_near_pairs(space, samples, float(max_distance))
        if rule == "star":
            first = _gather_stars(pairs, len(samples), pulse)
        else:
            first = _connect(pairs, len(samples), n_threads, pulse)
    pulse.beat()
    leaders = np.full(space.n_rows, -1)
    leaders[samples] = samples[first]
    return NearDuplicates(leaders=leaders, max_distance=float(max_distance), rule=rule)


def _connect(pairs: NearPairs, n_rows: int, n_lanes: int, pulse: Pulse) -> IndexArray:
    """Return the lowest sample that each is connected with.

    Every thread connects samples of its own batches in a forest of its own; in the end one joins
    what they found.
    """
    everyone = np.arange(n_rows)
    forests = [everyone.copy() for _ in range(n_lanes)]
    blocks = _cut(0, n_rows, BLOCK_ROWS)
    done, total = 0, sum(len(block) * block.stop for block in blocks)
    for block in blocks:
        pairs.lay_out(everyone[block.start : block.stop])
        batches_of_block = _cut(0, block.stop, BATCH_ROWS)
        step = n_lanes * _BATCHES_PER_BEAT
        for first in range(0, len(batches_of_block), step):
            pulse.beat()
            batches = batches_of_block[first : first + step]
            _join_in_threads(pairs, forests, batches)
            done += len(block) * sum(map(len, batches))
            pulse.n_picked = n_rows * done // total
    merged = forests[0] if forests else everyone
    for forest in forests[1:]:
        join_pairs(merged, everyone, find_roots(forest, everyone))
    return find_roots(merged, everyone)


def _join_in_threads(pairs: NearPairs, forests: list[IndexArray], batches: Sequence[range]) -> None:
    def join(lane: int) -> None:
        for batch in batches[lane :: len(forests)]:
            pairs.join(forests[lane], batch)

    run_in_threads(join, range(len(forests)))


def _gather_stars(pairs: NearPairs, n_rows: int, pulse: Pulse) -> IndexArray:
    """Return the centre of each sample."""
    centre = np.full(n_rows, _NOBODY)
    centres = np.empty(0, dtype=np.int64)
    for block in _cut(0, n_rows, STAR_ROWS):
        for chunk in _cut(0, len(centres), STAR_ROWS):
            pulse.beat()
            pairs.lay_out(centres[chunk.start : chunk.stop])
            _join_first(pairs, centre, block)
        own = np.empty(0, dtype=np.int64)
        for some in _cut(block.start, block.stop, _OWN_ROWS):
            pulse.beat()
            pairs.lay_out(own)
            _join_first(pairs, centre, some)
            left = some.start + np.flatnonzero(centre[some.start : some.stop] < 0)
            if len(left):
                centre[left] = pairs.find_own(left)
                own = np.concatenate([own, left[centre[left] == left]])
        centres = np.concatenate([centres, own])
        # The work grows with the square of what is done, if all samples become centres.
        pulse.n_picked = block.stop * block.stop // max(1, n_rows)
    return centre


def _join_first(pairs: NearPairs, centre: IndexArray, rows: range) -> None:
    """Let samples that have no centre join the first of the block that is near."""

    def join(batch: range) -> None:
        left = batch.start + np.flatnonzero(centre[batch.start : batch.stop] < 0)
        if len(left):
            centre[left] = pairs.find_first(left)

    run_in_threads(join, _cut(rows.start, rows.stop, BATCH_ROWS))


def _cut(first: int, last: int, step: int) -> list[range]:
    """Return consecutive ranges of up to ``step`` numbers."""
    return [range(start, min(start + step, last)) for start in range(first, last, step)]
