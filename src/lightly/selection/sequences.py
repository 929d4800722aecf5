"""Selection of sequences: blocks of consecutive frames of a video that are selected as one."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lightly.selection.balance import Balance
from lightly.selection.class_mix import ClassTable
from lightly.selection.diversity import Diversity
from lightly.selection.embeddings import Float32Array, Float64Array, IndexArray
from lightly.selection.errors import InvalidSelectionInput
from lightly.selection.objects import Objects
from lightly.selection.random_numbers import Random
from lightly.selection.similarity import Similarity
from lightly.selection.strategy import Strategy
from lightly.selection.threshold import Threshold
from lightly.selection.typicality import Typicality
from lightly.selection.values import SampleValues, read_values
from lightly.selection.weights import Weights

_FRAMES_AT_ONCE = 16_384
_AnyStrategy = TypeVar("_AnyStrategy", bound=Strategy | Threshold)


@dataclass(frozen=True, eq=False)
class Sequences:
    """Blocks of frames.

    Attributes:
        frames: Positions of the frames of all blocks, one block after another.
        starts: Where each block begins in ``frames``; one more than there are blocks.
        n_frames: How many frames the input has, N.
    """

    frames: IndexArray
    starts: IndexArray
    n_frames: int

    def __len__(self) -> int:
        return len(self.starts) - 1

    def list_frames(self, blocks: ArrayLike) -> IndexArray:
        """Return the frames of blocks, in the order of the blocks."""
        chosen = np.asarray(blocks, dtype=np.int64)
        pieces = [self.frames[self.starts[b] : self.starts[b + 1]] for b in chosen]
        return np.concatenate([*pieces, np.empty(0, dtype=np.int64)]).astype(np.int64)

    def find_blocks(self) -> IndexArray:
        """Return the block of each frame of the input, -1 for frames that are in none."""
        blocks = np.full(self.n_frames, -1, dtype=np.int64)
        blocks[self.frames] = np.repeat(np.arange(len(self)), np.diff(self.starts))
        return blocks


def cut_sequences(
    videos: ArrayLike,
    frame_numbers: ArrayLike,
    length: int,
    *,
    candidates: ArrayLike | None = None,
    preselected: ArrayLike = (),
) -> tuple[Sequences, IndexArray]:
    """Cut the frames of each video into blocks of ``length`` that follow each other.

    What is left at the end of a video is dropped. Preselected frames make blocks of their own,
    incomplete ones too, since they are selected already. Blocks are in the order of the input.

    Args:
        videos: Number of each frame's video, shape ``[N]``; -1 for samples that are no frames.
        frame_numbers: Position of each frame in its video, shape ``[N]``.
        length: Frames per block.
        candidates: One flag per frame that may be selected; all if None.
        preselected: Positions of frames that are selected from the start.

    Returns:
        All blocks, those of preselected frames first, and the numbers of these.

    Raises:
        InvalidSelectionInput: If the length is below 1.

    Example:
        >>> blocks, _ = cut_sequences([0, 0, 0, 1, 1], [0, 1, 2, 0, 1], length=2)
        >>> blocks.list_frames([0, 1]).tolist()
        [0, 1, 3, 4]
    """
    if length < 1:
        raise InvalidSelectionInput(f"The sequence length must be at least 1. Got {length}.")
    video, number = np.asarray(videos), np.asarray(frame_numbers)
    is_free = np.ones(len(video), dtype=np.bool_)
    if candidates is not None:
        is_free = np.asarray(candidates, dtype=np.bool_).copy()
    is_chosen = np.zeros(len(video), dtype=np.bool_)
    is_chosen[np.asarray(preselected, dtype=np.int64)] = True
    is_frame = video >= 0
    chosen = _cut(video, number, is_chosen & is_frame, length, keeps_rest=True)
    offered = _cut(video, number, is_free & ~is_chosen & is_frame, length, keeps_rest=False)
    pieces = chosen + offered
    frames = np.concatenate([*pieces, np.empty(0, dtype=np.int64)]).astype(np.int64)
    starts = np.cumsum([0, *(len(piece) for piece in pieces)])
    return Sequences(frames, starts, len(video)), np.arange(len(chosen))


def group_strategies(
    strategies: Sequence[Strategy | Threshold], sequences: Sequences
) -> list[Strategy | Threshold]:
    """Return strategies on frames as strategies on blocks.

    A block has the mean of its frames' embeddings, the sum of their values and class shares, the
    mean of their values for THRESHOLD, the objects of all of them, and the random number of its
    first frame. Frames without a value count for nothing; a block of only such frames has none.

    Args:
        strategies: As for ``select``, over frames.
        sequences: The blocks.
    """
    return [_group(strategy, sequences) for strategy in strategies]


def _cut(
    video: NDArray[np.generic],
    number: NDArray[np.generic],
    is_wanted: NDArray[np.bool_],
    length: int,
    *,
    keeps_rest: bool,
) -> list[IndexArray]:
    """Return blocks of frames, ordered by their first frame's position."""
    wanted = np.flatnonzero(is_wanted)
    ordered = wanted[np.lexsort((number[wanted], video[wanted]))]
    bounds = np.flatnonzero(np.diff(video[ordered])) + 1
    blocks: list[IndexArray] = []
    for own in np.split(ordered, bounds):
        stop = len(own) if keeps_rest else len(own) - len(own) % length
        blocks += [own[start : start + length] for start in range(0, stop, length)]
    return sorted((block for block in blocks if len(block)), key=lambda block: int(block[0]))


