"""A checked configuration and a dataset's data in, strategies of the engine out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lightly._kit.errors import BadInput
from lightly.data.made_tasks import AUTO_TAGS_TASK
from lightly.data.selection_plan.inputs import Column, SelectionInputs
from lightly.data.selection_plan.metadata_values import read_classes, read_numbers
from lightly.data.selection_plan.path_metadata import PathMetadata, read_path_metadata
from lightly.data.selection_plan.prediction_values import (
    count_objects,
    find_classes,
    read_class_shares,
)
from lightly.data.selection_plan.tag_values import (
    OTHERS,
    read_best_classes,
    read_concept_shares,
    sum_concepts,
)
from lightly.openapi_generated.swagger_client.models.selection_config_v4 import SelectionConfigV4
from lightly.selection import (
    Balance,
    Diversity,
    Random,
    Similarity,
    Strategy,
    Threshold,
    Typicality,
    Weights,
    count_share,
)
from lightly.utils.run_configuration.errors import ContradictoryConfiguration
from lightly.utils.run_configuration.reading import read_model
from lightly.utils.run_configuration.selection_rules import AnySelection, check_selection

_NO_LIMIT = -1
# Opened last: everything that can be wrong with the others is found before vectors are read.
_VECTOR_STRATEGIES = ("DIVERSITY", "SIMILARITY", "TYPICALITY")


@dataclass(frozen=True, eq=False)
class PlannedStrategy:
    """One strategy of the configuration, ready to run.

    Attributes:
        input: As configured, in the wire form.
        strategy: As configured, in the wire form.
        engine: The same for the engine.
        class_names: Names of the classes that a BALANCE numbers; empty for others.
        notes: What was decided where the configuration says nothing.
    """

    input: Mapping[str, Any]
    strategy: Mapping[str, Any]
    engine: Strategy | Threshold
    class_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class SelectionPlan:
    """What to give to the engine.

    Attributes:
        n_samples: How many new samples; None for no limit.
        planned: The strategies, in the order of the configuration.
        path_metadata: What ``lightlyPathRegex`` found, by the name of the group; to be stored as
            metadata of the samples.
    """

    n_samples: int | None
    planned: tuple[PlannedStrategy, ...]
    path_metadata: PathMetadata = field(default_factory=dict)

    @property
    def strategies(self) -> list[Strategy | Threshold]:
        """The strategies for ``lightly.selection.select``."""
        return [entry.engine for entry in self.planned]


def read_selection(content: object, place: str = "selection") -> SelectionConfigV4:
    """Return the configuration of a selection of any version, in either spelling, checked.

    Args:
        content: Decoded JSON: a configuration of V2, V3 or V4, of which each contains the former.
        place: Where it is, for errors.

    Raises:
        InvalidConfiguration: With the first problem and its remedy.

    >>> entry = {"input": {"type": "RANDOM", "random_seed": 3}, "strategy": {"type": "WEIGHTS"}}
    >>> read_selection({"n_samples": 5, "strategies": [entry]}).strategies[0].input.random_seed
    3
    """
    config = read_model(SelectionConfigV4, content, place)
    check_selection(config, place)
    return config


def plan_selection(
    config: AnySelection,
    inputs: SelectionInputs,
    *,
    n_candidates: int | None = None,
    sequence_length: int = 1,
    place: str = "selection",
) -> SelectionPlan:
    """Turn a configuration into strategies; whatever is wrong with it is found here.

    Args:
        config: As ``read_selection`` returns it, or a wire model of any version.
        inputs: The data.
        n_candidates: Samples that may be selected, of which ``proportionSamples`` is a share; all
            of the inputs' if None.
        sequence_length: Frames that are selected together.
        place: Where the configuration is, for errors.

    Raises:
        InvalidConfiguration: If values do not go together, among them or with the data.
        BadInput: If the data are not there or not of the right kind.
    """
    check_selection(config, place)
    content = config.to_dict(by_alias=True)
    n_offered = inputs.n_samples if n_candidates is None else n_candidates
    n_samples = _count_samples(content, n_offered, sequence_length, place)
    path_metadata: PathMetadata = {}
    if content.get("lightlyPathRegex"):
        path_metadata = read_path_metadata(content["lightlyPathRegex"], inputs.read_names())
    translator = _Translator(inputs, path_metadata)
    planned: dict[int, PlannedStrategy] = {}
    entries = list(enumerate(content["strategies"]))
    for number, entry in sorted(entries, key=lambda item: _is_vector(item[1])):
        where = f"{place}.strategies[{number}]"
        planned[number] = translator.translate(entry["input"], entry["strategy"], where)
    return SelectionPlan(n_samples, tuple(planned[number] for number, _ in entries), path_metadata)


def _is_vector(entry: Mapping[str, Any]) -> bool:
    return entry["strategy"]["type"] in _VECTOR_STRATEGIES


def _count_samples(
    content: Mapping[str, Any], n_candidates: int, sequence_length: int, place: str
) -> int | None:
    """Return the number of samples, in frames even where sequences are selected."""
    if content.get("proportionSamples") is not None:
        share = content["proportionSamples"]
        return count_share(share, n_candidates, sequence_length=sequence_length)
    n_samples = content.get("nSamples", _NO_LIMIT)
    if n_samples == _NO_LIMIT:
        return None
    if n_samples % sequence_length:
        raise ContradictoryConfiguration(
            f"{place}.nSamples: counts frames and must be a multiple of the sequence length. Got "
            f"{n_samples} and {sequence_length}."
        )
    return int(n_samples)


class _Translator:
    """Turns entries of a configuration into strategies."""

    def __init__(self, inputs: SelectionInputs, path_metadata: PathMetadata) -> None:
        self._inputs = inputs
        self._path_metadata = path_metadata
        self._make: dict[str, Callable[..., PlannedStrategy]] = {
            "DIVERSITY": self._make_diversity,
            "SIMILARITY": self._make_similarity,
            "TYPICALITY": self._make_typicality,
            "WEIGHTS": self._make_weights,
            "THRESHOLD": self._make_threshold,
            "BALANCE": self._make_balance,
        }

    def translate(
        self, input_: Mapping[str, Any], strategy: Mapping[str, Any], place: str
    ) -> PlannedStrategy:
        """Return one entry as a strategy; errors say which entry they are about."""
        try:
            return self._make[strategy["type"]](input_, strategy)
        except BadInput as error:
            raise ContradictoryConfiguration(f"{place}: {error}", **error.context) from error

    def _make_diversity(
        self, input_: Mapping[str, Any], strategy: Mapping[str, Any]
    ) -> PlannedStrategy:
        engine = Diversity(
            self._open_vectors(input_),
            strength=strategy.get("strength", 1.0),
            min_distance=strategy.get("stopping_condition_minimum_distance"),
        )
        return PlannedStrategy(input_, strategy, engine)

    def _make_similarity(
        self, input_: Mapping[str, Any], strategy: Mapping[str, Any]
    ) -> PlannedStrategy:
        queries = self._inputs.open_queries(input_["datasetId"], input_["tagName"])
        engine = Similarity(
            self._open_vectors(input_), queries, strength=strategy.get("strength", 1.0)
        )
        return PlannedStrategy(input_, strategy, engine)

    def _make_typicality(
        self, input_: Mapping[str, Any], strategy: Mapping[str, Any]
    ) -> PlannedStrategy:
        options: dict[str, Any] = {}
        if strategy.get("numNearestNeighbors") is not None:
            options["n_neighbours"] = strategy["numNearestNeighbors"]
        engine = Typicality(
            self._open_vectors(input_),
            strength=strategy.get("strength", 1.0),
            min_typicality=strategy.get("stoppingConditionMinimumTypicality"),
            **options,
        )
        notes = () if options else (f"numNearestNeighbors is {engine.n_neighbours}, the default.",)
        return PlannedStrategy(input_, strategy, engine, notes=notes)

    def _make_weights(
        self, input_: Mapping[str, Any], strategy: Mapping[str, Any]
    ) -> PlannedStrategy:
        values, missing, notes = self._read_numbers(input_)
        target = strategy.get("targetRange") or {}
        limits = [strategy.get("stoppingConditionMaxSum"), target.get("maxSum")]
        given = [limit for limit in limits if limit is not None]
        engine = Weights(
            values,
            missing=missing,
            strength=strategy.get("strength", 1.0),
            max_sum=min(given, default=None),
            min_sum=target.get("minSum"),
        )
        return PlannedStrategy(input_, strategy, engine, notes=notes)

    def _make_threshold(
        self, input_: Mapping[str, Any], strategy: Mapping[str, Any]
    ) -> PlannedStrategy:
        values, missing, notes = self._read_numbers(input_)
        engine = Threshold(
            values,
            missing=missing,
            threshold=strategy["threshold"],
            operation=strategy["operation"],
        )
        return PlannedStrategy(input_, strategy, engine, notes=notes)

    def _make_balance(
        self, input_: Mapping[str, Any], strategy: Mapping[str, Any]
    ) -> PlannedStrategy:
        options: dict[str, Any] = {"strength": strategy.get("strength", 1.0)}
        if input_["type"] == "METADATA":
            column = read_classes(self._read_metadata(input_["key"]), input_["key"])
            names = column.names
            target = _read_target(strategy, names, f"Metadata '{input_['key'][:60]}'")
            n_classes = max(1, len(names))
            engine = Balance(column.codes, target=target, n_classes=n_classes, **options)
        elif input_["task"] == AUTO_TAGS_TASK:
            return self._balance_tags(input_, strategy)
        else:
            task = input_["task"]
            predictions = self._inputs.read_predictions(task)
            names = tuple(name for _, name in predictions.categories)
            target = _read_target(strategy, names, f"Task '{task}'")
            rows, missing = read_class_shares(predictions, task, self._inputs.n_samples)
            engine = Balance(rows, target=target, missing=missing, **options)
        return PlannedStrategy(input_, strategy, engine, class_names=names)

    def _balance_tags(
        self, input_: Mapping[str, Any], strategy: Mapping[str, Any]
    ) -> PlannedStrategy:
        """Balance concepts that the target names, or else what each sample most likely shows."""
        predictions = self._inputs.read_predictions(AUTO_TAGS_TASK)
        n_samples, strength = self._inputs.n_samples, strategy.get("strength", 1.0)
        distribution = strategy.get("distribution", "TARGET")
        if distribution != "TARGET":
            codes, names = read_best_classes(predictions, n_samples)
            n_classes = max(1, len(names))
            engine = Balance(codes, target=distribution, n_classes=n_classes, strength=strength)
            return PlannedStrategy(input_, strategy, engine, class_names=names)
        words = tuple(strategy["target"])
        rows, missing = read_concept_shares(predictions, words, n_samples)
        target = dict(enumerate(strategy["target"].values()))
        engine = Balance(rows, target=target, missing=missing, strength=strength)
        return PlannedStrategy(input_, strategy, engine, class_names=(*words, OTHERS))

    def _open_vectors(self, input_: Mapping[str, Any]) -> Any:
        if input_.get("task"):
            return self._inputs.open_objects(input_["task"])
        return self._inputs.open_embeddings()

    def _read_metadata(self, key: str) -> Sequence[object]:
        if key in self._path_metadata:
            return self._path_metadata[key]
        return self._inputs.read_metadata(key)

    def _read_numbers(
        self, input_: Mapping[str, Any]
    ) -> tuple[Any, np.ndarray[Any, np.dtype[np.bool_]] | None, tuple[str, ...]]:
        """Return values, flags of missing ones, and notes."""
        if input_["type"] == "RANDOM":
            seed = input_.get("randomSeed")
            notes = () if seed is not None else ("randomSeed is 0, the default.",)
            return Random(self._inputs.read_names(), seed=seed or 0), None, notes
        column = self._read_column(input_)
        return column.values, column.missing, ()

    def _read_column(self, input_: Mapping[str, Any]) -> Column:
        if input_["type"] == "SCORES":
            return self._inputs.read_scores(input_["task"], input_["score"])
        if input_["type"] == "METADATA":
            return read_numbers(self._read_metadata(input_["key"]), input_["key"])
        task = input_["task"]
        predictions = self._inputs.read_predictions(task)
        if task == AUTO_TAGS_TASK:
            return sum_concepts(predictions, input_.get("categories"), self._inputs.n_samples)
        return count_objects(predictions, task, self._inputs.n_samples, input_.get("categories"))


def _read_target(strategy: Mapping[str, Any], names: Sequence[str], owner: str) -> Any:
    """Return the target for the engine, which knows classes by their numbers."""
    distribution = strategy.get("distribution", "TARGET")
    if distribution != "TARGET":
        return distribution
    target = strategy["target"]
    return dict(zip(find_classes(list(target), names, owner), target.values(), strict=True))
