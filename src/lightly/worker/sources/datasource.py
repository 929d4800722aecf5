"""The two sides of a dataset's datasource: raw input, and `.lightly/` beside it.

A worker reads through URLs that the server signs; where it has the folders itself, because they are
mounted beside it, it reads and writes them directly.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lightly._kit.atomic_files import write_atomic
from lightly._kit.file_versions import make_file_version
from lightly._kit.safe_paths import resolve_below
from lightly.api.client_base import make_path
from lightly.api.datasource_listing import DatasourceListing, ListingOptions
from lightly.api.parallel import run_in_parallel
from lightly.data.datasource_files.names import LIGHTLY_FOLDER
from lightly.data.datasource_files.relevant_names import RelevantNames, read_relevant_names
from lightly.media.listing import IMAGE_EXTENSIONS
from lightly.worker.errors import RunRefused
from lightly.worker.server_link import RunLink
from lightly.worker.sources.file_list import InputFile

Row = tuple[str, str]

#: Parts of a listing that are read at the same time.
_PARTS = 8
_PARALLEL_WRITES = 16
_ROWS_PER_PAGE = 1_000


@dataclass(frozen=True)
class Period:
    """Moments at which files were last written, both ends included, in seconds since 1970."""

    from_s: int
    to_s: int


class InputSide(Protocol):
    """Raw images."""

    def iterate_pages(
        self, period: Period, relevant_file: str, *, with_expiry: bool = False
    ) -> Iterator[list[InputFile]]:
        """Yield files, page by page.

        Args:
            period: Which files.
            relevant_file: A list of files that matter, below `.lightly/`; all if empty.
            with_expiry: Whether to say when the store removes them.
        """


class LightlySide(Protocol):
    """What lies in `.lightly/`."""

    def locate(self, name: str) -> str:
        """Return where a file is, or would be; `name` begins with `.lightly/`."""

    def iterate_metadata(self) -> Iterator[Row]:
        """Yield name and location of all files below `.lightly/metadata/`."""

    def iterate_predictions(self, task: str) -> Iterator[Row]:
        """Yield name and location of all files of a prediction task."""

    def write(self, files: Sequence[tuple[str, bytes]]) -> None:
        """Write files; their names begin with `.lightly/`."""


class SignedInput:
    """Raw files by URLs of the server.

    Args:
        link: The run.
    """

    def __init__(self, link: RunLink) -> None:
        self._link = link

    def iterate_pages(
        self, period: Period, relevant_file: str, *, with_expiry: bool = False
    ) -> Iterator[list[InputFile]]:
        """Yield files with their URLs, page by page."""
        place = ("datasets", self._link.claim.dataset_id, "datasource", "list")
        listing = DatasourceListing(
            self._link.transport,
            make_path("v1", *place),
            {"relevantFilenamesFileName": relevant_file or None},
            # A long run outlives signed URLs, so it asks for those that lead back to the server.
            ListingOptions(period.from_s, period.to_s, _PARTS, use_redirected_read_url=True),
            # Pages of our own tell the version of each file as well.
            page_path=make_path("ext", "v1", *place),
            page_filters={"withExpiry": True} if with_expiry else None,
        )
        for page in listing.iterate_files():
            yield [InputFile(*file) for file in page]


class SignedLightly:
    """Files in `.lightly/` by URLs of the server.

    Args:
        link: The run.
    """

    def __init__(self, link: RunLink) -> None:
        self._link = link

    def locate(self, name: str) -> str:
        """Return a URL to read a file from."""
        kind, _, rest = name.removeprefix(LIGHTLY_FOLDER).partition("/")
        return self._link.make_read_url(kind, rest)

    def iterate_metadata(self) -> Iterator[Row]:
        """Yield name and URL of all files with metadata."""
        return self._iterate("metadata", {})

    def iterate_predictions(self, task: str) -> Iterator[Row]:
        """Yield name and URL of all files with predictions of a task."""
        return self._iterate("predictions", {"taskName": task})

    def write(self, files: Sequence[tuple[str, bytes]]) -> None:
        """Write files by URLs that the server signs."""
        urls, headers = self._link.make_datasource_write_urls([name for name, _ in files])
        contents = [content for _, content in files]
        put = self._link.stores.put_blob
        run_in_parallel(
            lambda item: put(item[0], item[1], headers),
            list(zip(urls, contents, strict=True)),
            max_workers=_PARALLEL_WRITES,
        )

    def _iterate(self, kind: str, filters: dict[str, str]) -> Iterator[Row]:
        dataset_id = self._link.claim.dataset_id
        listing = DatasourceListing(
            self._link.transport,
            make_path("v1", "datasets", dataset_id, "datasource", kind, "list"),
            filters,
            ListingOptions(0, None, _PARTS, use_redirected_read_url=True),
        )
        return (row for page in listing.iterate() for row in page)


class MountedInput:
    """Raw files in a folder of this machine.

    Args:
        root: The folder.
        lightly: The side that lists of relevant files are on.
        extensions: Which files are listed, in lower case.
    """

    def __init__(
        self, root: Path, lightly: LightlySide, extensions: tuple[str, ...] = IMAGE_EXTENSIONS
    ) -> None:
        self._root = root
        self._lightly = lightly
        self._extensions = extensions

    def iterate_pages(
        self,
        period: Period,
        relevant_file: str,
        *,
        with_expiry: bool = False,  # noqa: ARG002  files of folders stay
    ) -> Iterator[list[InputFile]]:
        """Yield files with their paths, page by page."""
        relevant = self._read_relevant(relevant_file) if relevant_file else None
        page: list[InputFile] = []
        for name, path, status in _walk(self._root):
            is_wanted = name.lower().endswith(self._extensions)
            if not is_wanted or not period.from_s <= int(status.st_mtime) <= period.to_s:
                continue
            if relevant is None or relevant.has(name):
                page.append(InputFile(name, path, make_file_version(status) or ""))
            if len(page) == _ROWS_PER_PAGE:
                yield page
                page = []
        yield page

    def _read_relevant(self, name: str) -> RelevantNames:
        path = Path(self._lightly.locate(name))
        if not path.is_file():
            raise RunRefused(
                f"The list of relevant files {name[:200]!r} cannot be read: a worker with an input "
                "mount reads it below its lightly mount. Mount that folder too, or put it there."
            )
        return read_relevant_names(path.read_bytes())


class MountedLightly:
    """Files in `.lightly/` of a folder of this machine.

    Args:
        root: The folder that `.lightly` lies in.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def locate(self, name: str) -> str:
        """Return the path of a file."""
        return str(resolve_below(self._root, name))

    def iterate_metadata(self) -> Iterator[Row]:
        """Yield name and path of all files with metadata."""
        return self._iterate("metadata")

    def iterate_predictions(self, task: str) -> Iterator[Row]:
        """Yield name and path of all files with predictions of a task."""
        return self._iterate(f"predictions/{task}")

    def write(self, files: Sequence[tuple[str, bytes]]) -> None:
        """Write files; each appears whole."""
        for name, content in files:
            path = resolve_below(self._root, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(path, content)

    def _iterate(self, kind: str) -> Iterator[Row]:
        folder = f"{LIGHTLY_FOLDER}{kind}"
        for name, path, _ in _walk(self._root / folder):
            if name.endswith(".json"):
                yield f"{folder}/{name}", path


def _walk(root: Path) -> Iterator[tuple[str, str, os.stat_result]]:
    """Yield relative name, path and status of the files below a folder, in no order.

    One entry is in memory at a time, however many a folder has. Links to files are followed if they
    stay below the folder, links to folders are not. What belongs to the platform is left out.
    """
    base = root.resolve()
    pending = [""]
    while pending:
        folder = pending.pop()
        try:
            entries = os.scandir(base / folder)
        except (FileNotFoundError, NotADirectoryError):
            continue
        with entries:
            for entry in entries:
                name = f"{folder}{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    if f"{name}/" != LIGHTLY_FOLDER:
                        pending.append(f"{name}/")
                elif (status := _find_status(entry, base)) is not None:
                    yield name, entry.path, status


def _find_status(entry: os.DirEntry[str], base: Path) -> os.stat_result | None:
    """Return the status of a file; None of what is no file below the folder, or gone by now."""
    try:
        if not entry.is_file():
            return None
        if entry.is_symlink() and base not in Path(entry.path).resolve().parents:
            return None
        return entry.stat()
    except OSError:
        return None
