"""Bodies of requests about saved views; see `openapi/ext-v1.json`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StrictStr

from lightly.openapi_generated.wire.model import WireModel

#: A lasso of some hundred corners, or a selection of some ten thousand runs.
MAX_QUERY_CHARACTERS = 200_000

_Name = Annotated[StrictStr, Field(min_length=1, max_length=255, pattern=r"^[^\x00]*$")]
_Query = Annotated[StrictStr, Field(max_length=MAX_QUERY_CHARACTERS, pattern=r"^[^\x00]*$")]


class ViewCreateRequest(WireModel):
    """What the explore page shows; with a name it is listed."""

    query: _Query
    name: _Name | None = None


class ViewUpdateRequest(WireModel):
    """Another name, or another query under the same link."""

    name: _Name | None = None
    query: _Query | None = None
