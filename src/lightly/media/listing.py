"""Which files of a folder are images and which are videos, in the order of the dataset.

The order is part of what users rely on: folder by folder, each sorted by name, the files directly
in the root first. It is the order in which the published clients list class folders.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from lightly._kit.errors import BadInput

#: Extensions that the published clients list as images. Decoding goes by content, not by name.
IMAGE_EXTENSIONS = (
    ".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp", ".gif",
)  # fmt: skip
VIDEO_EXTENSIONS = (".mp4", ".mov", ".avi", ".mpg", ".hevc", ".m4v", ".webm", ".mpeg")
# 18 digits are more frames than any video has, and fit 64 bits.
_FRAME_NAME = re.compile(r"(.*[^/])-([0-9]{1,18})-([^-/.]+)\.(?:png|jpg)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class MediaFile:
    """One image or video below a folder.

    Attributes:
        name: Path relative to the folder, with `/` on every system. Unique within the folder.
        folder: The folder; one object for all files, because there may be millions of them.
        label: Index of its class: sub-folders of the root in sorted order, see `list_classes`.
    """

    name: str
    folder: Path
    label: int

    @property
    def path(self) -> Path:
        """Where the file lies."""
        return self.folder / self.name


def list_images(folder: Path) -> list[MediaFile]:
    """Return the images below `folder`, recursively, in dataset order."""
    return list(_walk(folder, IMAGE_EXTENSIONS))


def list_videos(folder: Path) -> list[MediaFile]:
    """Return the videos below `folder`, recursively; each one is a class of its own."""
    files = _walk(folder, VIDEO_EXTENSIONS)
    return [MediaFile(file.name, folder, number) for number, file in enumerate(files)]


def list_classes(folder: Path) -> list[str]:
    """Return the names of the direct sub-folders, sorted: their positions are the class labels."""
    with os.scandir(_check_folder(folder)) as entries:
        return sorted(entry.name for entry in entries if entry.is_dir())


def name_frame(video_name: str, index: int, n_frames: int) -> str:
    """Return the file name of a frame.

    The number has as many digits as the number of frames of the video.

    >>> name_frame("subdir/video_1.mp4", 99, 1000)
    'subdir/video_1-0099-mp4.png'
    """
    video = PurePosixPath(video_name)
    number = str(index).zfill(len(str(n_frames)))
    return f"{video.with_suffix('')}-{number}-{video.suffix[1:]}.png"


def parse_frame_name(name: str) -> tuple[str, int]:
    """Return the name of the video and the number of the frame that a frame's name stands for.

    Raises:
        BadInput: If it is not the name of a frame.

    >>> parse_frame_name("subdir/video_1-0099-mp4.png")
    ('subdir/video_1.mp4', 99)
    """
    match = _FRAME_NAME.fullmatch(name)
    video = f"{match.group(1)}.{match.group(3)}" if match else ""
    if match is None or not video.lower().endswith(VIDEO_EXTENSIONS):
        raise BadInput(
            f"{name[:80]!a} is not the name of a frame, which looks like video-0099-mp4.png."
        )
    return video, int(match.group(2))


def _walk(folder: Path, extensions: tuple[str, ...]) -> Iterator[MediaFile]:
    classes = list_classes(folder)
    # Files beside class folders get a label of their own instead of being dropped silently.
    for name in _keep_media(_sorted_files(folder), extensions):
        yield MediaFile(name, folder, len(classes))
    for label, name in enumerate(classes):
        for root, _, files in sorted(_walk_once(folder / name)):
            relative = Path(root).relative_to(folder).as_posix()
            for file in _keep_media(sorted(files), extensions):
                yield MediaFile(f"{relative}/{file}", folder, label)


def _walk_once(folder: Path) -> Iterator[tuple[str, list[str], list[str]]]:
    """Walk through linked folders too, but never into one that is its own ancestor."""
    for root, folders, files in os.walk(folder, followlinks=True):
        real_root = os.path.realpath(root)
        folders[:] = [
            name
            for name in folders
            if not _is_ancestor(os.path.realpath(os.path.join(root, name)), real_root)  # noqa: PTH118  hot loop over strings
        ]
        yield root, folders, files


def _is_ancestor(folder: str, of: str) -> bool:
    return of == folder or of.startswith(folder.rstrip(os.sep) + os.sep)


def _sorted_files(folder: Path) -> list[str]:
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries if entry.is_file())


def _keep_media(names: list[str], extensions: tuple[str, ...]) -> Iterator[str]:
    return (name for name in names if name.lower().endswith(extensions))


def _check_folder(folder: Path) -> Path:
    if not folder.is_dir():
        raise BadInput(f"The input directory {folder} does not exist!")
    return folder
