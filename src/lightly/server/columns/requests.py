"""Bodies of questions about columns; see `openapi/ext-v1.json`."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StrictBool, StrictFloat, StrictInt, StrictStr, model_validator

from lightly.openapi_generated.wire.model import WireModel

#: Ceilings that nobody reaches by hand: work grows with the number of filters times samples.
MAX_FILTERS = 50
MAX_HISTOGRAMS = 100
MAX_VALUES = 1_000
MAX_VERTICES = 5_000

_Number = StrictFloat | StrictInt
_Key = Annotated[StrictStr, Field(max_length=200)]
_Id = Annotated[StrictStr, Field(pattern="^[a-f0-9]{24}$")]
_Point = Annotated[list[_Number], Field(min_length=2, max_length=2)]


class SampleFilter(WireModel):
    """A condition on samples. Which fields it needs depends on `kind`."""

    kind: Literal["range", "values", "name", "polygon"]
    key: _Key | None = None
    minimum: _Number | None = Field(alias="min", default=None)
    maximum: _Number | None = Field(alias="max", default=None)
    values: Annotated[list[_Key], Field(max_length=MAX_VALUES)] | None = None
    text: Annotated[StrictStr, Field(max_length=500)] | None = None
    is_regex: StrictBool = Field(alias="isRegex", default=False)
    is_case_sensitive: StrictBool = Field(alias="isCaseSensitive", default=False)
    embedding_id: _Id | None = Field(alias="embeddingId", default=None)
    embedding2d_id: _Id | None = Field(alias="embedding2dId", default=None)
    polygon: Annotated[list[_Point], Field(min_length=3, max_length=MAX_VERTICES)] | None = None
    is_negated: StrictBool = Field(alias="isNegated", default=False)

    @model_validator(mode="after")
    def _check_fields(self) -> Self:
        missing = [name for name in _NEEDED[self.kind] if getattr(self, name) is None]
        if missing:
            raise ValueError(f"a filter of kind '{self.kind}' needs {', '.join(missing)}")
        return self


_NEEDED = {
    "range": ("key",),
    "values": ("key", "values"),
    "name": ("text",),
    "polygon": ("embedding_id", "embedding2d_id", "polygon"),
}


class ColumnQueryRequest(WireModel):
    """Which samples meet all conditions, and how the values of those are distributed."""

    filters: Annotated[list[SampleFilter], Field(max_length=MAX_FILTERS)]
    tag_id: _Id | None = Field(alias="tagId", default=None)
    is_tag_negated: StrictBool = Field(alias="isTagNegated", default=False)
    histograms: Annotated[list[_Key], Field(max_length=MAX_HISTOGRAMS)] = Field(
        default_factory=list
    )


#: More examples would make a request of minutes.
MAX_EXAMPLES = 100
#: Samples whose distances are in the answer.
MAX_DISTANCES = 1_000


class SimilarityRequest(WireModel):
    """Samples that others are compared with."""

    sample_ids: Annotated[
        list[_Id], Field(alias="sampleIds", min_length=1, max_length=MAX_EXAMPLES)
    ]
    limit: Annotated[StrictInt, Field(ge=1, le=2**53)] | None = None
