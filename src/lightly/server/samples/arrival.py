"""The moment the file of a sample arrives: what cannot be the whole of it is refused.

Clients up to 1.2 repeat an upload that broke off with the file where the first attempt has left it.
What comes then is the end of the file, with the right length for that, or nothing at all.
"""

from __future__ import annotations

import orjson

from lightly.media.sniff import sniff_content_type
from lightly.server.errors import ApiError
from lightly.server.platform import PlatformState
from lightly.server.samples import repository
from lightly.server.storage.blobs import parse_sample_key


class UploadIncomplete(ApiError):
    """This is not the whole file. Send it again from its beginning; what was stored is kept."""

    code = "MALFORMED_REQUEST"


class NothingSent(UploadIncomplete):
    """The upload has no bytes. Send the file from its beginning; what was stored is kept."""


def check_upload(
    platform: PlatformState, key: str, head: bytes, size_bytes: int, *, has_length: bool
) -> None:
    """Refuse an upload that ends too early, before it becomes visible.

    The end of an image is no image, and shorter than the client said when it registered the sample.
    Files of other kinds, and images that were made smaller on purpose, are none of that.

    Args:
        platform: The server.
        key: Where the bytes go.
        head: The first of them.
        size_bytes: How many there are.
        has_length: Whether the request said so: nobody announces nothing by mistake.

    Raises:
        NothingSent: If there is nothing.
        UploadIncomplete: If there is only the end.
    """
    place = parse_sample_key(key)
    if place is None:
        return
    dataset_id, sample_id, kind = place
    if size_bytes == 0 and not has_length:
        raise NothingSent
    if kind != "full" or size_bytes == 0 or sniff_content_type(head) is not None:
        return
    stated_bytes = _read_stated_size(platform, dataset_id, sample_id)
    if size_bytes < stated_bytes:
        raise UploadIncomplete(
            f"The upload has {size_bytes} of the {stated_bytes} bytes that the sample was "
            "registered with, and not the first ones. Send the file again from its beginning."
        )


def _read_stated_size(platform: PlatformState, dataset_id: str, sample_id: str) -> int:
    with platform.database.read() as connection:
        text = repository.find_metadata_of_upload(connection, dataset_id, sample_id)
    size_bytes: int = orjson.loads(text or "{}").get("sizeInBytes", 0)
    return size_bytes
