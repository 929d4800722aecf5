"""Fetch photographs of objects, which are free to use but not ours to ship.

They come from the Debian package `tuxpaint-stamps-default` (GPL, version 2): some 320 cut-out
photographs of animals, fruit, tools and more, sorted into folders. The package is fetched as the
current user into a cache folder, never installed, and only its photographs are kept.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from lightly._kit.errors import LightlyError
from tools.demo.debian_package import read_package_files

PACKAGE = "tuxpaint-stamps-default"
PACKAGE_ROOT = "usr/share/tuxpaint/stamps/"
# Long enough for 161 MB at 6 Mbit/s, short enough that nobody thinks the demo hangs.
TIME_LIMIT_S = 240.0
# Fewer means that the package changed; the shipped set is then the better demo.
MIN_PHOTOS = 250
_COMPLETE = "complete.txt"
_POLL_S = 0.2

# Folders of drawings and signs; weapons and graves are photographs but no way to say hello.
_LEFT_OUT_FOLDERS = frozenset(
    {"cartoon", "symbols", "clothes", "flags", "roadsigns", "military"}
    | {"easter", "halloween", "hanukkah", "newyears"}
)
# Single drawings between the photographs.
_LEFT_OUT_NAMES = frozenset(
    {"bow", "candy_cane", "explosion", "eye", "hard_candy", "hedgehog", "inukshuk-outline"}
    | {"lamp", "lightningbolt", "pizza", "santa", "santahat", "sedan_police"}
    | {"sedan_police_mirror", "star", "stocking", "tooth", "tree", "xmas_tp_bulb"}
)


class ObjectPhotosUnavailable(LightlyError):  # noqa: N818  they are unavailable, nothing failed
    """The object photos cannot be had here."""

    code = "demo_object_photos_unavailable"


@dataclass(frozen=True)
class Deadline:
    """A point in time; every step asks for what is left until then."""

    at_s: float

    @classmethod
    def after(cls, time_limit_s: float) -> Deadline:
        return cls(at_s=time.monotonic() + time_limit_s)

    def left_s(self) -> float:
        return max(0.0, self.at_s - time.monotonic())


def is_object_photo(path: str) -> bool:
    """Tell whether a path below the package's picture root is a photograph of an object.

    >>> is_object_photo("animals/birds/owl.png"), is_object_photo("animals/birds/cartoon/owl.png")
    (True, False)
    """
    parts = PurePosixPath(path)
    return (
        parts.suffix == ".png"
        and not _LEFT_OUT_FOLDERS.intersection(parts.parts)
        and parts.stem.lower() not in _LEFT_OUT_NAMES
    )


def name_class(path: str) -> str:
    """Return the class that a photograph's folders stand for.

    >>> name_class("animals/mammals/cats/lion.png"), name_class("space/voyager2.png")
    ('mammals', 'space')
    """
    folders = PurePosixPath(path).parent.parts
    return folders[min(1, len(folders) - 1)] if folders else "unsorted"


def fetch_object_photos(
    cache_dir: Path, *, console: Console, time_limit_s: float = TIME_LIMIT_S
) -> Path:
    """Return a folder that holds the object photos below one folder per class.

    Args:
        cache_dir: Where the photographs are kept for the next time.
        console: Shows the progress of the download.
        time_limit_s: For everything together.

    Raises:
        ObjectPhotosUnavailable: If they cannot be had in time; the message says why.
    """
    photos_dir = cache_dir / "object-photos"
    if (photos_dir / _COMPLETE).is_file():
        return photos_dir
    missing = [tool for tool in ("apt-get", "dpkg-deb") if shutil.which(tool) is None]
    if missing:
        raise ObjectPhotosUnavailable(f"{' and '.join(missing)} is not on this machine")
    cache_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="download-", dir=cache_dir) as folder:
        work_dir = Path(folder)
        package_file = download_package(work_dir, console, Deadline.after(time_limit_s))
        unpack_photos(package_file, work_dir / "photos")
        shutil.rmtree(photos_dir, ignore_errors=True)
        (work_dir / "photos").rename(photos_dir)
    return photos_dir


def unpack_photos(package_file: Path, photos_dir: Path) -> int:
    """Write the package's object photos into `photos_dir`, one folder per class; count them."""
    count = 0
    for path, data in read_package_files(package_file, _is_wanted_member):
        relative = path.removeprefix(PACKAGE_ROOT)
        target = photos_dir / name_class(relative) / PurePosixPath(relative).name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        count += 1
    if count < MIN_PHOTOS:
        raise ObjectPhotosUnavailable(
            f"{PACKAGE} holds {count} object photos here, at least {MIN_PHOTOS} are needed"
        )
    (photos_dir / _COMPLETE).write_text(f"{count} photos of {package_file.name}\n")
    return count


