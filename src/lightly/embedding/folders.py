"""A folder of images or videos in, an embeddings CSV out.

A run that was interrupted goes on where it was: what it finished lies beside the output until the
output is complete. The rows stand in the order of the listing, whatever finished first.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lightly._kit.atomic_files import open_atomic
from lightly._kit.errors import BadInput
from lightly._kit.spreadsheet_cells import protect_cell
from lightly.embedding.pool import DEFAULT_BATCH_SIZE, EmbeddedFrame, EmbeddingPool
from lightly.embedding.registry import DEFAULT_MODEL_ID, EmbeddingModel, find_model
from lightly.embedding.state import EmbeddingState, FinishedRow, SourceVersion
from lightly.media.errors import CorruptVideo
from lightly.media.listing import (
    IMAGE_EXTENSIONS,
    VIDEO_EXTENSIONS,
    MediaFile,
    list_images,
    list_videos,
    name_frame,
)
from lightly.utils.io import format_header, format_line, format_row, is_valid_filename

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_BAD_NAME = "The file name has a comma or a character that a text file cannot hold."
# The row that says why a video broke off stands behind all of its frames.
_END_OF_VIDEO = 1 << 40
# A killed run loses at most these, about 0.1 s of work.
_ROWS_PER_COMMIT = 16


@dataclass(frozen=True, slots=True)
class EmbedProgress:
    """How far a run is; counts images, or frames of videos."""

    n_done: int
    n_total: int
    n_corrupt: int


@dataclass(frozen=True, slots=True)
class EmbedSummary:
    """The outcome of a run.

    Attributes:
        output_path: The embeddings CSV.
        corrupt_path: A CSV of file names and reasons; None if nothing was corrupt.
        n_embedded: Rows in the embeddings CSV.
        n_corrupt: Rows in the other one.
        n_resumed: How many of both an earlier run had finished.
    """

    output_path: Path
    corrupt_path: Path | None
    n_embedded: int
    n_corrupt: int
    n_resumed: int


def embed_folder(
    input_dir: str | os.PathLike[str],
    output_path: str | os.PathLike[str],
    *,
    model: EmbeddingModel | str = DEFAULT_MODEL_ID,
    normalize: bool = False,
    batch_size: int = DEFAULT_BATCH_SIZE,
    n_processes: int | None = None,
    restart: bool = False,
    on_progress: Callable[[EmbedProgress], None] | None = None,
) -> EmbedSummary:
    """Embed all images below a folder, or the frames of all videos if there are any.

    Corrupt images never stop the run: they are listed with their reason in a second CSV beside the
    output, `..._corrupt.csv`.

    Args:
        input_dir: The folder. Names in the output are relative to it; labels are the positions of
            its sub-folders, or the number of the video.
        output_path: The CSV to write. It appears whole, at the end.
        model: A registered model, its id, or an ONNX file that needs no settings.
        normalize: Whether to scale vectors to length 1.
        batch_size: Images per run of the model.
        n_processes: How many processes decode and run the model; default one per core.
        restart: Whether to forget what an interrupted run has finished.
        on_progress: Called every few images.

    Raises:
        BadInput: If the folder has neither images nor videos, or a setting breaks a rule.
        EmbeddingRunFailed: If another process writes the same output, or the disk is full.
    """
    folder, output = Path(input_dir), Path(output_path)
    videos = list_videos(folder)
    files = videos or list_images(folder)
    if not files:
        extensions = ",".join(IMAGE_EXTENSIONS + VIDEO_EXTENSIONS)
        raise BadInput(f"Found 0 files in folder: {folder}\nSupported extensions are: {extensions}")
    entry = find_model(model) if isinstance(model, str) else model
    pool = EmbeddingPool(entry, normalize=normalize, batch_size=batch_size, n_processes=n_processes)
    state_path = output.with_name(output.name + ".state")
    with EmbeddingState(state_path, f"{entry.digest} normalize={normalize}") as state:
        if restart:
            state.clear()
        run = _Run(files, entry.dim, state, on_progress or (lambda _: None))
        run.finish_rows(pool, are_videos=bool(videos))
        summary = run.write_outputs(output)
        state.remove()
    return summary


@dataclass(frozen=True, slots=True)
class _Result:
    """What becomes of one image or frame, and whether it completes its file.

    Attributes:
        source: Key of the file in the state.
        frame: Number of the frame; 0 for an image.
        name: File name of the sample.
        vector: None for a corrupt sample, and for the mark at the end of a video.
        corruption: The reason for a corrupt sample.
        is_last: Whether the file is done with this.
    """

    source: str
    frame: int
    name: str
    vector: NDArray[np.float32] | None
    corruption: str | None
    is_last: bool


class _Run:
    """One run over the files of a folder."""

    def __init__(
        self,
        files: list[MediaFile],
        dim: int,
        state: EmbeddingState,
        on_progress: Callable[[EmbedProgress], None],
    ) -> None:
        self._files = files
        self._dim = dim
        self._state = state
        self._on_progress = on_progress
        self._n_total = len(files)
        self._n_done = 0
        self._n_corrupt = 0
        self._n_resumed = 0

    def finish_rows(self, pool: EmbeddingPool, *, are_videos: bool) -> None:
        """Bring every file to its end in the state."""
        todo = [file for file in self._files if not self._begin(file)]
        self._count_samples()
        self._keep(_refuse_bad_names(todo))
        good = [file for file in todo if _is_storable(file.name)]
        if good:
            with pool:
                embed = self._embed_videos if are_videos else self._embed_images
                self._keep(embed(pool, good))
        self._report()

    def write_outputs(self, output: Path) -> EmbedSummary:
        """Write both CSVs from the state."""
        corrupt_path = output.with_name(f"{output.stem}_corrupt.csv")
        n_embedded, corrupt = 0, []
        with open_atomic(output) as file:
            file.write(format_header(self._dim).encode())
            for media in self._files:
                for row in self._state.rows_of(_key(media.name)):
                    if row.vector is None:
                        corrupt.append(row)
                        continue
                    line = format_row([row.name, row.vector, str(media.label)])
                    file.write(line.encode())
                    n_embedded += 1
        _write_corrupt(corrupt_path, corrupt)
        return EmbedSummary(
            output_path=output,
            corrupt_path=corrupt_path if corrupt else None,
            n_embedded=n_embedded,
            n_corrupt=len(corrupt),
            n_resumed=self._n_resumed,
        )

    def _count_samples(self) -> None:
        """Update the total: an image is one sample, a video as many as it has frames."""
        self._n_total = sum(self._state.frame_count(_key(file.name)) or 1 for file in self._files)

    def _begin(self, file: MediaFile) -> bool:
        """Register a file with the state; return whether it is done already."""
        try:
            status = file.path.stat()
            version = SourceVersion(_key(file.name), status.st_size, status.st_mtime_ns)
        except OSError:
            version = SourceVersion(_key(file.name), 0, 0)
        is_done = self._state.begin(version)
        for row in self._state.rows_of(version.name):
            self._n_resumed += 1
            self._count(row)
        return is_done

    def _embed_images(self, pool: EmbeddingPool, files: list[MediaFile]) -> Iterator[_Result]:
        embedded = pool.embed(file.path for file in files)
        for file, image in zip(files, embedded, strict=True):
            yield _Result(file.name, 0, file.name, image.vector, image.corruption, is_last=True)

    def _embed_videos(self, pool: EmbeddingPool, files: list[MediaFile]) -> Iterator[_Result]:
        yield from self._count_frames(pool, files)
        good = [file for file in files if self._state.frame_count(file.name) is not None]
        self._count_samples()
        videos = pool.embed_frames((file.path, self._state.next_frame(file.name)) for file in good)
        for file, frames in zip(good, videos, strict=True):
            yield from self._embed_video(file, frames)

    def _embed_video(self, file: MediaFile, frames: Iterator[EmbeddedFrame]) -> Iterator[_Result]:
        n_frames = self._state.frame_count(file.name) or 0
        reason = None
        try:
            for frame in frames:
                name = name_frame(file.name, frame.index, n_frames)
                yield _Result(file.name, frame.index, name, frame.vector, None, is_last=False)
        except CorruptVideo as error:
            reason = str(error)
        yield _Result(file.name, _END_OF_VIDEO, file.name, None, reason, is_last=True)

    def _count_frames(self, pool: EmbeddingPool, files: list[MediaFile]) -> Iterator[_Result]:
        unknown = [file for file in files if self._state.frame_count(file.name) is None]
        counts = pool.count_frames(file.path for file in unknown)
        for file, count in zip(unknown, counts, strict=True):
            self._state.set_frame_count(file.name, count.n_frames)
            if count.n_frames is None:
                yield _Result(file.name, 0, file.name, None, count.corruption, is_last=True)

    def _keep(self, results: Iterator[_Result]) -> None:
        """Store the results, some at a time."""
        rows: list[FinishedRow] = []
        done: list[str] = []
        for result in results:
            vector = None if result.vector is None else format_line(result.vector)
            if vector is not None or result.corruption is not None:
                row = FinishedRow(
                    result.source, result.frame, result.name, vector, result.corruption
                )
                rows.append(row)
            if result.is_last:
                done.append(result.source)
            if len(rows) >= _ROWS_PER_COMMIT:
                self._commit(rows, done)
        self._commit(rows, done)

    def _commit(self, rows: list[FinishedRow], done: list[str]) -> None:
        self._state.add(rows, done)
        for row in rows:
            self._count(row)
        rows.clear()
        done.clear()
        self._report()

    def _count(self, row: FinishedRow) -> None:
        self._n_done += row.frame != _END_OF_VIDEO
        self._n_corrupt += row.vector is None

    def _report(self) -> None:
        self._on_progress(EmbedProgress(self._n_done, self._n_total, self._n_corrupt))


def _refuse_bad_names(files: list[MediaFile]) -> Iterator[_Result]:
    for file in files:
        if not _is_storable(file.name):
            key = _key(file.name)
            yield _Result(key, 0, key, None, _BAD_NAME, is_last=True)


def _is_storable(name: str) -> bool:
    """Tell whether a file name can stand in a line of an embeddings CSV."""
    is_one_line = name.splitlines() == [name] and "\0" not in name
    return is_valid_filename(name) and name == _key(name) and is_one_line


def _key(name: str) -> str:
    """Return a name as it can be stored: what is no Unicode is written as an escape."""
    return name.encode("utf-8", "backslashreplace").decode()


def _write_corrupt(path: Path, rows: list[FinishedRow]) -> None:
    if not rows:
        path.unlink(missing_ok=True)
        return
    with open_atomic(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        # With other line ends the csv module would leave a carriage return in a name bare.
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow(["filenames", "reason"])
        writer.writerows(
            (protect_cell(row.name), protect_cell(row.corruption or "")) for row in rows
        )
        text.flush()
        text.detach()
