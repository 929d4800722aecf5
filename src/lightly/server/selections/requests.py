"""What asks for a selection: the body of `POST /ext/v1/datasets/{datasetId}/selection`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StrictInt, StrictStr, StringConstraints

from lightly.openapi_generated.wire.model import WireModel
from lightly.server.http.parameters import ID_PATTERN
from lightly.server.tags.service import MAX_NAME_CHARACTERS

#: More would make no sense, and reports list them all.
MAX_STRATEGIES = 20
MAX_CLASSES = 1_000
_MOST_SAMPLES = 2**53
_MAX_KEY_CHARACTERS = 255

Id = Annotated[str, StringConstraints(strict=True, pattern=ID_PATTERN)]
#: As in the requests of the contract.
TagName = Annotated[
    str,
    StringConstraints(
        strict=True,
        min_length=3,
        max_length=MAX_NAME_CHARACTERS,
        pattern="^[a-zA-Z0-9][a-zA-Z0-9 .:;=@_-]+$",
    ),
]
Number = Annotated[float, Field(allow_inf_nan=False)]
Strength = Annotated[float, Field(ge=-1e9, le=1e9, allow_inf_nan=False)]
Limit = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Text = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=_MAX_KEY_CHARACTERS)]


class AutoStrategy(WireModel):
    """No parameters: the server looks at the data and chooses."""

    type: Literal["AUTO"]


class DiversityStrategy(WireModel):
    """Samples far from each other."""

    type: Literal["DIVERSITY"]
    strength: Strength = 1.0
    min_distance: Limit | None = Field(alias="minDistance", default=None)


class TypicalityStrategy(WireModel):
    """Samples in dense regions."""

    type: Literal["TYPICALITY"]
    strength: Strength = 1.0
    n_neighbors: Annotated[StrictInt, Field(ge=2, le=1_000)] = Field(alias="nNeighbors", default=20)
    min_typicality: Limit | None = Field(alias="minTypicality", default=None)
    max_sum: Limit | None = Field(alias="maxSum", default=None)


class RepresentativeStrategy(WireModel):
    """Samples that stand for many others."""

    type: Literal["REPRESENTATIVE"]
    strength: Strength = 1.0
    n_neighbors: Annotated[StrictInt, Field(ge=2, le=250)] = Field(alias="nNeighbors", default=32)
    graph: Literal["EXACT", "APPROXIMATE"] = "EXACT"


class SimilarityStrategy(WireModel):
    """Samples near those of a tag."""

    type: Literal["SIMILARITY"]
    tag_id: Id = Field(alias="tagId")
    strength: Strength = 1.0
    max_sum: Limit | None = Field(alias="maxSum", default=None)


class RandomStrategy(WireModel):
    """Samples at random, always the same for a seed."""

    type: Literal["RANDOM"]
    strength: Strength = 1.0
    seed: Annotated[StrictInt, Field(ge=-(2**53), le=2**53)] = 0


class WeightsStrategy(WireModel):
    """Samples with high numbers."""

    type: Literal["WEIGHTS"]
    score_type: Text | None = Field(alias="scoreType", default=None)
    metadata_key: Text | None = Field(alias="metadataKey", default=None)
    strength: Strength = 1.0
    max_sum: Limit | None = Field(alias="maxSum", default=None)
    min_sum: Limit | None = Field(alias="minSum", default=None)


class ThresholdStrategy(WireModel):
    """Only samples on one side of a number."""

    type: Literal["THRESHOLD"]
    score_type: Text | None = Field(alias="scoreType", default=None)
    metadata_key: Text | None = Field(alias="metadataKey", default=None)
    threshold: Number
    operation: Literal["SMALLER", "SMALLER_EQUAL", "BIGGER", "BIGGER_EQUAL"]


class BalanceStrategy(WireModel):
    """A mix of classes close to a target."""

    type: Literal["BALANCE"]
    metadata_key: Text = Field(alias="metadataKey")
    distribution: Literal["TARGET", "UNIFORM", "INPUT"]
    target: Annotated[dict[StrictStr, Limit], Field(max_length=MAX_CLASSES)] | None = None
    strength: Strength = 1.0


StrategyByDistance = (
    AutoStrategy
    | DiversityStrategy
    | TypicalityStrategy
    | SimilarityStrategy
    | RepresentativeStrategy
)
AnyStrategy = Annotated[
    StrategyByDistance | RandomStrategy | WeightsStrategy | ThresholdStrategy | BalanceStrategy,
    Field(discriminator="type"),
]


class SelectionCreateRequest(WireModel):
    """A selection within a dataset."""

    new_tag_name: TagName = Field(alias="newTagName")
    strategies: Annotated[list[AnyStrategy], Field(min_length=1, max_length=MAX_STRATEGIES)]
    n_samples: Annotated[StrictInt, Field(ge=-1, le=_MOST_SAMPLES)] | None = Field(
        alias="nSamples", default=None
    )
    proportion_samples: Annotated[float, Field(ge=0, le=1)] | None = Field(
        alias="proportionSamples", default=None
    )
    query_tag_id: Id | None = Field(alias="queryTagId", default=None)
    preselected_tag_id: Id | None = Field(alias="preselectedTagId", default=None)
    embedding_id: Id | None = Field(alias="embeddingId", default=None)

    def to_wire(self) -> dict[str, Any]:
        """Return what was asked for, without what was left out."""
        return self.model_dump(by_alias=True, exclude_unset=True)
