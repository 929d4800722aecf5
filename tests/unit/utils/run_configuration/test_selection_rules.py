"""Which inputs, strategies and limits of a selection go together."""

from __future__ import annotations

import itertools
import time
from typing import Any

import pytest

from lightly.openapi_generated.swagger_client.models.docker_worker_config_v4 import (
    DockerWorkerConfigV4,
)
from lightly.utils.run_configuration.errors import (
    ContradictoryConfiguration,
    MalformedConfiguration,
)
from lightly.utils.run_configuration.reading import read_model, write_config
from lightly.utils.run_configuration.selection_rules import (
    COMBINATIONS,
    MAX_REGEX_CHARACTERS,
    MAX_TILES,
)

QUERY = {"datasetId": "a" * 24, "tagName": "initial-tag"}
INPUTS: dict[str, dict[str, Any]] = {
    "EMBEDDINGS": {"type": "EMBEDDINGS"},
    "SCORES": {"type": "SCORES", "task": "cars", "score": "uncertainty_margin"},
    "METADATA": {"type": "METADATA", "key": "weather.temperature"},
    "PREDICTIONS CLASS_DISTRIBUTION": {
        "type": "PREDICTIONS",
        "task": "cars",
        "name": "CLASS_DISTRIBUTION",
    },
    "PREDICTIONS CATEGORY_COUNT": {
        "type": "PREDICTIONS",
        "task": "cars",
        "name": "CATEGORY_COUNT",
        "categories": ["car"],
    },
    "RANDOM": {"type": "RANDOM", "randomSeed": 42},
}
STRATEGIES: dict[str, dict[str, Any]] = {
    "DIVERSITY": {"type": "DIVERSITY", "stopping_condition_minimum_distance": 0.1},
    "WEIGHTS": {"type": "WEIGHTS", "strength": -2, "stoppingConditionMaxSum": 10},
    "THRESHOLD": {"type": "THRESHOLD", "threshold": 0, "operation": "BIGGER"},
    "BALANCE": {"type": "BALANCE", "target": {"car": 0.7, "bus": 0.3}},
    "SIMILARITY": {"type": "SIMILARITY"},
    "TYPICALITY": {"type": "TYPICALITY", "numNearestNeighbors": 20},
}
#: As the reference of the platform lists them.
ALLOWED = {
    ("EMBEDDINGS", "DIVERSITY"),
    ("EMBEDDINGS", "SIMILARITY"),
    ("EMBEDDINGS", "TYPICALITY"),
    ("SCORES", "WEIGHTS"),
    ("SCORES", "THRESHOLD"),
    ("METADATA", "WEIGHTS"),
    ("METADATA", "THRESHOLD"),
    ("METADATA", "BALANCE"),
    ("PREDICTIONS CLASS_DISTRIBUTION", "BALANCE"),
    ("PREDICTIONS CATEGORY_COUNT", "WEIGHTS"),
    ("PREDICTIONS CATEGORY_COUNT", "THRESHOLD"),
    ("RANDOM", "WEIGHTS"),
    ("RANDOM", "THRESHOLD"),
}
FORBIDDEN = sorted(set(itertools.product(INPUTS, STRATEGIES)) - ALLOWED)
DIVERSITY = {"input": INPUTS["EMBEDDINGS"], "strategy": STRATEGIES["DIVERSITY"]}


def write(selection: dict[str, Any]) -> dict[str, Any]:
    config = {"workerType": "FULL", "selection": selection}
    written: dict[str, Any] = write_config(read_model(DockerWorkerConfigV4, config, "config"))
    result: dict[str, Any] = written["selection"]
    return result


def refuse(selection: dict[str, Any]) -> str:
    with pytest.raises(ContradictoryConfiguration) as caught:
        write(selection)
    return str(caught.value)


def make_entry(input_name: str, strategy_name: str) -> dict[str, Any]:
    query = QUERY if strategy_name == "SIMILARITY" and input_name == "EMBEDDINGS" else {}
    return {"input": INPUTS[input_name] | query, "strategy": STRATEGIES[strategy_name]}


def balance(**options: Any) -> dict[str, Any]:
    entry = {"input": INPUTS["METADATA"], "strategy": {"type": "BALANCE", **options}}
    return {"strategies": [entry]}


@pytest.mark.parametrize("pair", sorted(ALLOWED), ids=" ".join)
def test_a_pair_of_the_table_is_taken_as_it_is(pair):
    selection = {"nSamples": 5, "strategies": [make_entry(*pair)]}

    assert write(selection) == selection


@pytest.mark.parametrize("pair", FORBIDDEN, ids=" ".join)
def test_any_other_pair_is_refused_with_what_would_work(pair):
    message = refuse({"strategies": [DIVERSITY, make_entry(*pair)]})

    assert message.startswith(f"config.selection.strategies[1]: strategy {pair[1]} does not work")
    assert all(strategy in message for strategy in COMBINATIONS[pair[0]])


