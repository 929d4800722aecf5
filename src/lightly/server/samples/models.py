"""Samples as the server works with them."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import Literal, NamedTuple

#: Which of a sample's two objects is meant; the words of the blob store.
ImageKind = Literal["full", "thumb"]


@dataclass(frozen=True, slots=True)
class SampleContents:
    """What a sample came with. The `*_json` fields are JSON text of objects, None when unset.

    Attributes:
        thumb_name: Name of the thumbnail if it was given; else it follows from the file name.
        metadata_json: The contract's `metaData`, normalised.
        custom_metadata_json: Anything the user likes.
        exif_json: Anything the camera wrote.
        video_frame_json: The contract's `videoFrameData`.
        crop_json: The contract's `cropData`.
        size_bytes: Of the image file, as the client states it; 0 when it does not.
    """

    thumb_name: str | None = None
    metadata_json: str | None = None
    custom_metadata_json: str | None = None
    exif_json: str | None = None
    video_frame_json: str | None = None
    crop_json: str | None = None
    size_bytes: int = 0

    @property
    def type(self) -> str:
        """`CROP`, `VIDEO_FRAME` or `IMAGE`: follows from what was given."""
        if self.crop_json is not None:
            return "CROP"
        return "IMAGE" if self.video_frame_json is None else "VIDEO_FRAME"


#: Of a sample that came with its name only.
NO_CONTENTS = SampleContents()


@dataclass(frozen=True, slots=True)
class NewSample:
    """A sample that is about to be registered.

    Attributes:
        file_name: Unique within the dataset; compared byte by byte.
        contents: Everything else.
    """

    file_name: str
    contents: SampleContents


@dataclass(frozen=True, slots=True)
class Sample:
    """A registered sample.

    Attributes:
        idx: Its position in the dataset and its bit in every tag; never changes.
        id: 24 hex digits.
        file_name: Unique within the dataset.
        type: `IMAGE`, `VIDEO_FRAME` or `CROP`.
        created_at_ms: When it was registered.
        last_modified_at_ms: When anything of it last changed.
        thumb_name: See `SampleContents`, like the fields below.
        metadata_json: See there.
        custom_metadata_json: See there.
        exif_json: See there.
        video_frame_json: See there.
        crop_json: See there.
    """

    idx: int
    id: str
    file_name: str
    type: str
    created_at_ms: int
    last_modified_at_ms: int
    thumb_name: str | None
    metadata_json: str | None
    custom_metadata_json: str | None
    exif_json: str | None
    video_frame_json: str | None
    crop_json: str | None


class SampleIdentity(NamedTuple):
    """What lists of names have of a sample; the fields are those of `Sample`."""

    idx: int
    id: str
    file_name: str
    type: str


def make_thumb_name(file_name: str) -> str:
    """Return the thumbnail's name of a sample that came without one. Source: the contract.

    >>> make_thumb_name("a.b/c.d.jpg")
    'a.b/c.d_thumb.webp'
    """
    return f"{posixpath.splitext(file_name)[0]}_thumb.webp"
