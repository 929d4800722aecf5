"""What asks for neighborhoods: the body of `POST /ext/v1/datasets/{datasetId}/neighborhoods`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StrictInt

from lightly.openapi_generated.wire.model import WireModel
from lightly.server.selections.requests import Id, Limit

#: More neighbours tell nothing about a sample, and cost as much as all pairs do.
MAX_NEIGHBORS = 250


class NearDuplicatesSearch(WireModel):
    """Groups of samples that are almost the same."""

    type: Literal["NEAR_DUPLICATES"]
    #: Left out, it follows the spread of the embedding.
    max_distance: Limit | None = Field(alias="maxDistance", default=None)
    rule: Literal["TRANSITIVE", "STAR"] = "TRANSITIVE"


class OutliersSearch(WireModel):
    """How far each sample is from all others."""

    type: Literal["OUTLIERS"]
    n_neighbors: Annotated[StrictInt, Field(ge=1, le=MAX_NEIGHBORS)] = Field(
        alias="nNeighbors", default=10
    )


AnySearch = Annotated[NearDuplicatesSearch | OutliersSearch, Field(discriminator="type")]


class NeighborhoodCreateRequest(WireModel):
    """A search in an embedding."""

    search: AnySearch
    embedding_id: Id | None = Field(alias="embeddingId", default=None)

    def list_parameters(self) -> dict[str, Any]:
        """Return the parameters of the search with their wire names, defaults included."""
        return self.search.model_dump(by_alias=True, exclude={"type"})
