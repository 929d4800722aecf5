"""`LightlyDataset`: one interface to folders of images, folders of videos and torch datasets."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from PIL import Image

from lightly._kit.atomic_files import open_atomic
from lightly._kit.errors import BadInput
from lightly._kit.safe_paths import resolve_below
from lightly.data.folders import ImageFolder, Transform, open_folder
from lightly.data.image_values import as_image

_DEFAULT_FORMAT = "PNG"
_FORMAT_ALIASES = {"JPG": "JPEG", "TIF": "TIFF"}


def get_filename_by_index(dataset: Any, index: int) -> str:
    """Return the default name of a sample.

    Folders name their files; a torchvision `ImageFolder` has paths; everything else is numbered.
    """
    if hasattr(dataset, "get_filename"):
        return str(dataset.get_filename(index))
    samples = getattr(dataset, "samples", None) or getattr(dataset, "imgs", None)
    root = getattr(dataset, "root", None)
    if root is not None and samples is not None:
        return Path(os.path.relpath(samples[index][0], root)).as_posix()
    return str(index)


class LightlyDataset:
    """A dataset whose items are `(image, target, filename)`.

    Reads a folder of images, recursively, where sub-folders are classes; or, if the folder has
    videos, their frames, where videos are classes. File names are relative to the folder, with
    `/`; frames are named like `video-0001-mp4.png`. Images are RGB with EXIF orientation applied.

    Args:
        input_dir: Folder of images or videos. None is for `from_torch_dataset`.
        transform: Applied to every image that is read.
        index_to_filename: Makes a name from the inner dataset and an index.
        filenames: Keep only these.
        tqdm_args: Arguments for the progress bar while frames of videos are counted.
        num_workers_video_frame_counting: How many videos are counted at once; 0 counts in this
            process.

    Raises:
        ValueError: If the folder does not exist or holds neither images nor videos.

    Attributes:
        input_dir: The folder, as it was given.
        dataset: The inner dataset; `dataset[index]` is `(image, target)`.
        index_to_filename: As given, or the default.

    Example::

        dataset = LightlyDataset("path/to/images")
        image, target, filename = dataset[0]
    """

    def __init__(
        self,
        input_dir: str | os.PathLike[str] | None,
        transform: Transform | None = None,
        index_to_filename: Callable[[Any, int], str] | None = None,
        filenames: Sequence[str] | None = None,
        tqdm_args: dict[str, Any] | None = None,
        num_workers_video_frame_counting: int = 0,
    ) -> None:
        self.input_dir = input_dir
        self.index_to_filename = index_to_filename or get_filename_by_index
        self.dataset: Any = None
        self._temporary: str | None = None
        if input_dir is None:
            return
        self.dataset = open_folder(
            Path(input_dir),
            transform=transform,
            tqdm_args=tqdm_args,
            n_counting_processes=num_workers_video_frame_counting,
        )
        if filenames is not None:
            self.dataset.keep(filenames)

    @classmethod
    def from_torch_dataset(
        cls,
        dataset: Any,
        transform: Transform | None = None,
        index_to_filename: Callable[[Any, int], str] | None = None,
    ) -> Self:
        """Wrap anything with a length whose items are `(image, target)`.

        Args:
            dataset: A torch or torchvision dataset, or an object that behaves like one.
            transform: Replaces the dataset's own `transform`, which the dataset applies itself.
            index_to_filename: Makes a name from the dataset and an index; default its number.
        """
        wrapped = cls(None, index_to_filename=index_to_filename)
        wrapped.dataset = dataset
        if transform is not None:
            wrapped.transform = transform
        return wrapped

    @property
    def transform(self) -> Any:
        """What is applied to every image."""
        return getattr(self.dataset, "transform", None)

    @transform.setter
    def transform(self, transform: Transform | None) -> None:
        self.dataset.transform = transform

    def __len__(self) -> int:
        return 0 if self.dataset is None else len(self.dataset)

    def __getitem__(self, index: int) -> tuple[Any, Any, str]:
        """Return image, target and file name; a negative index counts from the end."""
        position = index + len(self) if index < 0 else index
        if not 0 <= position < len(self):
            raise IndexError(f"The dataset has {len(self)} samples; there is none at {index}.")
        sample, target = _split_item(self.dataset[position])
        return sample, target, self.index_to_filename(self.dataset, position)

    def __repr__(self) -> str:
        source = self.input_dir if self.input_dir is not None else type(self.dataset).__name__
        return f"LightlyDataset({str(source)!r}, {len(self)} samples)"

    def get_filenames(self) -> list[str]:
        """Return the names of all samples, in order."""
        return [self.index_to_filename(self.dataset, index) for index in range(len(self))]

    def dump(
        self,
        output_dir: str | os.PathLike[str],
        filenames: Sequence[str] | None = None,
        format: str | None = None,  # noqa: A002  fixed by the published client
    ) -> None:
        """Save images to a folder, under their names.

        Images that are files are copied as they are. Frames and samples of torch datasets are
        saved without their transform.

        Args:
            output_dir: The folder; made if it is missing.
            filenames: Save only these; default all.
            format: Image format for what is no file, such as `png` or `jpg`; default what the name
                says, else PNG, which loses nothing.

        Raises:
            ValueError: If the format is unknown or a name leads out of the folder.
        """
        chosen = None if format is None else _check_format(format)
        folder = Path(output_dir)
        folder.mkdir(parents=True, exist_ok=True)
        wanted = None if filenames is None else set(filenames)
        with self._without_transform():
            for index, filename in enumerate(self.get_filenames()):
                if wanted is None or filename in wanted:
                    self._dump_one(index, resolve_below(folder, filename), chosen)

    def get_filepath_from_filename(self, filename: str, image: Any = None) -> str:
        """Return the path of a sample's file.

        A frame or a sample of a torch dataset has none, so `image` is saved as JPEG in a private
        temporary folder that disappears with this object.

        Args:
            filename: Name of the sample.
            image: Its image, needed if there is no such file.

        Raises:
            ValueError: If there is no such file and no image.
        """
        if self.input_dir is not None:
            path = Path(self.input_dir) / filename
            if path.is_file():
                return str(path)
        if image is None:
            raise BadInput(
                "The parameter image must not be None for videos and torch datasets:"
                f" {filename!r} is no file."
            )
        target = resolve_below(self._temporary_folder(), filename + ".jpg")
        _save_image(as_image(image), target, "JPEG")
        return str(target)

    def _dump_one(self, index: int, target: Path, chosen: str | None) -> None:
        if isinstance(self.dataset, ImageFolder):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self.dataset.get_path(index), target)
            return
        image = as_image(_split_item(self.dataset[index])[0])
        _save_image(image, target, chosen or _format_of(target))

    @contextmanager
    def _without_transform(self) -> Iterator[None]:
        transform = self.transform
        if transform is None:
            yield
            return
        self.transform = None
        try:
            yield
        finally:
            self.transform = transform

    def _temporary_folder(self) -> Path:
        if self._temporary is None:
            self._temporary = tempfile.mkdtemp(prefix="lightly-")
            weakref.finalize(self, shutil.rmtree, self._temporary, ignore_errors=True)
        return Path(self._temporary)


def _split_item(item: Any) -> tuple[Any, Any]:
    """Return image and target; an item without a target has target 0."""
    if not isinstance(item, tuple | list):
        return item, 0
    return (item[0], item[1]) if len(item) > 1 else (item[0], 0)


def _check_format(name: str) -> str:
    Image.init()
    chosen = _FORMAT_ALIASES.get(name.upper(), name.upper())
    if chosen not in Image.SAVE:
        raise BadInput(f"Unknown image format {name[:40]!r}. Try png, jpg, webp or bmp.")
    return chosen


def _format_of(path: Path) -> str:
    return Image.registered_extensions().get(path.suffix.lower(), _DEFAULT_FORMAT)


def _save_image(image: Image.Image, target: Path, file_format: str) -> None:
    plain = image if file_format == _DEFAULT_FORMAT else image.convert("RGB")
    with open_atomic(target) as file:
        plain.save(file, file_format)
