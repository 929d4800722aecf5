"""Configurations become strategies of the engine."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np
import pytest

from lightly._kit.errors import BadInput
from lightly.data.selection_plan.inputs import Column, TaskPredictions
from lightly.data.selection_plan.planning import plan_selection, read_selection
from lightly.openapi_generated.swagger_client.models.selection_config import SelectionConfig
from lightly.selection import (
    Balance,
    Diversity,
    Objects,
    Random,
    Similarity,
    Threshold,
    Typicality,
    Weights,
    select,
)
from lightly.utils.run_configuration.errors import InvalidConfiguration

TAG = {"datasetId": "0" * 24, "tagName": "queries"}


@dataclass
class Samples:
    """Six samples in memory."""

    n_samples: int = 6
    names: list[str] = field(default_factory=lambda: [f"cam{i % 2}/day/{i}.jpg" for i in range(6)])
    embeddings: np.ndarray = field(default_factory=lambda: np.eye(6, 3, dtype=np.float32))
    metadata: dict[str, list[object]] = field(default_factory=dict)
    predictions: dict[int, list[dict[str, object]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def read_names(self):
        return self.names

    def open_embeddings(self):
        self.asked.append("embeddings")
        return self.embeddings

    def open_objects(self, task):
        return Objects(self.embeddings, owners=np.arange(6) // 2, n_samples=6)

    def open_queries(self, dataset_id, tag_name):
        return self.embeddings[:2]

    def read_scores(self, task, score):
        return Column(np.arange(6.0), np.arange(6) == 2)

    def read_metadata(self, key):
        return self.metadata.get(key, [None] * 6)

    def read_predictions(self, task):
        self.asked.append(f"predictions of {task}")
        return TaskPredictions([(7, "car"), (3, "bus")], self.predictions.items())


def plan(input_, strategy, inputs=None, **config):
    entry = {"input": input_, "strategy": strategy}
    config = {"nSamples": 2, **config, "strategies": [entry]}
    return plan_selection(read_selection(config), inputs or Samples())


def plan_engine(input_, strategy, inputs=None, **config):
    return plan(input_, strategy, inputs, **config).strategies[0]


EMBEDDINGS = {"type": "EMBEDDINGS"}
SCORES = {"type": "SCORES", "task": "t", "score": "s"}


def test_diversity():
    engine = plan_engine(
        EMBEDDINGS,
        {"type": "DIVERSITY", "stopping_condition_minimum_distance": 0.5, "strength": -2},
    )

    assert isinstance(engine, Diversity)
    assert (engine.min_distance, engine.strength) == (0.5, -2)


@pytest.mark.parametrize("type_", ["DIVERSITY", "TYPICALITY", "SIMILARITY"])
def test_a_task_makes_it_about_objects(type_):
    queries = TAG if type_ == "SIMILARITY" else {}

    engine = plan_engine({**EMBEDDINGS, "task": "cars", **queries}, {"type": type_})

    assert isinstance(engine.embeddings, Objects)


def test_similarity_compares_with_the_tag():
    engine = plan_engine({**EMBEDDINGS, **TAG}, {"type": "SIMILARITY", "strength": 3})

    assert isinstance(engine, Similarity)
    assert (engine.queries.shape, engine.strength) == ((2, 3), 3)


def test_typicality_has_a_default_that_is_noted():
    given = plan(
        EMBEDDINGS,
        {
            "type": "TYPICALITY",
            "numNearestNeighbors": 5,
            "stoppingConditionMinimumTypicality": 0.25,
        },
    ).planned[0]
    default = plan(EMBEDDINGS, {"type": "TYPICALITY"}).planned[0]

    assert isinstance(given.engine, Typicality)
    assert (given.engine.n_neighbours, given.engine.min_typicality) == (5, 0.25)
    assert (default.engine.n_neighbours, given.notes) == (20, ())
    assert default.notes == ("numNearestNeighbors is 20, the default.",)


def test_weights_of_scores_with_both_limits():
    engine = plan_engine(
        SCORES,
        {
            "type": "WEIGHTS",
            "stoppingConditionMaxSum": 9,
            "targetRange": {"minSum": 2, "maxSum": 7},
        },
    )

    assert isinstance(engine, Weights)
    assert (engine.max_sum, engine.min_sum) == (7, 2)
    assert engine.missing.tolist() == [False, False, True, False, False, False]


def test_threshold_of_numeric_metadata():
    inputs = Samples(metadata={"speed": [1, 2.5, None, 4, 5, 6]})

    engine = plan_engine(
        {"type": "METADATA", "key": "speed"},
        {"type": "THRESHOLD", "threshold": 4, "operation": "BIGGER_EQUAL"},
        inputs,
    )

    assert isinstance(engine, Threshold)
    assert select(n_samples=None, strategies=[engine]).indices.tolist() == [3, 4, 5]


@pytest.mark.parametrize(("seed", "notes"), [(None, ("randomSeed is 0, the default.",)), (4, ())])
def test_random_has_a_seed_of_its_own(seed, notes):
    input_ = {"type": "RANDOM"} if seed is None else {"type": "RANDOM", "randomSeed": seed}

    planned = plan(input_, {"type": "WEIGHTS"}).planned[0]

    assert isinstance(planned.engine.values, Random)
    assert planned.engine.values.seed == (seed or 0)
    assert planned.notes == notes


def test_balance_of_metadata_numbers_the_classes_that_occur():
    inputs = Samples(metadata={"weather": ["sun", "rain", "sun", None, "fog", "rain"]})

    planned = plan(
        {"type": "METADATA", "key": "weather"},
        {"type": "BALANCE", "target": {"rain": 0.7, "fog": 0.1}},
        inputs,
    ).planned[0]

    assert planned.class_names == ("fog", "rain", "sun")
    assert planned.engine.classes.tolist() == [2, 1, 2, -1, 0, 1]
    assert planned.engine.target == {1: 0.7, 0: 0.1}


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ([True, False, None, True, True, True], ("false", "true")),
        ([3, 1, 1, 1, 1, 1], ("1", "3")),
    ],
)
def test_whole_numbers_and_truth_values_are_classes(values, names):
    planned = plan(
        {"type": "METADATA", "key": "k"},
        {"type": "BALANCE", "distribution": "UNIFORM"},
        Samples(metadata={"k": values}),
    ).planned[0]

    assert planned.class_names == names
    assert planned.engine.target == "UNIFORM"


def make_detection(category, probabilities=None):
    box = {"type": "OBJECT_DETECTION", "categoryId": category, "bbox": [0, 0, 1, 1], "score": 0.5}
    return box if probabilities is None else {**box, "probabilities": probabilities}


def test_balance_of_predictions_sums_the_objects():
    inputs = Samples(
        predictions={
            0: [make_detection(7), make_detection(3, [0.25, 0.75])],
            4: [],
            5: [{"type": "CLASSIFICATION", "categoryId": 3, "score": 1, "probabilities": [0, 1]}],
        }
    )

    planned = plan(
        {"type": "PREDICTIONS", "task": "t", "name": "CLASS_DISTRIBUTION"},
        {"type": "BALANCE", "target": {"bus": 1.0}, "strength": 2},
        inputs,
    ).planned[0]

    assert isinstance(planned.engine, Balance)
    assert planned.engine.classes.tolist()[0] == [1.25, 0.75]
    assert planned.engine.classes.tolist()[5] == [0, 1]
    assert planned.engine.missing.tolist() == [False, True, True, True, False, False]
    assert (planned.engine.target, planned.engine.strength) == ({1: 1.0}, 2)


@pytest.mark.parametrize(
    "type_", ["CLASSIFICATION", "OBJECT_DETECTION", "KEYPOINT_DETECTION", "INSTANCE_SEGMENTATION"]
)
def test_predictions_without_probabilities_are_wholly_of_their_class(type_):
    bus = {"type": type_, "categoryId": 3, "score": 0.25}

    engine = plan_engine(
        {"type": "PREDICTIONS", "task": "t", "name": "CLASS_DISTRIBUTION"},
        {"type": "BALANCE", "distribution": "UNIFORM"},
        Samples(predictions={1: [bus, bus]}),
    )

    assert engine.classes.tolist()[1] == [0, 2]


def test_a_target_of_nothing_leaves_everything_to_the_others():
    inputs = Samples(metadata={"weather": ["rain", "sun", "rain", "fog", "rain", "sun"]})

    engine = plan_engine(
        {"type": "METADATA", "key": "weather"}, {"type": "BALANCE", "target": {"rain": 0}}, inputs
    )

    assert select(n_samples=3, strategies=[engine]).indices.tolist() == [1, 3, 5]


def test_segments_count_by_the_share_that_they_cover():
    def segment(category, run_lengths):
        return {
            "type": "SEMANTIC_SEGMENTATION",
            "categoryId": category,
            "score": 1,
            "segmentation": run_lengths,
        }

    inputs = Samples(predictions={1: [segment(7, [2, 6]), segment(3, [0, 2, 6])]})

    engine = plan_engine(
        {"type": "PREDICTIONS", "task": "t", "name": "CLASS_DISTRIBUTION"},
        {"type": "BALANCE", "distribution": "INPUT"},
        inputs,
    )

    assert engine.classes.tolist()[1] == [0.75, 0.25]


@pytest.mark.parametrize(("categories", "count"), [(None, 3), (["bus"], 2), (["car", "bus"], 3)])
def test_category_count_counts_objects(categories, count):
    inputs = Samples(predictions={2: [make_detection(3), make_detection(3), make_detection(7)]})
    chosen = {} if categories is None else {"categories": categories}

    engine = plan_engine(
        {"type": "PREDICTIONS", "task": "t", "name": "CATEGORY_COUNT", **chosen},
        {"type": "WEIGHTS"},
        inputs,
    )

    assert engine.values.tolist() == [0, 0, count, 0, 0, 0]
    assert engine.missing.tolist() == [True, True, False, True, True, True]


def test_named_groups_of_paths_are_metadata():
    planned = plan(
        {"type": "METADATA", "key": "camera"},
        {"type": "BALANCE", "target": {"cam1": 0.5}},
        Samples(names=["cam0/a", "cam1/b", "c", "cam0/d", "cam1/e", "f"]),
        lightlyPathRegex=r"(?P<camera>cam\d)/(?P<file>.)",
    )

    assert planned.planned[0].class_names == ("cam0", "cam1")
    assert planned.strategies[0].classes.tolist() == [0, 1, -1, 0, 1, -1]
    assert planned.path_metadata["file"] == ["a", "b", None, "d", "e", None]


def test_named_groups_of_no_paths_are_metadata_without_values():
    planned = plan(
        {"type": "METADATA", "key": "camera"},
        {"type": "BALANCE", "distribution": "UNIFORM"},
        Samples(n_samples=0, names=[]),
        lightlyPathRegex=r"(?P<camera>cam\d)/",
    )

    assert planned.strategies[0].n_samples == 0


def test_an_evil_expression_takes_no_time():
    evil = Samples(names=["a" * 1000 + "b"] * 6)
    start = time.process_time()

    planned = plan(EMBEDDINGS, {"type": "DIVERSITY"}, evil, lightlyPathRegex=r"^(?P<x>(a+)+)$")

    assert planned.path_metadata == {"x": [None] * 6}
    assert time.process_time() - start < 1.0


@pytest.mark.parametrize(
    ("config", "n_samples"),
    [
        ({"nSamples": 4}, 4),
        ({"nSamples": -1}, None),
        ({}, None),
        ({"proportionSamples": 0.5}, 5),
        ({"proportionSamples": 0.1}, 1),
        ({"proportionSamples": 0.0}, 0),
    ],
)
def test_how_many(config, n_samples):
    content = {**config, "strategies": [{"input": EMBEDDINGS, "strategy": {"type": "DIVERSITY"}}]}

    planned = plan_selection(read_selection(content), Samples(), n_candidates=10)

    assert planned.n_samples == n_samples


def test_a_share_of_no_candidates_is_none_of_them():
    entry = {"input": EMBEDDINGS, "strategy": {"type": "DIVERSITY"}}
    config = read_selection({"proportion_samples": 0.5, "strategies": [entry]})

    planned = plan_selection(config, Samples(), n_candidates=0)

    assert planned.n_samples == 0


def test_a_share_is_rounded_up_to_whole_sequences():
    entry = {"input": EMBEDDINGS, "strategy": {"type": "DIVERSITY"}}
    config = read_selection({"proportion_samples": 0.3, "strategies": [entry]})

    planned = plan_selection(config, Samples(), n_candidates=10, sequence_length=4)

    assert planned.n_samples == 4


def test_a_count_must_be_one_of_whole_sequences():
    entry = {"input": EMBEDDINGS, "strategy": {"type": "DIVERSITY"}}
    config = read_selection({"n_samples": 6, "strategies": [entry]})

    with pytest.raises(InvalidConfiguration, match="multiple of the sequence length"):
        plan_selection(config, Samples(), sequence_length=4)


def test_both_spellings_mean_the_same():
    snake = {
        "n_samples": 3,
        "strategies": [
            {
                "input": {"type": "EMBEDDINGS"},
                "strategy": {"type": "TYPICALITY", "num_nearest_neighbors": 4},
            }
        ],
    }
    camel = {
        "nSamples": 3,
        "strategies": [
            {
                "input": {"type": "EMBEDDINGS"},
                "strategy": {"type": "TYPICALITY", "numNearestNeighbors": 4},
            }
        ],
    }

    assert read_selection(snake) == read_selection(camel)


def test_models_of_older_versions_are_planned_too():
    entry = {"input": EMBEDDINGS, "strategy": {"type": "DIVERSITY"}}
    config = SelectionConfig.model_validate({"nSamples": 3, "strategies": [entry]})

    assert plan_selection(config, Samples()).n_samples == 3


@pytest.mark.parametrize(
    ("input_", "strategy", "message"),
    [
        (EMBEDDINGS, {"type": "WEIGHTS"}, "WEIGHTS does not work on input EMBEDDINGS"),
        (SCORES, {"type": "DIVERSITY"}, "DIVERSITY does not work on input SCORES"),
        (
            {"type": "PREDICTIONS", "task": "t", "name": "CLASS_DISTRIBUTION"},
            {"type": "BALANCE", "target": {"truck": 1}},
            r"strategies\[0\]: Task 't' has no class 'truck'. Known are: 'car', 'bus'.",
        ),
        (
            {"type": "PREDICTIONS", "task": "t", "name": "CATEGORY_COUNT", "categories": ["x"]},
            {"type": "WEIGHTS"},
            "has no class 'x'",
        ),
        (
            {"type": "METADATA", "key": "weather"},
            {"type": "BALANCE", "target": {"snow": 1}},
            "Metadata 'weather' has no class 'snow'",
        ),
        ({"type": "METADATA", "key": "weather"}, {"type": "WEIGHTS"}, "not a finite number"),
        (
            {"type": "METADATA", "key": "temperature"},
            {"type": "BALANCE", "distribution": "INPUT"},
            "not a class",
        ),
        ({"type": "METADATA", "key": "none"}, {"type": "WEIGHTS"}, "No sample has metadata 'none'"),
        (
            {"type": "METADATA", "key": "none"},
            {"type": "BALANCE", "distribution": "UNIFORM"},
            "No sample has metadata 'none'",
        ),
        ({"type": "METADATA", "key": "huge"}, {"type": "WEIGHTS"}, "not a finite number"),
    ],
)
def test_what_does_not_fit_is_refused(input_, strategy, message):
    metadata = {
        "weather": ["sun"] * 6,
        "temperature": [0.5] * 6,
        "huge": [10**400] * 6,
    }

    with pytest.raises(InvalidConfiguration, match=message):
        plan(input_, strategy, Samples(metadata=metadata))


def test_mistakes_are_found_before_any_vector_is_read():
    inputs = Samples()
    entries = [
        {"input": EMBEDDINGS, "strategy": {"type": "DIVERSITY"}},
        {"input": {"type": "METADATA", "key": "none"}, "strategy": {"type": "WEIGHTS"}},
    ]
    config = read_selection({"nSamples": 1, "strategies": entries})

    with pytest.raises(InvalidConfiguration, match=r"strategies\[1\]"):
        plan_selection(config, inputs)
    assert inputs.asked == []


@pytest.mark.parametrize(
    ("singleton", "message"),
    [
        (make_detection(9), "has category 9, which the task does not have"),
        (make_detection(7, [1.0]), "needs one for each of the 2 categories"),
    ],
)
def test_predictions_that_do_not_fit_their_task_are_refused(singleton, message):
    with pytest.raises(BadInput, match=message):
        plan(
            {"type": "PREDICTIONS", "task": "t", "name": "CLASS_DISTRIBUTION"},
            {"type": "BALANCE", "distribution": "UNIFORM"},
            Samples(predictions={0: [singleton]}),
        )


def test_strategies_keep_their_order():
    entries = [
        {"input": EMBEDDINGS, "strategy": {"type": "DIVERSITY"}},
        {"input": SCORES, "strategy": {"type": "WEIGHTS"}},
    ]

    planned = plan_selection(read_selection({"nSamples": 1, "strategies": entries}), Samples())

    assert [type(engine) for engine in planned.strategies] == [Diversity, Weights]