@pytest.mark.parametrize(
    ("input_name", "key"),
    [
        ("SCORES", "task"),
        ("SCORES", "score"),
        ("METADATA", "key"),
        ("PREDICTIONS CLASS_DISTRIBUTION", "task"),
        ("PREDICTIONS CLASS_DISTRIBUTION", "name"),
    ],
)
def test_what_an_input_needs_is_asked_for(input_name, key):
    input_ = {name: value for name, value in INPUTS[input_name].items() if name != key}
    strategy = STRATEGIES[COMBINATIONS[input_name][0]]

    message = refuse({"strategies": [{"input": input_, "strategy": strategy}]})

    assert f"needs '{key}'" in message


@pytest.mark.parametrize("key", ["threshold", "operation"])
def test_a_threshold_needs_both_of_its_options(key):
    strategy = {name: value for name, value in STRATEGIES["THRESHOLD"].items() if name != key}

    message = refuse({"strategies": [{"input": INPUTS["RANDOM"], "strategy": strategy}]})

    assert f"needs '{key}'" in message


@pytest.mark.parametrize(
    ("entry", "key"),
    [
        ({"input": {"randomSeed": 3}}, "randomSeed"),
        ({"input": {"score": "a"}}, "score"),
        ({"input": QUERY}, "datasetId"),
        ({"strategy": {"threshold": 1}}, "threshold"),
        ({"strategy": {"target": {"a": 1}}}, "target"),
        ({"strategy": {"numNearestNeighbors": 3}}, "numNearestNeighbors"),
        ({"strategy": {"targetRange": {"minSum": 1}}}, "targetRange"),
    ],
)
def test_nothing_is_ignored_silently(entry, key):
    changed = {name: DIVERSITY[name] | entry.get(name, {}) for name in DIVERSITY}

    message = refuse({"strategies": [changed]})

    assert key in message
    assert "Leave it out" in message


@pytest.mark.parametrize("given", [{}, {"datasetId": "a" * 24}, {"tagName": "initial-tag"}])
def test_similarity_needs_to_know_to_what(given):
    input_ = {"type": "EMBEDDINGS", **given}

    message = refuse({"strategies": [{"input": input_, "strategy": {"type": "SIMILARITY"}}]})

    assert "'datasetId' and 'tagName'" in message


def test_count_and_share_exclude_each_other():
    message = refuse({"nSamples": 5, "proportionSamples": 0.5, "strategies": [DIVERSITY]})

    assert "nSamples and proportionSamples" in message


@pytest.mark.parametrize(
    "count", [{}, {"nSamples": -1}, {"nSamples": -1, "proportionSamples": 0.1}]
)
def test_minus_one_is_no_count(count):
    selection = {**count, "strategies": [DIVERSITY]}

    assert write(selection) == selection


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({}, "needs a 'target'"),
        ({"target": {}}, "needs a 'target'"),
        ({"distribution": "TARGET"}, "needs a 'target'"),
        ({"target": {"a": -0.1}}, "every share"),
        ({"target": {"a": "much"}}, "every share"),
        ({"target": {"a": True}}, "every share"),
        ({"target": {"a": {"b": 1}}}, "every share"),
        ({"target": {"a": 1}, "distribution": "UNIFORM"}, "has no effect"),
    ],
)
def test_a_target_is_a_share_per_class(options, part):
    assert part in refuse(balance(**options))


@pytest.mark.parametrize(
    "options",
    [
        {"target": {"a": 1}},
        {"target": {"a": 3, "b": 0}, "distribution": "TARGET"},
        # Nothing of these, so everything of all others.
        {"target": {"a": 0, "b": 0}},
        {"distribution": "UNIFORM"},
        {"distribution": "INPUT"},
    ],
)
def test_a_mix_is_given_or_named(options):
    assert write(balance(**options)) == balance(**options)


@pytest.mark.parametrize(
    ("strategy", "part"),
    [
        ({"type": "WEIGHTS", "targetRange": {}}, "needs 'minSum' or 'maxSum'"),
        ({"type": "WEIGHTS", "targetRange": {"minSum": 2, "maxSum": 1}}, "minSum must not"),
    ],
)
def test_a_range_has_an_end_above_its_begin(strategy, part):
    assert part in refuse({"strategies": [{"input": INPUTS["RANDOM"], "strategy": strategy}]})


