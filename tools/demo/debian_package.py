"""Download a Debian package as the current user and read files out of it; nothing is installed."""

from __future__ import annotations

import re
import subprocess
import tarfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from lightly._kit.errors import LightlyError
from tools.demo.limited_process import CommandFailed, Deadline, run_limited


class PackageUnavailable(LightlyError):
    """The Debian package cannot be had or read here."""

    code = "demo_package_unavailable"


def download_package(name: str, work_dir: Path, *, console: Console, deadline: Deadline) -> Path:
    """Download a package's file into an empty folder.

    Args:
        name: Name of the package.
        work_dir: Empty folder; package lists go there too if the machine has none.
        console: Shows the progress.
        deadline: When to give up.

    Raises:
        PackageUnavailable: If the package is unknown, or cannot be fetched in time.
    """
    # Our folder need not be readable for the user that apt drops to when run by root.
    options = ["-q", "-o", "APT::Sandbox::User=root", "-o", "Acquire::http::Timeout=20"]
    try:
        size_bytes = _ask_size(name, options, work_dir, deadline)
        if size_bytes is None:
            # A fresh container has no package lists.
            options += _make_own_lists(work_dir)
            with console.status("Reading the package lists"):
                run_limited(["apt-get", *options, "update"], work_dir, deadline)
            size_bytes = _ask_size(name, options, work_dir, deadline)
        if size_bytes is None:
            raise PackageUnavailable(
                f"the package sources of this machine do not have {name} or cannot be reached"
            )
        _download_with_progress(name, options, work_dir, console, deadline, size_bytes)
    except CommandFailed as err:
        raise PackageUnavailable(str(err)) from err
    package_file = next(work_dir.glob(f"{name}_*.deb"), None)
    if package_file is None:
        raise PackageUnavailable(f"apt-get gave no package {name}")
    return package_file


def _ask_size(name: str, options: Sequence[str], work_dir: Path, deadline: Deadline) -> int | None:
    """Return the size of the package's file in bytes, None if the lists do not have it."""
    try:
        command = ["apt-get", *options, "download", "--print-uris", name]
        found = re.search(r"\.deb (\d+)", run_limited(command, work_dir, deadline))
    except CommandFailed:
        return None
    return int(found.group(1)) if found else None


def _make_own_lists(work_dir: Path) -> list[str]:
    """Make folders for package lists that need no root; return the options that use them."""
    lists_dir, cache_dir = work_dir / "lists", work_dir / "apt-cache"
    (lists_dir / "partial").mkdir(parents=True)
    (cache_dir / "archives" / "partial").mkdir(parents=True)
    return ["-o", f"Dir::State::lists={lists_dir}", "-o", f"Dir::Cache={cache_dir}"]


def _download_with_progress(
    name: str,
    options: Sequence[str],
    work_dir: Path,
    console: Console,
    deadline: Deadline,
    size_bytes: int,
) -> None:
    columns = (TextColumn(name), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(name, total=size_bytes)

        def show_progress() -> None:
            done = sum(path.stat().st_size for path in work_dir.glob(f"{name}_*.deb"))
            progress.update(task, completed=done)

        command = ["apt-get", *options, "download", name]
        run_limited(command, work_dir, deadline, on_wait=show_progress)
        show_progress()


def read_package_files(
    package_file: Path, is_wanted: Callable[[str], bool]
) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of the wanted regular files, in the order of the package.

    The package is streamed: neither it nor its other files are unpacked to disk.

    Args:
        package_file: The `.deb` file.
        is_wanted: Gets a path without a leading `./` and tells whether to read it.

    Raises:
        PackageUnavailable: If `dpkg-deb` cannot read the package.
    """
    command = ["dpkg-deb", "--fsys-tarfile", str(package_file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        stream = process.stdout
        if stream is None:
            raise PackageUnavailable(f"dpkg-deb gave no output for {package_file.name}")
        try:
            with tarfile.open(fileobj=stream, mode="r|") as archive:
                for member in archive:
                    path = member.name.removeprefix("./")
                    if member.isfile() and is_wanted(path):
                        yield path, _read_member(archive, member)
        except tarfile.TarError as err:
            raise PackageUnavailable(f"{package_file.name} is broken") from err
        finally:
            # dpkg-deb pads the archive: it would end with a broken pipe if nobody read on.
            while stream.read(1 << 20):
                pass
    if process.returncode:
        raise PackageUnavailable(f"{package_file.name} is broken")


def _read_member(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    content = archive.extractfile(member)
    return content.read() if content else b""
