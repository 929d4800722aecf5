"""Sizes of images, for formats that count in shares of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from lightly._kit.errors import BadInput
from lightly._kit.safe_paths import resolve_below
from lightly.data.annotations.model import AnnotatedImage, Annotations
from lightly.media.errors import CorruptImage
from lightly.media.images import open_header, orientation_of, read_bytes, read_exif
from lightly.media.listing import IMAGE_EXTENSIONS

#: Orientations that exchange width and height.
_TURNED = frozenset({5, 6, 7, 8})


@dataclass(frozen=True)
class ImageFolder:
    """The images that annotations are about.

    Attributes:
        root: Names are relative to it.
    """

    root: Path

    def measure(self, name: str) -> tuple[int, int]:
        """Return width and height of an image in pixels, the way it is looked at.

        Raises:
            BadInput: If there is no such image.
        """
        path = resolve_below(self.root, name)
        try:
            header = open_header(read_bytes(path))
        except (CorruptImage, OSError) as error:
            reason = "is not there" if isinstance(error, FileNotFoundError) else "cannot be read"
            raise BadInput(f"The image {name[:120]!r} {reason}, and its size is needed.") from None
        width, height = header.size
        is_turned = orientation_of(read_exif(header)) in _TURNED
        return (height, width) if is_turned else (width, height)

    def find_name(self, stem: str) -> str | None:
        """Return the name of the image with this name but for the extension; None if none has."""
        for extension in IMAGE_EXTENSIONS:
            for name in (stem + extension, stem + extension.upper()):
                if resolve_below(self.root, name).is_file():
                    return name
        return None

    def complete(self, annotations: Annotations) -> Annotations:
        """Return annotations whose images all have their size."""
        return replace(annotations, images=self._measure_all(annotations))

    def _measure_all(self, annotations: Annotations) -> Iterator[AnnotatedImage]:
        for image in annotations.images:
            if image.width and image.height:
                yield image
            else:
                width, height = self.measure(image.name)
                yield replace(image, width=width, height=height)
