"""Selecting among the embeddings of a file, in bounded memory, with check points."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from numpy.typing import ArrayLike

from lightly._kit.atomic_files import write_atomic
from lightly._kit.errors import BadInput
from lightly.data.large_selection.embedding_file import EmbeddingFile, EmbeddingFileInvalid
from lightly.data.large_selection.remaining_time import RemainingTime
from lightly.selection import (
    Diversity,
    InvalidSelectionInput,
    SelectionResult,
    SelectionState,
    select,
)

log = logging.getLogger("lightly.selection")

#: What the engine keeps per sample and per pick beside codes, and its buffers.
_BYTES_PER_SAMPLE, _BYTES_PER_PICK, _PICK_BYTES_PER_DIMENSION = 64, 64, 8
_BUFFER_BYTES = 64 << 20
#: Of the buffers: rows that were read lately. More of them helps up to the size of some pools.
_CACHE_BYTES, _MOST_CACHE_BYTES = 16 << 20, 256 << 20
#: Of the memory of the machine, where nothing else is said.
_MEMORY_SHARE = 0.5


@dataclass(frozen=True)
class Progress:
    """How far a selection is.

    Attributes:
        n_picked: Picks made.
        n_total: Picks aimed at; fewer may be made.
        remaining_s: Seconds that are left at the pace of late; None as long as nobody knows.
    """

    n_picked: int
    n_total: int
    remaining_s: float | None


@dataclass(frozen=True, eq=False)
class FileSelection:
    """What came of a selection.

    Attributes:
        result: Picks and report.
        n_resumed: Picks that came from a check point.
        n_lost_checkpoints: Check points that could not be written, for example on a full disk.
    """

    result: SelectionResult
    n_resumed: int
    n_lost_checkpoints: int


def select_from_file(
    embeddings: EmbeddingFile,
    n_samples: int | None,
    *,
    min_distance: float | None = None,
    preselected: ArrayLike = (),
    memory_bytes: int | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_interval_s: float = 60.0,
    threads: int | None = None,
    progress: Callable[[Progress], None] | None = None,
    should_cancel: Callable[[], bool] | None = None,
) -> FileSelection:
    """Choose samples far from each other, as ``Diversity``, from a file larger than memory.

    Picks are those that the same embeddings in memory give. A run that was killed at any moment
    goes on from its last check point when it is started again with the same arguments, and ends
    with the same picks.

    Cost: as ``Diversity``; the file is read twice, and again the rows that codes cannot decide
    on, or without codes all rows of pools. Memory: the
    Python process, 64 bytes per sample, 64 + 8 d per pick and 64 MB; codes of all samples, d bytes
    each, where ``memory_bytes`` allows for them.

    Args:
        embeddings: The file.
        n_samples: How many to pick; None for all that are ``min_distance`` apart.
        min_distance: The run stops when the next pick would be nearer than this.
        preselected: Positions that are selected from the start.
        memory_bytes: Most memory that the selection may take beside the Python process; half of
            the machine's if None.
        checkpoint: File to go on from and to write check points to; each replaces the one before
            as a whole. It stays when the run has ended.
        checkpoint_interval_s: Least time between two check points.
        threads: As of ``select``.
        progress: Called every now and then.
        should_cancel: Asked every now and then; True ends the run with ``SelectionCancelled``.

    Returns:
        The picks, and what became of check points.

    Raises:
        EmbeddingFileInvalid: If the file changes, ends early or holds a number that is not finite.
        InvalidSelectionInput: If the check point belongs to another file or other arguments.
        BadInput: If the memory is too little.
    """
    n_picks = len(embeddings) if n_samples in (None, -1) else min(int(n_samples), len(embeddings))
    _share_memory(embeddings, n_picks, memory_bytes)
    keeper = None if checkpoint is None else _CheckPoints(Path(checkpoint), checkpoint_interval_s)
    state = None if keeper is None else keeper.read()
    estimate = RemainingTime()

    def report(n_picked: int, n_total: int) -> None:
        if progress is not None:
            left_s = estimate.note(n_picked, n_total, now_s=time.monotonic())
            progress(Progress(n_picked, n_total, left_s))

    try:
        result = select(
            n_samples=n_samples,
            strategies=[Diversity(embeddings, min_distance=min_distance)],  # type: ignore[arg-type]  # reads like an array
            preselected=preselected,
            resume=state,
            threads=threads,
            progress=report,
            should_cancel=should_cancel,
            keep=keeper,
        )
        if keeper is not None:
            # The run's own way to its state has taken the fingerprint, which reads the file.
            keeper.write(keeper.save or result.save_state)
    except InvalidSelectionInput as error:
        raise _name_row(embeddings, error) from error
    return FileSelection(
        result=result,
        n_resumed=0 if state is None else len(state.indices),
        n_lost_checkpoints=0 if keeper is None else keeper.n_lost,
    )


class _CheckPoints:
    """The check point of a run, replaced every now and then."""

    def __init__(self, path: Path, interval_s: float) -> None:
        self._path, self._interval_s = path, interval_s
        self._written_s = time.monotonic()
        self.n_lost = 0
        self.save: Callable[[], SelectionState] | None = None

    def read(self) -> SelectionState | None:
        """Return the state that an earlier run left, if any."""
        try:
            return SelectionState.from_bytes(self._path.read_bytes())
        except FileNotFoundError:
            return None

    def __call__(self, save: Callable[[], SelectionState]) -> None:
        """Write a check point if it is time."""
        self.save = save
        if time.monotonic() - self._written_s >= self._interval_s:
            self.write(save)

    def write(self, save: Callable[[], SelectionState]) -> None:
        """Write a check point; if that fails, the one before stays and the run goes on."""
        content = save().to_bytes()
        try:
            write_atomic(self._path, content)
        except OSError as error:
            self.n_lost += 1
            log.warning("A check point cannot be written: %s. The last one stays.", error.strerror)
        self._written_s = time.monotonic()


def _share_memory(embeddings: EmbeddingFile, n_picks: int, memory_bytes: int | None) -> None:
    """Give what is left of the memory to codes, or else to rows that were read lately."""
    if memory_bytes is None:
        memory_bytes = int(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * _MEMORY_SHARE)
    per_pick = _BYTES_PER_PICK + _PICK_BYTES_PER_DIMENSION * embeddings.shape[1]
    needed = _BYTES_PER_SAMPLE * len(embeddings) + per_pick * n_picks + _BUFFER_BYTES
    if memory_bytes < needed:
        raise BadInput(
            f"Selecting {n_picks} of {len(embeddings)} samples of {embeddings.shape[1]} dimensions "
            f"takes at least {needed} bytes of memory; {memory_bytes} are allowed. Allow more, or "
            "select fewer samples."
        )
    embeddings.spare_bytes = spare = memory_bytes - needed
    # Where codes are kept, few rows are read twice: new memory would cost more than it saves.
    keeps_codes = len(embeddings) * embeddings.shape[1] <= spare
    embeddings.keep_rows(
        _CACHE_BYTES if keeps_codes else min(_CACHE_BYTES + spare, _MOST_CACHE_BYTES)
    )


def _name_row(embeddings: EmbeddingFile, error: InvalidSelectionInput) -> Exception:
    """Return an error about a sample as one about a row of the file."""
    row = error.context.get("sample")
    if not isinstance(row, int):
        return error
    return EmbeddingFileInvalid(
        f"Row {row} of the file {embeddings.name} holds a number that is not finite. Embed that "
        "sample again, or leave it out of the file."
    )
