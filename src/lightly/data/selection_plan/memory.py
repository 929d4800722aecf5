"""How much memory a selection takes, told before it begins: one that does not fit is refused.

A process that runs out of memory is ended by the system, without a reason for whoever waits. What a
strategy takes is in docs/reference/selection.md, section Cost. Embeddings themselves do not count:
they are read from disk piece by piece.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lightly._kit.errors import BadInput
from lightly.selection import (
    Balance,
    Objects,
    Similarity,
    Strategy,
    Threshold,
    Typicality,
)

#: Pieces that are worked on, tiles and tables of the engine, whatever the sizes.
BUFFER_BYTES = 128 << 20
#: Beside codes, per sample and per pick.
_SAMPLE_BYTES = 64
_PICK_BYTES_PER_DIMENSION = 8
_NEIGHBOUR_BYTES = 8
_VALUE_BYTES = 32
_SHARE_BYTES = 16
#: Limits of the control group that this process is in, if there is one.
_GROUP = Path("/sys/fs/cgroup")
_SYSTEM, _AVAILABLE = Path("/proc/meminfo"), "MemAvailable:"


def plan_memory(strategies: Sequence[Strategy | Threshold], n_samples: int | None) -> int:
    """Return how many bytes a selection takes beside its embeddings, at most.

    Args:
        strategies: As given to `lightly.selection.select`.
        n_samples: How many to pick; None for no limit.

    >>> from lightly.selection import Weights
    >>> plan_memory([Weights(np.zeros(1000))], 10) - BUFFER_BYTES
    96000
    """
    count = strategies[0].n_samples if strategies else 0
    n_picks = count if n_samples is None else min(n_samples, count)
    own = sum(_plan_strategy(strategy, n_picks) for strategy in strategies)
    return BUFFER_BYTES + count * _SAMPLE_BYTES + own


def check_memory(
    strategies: Sequence[Strategy | Threshold],
    n_samples: int | None,
    *,
    free_bytes: int | None = None,
) -> None:
    """Refuse a selection that does not fit into memory.

    Args:
        strategies: As given to `lightly.selection.select`.
        n_samples: How many to pick; None for no limit.
        free_bytes: How much there is; by default what this machine has left.

    Raises:
        BadInput: With both numbers and what to do.
    """
    needed = plan_memory(strategies, n_samples)
    free = measure_free_memory() if free_bytes is None else free_bytes
    if needed > free:
        count = strategies[0].n_samples
        wanted = "all it can" if n_samples is None else n_samples
        raise BadInput(
            f"To pick {wanted} of {count} samples may take {_show(needed)} of memory, and this "
            f"machine has {_show(free)} left. Pick fewer, or from fewer, use fewer strategies with "
            "EMBEDDINGS, or a machine with more memory."
        )


def measure_free_memory() -> int:
    """Return how many bytes this process may still take."""
    free = _read_free_memory()
    try:
        limit = int((_GROUP / "memory.max").read_text())
        used = int((_GROUP / "memory.current").read_text())
    except (OSError, ValueError):
        return free
    # What files are kept in memory for counts as used, and is given back when it is needed.
    return min(free, max(0, limit - used + _count_file_pages()))


def _read_free_memory() -> int:
    """Return what the system says is left; all there is where it does not say."""
    try:
        lines = _SYSTEM.read_text().splitlines()
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith(_AVAILABLE))
    except (OSError, ValueError, IndexError, StopIteration):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _count_file_pages() -> int:
    try:
        lines = (_GROUP / "memory.stat").read_text().splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith("inactive_file "))
    except (OSError, ValueError, IndexError):
        return 0


def _plan_strategy(strategy: Strategy | Threshold, n_picks: int) -> int:
    if isinstance(strategy, Similarity):
        return _plan_distances(strategy.embeddings, len(np.asarray(strategy.queries)))
    if isinstance(strategy, Typicality):
        count, dim = _measure(strategy.embeddings)
        return count * (strategy.n_neighbours * _NEIGHBOUR_BYTES + dim + _SAMPLE_BYTES)
    if isinstance(strategy, Balance):
        classes = np.asarray(strategy.classes)
        width = 1 if classes.ndim == 1 else classes.shape[1]
        return len(classes) * (_VALUE_BYTES + width * _SHARE_BYTES)
    if (vectors := getattr(strategy, "embeddings", None)) is not None:
        return _plan_distances(vectors, n_picks)
    return strategy.n_samples * _VALUE_BYTES


def _plan_distances(vectors: object, n_others: int) -> int:
    count, dim = _measure(vectors)
    return count * (dim + _SAMPLE_BYTES) + n_others * dim * _PICK_BYTES_PER_DIMENSION


def _measure(vectors: object) -> tuple[int, int]:
    """Return how many vectors there are, of samples or of objects, and their length."""
    rows = vectors.embeddings if isinstance(vectors, Objects) else vectors
    shape = tuple(getattr(rows, "shape", None) or np.asarray(rows).shape)
    return int(shape[0]), int(shape[1]) if len(shape) > 1 else 1


def _show(size_bytes: int) -> str:
    return f"{size_bytes / 1e9:.1f} GB"
