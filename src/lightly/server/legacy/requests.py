"""Bodies of client 1.0.8. Its token travels in them; by now the caller is known."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StrictInt, StrictStr

from lightly.openapi_generated.swagger_client.models.image_type import ImageType
from lightly.openapi_generated.wire.model import WireModel

#: Numbers as JSON has them; text is no number.
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]


class _OldBody(WireModel):
    token: StrictStr | None = None


class TagBody(_OldBody):
    """Asks for the initial tag."""


class NewSampleFields(WireModel):
    """A sample as 1.0.8 describes it."""

    file_name: StrictStr = Field(alias="fileName")
    meta: dict[StrictStr, Any] | None = None
    thumb_name: StrictStr | None = Field(alias="thumbName", default=None)


class SampleBody(_OldBody):
    """Asks for a sample."""

    sample: NewSampleFields


class DatasetFields(WireModel):
    """What 1.0.8 changes of a dataset."""

    img_type: ImageType = Field(alias="imgType")


class DatasetBody(_OldBody):
    """Asks for another image type."""

    dataset: DatasetFields


class EmbeddingRow(WireModel):
    """The vector of one sample."""

    file_name: StrictStr = Field(alias="fileName")
    value: Annotated[list[Number], Field(min_length=1)]
    label: StrictInt


class EmbeddingBody(_OldBody):
    """Some rows of an embedding; `append` tells whether earlier ones were sent."""

    embedding_name: Annotated[StrictStr, Field(min_length=1)] = Field(alias="embeddingName")
    embeddings: list[EmbeddingRow]
    append: Literal[0, 1]


class AuthorizationBody(_OldBody):
    """Asks whether a container may run."""

    timestamp: StrictStr | float | None = None
    task_description: Any = None


class DiagnosticsBody(_OldBody):
    """Reports what a container does."""

    run_id: Any = Field(alias="runId", default=None)
    action: Any = None
    data: Any = None
    timestamp: Any = None


class ConfigurationChoice(WireModel):
    """Names the metadata configuration that a dataset goes by; client 1.1 sends it."""

    id: Annotated[str, Field(strict=True, pattern="^[a-f0-9]{24}$")]
