"""HTTP out of exports."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import orjson
from fastapi import APIRouter, Depends
from starlette.responses import Response, StreamingResponse

from lightly.openapi_generated.swagger_client.models.file_output_format import FileOutputFormat
from lightly.server.exports import archive, rows
from lightly.server.exports.models import ExportOptions
from lightly.server.exports.parameters import OptionsParameter, ShortOptionsParameter
from lightly.server.exports.service import Export, open_export
from lightly.server.http.parameters import DatasetId, Page, TagId
from lightly.server.http.requests import ContractRoute
from lightly.server.platform import Caller, Platform
from lightly.server.samples.listing import stream_pieces

router = APIRouter(prefix="/v1/datasets/{datasetId}/tags/{tagId}/export", route_class=ContractRoute)

_EVERYTHING = ExportOptions(page=Page(0, None))


def _open_export(
    dataset_id: DatasetId,
    tag_id: TagId,
    platform: Platform,
    caller: Caller,
    options: OptionsParameter,
) -> Export:
    return open_export(platform, caller, dataset_id, tag_id, options)


ExportParameter = Annotated[Export, Depends(_open_export)]


@router.get("/LabelStudio/tasks")
def export_label_studio_tasks(export: ExportParameter) -> Response:
    """Export the samples of a tag as Label Studio tasks."""
    return stream_pieces(rows.write_label_studio_tasks(export))


@router.get("/LabelBox/datarows")
def export_label_box_rows(export: ExportParameter) -> Response:
    """Export the samples of a tag as Labelbox rows."""
    return stream_pieces(rows.write_label_box_rows(export))


@router.get("/LabelBoxV4/datarows")
def export_label_box_v4_rows(export: ExportParameter) -> Response:
    """Export the samples of a tag as rows of Labelbox 4."""
    return stream_pieces(rows.write_label_box_v4_rows(export))


@router.get("/Sama/tasks")
def export_sama_tasks(export: ExportParameter) -> Response:
    """Export the samples of a tag as Sama tasks."""
    return stream_pieces(rows.write_sama_tasks(export))


@router.get("/basic/filenames")
def export_file_names(export: ExportParameter) -> Response:
    """Export the names of a tag's samples as one text, a line each."""
    names = rows.write_names(export)
    if export.options.output_format is FileOutputFormat.PLAIN:
        return StreamingResponse(_join_lines(names), media_type="text/plain")
    # Clients parse a text as JSON if they can: a lone `1e3` would turn into a number. As a JSON
    # string it arrives as it is.
    return StreamingResponse(_quote(_join_lines(names)), media_type="application/json")


@router.get("/basic/filenamesAndReadUrls")
def export_file_names_and_read_urls(
    dataset_id: DatasetId,
    tag_id: TagId,
    platform: Platform,
    caller: Caller,
    options: ShortOptionsParameter,
) -> Response:
    """Export the names of a tag's samples with the URLs of their images."""
    export = open_export(platform, caller, dataset_id, tag_id, options)
    return stream_pieces(rows.write_read_urls(export))


@router.get("/zip")
def export_archive(
    dataset_id: DatasetId, tag_id: TagId, platform: Platform, caller: Caller
) -> Response:
    """Export the images of a tag as one archive."""
    export = open_export(platform, caller, dataset_id, tag_id, _EVERYTHING)
    members = archive.list_members(export)
    return StreamingResponse(
        archive.stream_archive(members, len(export.indices)),
        media_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{tag_id}.zip"'},
    )


def _join_lines(pieces: Iterator[list[str]]) -> Iterator[str]:
    """Yield a text without a newline at its end: clients put one between pages."""
    separator = ""
    for piece in pieces:
        yield separator + "\n".join(piece)
        separator = "\n"


def _quote(texts: Iterator[str]) -> Iterator[bytes]:
    yield b'"'
    for text in texts:
        yield orjson.dumps(text)[1:-1]
    yield b'"'
