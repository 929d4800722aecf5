"""Path and query parameters that many routes share, with their wire names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Path, Query

_ID_PATTERN = "^[a-f0-9]{24}$"
_MAX_ITEMS = 2**53

DatasetId = Annotated[str, Path(alias="datasetId", pattern=_ID_PATTERN)]
SampleId = Annotated[str, Path(alias="sampleId", pattern=_ID_PATTERN)]
TagId = Annotated[str, Path(alias="tagId", pattern=_ID_PATTERN)]
ScoreId = Annotated[str, Path(alias="scoreId", pattern=_ID_PATTERN)]
EmbeddingId = Annotated[str, Path(alias="embeddingId", pattern=_ID_PATTERN)]
Embedding2dId = Annotated[str, Path(alias="embedding2dId", pattern=_ID_PATTERN)]
ConfigurationId = Annotated[str, Path(alias="configurationId", pattern=_ID_PATTERN)]


@dataclass(frozen=True)
class Page:
    """A slice of a list: `offset` items are left out, then at most `size` follow (None: all)."""

    offset: int
    size: int | None


def _read_page(
    page_size: Annotated[int | None, Query(alias="pageSize", ge=1)] = None,
    page_offset: Annotated[int | None, Query(alias="pageOffset", ge=0)] = None,
) -> Page:
    # Beyond what any list holds; databases refuse numbers of more than 64 bits.
    return Page(min(page_offset or 0, _MAX_ITEMS), page_size and min(page_size, _MAX_ITEMS))


PageParameter = Annotated[Page, Depends(_read_page)]
