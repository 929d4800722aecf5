"""Sequences: frames of a video that follow each other and are selected together."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lightly._kit.atomic_files import write_atomic
from lightly.data.selection_plan.sequence_information import Frame, describe_sequences
from lightly.media.listing import parse_frame_name
from lightly.selection import Diversity, Sequences, cut_sequences, group_strategies
from lightly.worker.runs.candidates import Candidates


def cut_frames(
    names: Sequence[str], length: int, n_earlier: int
) -> tuple[Sequences, NDArray[np.int64]]:
    """Return the sequences of all samples, and the numbers of those that were selected before.

    No sequence leads over a gap: a frame that is corrupt or that the dataset has already ends one.

    Args:
        names: File names of all samples, video by video and ascending within each.
        length: Frames of a sequence.
        n_earlier: How many of the samples were selected in earlier runs; they come first.
    """
    videos: dict[str, int] = {}
    owners, numbers = np.empty(len(names), np.int64), np.empty(len(names), np.int64)
    for place, name in enumerate(names):
        video, numbers[place] = parse_frame_name(name)
        owners[place] = videos.setdefault(video, len(videos))
    follows = (np.diff(owners) == 0) & (np.diff(numbers) == 1)
    stretches = np.cumsum(np.concatenate([[0], ~follows])) if len(names) else owners
    return cut_sequences(stretches, numbers, length, preselected=np.arange(n_earlier))


def average_vectors(vectors: NDArray[np.float32], sequences: Sequences) -> NDArray[np.float32]:
    """Return the embedding of each sequence, as the selection has seen it."""
    (grouped,) = group_strategies([Diversity(vectors)], sequences)
    assert isinstance(grouped, Diversity)  # noqa: S101  what went in
    return np.asarray(grouped.embeddings, np.float32)


def write_sequence_information(
    path: Path,
    sequences: Sequences,
    chosen: NDArray[np.int64],
    candidates: Candidates,
    *,
    n_earlier: int,
) -> None:
    """Write which sequences were selected, in the form that clients download.

    Args:
        path: The JSON file.
        sequences: All of them.
        chosen: Numbers of the selected ones, in pick order.
        candidates: The frames; behind those of earlier runs in the sequences.
        n_earlier: How many these are.
    """
    picks = sequences.list_frames(chosen) - n_earlier
    frames = {}
    for position, record in candidates.iterate(picks, columns=("frame",)):
        place = record.frame
        assert place is not None  # noqa: S101  sequences are made of frames
        frames[n_earlier + position] = Frame(
            place.video, record.name, place.index, place.timestamp, place.timestamp_s
        )
    content = describe_sequences(sequences, chosen.tolist(), frames)
    write_atomic(path, json.dumps(content, indent=1).encode())
