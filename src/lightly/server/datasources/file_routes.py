"""Signed URLs of files that the server itself hands out: GET serves them inertly, PUT takes them.

The name travels in the query: in a path, some names that files really have would be changed.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse, Response

from lightly.media.sniff import SNIFF_BYTES, sniff_content_type
from lightly.server.datasources import repository
from lightly.server.datasources.buckets.store import BucketStore
from lightly.server.datasources.file_urls import check_file_url
from lightly.server.datasources.models import Datasource, find_side
from lightly.server.datasources.mount_store import MountStore
from lightly.server.datasources.opening import open_bucket_store, open_mount_store
from lightly.server.errors import FileUnknown, Forbidden
from lightly.server.http.parameters import ID_PATTERN
from lightly.server.http.requests import ContractRoute, RawBody
from lightly.server.platform import Platform, PlatformState
from lightly.server.storage.routes import INERT_HEADERS

router = APIRouter(prefix="/files", route_class=ContractRoute, include_in_schema=False)

DatasourceId = Annotated[str, Path(alias="datasourceId", pattern=ID_PATTERN)]
Text = Annotated[str, Query()]


@router.get("/{datasourceId}")
@router.head("/{datasourceId}")
def get_file(
    datasource_id: DatasourceId,
    request: Request,
    platform: Platform,
    name: Text = "",
    method: Text = "",
    expires: Text = "",
    signature: Text = "",
) -> Response:
    """Serve a file as what its bytes are: an image or a video, else a download."""
    # A URL to read may also be asked what it leads to, not the other way round.
    used = "HEAD" if request.method == method == "HEAD" else "GET"
    store = _open_store(platform, datasource_id, used, name, method, expires, signature)
    if isinstance(store, BucketStore):
        # Nothing but HEAD is ever signed: whoever reads is redirected.
        size_bytes = store.find_size_bytes(name)
        return Response(headers={**INERT_HEADERS, "Content-Length": str(size_bytes)})
    path = store.find_path(name)
    try:
        with path.open("rb") as file:
            media_type = sniff_content_type(file.read(SNIFF_BYTES))
    except OSError as error:
        raise FileUnknown("The file has vanished, or the server may not read it.") from error
    headers = dict(INERT_HEADERS)
    headers["Content-Disposition"] = "inline" if media_type else "attachment"
    return FileResponse(path, media_type=media_type or "application/octet-stream", headers=headers)


@router.put("/{datasourceId}")
async def put_file(
    datasource_id: DatasourceId,
    body: RawBody,
    platform: Platform,
    name: Text = "",
    method: Text = "",
    expires: Text = "",
    signature: Text = "",
) -> Response:
    """Store the body as the signed file. The same URL works again until it expires."""

    def write() -> None:
        store = _open_store(platform, datasource_id, "PUT", name, method, expires, signature)
        store.write(name, body)

    await run_in_threadpool(write)
    # 1.0 and 1.1 clients take nothing but 200.
    return Response(status_code=200)


def _open_store(
    platform: PlatformState,
    datasource_id: str,
    used: str,
    name: str,
    method: str,
    expires: str,
    signature: str,
) -> MountStore | BucketStore:
    datasource = _find_datasource(platform, datasource_id)
    # The method that is used counts, not the one the URL claims; both must be the signed one.
    signed = used if method == used else ""
    now_s = platform.clock.now_ms() / 1000
    check_file_url(platform.keys, datasource, name, signed, expires, signature, now_s)
    if datasource.type == "LOCAL":
        return open_mount_store(platform, datasource, find_side(name))
    return open_bucket_store(platform, datasource)


def _find_datasource(platform: PlatformState, datasource_id: str) -> Datasource:
    """Return the datasource, unless it or its dataset was removed since the URL was made."""
    with platform.database.read() as connection:
        found = repository.find_with_dataset_id(connection, datasource_id)
    if found is None or found[0].type == "LIGHTLY":
        raise Forbidden("The signature of this URL is not valid.")
    return found[0]
