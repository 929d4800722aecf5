"""What is sent to register a sample."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lightly.api.upload_sources import InspectedImage

_WIRE_NAMES = {
    "size_in_bytes": "sizeInBytes",
    "sum_of_values": "sumOfValues",
    "sum_of_squares": "sumOfSquares",
    "uniform_row_ratio": "uniformRowRatio",
}


def make_sample_request(
    image: InspectedImage, custom_metadata: Any, *, has_thumbnail: bool
) -> dict[str, Any]:
    """Return the `SampleCreateRequest` of an image as a dictionary.

    Args:
        image: A good image.
        custom_metadata: Any JSON object, or None.
        has_thumbnail: Whether a thumbnail will follow.
    """
    metadata = {_WIRE_NAMES.get(name, name): value for name, value in image.report.metadata.items()}
    request: dict[str, Any] = {"fileName": image.name, "metaData": metadata}
    if has_thumbnail:
        request["thumbName"] = name_thumbnail(image.name)
    if image.report.exif:
        request["exif"] = image.report.exif
    if image.video_frame is not None:
        request["videoFrameData"] = image.video_frame
    if custom_metadata is not None:
        request["customMetaData"] = custom_metadata
    return request


def name_thumbnail(file_name: str) -> str:
    """Return the name of a sample's thumbnail.

    >>> name_thumbnail("a.b/c.d.jpg"), name_thumbnail("a.b/c")
    ('a.b/c.d_thumb.webp', 'a.b/c_thumb.webp')
    """
    folder, slash, name = file_name.rpartition("/")
    stem, dot, _ = name.rpartition(".")
    return f"{folder}{slash}{stem if dot and stem else name}_thumb.webp"
