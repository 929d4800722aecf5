"""Read files out of a Debian package without installing it."""

from __future__ import annotations

import subprocess
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

from lightly._kit.errors import LightlyError


class BrokenPackage(LightlyError):  # noqa: N818  the package is broken, nothing else failed
    """The Debian package cannot be read."""

    code = "demo_broken_package"


def read_package_files(
    package_file: Path, is_wanted: Callable[[str], bool]
) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of the wanted regular files, in the order of the package.

    The package is streamed: neither it nor its other files are unpacked to disk.

    Args:
        package_file: The `.deb` file.
        is_wanted: Gets a path without a leading `./` and tells whether to read it.

    Raises:
        BrokenPackage: If `dpkg-deb` cannot read the package.
    """
    command = ["dpkg-deb", "--fsys-tarfile", str(package_file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        try:
            with tarfile.open(fileobj=process.stdout, mode="r|") as archive:
                for member in archive:
                    path = member.name.removeprefix("./")
                    if member.isfile() and is_wanted(path):
                        yield path, read_member(archive, member)
            # dpkg-deb pads the archive; without reading on it would end with a broken pipe.
            while process.stdout.read(1 << 20):
                pass
        except tarfile.TarError as err:
            raise BrokenPackage(f"{package_file.name} cannot be read: {err}") from err
    if process.returncode:
        raise BrokenPackage(f"dpkg-deb could not read {package_file.name}.")


def read_member(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    """Return the content of one regular file."""
    content = archive.extractfile(member)
    return content.read() if content else b""
