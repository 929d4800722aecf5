"""Automatic tags steer selections by words."""

from __future__ import annotations

import numpy as np
import pytest

from lightly.data.made_tasks import AUTO_TAGS_TASK
from lightly.data.selection_plan.inputs import TaskPredictions
from lightly.data.selection_plan.planning import plan_selection, read_selection
from lightly.embedding.concepts import load_vocabulary
from lightly.selection import select
from lightly.utils.run_configuration.errors import InvalidConfiguration

NAMES = load_vocabulary().class_names
#: Tags of ten samples: six beagles, two ambulances, a daisy, and one without any.
TAGS = [
    *[{"beagle": 0.6, "basset": 0.3, "ambulance": 0.05}] * 6,
    *[{"ambulance": 0.9}] * 2,
    {"daisy": 0.8},
    {},
]


class Tagged:
    """Samples with automatic tags."""

    n_samples = len(TAGS)

    def read_predictions(self, task):
        assert task == AUTO_TAGS_TASK
        samples = [
            (sample, [{"categoryId": NAMES.index(n), "score": s} for n, s in tags.items()])
            for sample, tags in enumerate(TAGS)
            if tags
        ]
        return TaskPredictions(list(enumerate(NAMES)), samples)


def plan(strategy, n_samples=4, name="CLASS_DISTRIBUTION", **source):
    entry = {
        "input": {"type": "PREDICTIONS", "task": AUTO_TAGS_TASK, "name": name, **source},
        "strategy": strategy,
    }
    config = read_selection({"n_samples": n_samples, "strategies": [entry]})
    return plan_selection(config, Tagged())


def choose(strategy, **options):
    planned = plan(strategy, **options)
    return sorted(
        select(n_samples=planned.n_samples, strategies=planned.strategies).indices.tolist()
    )


def test_words_are_balanced_without_any_labels():
    target = {"dog": 0.5, "Vehicles": 0.5}
    picks = choose({"type": "BALANCE", "target": target}, n_samples=2)

    assert len(set(picks) & set(range(6))) == 1
    assert len(set(picks) & {6, 7}) == 1


def test_what_a_target_leaves_goes_to_everything_else():
    picks = choose({"type": "BALANCE", "target": {"dog": 0.5}}, n_samples=2)

    assert len(set(picks) & set(range(6))) == 1


def test_an_even_mix_is_of_what_samples_most_likely_show():
    picks = choose({"type": "BALANCE", "distribution": "UNIFORM"}, n_samples=3)

    assert sorted({"beagle": 0, "ambulance": 6, "daisy": 8}.values()) == picks


@pytest.mark.parametrize(("words", "expected"), [(["dog"], 0.9), (["dog", "beagle"], 0.9)])
def test_a_count_of_a_word_is_its_probability(words, expected):
    planned = plan({"type": "WEIGHTS"}, name="CATEGORY_COUNT", categories=words)
    weights = planned.strategies[0]

    assert weights.values[0] == pytest.approx(expected)
    assert weights.missing.tolist() == [False] * 9 + [True]
    assert np.argmax(weights.values) < 6


@pytest.mark.parametrize(
    ("target", "remedy"),
    [
        ({"dgo": 1.0}, "dog"),
        ({"dog": 0.5, "animal": 0.5}, "share classes"),
    ],
)
def test_words_that_cannot_be_balanced_are_refused(target, remedy):
    with pytest.raises(InvalidConfiguration, match=remedy):
        plan({"type": "BALANCE", "target": target})
