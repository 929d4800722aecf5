"""Signed URLs of the local store: PUT takes raw bytes, GET serves them inertly."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import contextmanager_in_threadpool
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse, Response

from lightly._kit.errors import BadInput
from lightly.media.sniff import SNIFF_BYTES, sniff_content_type
from lightly.server.errors import NotFound, PayloadTooLarge
from lightly.server.platform import Platform, PlatformState
from lightly.server.samples.arrival import NothingSent, check_upload
from lightly.server.storage.local import LocalBlobStore
from lightly.server.storage.signing import check_blob_url

router = APIRouter(include_in_schema=False)

#: Uploads are written in pieces of this size: thumbnails in one, large files with bounded memory.
WRITE_BYTES = 1024 * 1024
#: Bytes of users are data: no script in them runs, whatever a browser makes of their type.
INERT_HEADERS = {
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
    await _receive_into(store, key, request, platform)
    await run_in_threadpool(platform.jobs.blob_arrived, key)
    # 1.0 and 1.1 clients take nothing but 200.
    return Response(status_code=200)


@router.get("/blobs/{key:path}")
@router.head("/blobs/{key:path}")
def get_blob(
    key: str,
    request: Request,
    platform: Platform,
    method: Text = "",
    expires: Text = "",
    signature: Text = "",
) -> Response:
    """Serve an object as what its bytes are: an image or a video, else a download."""
    store = _get_local_store(platform)
    # A URL to read may also be asked what it leads to, not the other way round.
    used = "HEAD" if request.method == method == "HEAD" else "GET"
    _check_url(platform, key, used, method, expires, signature)
    path = store.path_of(key)
    if not path.is_file():
        raise NotFound("There is no object behind this URL.")
    with path.open("rb") as file:
        media_type = sniff_content_type(file.read(SNIFF_BYTES))
    headers = dict(INERT_HEADERS)
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


async def _receive_into(
    store: LocalBlobStore, key: str, request: Request, platform: PlatformState
) -> None:
    """Store the body. A thread is taken to write a piece of it, never to wait for one.

    Otherwise as many slow uploads as there are threads would stop the whole server.
    """
    limit_bytes = platform.settings.max_blob_bytes
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit_bytes:
        raise _too_large(limit_bytes)
    has_length = bool(declared)
    pieces = _iterate_pieces(request, limit_bytes)
    first = await anext(pieces, b"")
    try:
        if len(first) < WRITE_BYTES:
            await run_in_threadpool(_store_whole, store, key, first, platform, has_length)
            return
        size_bytes = len(first)
        async with contextmanager_in_threadpool(store.open_writer(key)) as file:
            await run_in_threadpool(file.write, first)
            async for piece in pieces:
                size_bytes += len(piece)
                await run_in_threadpool(file.write, piece)
            await run_in_threadpool(
                check_upload,
                platform,
                key,
                first[:SNIFF_BYTES],
                size_bytes,
                has_length=has_length,
            )
    except NothingSent:
        # What is there already came with the first attempt, whose answer was lost.
        if store.head(key) is None:
            raise
    except BadInput as error:
        raise NotFound from error


def _store_whole(
    store: LocalBlobStore, key: str, content: bytes, platform: PlatformState, has_length: bool
) -> None:
    check_upload(platform, key, content[:SNIFF_BYTES], len(content), has_length=has_length)
    store.put(key, [content])


async def _iterate_pieces(request: Request, limit_bytes: int) -> AsyncIterator[bytes]:
    """Yield the body in pieces of at least `WRITE_BYTES`, but for the last."""
    total = 0
    piece = bytearray()
    async for chunk in request.stream():
        total += len(chunk)
        if total > limit_bytes:
            raise _too_large(limit_bytes)
        piece += chunk
        if len(piece) >= WRITE_BYTES:
            yield bytes(piece)
            piece.clear()
    if piece:
        yield bytes(piece)


def _too_large(limit_bytes: int) -> PayloadTooLarge:
    return PayloadTooLarge(f"An upload may have at most {limit_bytes} bytes.")
