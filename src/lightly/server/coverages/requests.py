"""What asks for coverage: the body of `POST …/tags/{tagId}/coverage`."""

from __future__ import annotations

from pydantic import Field

from lightly.openapi_generated.wire.model import WireModel
from lightly.server.selections.requests import Id


class CoverageCreateRequest(WireModel):
    """Distances of all samples to a tag."""

    embedding_id: Id | None = Field(alias="embeddingId", default=None)
