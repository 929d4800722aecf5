"""Frames of the videos in a datasource."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lightly._kit.errors import LightlyError
from lightly.api.client_base import ClientBase
from lightly.api.datasource_listing import DatasourceListing, ListingOptions
from lightly.api.file_downloads import FileDownloads, warn_of_failures
from lightly.api.progress import show_progress

if TYPE_CHECKING:
    from lightly.data.video_frames import FrameEntry

_LISTED_AT_ONCE = 8


class _VideoFramesMixin(ClientBase):
    """Frames of the videos in a datasource.

    Videos are fetched one at a time into a private temporary folder (see the variable `TMPDIR`),
    decoded there in a process of their own, and removed.
    """

    def list_video_frames(self, videos: Iterable[str] | None = None) -> Iterator[FrameEntry]:
        """Yield the frames of videos in the datasource of the current dataset.

        Each video is fetched and decoded as a whole, because containers do not always tell the
        truth about their frames.

        Args:
            videos: Names of the videos, as `download_raw_samples` lists them; default all.

        Yields:
            Frames video by video, with `name`, `video`, `index` and `timestamp_s`. What could not
            be read is listed in an `IncompleteDownloadWarning` at the end.

        Raises:
            ApiException: If the server cannot list.

        Example:
            >>> for frame in client.list_video_frames(["street.mp4"]):  # doctest: +SKIP
            ...     print(frame.name, frame.timestamp_s)
        """
        from lightly.data.video_frames import list_frames

        urls = self._list_videos(videos)
        failures: list[tuple[str, str]] = []
        for video in urls if videos is None else list(dict.fromkeys(videos)):
            with self._fetch_video(video, urls, failures) as folder:
                if folder is not None:
                    yield from list_frames(folder, [video])
        warn_of_failures(failures, len(urls), noun="videos")

    def download_video_frames(
        self,
        frame_names: Iterable[str],
        output_dir: str | os.PathLike[str],
        *,
        verbose: bool = False,
    ) -> list[str]:
        """Cut frames out of videos in the datasource of the current dataset, by name.

        Each video is fetched and decoded once, however many of its frames are wanted.

        Args:
            frame_names: Such as "subdir/video_1-0099-mp4.png"; names that end with `.jpg` give
                JPEG files.
            output_dir: Folder for the frames; made if it is missing. Sub-folders are made as the
                names have them.
            verbose: Whether to show a progress bar.

        Returns:
            The names of the files that were written. What could not be read is listed in an
            `IncompleteDownloadWarning`.

        Raises:
            ValueError: If a name is not one of a frame, or leads out of the folder.
            ApiException: If the server cannot list.

        Example:
            >>> names = ["street-099-mp4.png", "street-180-mp4.png"]
            >>> client.download_video_frames(names, "frames")  # doctest: +SKIP
            ['street-099-mp4.png', 'street-180-mp4.png']
        """
        from lightly.data.video_frames import group_by_video, save_frames

        wanted = group_by_video(frame_names)
        urls = self._list_videos(wanted)
        failures: list[tuple[str, str]] = []
        written: list[str] = []
        with show_progress(
            "Reading videos", unit="videos", total=len(wanted), is_shown=verbose
        ) as bar:
            for video, names in wanted.items():
                with self._fetch_video(video, urls, failures) as folder:
                    if folder is not None:
                        save_frames(folder, names.values(), output_dir, on_written=written.append)
                bar.update(1)
        warn_of_failures(failures, len(wanted), noun="videos")
        return written

    def _list_videos(self, videos: Iterable[str] | None) -> dict[str, str]:
        """Return URLs by name, of some videos or of all."""
        # Reading all may take longer than other URLs live.
        options = ListingOptions(0, None, _LISTED_AT_ONCE, use_redirected_read_url=True)
        path = self._below_dataset("datasource", "list")
        listing = DatasourceListing(self._transport, path, {}, options)
        is_wanted: Callable[[str], bool] = (
            (lambda _: True) if videos is None else frozenset(videos).__contains__
        )
        return {name: url for page in listing.iterate() for name, url in page if is_wanted(name)}

    @contextmanager
    def _fetch_video(
        self, video: str, urls: dict[str, str], failures: list[tuple[str, str]]
    ) -> Iterator[Path | None]:
        """Give a folder with one video, None if it cannot be had; note why, or what is wrong."""
        if video not in urls:
            failures.append((ascii(video)[:80], "There is no such video in the datasource."))
            yield None
            return
        with tempfile.TemporaryDirectory(prefix="lightly-") as folder:
            downloads = FileDownloads(self._transport, Path(folder), urls.__getitem__)
            for _ in downloads.run([(video, video)], max_workers=1):
                pass
            failures += downloads.failures
            try:
                yield None if downloads.failures else Path(folder)
            except LightlyError as error:
                failures.append((ascii(video)[:80], str(error)[:200]))
