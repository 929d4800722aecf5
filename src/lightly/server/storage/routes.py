"""Signed URLs of the local store: PUT takes raw bytes, GET serves them inertly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from anyio import from_thread
from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse, Response

from lightly._kit.errors import BadInput
from lightly.media.sniff import SNIFF_BYTES, sniff_content_type
from lightly.server.errors import NotFound, PayloadTooLarge
from lightly.server.platform import Platform, PlatformState
from lightly.server.storage.local import LocalBlobStore
from lightly.server.storage.signing import check_blob_url

router = APIRouter(include_in_schema=False)

#: Uploads are written in pieces of this size: thumbnails in one, large files with bounded memory.
WRITE_BYTES = 1024 * 1024
#: Bytes of users are data: no script in them runs, whatever a browser makes of their type.
_INERT_HEADERS = {
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, max-age=3600",
    "X-Content-Type-Options": "nosniff",
}
Text = Annotated[str, Query()]


@router.put("/blobs/{key:path}")
async def put_blob(
    key: str,
    request: Request,
    platform: Platform,
    method: Text = "",
    expires: Text = "",
    signature: Text = "",
) -> Response:
    """Store the body under the signed key. The same URL works again until it expires."""
    store = _get_local_store(platform)
    _check_url(platform, key, "PUT", method, expires, signature)
    limit_bytes = platform.settings.max_blob_bytes
    await run_in_threadpool(_receive_into, store, key, request, limit_bytes)
    await run_in_threadpool(platform.jobs.blob_arrived, key)
    # 1.0 and 1.1 clients take nothing but 200.
    return Response(status_code=200)


@router.get("/blobs/{key:path}")
@router.head("/blobs/{key:path}")
def get_blob(
    key: str, platform: Platform, method: Text = "", expires: Text = "", signature: Text = ""
) -> Response:
    """Serve an object as what its bytes are: an image or a video, else a download."""
    store = _get_local_store(platform)
    _check_url(platform, key, "GET", method, expires, signature)
    path = store.path_of(key)
    if not path.is_file():
        raise NotFound("There is no object behind this URL.")
    with path.open("rb") as file:
        media_type = sniff_content_type(file.read(SNIFF_BYTES))
    headers = dict(_INERT_HEADERS)
    headers["Content-Disposition"] = "inline" if media_type else "attachment"
    return FileResponse(path, media_type=media_type or "application/octet-stream", headers=headers)


def _get_local_store(platform: PlatformState) -> LocalBlobStore:
    if not isinstance(platform.blobs, LocalBlobStore):
        raise NotFound
    return platform.blobs


def _check_url(
    platform: PlatformState, key: str, used: str, method: str, expires: str, signature: str
) -> None:
    now_s = platform.clock.now_ms() / 1000
    # The method that is used counts, not the one the URL claims; both must be the signed one.
    signed = used if method == used else ""
    check_blob_url(platform.keys, key, signed, expires, signature, now_s)


def _receive_into(store: LocalBlobStore, key: str, request: Request, limit_bytes: int) -> None:
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit_bytes:
        raise _too_large(limit_bytes)
    try:
        store.put(key, _iterate_body(request, limit_bytes))
    except BadInput as error:
        raise NotFound from error


def _iterate_body(request: Request, limit_bytes: int) -> Iterator[bytes]:
    """Yield the body in pieces, pulled from the event loop by the thread that writes them."""
    stream = request.stream()

    async def pull() -> bytes:
        piece = bytearray()
        async for chunk in stream:
            piece += chunk
            if len(piece) >= WRITE_BYTES:
                break
        return bytes(piece)

    total = 0
    while piece := from_thread.run(pull):
        total += len(piece)
        if total > limit_bytes:
            raise _too_large(limit_bytes)
        yield piece


def _too_large(limit_bytes: int) -> PayloadTooLarge:
    return PayloadTooLarge(f"An upload may have at most {limit_bytes} bytes.")
