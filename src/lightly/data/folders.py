"""What a `LightlyDataset` reads from: a folder of images or a folder of videos.

Both look like a torchvision dataset: `dataset[index]` is `(image, target)`, with `samples`,
`targets`, `classes` and a `transform` that can be changed.
"""

from __future__ import annotations

import os
import threading
import warnings
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from PIL import Image

from lightly._kit.errors import BadInput
from lightly.media.errors import CorruptVideo
from lightly.media.listing import (
    IMAGE_EXTENSIONS,
    VIDEO_EXTENSIONS,
    MediaFile,
    list_classes,
    list_images,
    list_videos,
    name_frame,
)

if TYPE_CHECKING:
    from lightly.media.frames import FrameIndex

Transform: TypeAlias = Callable[[Image.Image], Any]


class ImageFolder:
    """The images below a folder; each sub-folder is a class.

    Args:
        root: The folder.
        transform: Applied to every image that is read.

    Raises:
        BadInput: If there are none.
    """

    def __init__(self, root: Path, transform: Transform | None = None) -> None:
        self.root = str(root)
        self.transform = transform
        self.classes = list_classes(root)
        self.class_to_idx = {name: label for label, name in enumerate(self.classes)}
        self._files = list_images(root)
        if not self._files:
            raise BadInput(_explain_empty(root))

    def __len__(self) -> int:
        return len(self._files)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        """Return the image, transformed, and the position of its class."""
        image = self.read_image(index)
        return (self.transform(image) if self.transform else image), self._files[index].label

    @property
    def samples(self) -> list[tuple[str, int]]:
        """Path and label of every image."""
        return [(str(file.path), file.label) for file in self._files]

    @property
    def targets(self) -> list[int]:
        """Label of every image."""
        return [file.label for file in self._files]

    def keep(self, filenames: Iterable[str]) -> None:
        """Drop all images whose name is not among these."""
        wanted = set(filenames)
        self._files = [file for file in self._files if file.name in wanted]

    def get_filename(self, index: int) -> str:
        """Return the name relative to the root, with `/`."""
        return self._files[index].name

    def get_path(self, index: int) -> Path:
        """Return where the image lies."""
        return self._files[index].path

    def read_image(self, index: int) -> Image.Image:
        """Return the image as RGB, by the convention of `lightly.media.images`.

        Raises:
            CorruptImage: If it cannot be decoded. That is an `OSError`.
        """
        from lightly.media.images import decode_image, read_bytes  # noqa: PLC0415  loads OpenCV

        return Image.fromarray(decode_image(read_bytes(self._files[index].path)).pixels)


@dataclass(frozen=True, slots=True)
class _Video:
    file: MediaFile
    index: FrameIndex

    @property
    def n_frames(self) -> int:
        return len(self.index)


class VideoFolder:
    """The frames of all videos below a folder; each video is a class.

    Args:
        root: The folder.
        transform: Applied to every frame that is read.
        tqdm_args: Arguments for the progress bar while frames are counted.
        n_counting_processes: How many videos are counted at once; 0 counts in this process.

    Raises:
        BadInput: If there is no video with frames. Videos that cannot be read are left out with a
            warning.
    """

    def __init__(
        self,
        root: Path,
        transform: Transform | None = None,
        *,
        tqdm_args: Mapping[str, Any] | None = None,
        n_counting_processes: int = 0,
    ) -> None:
        self.root = str(root)
        self.transform = transform
        files = list_videos(root)
        indices = _index_videos(files, n_counting_processes, tqdm_args or {})
        self._videos = [
            _Video(file, index) for file, index in zip(files, indices, strict=True) if index
        ]
        if not self._videos:
            raise BadInput(_explain_empty(root))
        self.classes = [file.name for file in files]
        self.class_to_idx = {name: label for label, name in enumerate(self.classes)}
        self._ends = list(accumulate(video.n_frames for video in self._videos))
        # Positions of the frames that were kept; None is all of them, without a list of millions.
        self._kept: Sequence[int] | None = None
        self._reader = _CurrentReader()

    def __len__(self) -> int:
        return self._ends[-1] if self._kept is None else len(self._kept)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        """Return the frame, transformed, and the number of its video."""
        image = self.read_image(index)
        label = self._find(index)[0].file.label
        return (self.transform(image) if self.transform else image), label

    @property
    def targets(self) -> list[int]:
        """Number of the video of every frame."""
        return [self._find(index)[0].file.label for index in range(len(self))]

    def keep(self, filenames: Iterable[str]) -> None:
        """Drop all frames whose name is not among these."""
        wanted = set(filenames)
        self._kept = [index for index in range(len(self)) if self.get_filename(index) in wanted]

    def get_filename(self, index: int) -> str:
        """Return the name of the frame, such as `video-0001-mp4.png`."""
        video, frame = self._find(index)
        return name_frame(video.file.name, frame, video.n_frames)

    def get_source(self, index: int) -> tuple[str, int]:
        """Return the name of the video and the number of the frame in it."""
        video, frame = self._find(index)
        return video.file.name, frame

    def read_image(self, index: int) -> Image.Image:
        """Return the frame as RGB.

        Raises:
            CorruptVideo: If the video cannot be decoded up to it. That is an `OSError`.
        """
        video, frame = self._find(index)
        return self._reader.read(video, frame)

    def _find(self, index: int) -> tuple[_Video, int]:
        position = index if self._kept is None else self._kept[index]
        number = bisect_right(self._ends, position)
        if number == len(self._videos):
            raise IndexError(f"There is no frame {index}.")
        video = self._videos[number]
        return video, position - (self._ends[number] - video.n_frames)


