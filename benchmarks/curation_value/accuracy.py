"""How good a classifier gets from the chosen images alone."""

from __future__ import annotations

import numpy as np
from joblib import Memory
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from benchmarks.curation_value.images import CACHE
from benchmarks.curation_value.pools import Pool

_MOST_STEPS = 1_000
_TOLERANCE = 1e-3


def measure_accuracy(pool: Pool, picks: NDArray[np.int64]) -> float:
    """Return the mean class accuracy on the test set after labelling the picks.

    Logistic regression with default regularisation on embeddings scaled to a mean variance of one.
    Accuracies are kept on disk under their data: the same picks are never evaluated twice.
    """
    scale = 1.0 / pool.embeddings.std()
    return float(
        _evaluate(
            pool.embeddings[picks] * scale,
            pool.labels[picks],
            pool.test * scale,
            pool.test_labels,
        )
    )


@Memory(CACHE, verbose=0).cache
def _evaluate(
    rows: NDArray[np.float32],
    labels: NDArray[np.int64],
    test: NDArray[np.float32],
    test_labels: NDArray[np.int64],
) -> float:
    if len(np.unique(labels)) == 1:
        guesses = np.full(len(test), labels[0])
    else:
        model = LogisticRegression(max_iter=_MOST_STEPS, tol=_TOLERANCE)
        guesses = model.fit(rows, labels).predict(test)
    is_right = guesses == test_labels
    return float(np.mean([is_right[test_labels == label].mean() for label in set(test_labels)]))
