"""From a sample in a request to what is stored of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import orjson

from lightly._kit.errors import BadInput
from lightly._kit.safe_paths import check_relative_name
from lightly.openapi_generated.swagger_client.models.sample_create_request import (
    SampleCreateRequest,
)
from lightly.openapi_generated.swagger_client.models.sample_update_request import (
    SampleUpdateRequest,
)
from lightly.server.errors import (
    ApiError,
    CustomMetadataAtMaxSize,
    MalformedRequest,
    PayloadTooLarge,
)
from lightly.server.http.requests import parse_body
from lightly.server.samples.bulk_requests import SampleBulkRequest
from lightly.server.samples.models import NO_CONTENTS, NewSample, SampleContents
from lightly.server.samples.normalisation import normalise_sample

#: Largest size that a sample may state, and a dataset's sum is kept at: the largest integer that
#: every JSON reader reads exactly.
MAX_SIZE_BYTES = 2**53 - 1
#: Largest `metaData` and `exif` of a sample: bounds the memory of listings.
MAX_METADATA_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class SampleChanges:
    """What an update asks for.

    Attributes:
        file_name: The new name, None to keep it.
        contents: New values of columns by their names; others stay as they are.
        size_bytes: The new size, None to keep it.
    """

    file_name: str | None
    contents: dict[str, str | None]
    size_bytes: int | None


def read_new_sample(content: object, max_custom_metadata_bytes: int) -> NewSample:
    """Return the sample of a decoded `SampleCreateRequest`.

    Raises:
        MalformedRequest: If it breaks a rule of the contract or of file names.
        CustomMetadataAtMaxSize: If its custom metadata is too large.
        PayloadTooLarge: If its other metadata is.
    """
    normalise_sample(content)
    parse_body(SampleCreateRequest, content)
    return _make_new_sample(cast("dict[str, Any]", content), max_custom_metadata_bytes)


def read_new_samples(content: object, max_custom_metadata_bytes: int) -> list[NewSample]:
    """Return the samples of a decoded `SampleBulkRequest`; errors as in `read_new_sample`."""
    items = content.get("samples") if isinstance(content, dict) else None
    for item in items if isinstance(items, list) else ():
        normalise_sample(item)
    parse_body(SampleBulkRequest, content)
    # The JSON that was checked is stored, not the model made from it: that would be built for
    # nothing but to be taken apart again.
    return list(_make_new_samples(items or [], max_custom_metadata_bytes))


def _make_new_samples(
    items: list[dict[str, Any]], max_custom_metadata_bytes: int
) -> Iterator[NewSample]:
    for number, item in enumerate(items):
        try:
            yield _make_new_sample(item, max_custom_metadata_bytes)
        except ApiError as error:
            raise type(error)(f"samples.{number}.{error}") from error


def read_sample_changes(content: object, max_custom_metadata_bytes: int) -> SampleChanges:
    """Return the changes of a decoded `SampleUpdateRequest`; errors as in `read_new_sample`.

    A null clears custom metadata; elsewhere it counts as not given.
    """
    normalise_sample(content)
    body = parse_body(SampleUpdateRequest, content)
    fields = cast("dict[str, Any]", content)
    changed: dict[str, str | None] = {}
    if body.thumb_name is not None:
        changed["thumb_name"] = check_name(body.thumb_name, "thumbName")
    if body.meta_data is not None:
        changed["metadata_json"] = _write_metadata(fields["metaData"])
    if body.exif is not None:
        changed["exif_json"] = _write_limited(body.exif, "exif")
    if "customMetaData" in fields:
        changed["custom_metadata_json"] = write_custom_metadata(
            body.custom_meta_data, max_custom_metadata_bytes
        )
    return SampleChanges(
        None if body.file_name is None else check_name(body.file_name, "fileName"),
        changed,
        None if body.meta_data is None else fields["metaData"].get("sizeInBytes", 0),
    )


def _make_new_sample(content: dict[str, Any], max_custom_metadata_bytes: int) -> NewSample:
    file_name = check_name(content["fileName"], "fileName")
    if len(content) == 1:
        return NewSample(file_name, NO_CONTENTS)
    return NewSample(file_name, _make_contents(content, max_custom_metadata_bytes))


def _make_contents(content: dict[str, Any], max_custom_metadata_bytes: int) -> SampleContents:
    thumb_name = content.get("thumbName")
    metadata = content.get("metaData")
    custom = content.get("customMetaData")
    exif = content.get("exif")
    video_frame = content.get("videoFrameData")
    crop = content.get("cropData")
    return SampleContents(
        thumb_name=None if thumb_name is None else check_name(thumb_name, "thumbName"),
        metadata_json=_write_metadata(metadata) if metadata else None,
        custom_metadata_json=write_custom_metadata(custom, max_custom_metadata_bytes),
        exif_json=None if exif is None else _write_limited(exif, "exif"),
        video_frame_json=None if video_frame is None else _write_video_frame(video_frame),
        crop_json=None if crop is None else _write_limited(crop, "cropData"),
        size_bytes=metadata.get("sizeInBytes", 0) if metadata else 0,
    )


def check_name(name: str, field: str) -> str:
    """Return a name that somebody sent if it keeps the rules for file names.

    Names are data, no path of the server is ever made of one. They are checked all the same,
    because clients make files of them.

    Raises:
        MalformedRequest: If it breaks a rule; says in which field, and which.
    """
    try:
        return check_relative_name(name)
    except BadInput as error:
        raise MalformedRequest(f"{field} (body): {error}") from error


def write_custom_metadata(value: object, max_size_bytes: int) -> str | None:
    """Return custom metadata as JSON text, None when there is none.

    Raises:
        MalformedRequest: If it is nested too deeply to be written again.
        CustomMetadataAtMaxSize: If the text has more than `max_size_bytes`.
    """
    if value is None:
        return None
    text = _write_json(value, "customMetaData")
    if _exceeds(text, max_size_bytes):
        raise CustomMetadataAtMaxSize(
            f"customMetaData (body): a sample may have at most {max_size_bytes} bytes of it."
        )
    return text


def _write_metadata(metadata: dict[str, Any]) -> str:
    if metadata.get("sizeInBytes", 0) > MAX_SIZE_BYTES:
        raise MalformedRequest(
            f"metaData.sizeInBytes (body): Input should be at most {MAX_SIZE_BYTES}."
        )
    return _write_limited(metadata, "metaData")


def _write_video_frame(video_frame: dict[str, Any]) -> str:
    given = {name: value for name, value in video_frame.items() if value is not None}
    if "sourceVideo" in given:
        check_name(given["sourceVideo"], "videoFrameData.sourceVideo")
    return _write_limited(given, "videoFrameData")


def _write_limited(value: object, field: str) -> str:
    text = _write_json(value, field)
    if _exceeds(text, MAX_METADATA_BYTES):
        raise PayloadTooLarge(f"{field} (body): may have at most {MAX_METADATA_BYTES} bytes.")
    return text


def _write_json(value: object, field: str) -> str:
    try:
        return orjson.dumps(value).decode()
    except orjson.JSONEncodeError as error:
        raise MalformedRequest(f"{field} (body): the value is nested too deeply.") from error


def _exceeds(text: str, limit_bytes: int) -> bool:
    # Encoding costs as much as all the rest; most texts are too short to need it.
    return 4 * len(text) > limit_bytes and len(text.encode()) > limit_bytes