@pytest.mark.parametrize(
    ("strategy", "part"),
    [
        ({"type": "DIVERSITY", "stopping_condition_minimum_distance": -1}, "0 or more"),
        ({"type": "DIVERSITY", "stopping_condition_minimum_distance": 2.1}, "normalizeEmbeddings"),
        ({"type": "TYPICALITY", "stoppingConditionMinimumTypicality": 1.1}, "at most 1"),
    ],
)
def test_limits_that_nothing_reaches_are_refused(strategy, part):
    assert part in refuse({"strategies": [{"input": INPUTS["EMBEDDINGS"], "strategy": strategy}]})


@pytest.mark.parametrize(
    ("selection", "place"),
    [
        ({"nSamples": -2}, "nSamples"),
        ({"nSamples": 1.5}, "nSamples"),
        ({"proportionSamples": 1.1}, "proportionSamples"),
        ({"proportionSamples": -0.1}, "proportionSamples"),
        ({"strategies": []}, "strategies"),
        ({"strength": 1.1e9}, "strategies[0].strategy.strength"),
        ({"strength": -1.1e9}, "strategies[0].strategy.strength"),
        ({"numNearestNeighbors": 1}, "strategies[0].strategy.numNearestNeighbors"),
        (
            {"stoppingConditionMinimumTypicality": 0},
            "strategies[0].strategy.stoppingConditionMinimumTypicality",
        ),
        ({"stoppingConditionMaxSum": -1}, "strategies[0].strategy.stoppingConditionMaxSum"),
        ({"distribution": "EVEN"}, "strategies[0].strategy.distribution"),
        ({"operation": "EQUAL"}, "strategies[0].strategy.operation"),
    ],
)
def test_a_number_out_of_its_range_is_refused_where_it_is(selection, place):
    in_strategy = place.startswith("strategies[0]")
    strategy = STRATEGIES["TYPICALITY"] | (selection if in_strategy else {})
    whole = {"strategies": [{"input": INPUTS["EMBEDDINGS"], "strategy": strategy}]}
    config = {"workerType": "FULL", "selection": whole | ({} if in_strategy else selection)}

    with pytest.raises(MalformedConfiguration) as caught:
        read_model(DockerWorkerConfigV4, config, "config")

    assert str(caught.value).startswith(f"config.selection.{place}: must ")


def test_distances_of_embeddings_as_they_are_have_no_limit():
    strategy = {"type": "DIVERSITY", "stopping_condition_minimum_distance": 50}
    config = {
        "workerType": "FULL",
        "docker": {"normalizeEmbeddings": False},
        "selection": {"strategies": [{"input": {"type": "EMBEDDINGS"}, "strategy": strategy}]},
    }

    assert write_config(read_model(DockerWorkerConfigV4, config, "config")) == config


@pytest.mark.parametrize(
    ("pattern", "part"),
    [
        ("(?P<camera>[^/]+", "missing )"),
        ("(?<=a)(?P<b>c)", "Look-around"),
        (r"(?P<a>x)\1", "back references"),
        ("[a-z]+", "named group"),
        ("(?P<a>" + "x" * MAX_REGEX_CHARACTERS + ")", "at most"),
    ],
)
def test_a_path_expression_is_one_that_takes_linear_time(pattern, part):
    started = time.monotonic()

    message = refuse({"strategies": [DIVERSITY], "lightlyPathRegex": pattern})

    assert part in message
    assert time.monotonic() - started < 0.1


@pytest.mark.parametrize("pattern", ["(?P<camera>[^/]+)/(?P<day>\\d+)", "(?P<a>(x+)+)$"])
def test_a_path_expression_with_names_is_taken(pattern):
    selection = {"strategies": [DIVERSITY], "lightlyPathRegex": pattern}

    assert write(selection) == selection


def tile(**options: Any) -> dict[str, Any]:
    return {"type": "TILING", "name": "tiles", "numRows": 2, "numCols": 3, **options}


@pytest.mark.parametrize(
    ("tasks", "part"),
    [
        ([tile(overlap=1)], "overlap"),
        ([tile(numRows=MAX_TILES)], "tiles per image"),
        ([tile(name="")], "must not be empty"),
        ([tile(), tile()], "another auto task"),
    ],
)
def test_auto_tasks_are_possible_and_told_apart(tasks, part):
    message = refuse({"strategies": [DIVERSITY], "autoTasks": tasks})

    assert message.startswith(f"config.selection.autoTasks[{len(tasks) - 1}]")
    assert part in message


@pytest.mark.parametrize(
    "tasks",
    [
        # what 1.5.26 sends always
        [],
        [tile()],
        [tile(overlap=0.5), {"type": "CROP", "name": "crop", "bboxs": [[0, 0, 0.5, 1]]}],
    ],
)
def test_auto_tasks_read_back_as_they_were_given(tasks):
    selection = {"strategies": [DIVERSITY], "autoTasks": tasks}

    assert write(selection) == selection