def _is_wanted_member(path: str) -> bool:
    return path.startswith(PACKAGE_ROOT) and is_object_photo(path.removeprefix(PACKAGE_ROOT))


def download_package(work_dir: Path, console: Console, deadline: Deadline) -> Path:
    """Download the package into `work_dir` as the current user; nothing is installed."""
    options = ["-o", "APT::Sandbox::User=root", "-o", "Acquire::http::Timeout=20"]
    size_bytes = ask_package_size(options, work_dir, deadline)
    if size_bytes is None:
        # A fresh container has no package lists: fetch them, into our folder only.
        options += _use_own_lists(work_dir)
        with console.status("Reading the package lists"):
            run_limited(["apt-get", *options, "-q", "update"], work_dir, deadline)
        size_bytes = ask_package_size(options, work_dir, deadline)
    if size_bytes is None:
        raise ObjectPhotosUnavailable(f"the package sources of this machine lack {PACKAGE}")
    command = ["apt-get", *options, "-q", "download", PACKAGE]
    with Progress(
        TextColumn("Object photos"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
        console=console,
    ) as progress:
        task = progress.add_task("download", total=size_bytes)
        run_limited(
            command,
            work_dir,
            deadline,
            on_wait=lambda: progress.update(task, completed=_sum_package_bytes(work_dir)),
        )
        progress.update(task, completed=_sum_package_bytes(work_dir))
    return next(work_dir.glob(f"{PACKAGE}_*.deb"))


def ask_package_size(options: Sequence[str], work_dir: Path, deadline: Deadline) -> int | None:
    """Return the size of the package's file in bytes, None if apt does not know the package."""
    command = ["apt-get", *options, "download", "--print-uris", PACKAGE]
    try:
        output = run_limited(command, work_dir, deadline)
    except ObjectPhotosUnavailable:
        if deadline.left_s() == 0:
            raise
        return None
    found = re.search(r"\.deb (\d+)", output)
    return int(found.group(1)) if found else None


def _use_own_lists(work_dir: Path) -> list[str]:
    """Make folders for package lists that need no root, and return the options that use them."""
    lists_dir, cache_dir = work_dir / "lists", work_dir / "apt-cache"
    (lists_dir / "partial").mkdir(parents=True)
    (cache_dir / "archives" / "partial").mkdir(parents=True)
    return ["-o", f"Dir::State::lists={lists_dir}", "-o", f"Dir::Cache={cache_dir}"]


def _sum_package_bytes(work_dir: Path) -> int:
    return sum(path.stat().st_size for path in work_dir.glob("*.deb"))


def run_limited(
    command: Sequence[str],
    work_dir: Path,
    deadline: Deadline,
    *,
    on_wait: callable[[], None] = lambda: None,
) -> str:
    """Run a command until it ends or the deadline passes; return what it printed.

    Raises:
        ObjectPhotosUnavailable: If it fails or takes too long.
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
        process = subprocess.Popen(
            command,
            cwd=work_dir,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "LC_ALL": "C.UTF-8"},
            start_new_session=True,
        )
        try:
            _wait_until(process, deadline, on_wait)
        finally:
            _end_group(process)
        output.seek(0)
        text = output.read()
    if process.returncode:
        raise ObjectPhotosUnavailable(f"{command[0]} failed: {_find_reason(text)}")
    return text
