"""Bodies of our own operations on files of datasources; see `openapi/ext-v1.json`."""

from __future__ import annotations

from pydantic import Field, StrictStr

from lightly.openapi_generated.wire.model import WireModel


class FileWriteUrlsRequest(WireModel):
    """Many files to write below `.lightly/`."""

    file_names: list[StrictStr] = Field(alias="fileNames")
