"""The image of a sample, for pages of this server; see `openapi/ext-v1.json`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from starlette.responses import FileResponse, RedirectResponse, Response

from lightly.media.sniff import SNIFF_BYTES, sniff_content_type
from lightly.server.http.parameters import DatasetId, SampleId
from lightly.server.http.requests import ContractRoute
from lightly.server.platform import Caller, Platform
from lightly.server.samples.images import find_image, find_video
from lightly.server.storage.routes import INERT_HEADERS

router = APIRouter(prefix="/ext/v1/datasets/{datasetId}/samples", route_class=ContractRoute)

#: Shorter than the URLs of the redirect work, so that none is followed after its end.
_REDIRECT_CACHE = "private, max-age=600"

#: By suffix: browsers ask before they play, and look at no bytes.
_VIDEO_TYPES = {".webm": "video/webm", ".ogv": "video/ogg"}

Kind = Annotated[Literal["full", "thumbnail", "video"], Query(alias="type")]


@router.get("/{sampleId}/image")
def get_image(
    dataset_id: DatasetId,
    sample_id: SampleId,
    platform: Platform,
    caller: Caller,
    kind: Kind = "full",
) -> Response:
    """Return the image itself where the server has it as a file, else lead to it.

    Likewise the video that a sample is a frame of.
    """
    if kind == "video":
        return _send_video(find_video(platform, caller, dataset_id, sample_id))
    found = find_image(platform, caller, dataset_id, sample_id, kind)
    if isinstance(found, str):
        return RedirectResponse(found, 307, {"Cache-Control": _REDIRECT_CACHE})
    with found.open("rb") as file:
        media_type = sniff_content_type(file.read(SNIFF_BYTES))
    headers = INERT_HEADERS | {"Vary": "Authorization, Cookie"}
    headers["Content-Disposition"] = "inline" if media_type else "attachment"
    return FileResponse(found, media_type=media_type or "application/octet-stream", headers=headers)


def _send_video(found: Path | str) -> Response:
    if isinstance(found, str):
        return RedirectResponse(found, 307, {"Cache-Control": _REDIRECT_CACHE})
    media_type = _VIDEO_TYPES.get(found.suffix.lower(), "video/mp4")
    headers = INERT_HEADERS | {"Vary": "Authorization, Cookie", "Content-Disposition": "inline"}
    return FileResponse(found, media_type=media_type, headers=headers)
