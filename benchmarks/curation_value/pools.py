"""Pools of unlabelled images, drawn anew for every seed, and the test set beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from benchmarks.curation_value.bank import Bank

MOST_IMAGES = 3_000
N_DIMS = 64
# Images of the largest rare class of a long-tailed pool, and how many times the smallest that is.
MOST_RARE, TAIL_RATIO = 60, 10
# Images of the largest class of an imbalanced pool, and how many times the smallest that is.
MOST_COMMON, IMBALANCE = 900, 100
# Images of one burst: an original and near-duplicates of it.
LONGEST_BURST = 16

Images = tuple[NDArray[np.float32], NDArray[np.int64]]


@dataclass(frozen=True)
class Pool:
    """What a curator starts from, and the answers that only the benchmark knows.

    Attributes:
        embeddings: Shape ``[N, 64]``, float32.
        labels: Shape ``[N]``.
        test: Shape ``[T, 64]``, the same projection.
        test_labels: Shape ``[T]``.
    """

    embeddings: NDArray[np.float32]
    labels: NDArray[np.int64]
    test: NDArray[np.float32]
    test_labels: NDArray[np.int64]


def draw_balanced(bank: Bank, rng: np.random.Generator) -> Pool:
    """Draw single images, as many of each class as long as the source has them."""
    order = rng.permutation(len(bank.bases))
    rank = _rank_within_class(bank.labels[order])
    # Of a small source a part, so that pools differ.
    n_images = min(MOST_IMAGES, len(order) * 2 // 3)
    chosen = order[np.argsort(rank, kind="stable")[:n_images]]
    return _project(bank, [(bank.bases[chosen], bank.labels[chosen])], rng)


def draw_long_tailed(bank: Bank, rng: np.random.Generator) -> Pool:
    """Draw a few common classes as long bursts of near-duplicates, the others as few images."""
    classes = rng.permutation(np.unique(bank.labels)).tolist()
    n_common = max(1, len(classes) // 5)
    common, rare = classes[:n_common], classes[n_common:]
    falls = TAIL_RATIO ** -np.linspace(0, 1, len(rare))
    sizes = np.maximum(2, falls * MOST_RARE).astype(int).tolist()
    parts = [_draw_singles(bank, label, n, rng) for label, n in zip(rare, sizes, strict=True)]
    n_each = (MOST_IMAGES - sum(sizes)) // n_common
    parts += [_draw_bursts(bank, label, n_each, LONGEST_BURST, rng) for label in common]
    return _project(bank, parts, rng)


def draw_redundant(bank: Bank, rng: np.random.Generator) -> Pool:
    """Draw bursts of near-duplicates, as many images of each class."""
    classes = np.unique(bank.labels).tolist()
    n_each = MOST_IMAGES // len(classes)
    return _project(bank, [_draw_bursts(bank, label, n_each, 1, rng) for label in classes], rng)


def draw_imbalanced(bank: Bank, rng: np.random.Generator) -> Pool:
    """Draw single images; class sizes fall geometrically in a random order."""
    classes = rng.permutation(np.unique(bank.labels)).tolist()
    most = min(MOST_COMMON, np.bincount(bank.labels).max())
    falls = IMBALANCE ** -np.linspace(0, 1, len(classes))
    sizes = np.maximum(2, falls * most).astype(int).tolist()
    parts = [_draw_singles(bank, label, n, rng) for label, n in zip(classes, sizes, strict=True)]
    return _project(bank, parts, rng)


KINDS: dict[str, Callable[[Bank, np.random.Generator], Pool]] = {
    "balanced": draw_balanced,
    "long-tailed": draw_long_tailed,
    "redundant": draw_redundant,
    "imbalanced": draw_imbalanced,
}


def _draw_singles(bank: Bank, label: int, size: int, rng: np.random.Generator) -> Images:
    members = rng.permutation(np.flatnonzero(bank.labels == label))[:size]
    return bank.bases[members], bank.labels[members]


def _draw_bursts(
    bank: Bank, label: int, size: int, shortest: int, rng: np.random.Generator
) -> Images:
    """Draw originals of a class with near-duplicates until it has its size or no more."""
    originals = rng.permutation(np.flatnonzero(bank.labels[: len(bank.copies)] == label))
    rows: list[NDArray[np.float32]] = []
    missing = size
    for original in originals:
        length = min(missing, int(rng.integers(shortest, LONGEST_BURST + 1)))
        copies = rng.permutation(bank.copies[original])[: max(0, length - 1)]
        rows += [bank.bases[original][None][:length], copies]
        missing -= length
    images = np.concatenate(rows)
    return images, np.full(len(images), label)


def _project(bank: Bank, parts: Sequence[Images], rng: np.random.Generator) -> Pool:
    """Shuffle, bring to unit length, and keep the 64 main directions of the pool."""
    labels = np.concatenate([part[1] for part in parts])
    order = rng.permutation(len(labels))
    rows = _normalize(np.concatenate([part[0] for part in parts])[order])
    pca = PCA(N_DIMS, svd_solver="randomized", random_state=0).fit(rows)
    return Pool(
        embeddings=pca.transform(rows).astype(np.float32),
        labels=labels[order],
        test=pca.transform(_normalize(bank.test)).astype(np.float32),
        test_labels=bank.test_labels,
    )


def _normalize(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def _rank_within_class(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    rank = np.empty(len(labels), dtype=np.int64)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        rank[members] = np.arange(len(members))
    return rank