class _CurrentReader:
    """Keeps the video open that was read last; several threads take turns.

    A copy in another process (a data loader's worker) opens files of its own.
    """

    _process_id: int
    _lock: threading.Lock
    _path: Path | None
    _reader: Any

    def __init__(self) -> None:
        self._reset()

    def __getstate__(self) -> dict[str, Any]:
        return {}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._reset()

    def read(self, video: _Video, frame: int) -> Image.Image:
        from lightly.media.frames import FrameReader  # noqa: PLC0415  loads FFmpeg

        if self._process_id != os.getpid():
            self._reset()
        with self._lock:
            path = video.file.path
            if self._path != path:
                if self._reader is not None:
                    self._reader.close()
                self._reader, self._path = FrameReader(path, video.index), path
            return Image.fromarray(self._reader.read(frame).pixels)

    def _reset(self) -> None:
        self._process_id = os.getpid()
        self._lock = threading.Lock()
        self._path = self._reader = None


def open_folder(
    root: Path,
    *,
    transform: Transform | None,
    tqdm_args: Mapping[str, Any] | None,
    n_counting_processes: int,
) -> ImageFolder | VideoFolder:
    """Return the videos of a folder if it has any, else its images."""
    if list_videos(root):
        return VideoFolder(
            root,
            transform,
            tqdm_args=tqdm_args,
            n_counting_processes=n_counting_processes,
        )
    return ImageFolder(root, transform)


def _index_videos(
    files: list[MediaFile], n_processes: int, tqdm_args: Mapping[str, Any]
) -> list[FrameIndex | None]:
    """Return which frames every video has; None, with a warning, for one that has none."""
    from tqdm import tqdm  # noqa: PLC0415  only videos need it

    settings = {"desc": "Counting frames", "unit": " videos", "total": len(files), **tqdm_args}
    indices: list[FrameIndex | None] = []
    outcomes = _index_in_pool(files, n_processes) if n_processes > 0 else _index_here(files)
    for file, outcome in zip(files, tqdm(outcomes, **settings), strict=True):
        if isinstance(outcome, str):
            warnings.warn(f"The video {file.name} is left out: {outcome}", stacklevel=2)
        indices.append(None if isinstance(outcome, str) else outcome)
    return indices


def _index_here(files: Iterable[MediaFile]) -> Iterable[FrameIndex | str]:
    from lightly.media.frames import index_frames  # noqa: PLC0415  loads FFmpeg

    for file in files:
        try:
            yield index_frames(file.path)
        except CorruptVideo as error:
            yield str(error)


def _index_in_pool(files: Iterable[MediaFile], n_processes: int) -> Iterable[FrameIndex | str]:
    from lightly.media.frames import FrameIndex  # noqa: PLC0415  loads FFmpeg
    from lightly.media.sandbox import DecodePool  # noqa: PLC0415  only this way of counting

    with DecodePool(n_processes) as pool:
        for count in pool.count_frames(file.path for file in files):
            if count.n_frames is None:
                yield str(count.corruption)
            else:
                yield FrameIndex.unpack(count.timestamps, count.unit, count.is_seekable)


def _explain_empty(root: Path) -> str:
    extensions = ",".join(IMAGE_EXTENSIONS + VIDEO_EXTENSIONS)
    return f"Found 0 files in folder: {root}\nSupported extensions are: {extensions}"