def _group(strategy: _AnyStrategy, sequences: Sequences) -> Strategy | Threshold:
    if isinstance(strategy, (Diversity, Similarity, Typicality)):
        return dataclasses.replace(
            strategy, embeddings=_group_embeddings(strategy.embeddings, sequences)
        )
    if isinstance(strategy, Balance):
        table = ClassTable(strategy.classes, n_classes=strategy.n_classes, missing=strategy.missing)
        rows, missing = _add_up_classes(table, sequences)
        return dataclasses.replace(strategy, classes=rows, missing=missing, n_classes=None)
    if isinstance(strategy, (Weights, Threshold)):
        if isinstance(strategy.values, Random):
            drawn = strategy.values.draw()
            firsts = sequences.frames[sequences.starts[:-1]]
            return dataclasses.replace(strategy, values=drawn[firsts])
        values = read_values(strategy.values, strategy.missing, name=type(strategy).__name__)
        numbers, missing = _add_up_values(values, sequences)
        if isinstance(strategy, Threshold):
            counts = _count(~values.missing, sequences)
            numbers = numbers / np.maximum(counts, 1)
        return dataclasses.replace(strategy, values=numbers, missing=missing)
    raise InvalidSelectionInput(f"{type(strategy).__name__} cannot be used on sequences.")


def _group_embeddings(
    embeddings: ArrayLike | Objects, sequences: Sequences
) -> Float32Array | Objects:
    if not isinstance(embeddings, Objects):
        return _average_embeddings(np.asarray(embeddings), sequences)
    owners = sequences.find_blocks()[np.asarray(embeddings.owners, dtype=np.int64)]
    kept = np.flatnonzero(owners >= 0)
    rows = np.asarray(embeddings.embeddings)
    return Objects(rows[kept], owners=owners[kept], n_samples=len(sequences))


def _average_embeddings(rows: NDArray[np.generic], sequences: Sequences) -> Float32Array:
    """Return the float64 mean of each block's rows, rounded to float32 once."""
    counts = np.diff(sequences.starts)
    averages = np.empty((len(sequences), *rows.shape[1:]), dtype=np.float32)
    longest = int(counts.max(initial=1))
    step = max(1, _FRAMES_AT_ONCE // longest)
    for start in range(0, len(sequences), step):
        blocks = np.arange(start, min(start + step, len(sequences)))
        total = np.zeros((len(blocks), *rows.shape[1:]))
        for place in range(longest):
            # Frame by frame, so that sums do not depend on how many blocks there are.
            has_one = counts[blocks] > place
            frames = sequences.frames[sequences.starts[blocks[has_one]] + place]
            total[has_one] += rows[frames].astype(np.float32)
        averages[blocks] = total / counts[blocks].reshape(-1, *[1] * (rows.ndim - 1))
    return averages


def _add_up_values(
    values: SampleValues, sequences: Sequences
) -> tuple[Float64Array, NDArray[np.bool_]]:
    owners = np.repeat(np.arange(len(sequences)), np.diff(sequences.starts))
    sums = np.bincount(owners, weights=values.numbers[sequences.frames], minlength=len(sequences))
    return sums.astype(np.float64), _count(~values.missing, sequences) == 0


def _add_up_classes(
    table: ClassTable, sequences: Sequences
) -> tuple[Float64Array, NDArray[np.bool_]]:
    rows = np.zeros((len(sequences), table.n_classes))
    owners = np.repeat(np.arange(len(sequences)), np.diff(sequences.starts))
    for start in range(0, len(owners), _FRAMES_AT_ONCE):
        piece = slice(start, start + _FRAMES_AT_ONCE)
        np.add.at(rows, owners[piece], table.read(sequences.frames[piece]))
    return rows, _count(~table.missing, sequences) == 0


def _count(flags: NDArray[np.bool_], sequences: Sequences) -> IndexArray:
    """Return how many frames of each block are flagged."""
    owners = np.repeat(np.arange(len(sequences)), np.diff(sequences.starts))
    return np.bincount(owners[flags[sequences.frames]], minlength=len(sequences))
