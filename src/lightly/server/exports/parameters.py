"""The options of exports as query parameters, with their wire names."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query

from lightly.openapi_generated.swagger_client.models.file_name_format import FileNameFormat
from lightly.openapi_generated.swagger_client.models.file_output_format import FileOutputFormat
from lightly.server.exports.models import ExportOptions
from lightly.server.http.parameters import PageParameter

Flag = bool | None


async def _read_short_options(
    page: PageParameter,
    format_: Annotated[FileOutputFormat | None, Query(alias="format")] = None,
    preview_example: Annotated[Flag, Query(alias="previewExample")] = None,
) -> ExportOptions:
    return ExportOptions(
        page=page,
        output_format=format_ or FileOutputFormat.JSON,
        is_preview=bool(preview_example),
    )


async def _read_options(
    page: PageParameter,
    expires_in: Annotated[int | None, Query(alias="expiresIn", ge=1)] = None,
    access_control: Annotated[str | None, Query(alias="accessControl")] = None,
    file_name_format: Annotated[FileNameFormat | None, Query(alias="fileNameFormat")] = None,
    include_meta_data: Annotated[Flag, Query(alias="includeMetaData")] = None,
    format_: Annotated[FileOutputFormat | None, Query(alias="format")] = None,
    preview_example: Annotated[Flag, Query(alias="previewExample")] = None,
) -> ExportOptions:
    return ExportOptions(
        page=page,
        name_format=file_name_format or FileNameFormat.NAME,
        expires_in_s=expires_in,
        access_control=access_control,
        has_metadata=include_meta_data is not False,
        output_format=format_ or FileOutputFormat.JSON,
        is_preview=bool(preview_example),
    )


OptionsParameter = Annotated[ExportOptions, Depends(_read_options)]
ShortOptionsParameter = Annotated[ExportOptions, Depends(_read_short_options)]
