"""Bodies of our own bulk operations on samples."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import Field, StrictStr, StringConstraints, model_validator

from lightly.openapi_generated.swagger_client.models.sample_create_request import (
    SampleCreateRequest,
)
from lightly.openapi_generated.wire.model import WireModel
from lightly.server.errors import PayloadTooLarge
from lightly.server.http.requests import decode_json, parse_body

#: Most items of one bulk request. With metadata they are some 5 MB of JSON, and are written within
#: half a second while nobody else can write.
MAX_ITEMS = 10_000

_Id = Annotated[str, StringConstraints(strict=True, pattern="^[a-f0-9]{24}$")]
ModelT = TypeVar("ModelT", bound=WireModel)


class SampleBulkRequest(WireModel):
    """Many samples to register."""

    samples: list[SampleCreateRequest]


class SampleWriteUrlsRequest(WireModel):
    """Many samples to upload images of."""

    sample_ids: list[_Id] = Field(alias="sampleIds")
    kinds: Annotated[list[Literal["full", "thumb"]], Field(min_length=1, max_length=2)]


class SampleReference(WireModel):
    """A sample, named by its id or its file name."""

    id: _Id | None = None
    file_name: StrictStr | None = Field(alias="fileName", default=None)

    @model_validator(mode="after")
    def _check_one_name(self) -> Self:
        if (self.id is None) == (self.file_name is None):
            raise ValueError("give either 'id' or 'fileName'")
        return self


class CustomMetadataItem(SampleReference):
    """New custom metadata of one sample."""

    custom_meta_data: dict[StrictStr, Any] | None = Field(alias="customMetaData")


class CustomMetadataBulkRequest(WireModel):
    """New custom metadata of many samples."""

    items: list[CustomMetadataItem]


def decode_bulk(body: bytes, list_name: str) -> object:
    """Return a decoded bulk request whose list is not too long.

    Raises:
        MalformedRequest: If it is not JSON.
        PayloadTooLarge: If the list has more than `MAX_ITEMS` items.
    """
    content = decode_json(body)
    items = content.get(list_name) if isinstance(content, dict) else None
    if isinstance(items, list) and len(items) > MAX_ITEMS:
        raise PayloadTooLarge(
            f"'{list_name}' has {len(items)} items, at most {MAX_ITEMS} go into one request. "
            "Send them in several."
        )
    return content


def parse_bulk(model: type[ModelT], body: bytes, list_name: str) -> ModelT:
    """Return a bulk request as a model; errors as in `decode_bulk`, or `MalformedRequest`."""
    return parse_body(model, decode_bulk(body, list_name))
