"""Automatic tags as the engine takes them: probabilities of the concepts that a target names.

The task of automatic tags has 1,000 classes, of which each image has a few with their
probabilities. People balance words such as "dog" or "vehicle", which stand for many of them, so
only what is named becomes a column, whatever the number of classes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from lightly._kit.errors import BadInput
from lightly.data.selection_plan.inputs import Column, TaskPredictions
from lightly.embedding.concepts import load_vocabulary

#: Stands in the report for all classes that a target does not name.
OTHERS = "(all others)"


def read_concept_shares(
    predictions: TaskPredictions, words: Sequence[str], n_samples: int
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the probability of each concept, and of all others, and which samples have no tags.

    Args:
        predictions: Of the task of automatic tags; read once.
        words: Concepts: names of classes, or of what they are kinds of.
        n_samples: N.

    Returns:
        Shapes ``[N, len(words) + 1]``, the last column for the others, and ``[N]``.

    Raises:
        BadInput: If a word is not in the vocabulary, or two words stand for the same class.
    """
    columns = _number_classes(predictions.categories, words)
    rows = np.zeros((n_samples, len(words) + 1))
    missing = np.ones(n_samples, dtype=np.bool_)
    for sample, tags in _iterate_tags(predictions):
        missing[sample] = False
        for category_id, score in tags:
            rows[sample, columns.get(category_id, -1)] += score
    return rows, missing


def read_best_classes(
    predictions: TaskPredictions, n_samples: int
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Return the likeliest class of each sample, -1 without tags, and the classes that occur.

    Args:
        predictions: Of the task of automatic tags; read once.
        n_samples: N.
    """
    best = np.full(n_samples, -1)
    for sample, tags in _iterate_tags(predictions):
        if tags:
            best[sample] = max(tags, key=lambda tag: tag[1])[0]
    names = dict(predictions.categories)
    occurring, codes = np.unique(best[best >= 0], return_inverse=True)
    best[best >= 0] = codes
    return best, tuple(names[int(category_id)] for category_id in occurring)


def sum_concepts(
    predictions: TaskPredictions, words: Sequence[str] | None, n_samples: int
) -> Column:
    """Return the probability that a sample shows one of some concepts; of anything if None.

    Raises:
        BadInput: If a word is not in the vocabulary.
    """
    wanted: set[int] | None = None
    if words is not None:
        wanted = {id_ for word in words for id_ in _find_categories(predictions.categories, word)}
    values, missing = np.zeros(n_samples), np.ones(n_samples, dtype=np.bool_)
    for sample, tags in _iterate_tags(predictions):
        missing[sample] = False
        values[sample] = sum(score for id_, score in tags if wanted is None or id_ in wanted)
    return Column(values, missing)


def _iterate_tags(predictions: TaskPredictions) -> Iterator[tuple[int, list[tuple[int, float]]]]:
    for sample, singletons in predictions.samples:
        yield sample, [(one["categoryId"], one["score"]) for one in singletons]


def _number_classes(
    categories: Sequence[tuple[int, str]], words: Sequence[str]
) -> Mapping[int, int]:
    """Return the column of each class that a word stands for."""
    columns: dict[int, int] = {}
    for column, word in enumerate(words):
        for category_id in _find_categories(categories, word):
            other = columns.setdefault(category_id, column)
            if other != column:
                raise BadInput(
                    f"{ascii(words[other])[:60]} and {ascii(word)[:60]} share classes, so their "
                    "shares cannot be told apart. Name concepts of which none is a kind of another."
                )
    return columns


def _find_categories(categories: Sequence[tuple[int, str]], word: str) -> list[int]:
    vocabulary = load_vocabulary()
    concept = vocabulary.find(word)
    if concept is None:
        near = ", ".join(vocabulary.suggest(word)) or "none"
        raise BadInput(f"No tag is called {ascii(word)[:60]}. Words that look like it: {near}.")
    names = {vocabulary.class_names[number] for number in concept.classes}
    return [category_id for category_id, name in categories if name in names]
