"""Path and query parameters that many routes share, with their wire names."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Path, Query

#: Ids as the contract has them.
ID_PATTERN = "^[a-f0-9]{24}$"
_MAX_ITEMS = 2**53

DatasetId = Annotated[str, Path(alias="datasetId", pattern=ID_PATTERN)]
SampleId = Annotated[str, Path(alias="sampleId", pattern=ID_PATTERN)]
TagId = Annotated[str, Path(alias="tagId", pattern=ID_PATTERN)]
ScoreId = Annotated[str, Path(alias="scoreId", pattern=ID_PATTERN)]
EmbeddingId = Annotated[str, Path(alias="embeddingId", pattern=ID_PATTERN)]
Embedding2dId = Annotated[str, Path(alias="embedding2dId", pattern=ID_PATTERN)]
NeighborhoodId = Annotated[str, Path(alias="neighborhoodId", pattern=ID_PATTERN)]
ConfigurationId = Annotated[str, Path(alias="configurationId", pattern=ID_PATTERN)]
WorkerId = Annotated[str, Path(alias="workerId", pattern=ID_PATTERN)]
RunId = Annotated[str, Path(alias="runId", pattern=ID_PATTERN)]
ScheduledId = Annotated[str, Path(alias="scheduledId", pattern=ID_PATTERN)]
ArtifactId = Annotated[str, Path(alias="artifactId", pattern=ID_PATTERN)]
SessionId = Annotated[str, Path(alias="sessionId", pattern=ID_PATTERN)]
ConfigId = Annotated[str, Path(alias="configId", pattern=ID_PATTERN)]


@dataclass(frozen=True)
class Page:
    """A slice of a list: `offset` items are left out, then at most `size` follow (None: all)."""

    offset: int
    size: int | None


async def _read_page(
    page_size: Annotated[int | None, Query(alias="pageSize", ge=1)] = None,
    page_offset: Annotated[int | None, Query(alias="pageOffset", ge=0)] = None,
) -> Page:
    # Beyond what any list holds; databases refuse numbers of more than 64 bits.
    return Page(min(page_offset or 0, _MAX_ITEMS), page_size and min(page_size, _MAX_ITEMS))


PageParameter = Annotated[Page, Depends(_read_page)]


class AssetScope(enum.Enum):
    """Whose workers or runs a list is about."""

    OWN = "own"
    TEAM = "team"
    BOTH = "both"


async def _read_scope(
    of_team: Annotated[bool | None, Query(alias="getAssetsOfTeam")] = None,
    of_team_and_self: Annotated[bool | None, Query(alias="getAssetsOfTeamInclusiveSelf")] = None,
) -> AssetScope:
    if of_team_and_self:
        return AssetScope.BOTH
    return AssetScope.TEAM if of_team else AssetScope.OWN


AssetScopeParameter = Annotated[AssetScope, Depends(_read_scope)]
