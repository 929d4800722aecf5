"""The images of a local dataset, inspected one after another in decoding processes."""

from __future__ import annotations

import io
import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, runtime_checkable

if TYPE_CHECKING:
    from lightly.media.reports import FrameReport, ImageReport
    from lightly.media.sandbox import DecodePool

#: The bytes of an image: a file, or all of them.
ImageContent: TypeAlias = Path | bytes

# zlib's fastest level: three times faster than the default for a tenth more bytes.
_PNG_LEVEL = 1
_MAX_REASON_CHARACTERS = 200


@runtime_checkable
class LocalDataset(Protocol):
    """What uploading needs of a dataset; `lightly.data.LightlyDataset` has it."""

    def __len__(self) -> int:
        """Return the number of samples."""

    def __getitem__(self, index: int, /) -> tuple[Any, Any, str]:
        """Return image, label and file name of a sample."""

    def get_filenames(self) -> list[str]:
        """Return the file names of all samples, in order."""


@dataclass(frozen=True, slots=True)
class InspectedImage:
    """One image of a local dataset.

    Attributes:
        name: Its file name in the dataset.
        content: What is uploaded as the full image.
        report: What decoding it has shown.
        video_frame: Where in which video it was taken from: the contract's `VideoFrameData`.
    """

    name: str
    content: ImageContent
    report: ImageReport
    video_frame: Mapping[str, Any] | None = None


def inspect_images(
    dataset: LocalDataset,
    names: Sequence[str],
    positions: Iterable[int],
    pool: DecodePool,
    *,
    with_thumbnails: bool,
) -> Iterator[InspectedImage]:
    """Yield images of a dataset in the given order; few are in memory at any time.

    Args:
        dataset: The dataset.
        names: Its file names.
        positions: Which images.
        pool: Decodes them.
        with_thumbnails: Whether to make previews.
    """
    inner: Any = getattr(dataset, "dataset", None)
    if hasattr(inner, "get_source") and hasattr(inner, "root"):
        yield from _inspect_frames(inner, names, positions, pool)
        return
    waiting: deque[tuple[str, ImageContent, str | None]] = deque()

    def read_sources() -> Iterator[ImageContent]:
        for position in positions:
            content, problem = _try_to_read(dataset, names[position], position)
            waiting.append((names[position], content, problem))
            yield content

    for report in pool.inspect_images(read_sources(), with_thumbnails=with_thumbnails):
        name, content, problem = waiting.popleft()
        shown = report if problem is None else replace(report, corruption=problem)
        yield InspectedImage(name, content, shown)


def read_content(dataset: LocalDataset, name: str, position: int) -> ImageContent:
    """Return the bytes of an image: its file if there is one, else what the dataset shows, as PNG.

    Raises:
        ValueError: If the dataset shows something that is no image.
    """
    inner: Any = getattr(dataset, "dataset", None)
    if hasattr(inner, "get_path"):
        return Path(inner.get_path(position))
    folder = getattr(dataset, "input_dir", None)
    if folder is not None and (Path(folder) / name).is_file():
        return Path(folder) / name
    return encode_png(dataset[position][0])


def encode_png(image: Any) -> bytes:
    """Return an image as PNG.

    Args:
        image: A Pillow image, array or tensor, see `lightly.data.image_values`.

    Raises:
        ValueError: If it is none of these.
    """
    from lightly.data.image_values import as_image

    buffer = io.BytesIO()
    as_image(image).save(buffer, "PNG", compress_level=_PNG_LEVEL)
    return buffer.getvalue()


def count_decoders(max_workers: int) -> int:
    """Return how many processes decode: one per processor that this process may use."""
    return max(1, min(max_workers, len(os.sched_getaffinity(0))))


def _try_to_read(
    dataset: LocalDataset, name: str, position: int
) -> tuple[ImageContent, str | None]:
    try:
        return read_content(dataset, name, position), None
    except Exception as error:  # noqa: BLE001  the user's dataset: one bad item must not end all
        reason = f"{type(error).__name__}: {error}"
        return b"", reason[:_MAX_REASON_CHARACTERS]


def _inspect_frames(
    videos: Any, names: Sequence[str], positions: Iterable[int], pool: DecodePool
) -> Iterator[InspectedImage]:
    """Yield frames of videos; each video is read once, from the first frame that is wanted."""
    for video, group in groupby(positions, key=lambda position: videos.get_source(position)[0]):
        wanted = {videos.get_source(position)[1]: names[position] for position in group}
        yield from _inspect_video(Path(videos.root) / video, video, wanted, pool)


def _inspect_video(
    path: Path, video: str, wanted: dict[int, str], pool: DecodePool
) -> Iterator[InspectedImage]:
    from lightly.media.errors import CorruptVideo
    from lightly.media.reports import ImageReport

    reason = "The video ends before this frame."
    try:
        for frame in pool.inspect_frames(path, first=min(wanted)):
            if frame.index in wanted:
                name = wanted.pop(frame.index)
                yield _describe_frame(name, video, frame)
            if not wanted:
                return
    except CorruptVideo as error:
        reason = str(error)
    for name in wanted.values():
        yield InspectedImage(name, b"", ImageReport({"size_in_bytes": 0}, corruption=reason))


def _describe_frame(name: str, video: str, frame: FrameReport) -> InspectedImage:
    from lightly.media.reports import ImageReport

    place = {"sourceVideo": video, "sourceVideoFrameIndex": frame.index}
    if frame.timestamp_s is not None:
        place |= {"sourceVideoFrameTimestamp": frame.timestamp_s}
    report = ImageReport(frame.metadata, frame.thumbnail, format="PNG")
    return InspectedImage(name, frame.png, report, place)
