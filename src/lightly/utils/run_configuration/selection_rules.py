"""What a selection's input and strategy need, and which of them work together.

Source: the platform reference, section selection_config; `lightly.selection` has one class per
strategy.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import re2  # type: ignore[import-untyped]  # ships no types

from lightly.openapi_generated.swagger_client.models.selection_config import SelectionConfig
from lightly.openapi_generated.swagger_client.models.selection_config_v3 import SelectionConfigV3
from lightly.openapi_generated.swagger_client.models.selection_config_v4 import SelectionConfigV4
from lightly.utils.run_configuration.errors import ContradictoryConfiguration

AnySelection = SelectionConfig | SelectionConfigV3 | SelectionConfigV4

#: Stands for "no limit".
UNSET = -1
#: Two vectors of unit length are at most this far apart.
MAX_UNIT_DISTANCE = 2
#: More tiles than this per image are smaller than anything one could see on them.
MAX_TILES = 10_000
#: Paths have at most 1,024 bytes; an expression for them needs no more.
MAX_REGEX_CHARACTERS = 1_024


@dataclass(frozen=True)
class _Keys:
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()


_INPUTS = {
    "EMBEDDINGS": _Keys(optional=("task", "datasetId", "tagName")),
    "SCORES": _Keys(required=("task", "score")),
    "METADATA": _Keys(required=("key",)),
    "PREDICTIONS": _Keys(required=("task", "name"), optional=("categories",)),
    "RANDOM": _Keys(optional=("randomSeed",)),
}
_STRATEGIES = {
    "DIVERSITY": _Keys(optional=("stopping_condition_minimum_distance", "strength")),
    "WEIGHTS": _Keys(optional=("stoppingConditionMaxSum", "targetRange", "strength")),
    # Thresholds filter; there is nothing of them that a strength could scale.
    "THRESHOLD": _Keys(required=("threshold", "operation"), optional=("strength",)),
    "BALANCE": _Keys(optional=("target", "distribution", "strength")),
    "SIMILARITY": _Keys(optional=("strength",)),
    "TYPICALITY": _Keys(
        optional=("numNearestNeighbors", "stoppingConditionMinimumTypicality", "strength")
    ),
}
_VECTORS = ("DIVERSITY", "SIMILARITY", "TYPICALITY")
_NUMBERS = ("WEIGHTS", "THRESHOLD")
#: Which strategies take what an input gives.
COMBINATIONS: dict[str, tuple[str, ...]] = {
    "EMBEDDINGS": _VECTORS,
    "SCORES": _NUMBERS,
    # Numbers or classes: only the samples themselves tell.
    "METADATA": (*_NUMBERS, "BALANCE"),
    "PREDICTIONS CLASS_DISTRIBUTION": ("BALANCE",),
    "PREDICTIONS CATEGORY_COUNT": _NUMBERS,
    "RANDOM": _NUMBERS,
}


def check_selection(selection: AnySelection, place: str) -> None:
    """Refuse a selection whose values do not go together.

    Args:
        selection: A `SelectionConfig` of any version.
        place: Where it is, for errors.

    Raises:
        ContradictoryConfiguration: With the first problem and its remedy.
    """
    # The only values that the models leave open; until they are numbers, nothing can be said.
    targets = [entry.strategy.target or {} for entry in selection.strategies]
    for number, target in enumerate(targets):
        if not all(_is_share(share) for share in target.values()):
            raise ContradictoryConfiguration(
                f"{place}.strategies[{number}].strategy.target: every share must be a number of 0 "
                "or more."
            )
    for problem in _find_problems(selection.to_dict(by_alias=True)):
        raise ContradictoryConfiguration(f"{place}{problem}")


def _find_problems(content: dict[str, Any]) -> Iterator[str]:
    """Yield problems, each beginning with its path."""
    if content.get("nSamples", UNSET) != UNSET and "proportionSamples" in content:
        yield ": nSamples and proportionSamples exclude each other. Leave one of them out."
    for number, entry in enumerate(content["strategies"]):
        for problem in _find_entry_problems(entry["input"], entry["strategy"]):
            yield f".strategies[{number}]{problem}"
    if "lightlyPathRegex" in content:
        yield from _find_regex_problems(content["lightlyPathRegex"])
    yield from _find_task_problems(content.get("autoTasks", []))


def _find_entry_problems(input_: dict[str, Any], strategy: dict[str, Any]) -> Iterator[str]:
    yield from _compare_keys(".input", input_, _INPUTS[input_["type"]])
    yield from _compare_keys(".strategy", strategy, _STRATEGIES[strategy["type"]])
    is_prediction = input_["type"] == "PREDICTIONS"
    kind = f"PREDICTIONS {input_.get('name')}" if is_prediction else input_["type"]
    if strategy["type"] not in COMBINATIONS[kind]:
        fitting = [name for name, types in COMBINATIONS.items() if strategy["type"] in types]
        yield (
            f": strategy {strategy['type']} does not work on input {kind}. Use it on "
            f"{' or '.join(fitting)}, or use {' or '.join(COMBINATIONS[kind])} on this input."
        )
    yield from _find_query_problems(input_, strategy["type"])
    yield from _find_limit_problems(strategy)
    if strategy["type"] == "BALANCE":
        yield from _find_target_problems(strategy)
    if input_.get("categories") is not None and input_.get("name") != "CATEGORY_COUNT":
        yield ".input.categories: only CATEGORY_COUNT counts categories. Leave it out."


def _compare_keys(path: str, given: dict[str, Any], keys: _Keys) -> Iterator[str]:
    for name in keys.required:
        if given.get(name) in {None, ""}:
            yield f"{path}: {given['type']} needs '{name}'. Add it."
    for name in given:
        if name not in {"type", *keys.required, *keys.optional}:
            yield f"{path}.{name}: has no effect with {given['type']}. Leave it out."


def _find_query_problems(input_: dict[str, Any], strategy: str) -> Iterator[str]:
    queries = [name for name in ("datasetId", "tagName") if name in input_]
    if strategy == "SIMILARITY" and len(queries) < len(("datasetId", "tagName")):
        yield (
            ".input: SIMILARITY needs 'datasetId' and 'tagName': what samples shall be similar to."
        )
    if strategy != "SIMILARITY" and queries:
        yield f".input.{queries[0]}: only SIMILARITY compares with another dataset. Leave it out."


def _find_limit_problems(strategy: dict[str, Any]) -> Iterator[str]:
    if strategy.get("stopping_condition_minimum_distance", 0) < 0:
        yield ".strategy.stopping_condition_minimum_distance: must be 0 or more."
    if strategy.get("stoppingConditionMinimumTypicality", 0) > 1:
        yield ".strategy.stoppingConditionMinimumTypicality: must be at most 1, as typicality is."
    target_range = strategy.get("targetRange")
    if target_range is not None:
        if not target_range:
            yield ".strategy.targetRange: needs 'minSum' or 'maxSum'."
        elif target_range.get("minSum", 0) > target_range.get("maxSum", float("inf")):
            yield ".strategy.targetRange: minSum must not be above maxSum."


def _find_target_problems(strategy: dict[str, Any]) -> Iterator[str]:
    distribution = strategy.get("distribution", "TARGET")
    target = strategy.get("target")
    if distribution != "TARGET":
        if target is not None:
            yield f".strategy.target: has no effect with distribution {distribution}. Leave it out."
        return
    if not target:
        yield (
            '.strategy: BALANCE needs a \'target\' such as {"car": 0.7, "bus": 0.3}, or a '
            "'distribution' of UNIFORM or INPUT."
        )


def _is_share(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


def _find_regex_problems(pattern: str) -> Iterator[str]:
    if len(pattern) > MAX_REGEX_CHARACTERS:
        yield f".lightlyPathRegex: may have at most {MAX_REGEX_CHARACTERS} characters."
        return
    options = re2.Options()
    options.log_errors = False
    try:
        # RE2 takes linear time, whatever the pattern.
        names = re2.compile(pattern, options=options).groupindex
    except re2.error as error:
        reason = error.args[0].decode(errors="replace")[:100] if error.args else "unknown"
        yield (
            f".lightlyPathRegex: is not a regular expression of RE2 ({ascii(reason)[1:-1]}). "
            "Look-around and back references are not supported."
        )
        return
    if not names:
        yield (
            ".lightlyPathRegex: needs a named group such as (?P<camera>[^/]+): its matches become "
            "metadata of that name."
        )


def _find_task_problems(tasks: list[dict[str, Any]]) -> Iterator[str]:
    names = [task["name"] for task in tasks]
    for number, task in enumerate(tasks):
        path = f".autoTasks[{number}]"
        if not task["name"]:
            yield f"{path}.name: must not be empty."
        if names.index(task["name"]) < number:
            yield f"{path}.name: another auto task has this name. Choose another one."
        if task["type"] != "TILING":
            continue
        if task["overlap"] >= 1:
            yield f"{path}.overlap: is a share of a tile and must be below 1."
        if task["numRows"] * task["numCols"] > MAX_TILES:
            yield f"{path}: at most {MAX_TILES} tiles per image are possible."
