"""Embeddings of labelled images and of near-duplicates of them, computed once and kept on disk."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.curation_value.images import CACHE, SOURCES, LabelledImages, Pixels
from lightly.embedding.registry import SHIPPED_MODEL
from lightly.embedding.session import EmbeddingSession
from lightly.media.model_input import crop_for_model

# Changes whenever images, near-duplicates or splits change: the kept embeddings are then made anew.
VERSION = "1"
N_COPIES = 15
BATCH = 16
# Most images that are embedded per source: pools draw 3,000 of them anew for every seed.
MOST_BASES, MOST_TEST, MOST_COPIED = 10_000, 2_000, 700


@dataclass(frozen=True)
class Bank:
    """Embeddings of one source, split into images for pools and images for the test.

    Attributes:
        bases: Images that pools draw from, shape ``[B, d]``.
        labels: Their classes, shape ``[B]``.
        copies: Near-duplicates of the first ``len(copies)`` bases, shape ``[C, N_COPIES, d]``.
        test: Images that only the accuracy is measured on.
        test_labels: Their classes.
    """

    bases: NDArray[np.float32]
    labels: NDArray[np.int64]
    copies: NDArray[np.float32]
    test: NDArray[np.float32]
    test_labels: NDArray[np.int64]


def load_bank(source: str) -> Bank:
    """Return the embeddings of a source; the first call takes minutes."""
    path = CACHE / f"{source}-{_name_version()}.npz"
    if not path.exists():
        part = path.with_suffix(".part.npz")
        np.savez(part, **vars(_embed_source(SOURCES[source]())))
        part.rename(path)
    with np.load(path) as arrays:
        return Bank(**arrays)


def _name_version() -> str:
    return hashlib.sha256(f"{VERSION} {SHIPPED_MODEL.digest}".encode()).hexdigest()[:12]


def _embed_source(images: LabelledImages) -> Bank:
    order = np.random.default_rng(0).permutation(len(images.labels))
    n_test = min(MOST_TEST, len(order) // 3)
    test, bases = order[:n_test], order[n_test:][:MOST_BASES]
    copied = bases[: min(MOST_COPIED, len(bases) // 2)]
    session = EmbeddingSession(SHIPPED_MODEL)
    copies = np.stack([_embed(session, _make_copies(images.read(i), i)) for i in copied])
    return Bank(
        bases=_embed_many(session, images, bases),
        labels=images.labels[bases],
        copies=copies,
        test=_embed_many(session, images, test),
        test_labels=images.labels[test],
    )


def _embed_many(
    session: EmbeddingSession, images: LabelledImages, chosen: NDArray[np.int64]
) -> NDArray[np.float32]:
    parts = [chosen[start : start + BATCH] for start in range(0, len(chosen), BATCH)]
    return np.concatenate([_embed(session, [images.read(i) for i in part]) for part in parts])


def _embed(session: EmbeddingSession, images: list[Pixels]) -> NDArray[np.float32]:
    return session.run(np.stack([crop_for_model(image, SHIPPED_MODEL.rule) for image in images]))


def _make_copies(pixels: Pixels, seed: int) -> list[Pixels]:
    """Return what a camera that keeps running would see next."""
    rng = np.random.default_rng([1, seed])
    side = SHIPPED_MODEL.rule.short_side
    image = Image.fromarray(pixels)
    scale = side / min(image.size)
    size = (round(image.width * scale), round(image.height * scale))
    large = image.resize(size, Image.Resampling.BICUBIC)
    return [_shake(large, rng) for _ in range(N_COPIES)]


def _shake(image: Image.Image, rng: np.random.Generator) -> Pixels:
    """Move, turn and scale a little, change the light a little, add noise."""
    border = tuple(int(value) for value in np.median(np.asarray(image)[0], axis=0))
    moved = image.rotate(
        float(rng.normal(0, 2.0)),
        Image.Resampling.BICUBIC,
        translate=tuple(rng.normal(0, 0.01, 2) * image.width),
        fillcolor=border,
    )
    margin = rng.uniform(0, 0.02) * min(image.size)
    box = (margin, margin, image.width - margin, image.height - margin)
    zoomed = moved.resize(image.size, Image.Resampling.BICUBIC, box=box)
    lit = np.asarray(zoomed) * rng.normal(1.0, 0.03) + rng.normal(0, 2.0, (*zoomed.size[::-1], 1))
    return lit.clip(0, 255).astype(np.uint8)
