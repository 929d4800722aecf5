"""The class head of the shipped model: tags from embeddings, without looking at images again.

The head is the last layer of the graph, a matrix and a bias on top of the embedding. So it gives
the same for a vector that was stored a month ago as for one of the same forward pass, for images,
frames and crops alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from lightly.embedding.onnx_weights import read_weights
from lightly.embedding.registry import SHIPPED_MODEL, EmbeddingModel, UnusableModel
from lightly.embedding.vectors import Vectors

#: The last layer of the shipped graph, stored as float16.
_MATRIX, _BIAS = "fc.w.h", "fc.b.h"
#: Most tags of an image, and how likely a class has to be.
MAX_TAGS = 20
MIN_SCORE = 0.01
#: Vectors at once: their probabilities take 4 MB.
_ROWS_AT_ONCE = 1_024


@dataclass(frozen=True, eq=False)
class ClassHead:
    """A matrix and a bias.

    Attributes:
        matrix: float32 of shape (classes, dim).
        bias: float32 of shape (classes,).
    """

    matrix: NDArray[np.float32]
    bias: NDArray[np.float32]

    def classify(self, vectors: Vectors) -> NDArray[np.float32]:
        """Return the probability of each class.

        Args:
            vectors: Embeddings of shape (n, dim), as the model gave them: not normalised.

        Returns:
            Shape (n, classes); each row adds up to 1.
        """
        shares: NDArray[np.float32] = vectors @ self.matrix.T + self.bias
        shares -= shares.max(axis=1, keepdims=True)
        np.exp(shares, out=shares)
        shares /= shares.sum(axis=1, keepdims=True)
        return shares

    def iterate(self, vectors: Vectors) -> Iterator[NDArray[np.float32]]:
        """Yield the probabilities of some vectors after the others, in bounded memory."""
        for start in range(0, len(vectors), _ROWS_AT_ONCE):
            yield self.classify(np.asarray(vectors[start : start + _ROWS_AT_ONCE], np.float32))


def open_class_head(model: EmbeddingModel) -> ClassHead:
    """Return the class head of a model.

    Raises:
        UnusableModel: If it has none that is known. Only the shipped one has.
    """
    if model.digest != SHIPPED_MODEL.digest:
        raise UnusableModel(
            f"The model {model.id!r} has no classes that are known, so it gives no tags. Use the "
            f"shipped model {SHIPPED_MODEL.id!r}."
        )
    return _load_shipped_head()


@cache
def _load_shipped_head() -> ClassHead:
    weights = read_weights(SHIPPED_MODEL.path, (_MATRIX, _BIAS))
    return ClassHead(weights[_MATRIX], weights[_BIAS])


def choose_tags(shares: NDArray[np.float32]) -> list[tuple[int, float]]:
    """Return the likely classes of one image with their probabilities, the likeliest first.

    Args:
        shares: Probabilities of shape (classes,).

    >>> choose_tags(np.array([0.2, 0.005, 0.795], np.float32))
    [(2, 0.795), (0, 0.2)]
    """
    order = np.argsort(-shares, kind="stable")[:MAX_TAGS]
    # Four digits are more than such a probability is worth, and half the bytes.
    return [
        (int(place), round(float(shares[place]), 4))
        for place in order
        if shares[place] >= MIN_SCORE
    ]
