"""Frames of the videos of a folder: which there are, and their pixels by name.

Videos are decoded in child processes, since their bytes may come from anybody.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lightly._kit.atomic_files import open_atomic
from lightly._kit.errors import BadInput
from lightly._kit.safe_paths import resolve_below
from lightly.media.errors import CorruptVideo
from lightly.media.listing import list_videos, name_frame, parse_frame_name
from lightly.media.reports import FRAME_FORMATS, ExtractedFrame
from lightly.media.sandbox import DecodePool

if TYPE_CHECKING:
    from PIL.Image import Image

_SHOWN_NUMBERS = 5


@dataclass(frozen=True, slots=True)
class FrameEntry:
    """One frame that a video has.

    Attributes:
        name: File name of the frame, such as `subdir/video_1-0099-mp4.png`.
        video: Name of its video.
        index: Its number in the video, from 0.
        timestamp_s: When it is shown, in seconds; None if the video does not say.
    """

    name: str
    video: str
    index: int
    timestamp_s: float | None


def list_frames(
    input_dir: str | os.PathLike[str],
    videos: Iterable[str] | None = None,
    *,
    n_processes: int = 1,
) -> Iterator[FrameEntry]:
    """Yield the frames of videos, in order.

    Videos are decoded for that, because their containers do not always tell the truth; their
    pixels are not converted.

    Args:
        input_dir: Folder of the videos.
        videos: Their names, relative to the folder; default all, recursively.
        n_processes: How many videos are decoded at the same time.

    Raises:
        CorruptVideo: If a video has no frame that can be decoded. Its frames are those of
            `read_frames`.
        ValueError: If a name leads out of the folder, or the folder does not exist.

    Example::

        for frame in list_frames("path/to/videos"):
            print(frame.name, frame.timestamp_s)
    """
    from lightly.media.frames import FrameIndex  # noqa: PLC0415  loads FFmpeg

    folder = Path(input_dir)
    names = [file.name for file in list_videos(folder)] if videos is None else list(videos)
    paths = [resolve_below(folder, name) for name in names]
    with DecodePool(n_processes) as pool:
        for name, count in zip(names, pool.count_frames(paths), strict=True):
            if count.n_frames is None:
                raise CorruptVideo(f"{name[:80]!a}: {count.corruption}")
            index = FrameIndex.unpack(count.timestamps, count.unit, count.is_seekable)
            for number in range(len(index)):
                frame = name_frame(name, number, len(index))
                yield FrameEntry(frame, name, number, index.find_timestamp_s(number))


def read_frames(
    input_dir: str | os.PathLike[str], names: Iterable[str], *, n_processes: int = 1
) -> Iterator[tuple[str, Image]]:
    """Yield frames by name, as RGB images with the rotation of the video applied.

    Each video is decoded once, however many of its frames are asked for and in whatever order.
    Frames come video by video, in the order in which the videos are first named, and within a
    video in its order. One frame per process is held in memory.

    Args:
        input_dir: Folder of the videos.
        names: Names of frames, as `list_frames` has them.
        n_processes: How many videos are decoded at the same time.

    Yields:
        The name and the image of each frame; a name that was given twice comes once.

    Raises:
        CorruptVideo: If a video cannot be decoded or has no such frame.
        ValueError: If a name is not one of a frame, or leads out of the folder.

    Example::

        for name, image in read_frames("path/to/videos", ["street-0099-mp4.png"]):
            image.save(Path("frames") / name)
    """
    from PIL import Image  # noqa: PLC0415  only pixels need it

    for name, frame in _extract(Path(input_dir), names, "rgb", n_processes):
        yield name, Image.frombytes("RGB", (frame.width, frame.height), frame.content)


def save_frames(
    input_dir: str | os.PathLike[str],
    names: Iterable[str],
    output_dir: str | os.PathLike[str],
    *,
    n_processes: int = 1,
    on_written: Callable[[str], object] | None = None,
) -> list[str]:
    """Write frames to a folder, under their names: PNG, or JPEG for names that end with `.jpg`.

    Frames are encoded where they are decoded, so this is faster than `read_frames` and saving.

    Args:
        input_dir: Folder of the videos.
        names: Names of frames, as `list_frames` has them.
        output_dir: The folder; made if it is missing. A file appears as a whole.
        n_processes: How many videos are decoded at the same time.
        on_written: Called with each name whose file is there.

    Returns:
        The names that were written, in the order of `read_frames`.

    Raises:
        CorruptVideo: As `read_frames`. Frames before it have been written.
        ValueError: As `read_frames`.
    """
    written = []
    by_format: dict[str, list[str]] = {image_format: [] for image_format in FRAME_FORMATS}
    for name in names:
        by_format["jpg" if name.endswith(".jpg") else "png"].append(name)
    for image_format, chosen in by_format.items():
        for name, frame in _extract(Path(input_dir), chosen, image_format, n_processes):
            target = resolve_below(Path(output_dir), name)
            target.parent.mkdir(parents=True, exist_ok=True)
            with open_atomic(target) as file:
                file.write(frame.content)
            written.append(name)
            if on_written is not None:
                on_written(name)
    return written


def group_by_video(names: Iterable[str]) -> dict[str, dict[int, str]]:
    """Return for each video the names of its wanted frames by number.

    Raises:
        BadInput: If a name is not one of a frame, or two of them stand for the same frame.
    """
    videos: dict[str, dict[int, str]] = {}
    for name in names:
        video, index = parse_frame_name(name)
        known = videos.setdefault(video, {}).setdefault(index, name)
        if known != name:
            raise BadInput(f"{known[:80]!a} and {name[:80]!a} are the same frame.")
    return videos


def _extract(
    folder: Path, names: Iterable[str], image_format: str, n_processes: int
) -> Iterator[tuple[str, ExtractedFrame]]:
    videos = group_by_video(names)
    if not videos:
        return
    requests = [(resolve_below(folder, video), wanted) for video, wanted in videos.items()]
    with DecodePool(n_processes) as pool:
        answers = pool.read_frames(requests, image_format=image_format)
        for (video, wanted), frames in zip(videos.items(), answers, strict=True):
            missing = dict(wanted)
            try:
                for frame in frames:
                    yield missing.pop(frame.index), frame
            except CorruptVideo as error:
                raise CorruptVideo(f"{video[:80]!a}: {error}") from error
            if missing:
                raise CorruptVideo(_describe_missing(video, sorted(missing)))


def _describe_missing(video: str, indices: list[int]) -> str:
    shown = ", ".join(map(str, indices[:_SHOWN_NUMBERS]))
    more = f" and {len(indices) - _SHOWN_NUMBERS} more" if len(indices) > _SHOWN_NUMBERS else ""
    return f"{video[:80]!a} has no frame {shown}{more}: list_frames() tells which it has."
