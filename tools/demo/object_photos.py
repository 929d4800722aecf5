"""Photographs of objects, which are free to use but not ours to ship.

They come from the Debian package `tuxpaint-stamps-default` (GPL, version 2): some 320 cut-out
photographs of animals, fruit, tools and more, sorted into folders. The package is fetched as the
current user, never installed, and only its photographs are kept, in a cache folder.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path, PurePosixPath

from rich.console import Console

from lightly._kit.errors import LightlyError
from tools.demo.debian_package import PackageUnavailable, download_package, read_package_files
from tools.demo.limited_process import Deadline

PACKAGE = "tuxpaint-stamps-default"
# Long enough for 161 MB at 6 Mbit/s, short enough that nobody thinks that the demo hangs.
TIME_LIMIT_S = 240.0
# Fewer means that the package changed; the shipped set is then the better demo.
MIN_PHOTOS = 250

_PICTURE_ROOT = "usr/share/tuxpaint/stamps/"
_COMPLETE = "complete.txt"

# Folders of drawings and signs; weapons and graves are photographs, but no way to say hello.
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


class ObjectPhotosUnavailable(LightlyError):
    """The object photos cannot be had here."""

    code = "demo_object_photos_unavailable"


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
        time_limit_s: For the download.

    Raises:
        ObjectPhotosUnavailable: If they cannot be had in time; the message says why.
    """
    photos_dir = cache_dir / "object-photos"
    if (photos_dir / _COMPLETE).is_file():
        return photos_dir
    missing = [tool for tool in ("apt-get", "dpkg-deb") if shutil.which(tool) is None]
    if missing:
        raise ObjectPhotosUnavailable(f"this machine has no {' and no '.join(missing)}")
    try:
        cache_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="download-", dir=cache_dir) as folder:
            _fetch_into(Path(folder), photos_dir, console, Deadline.after(time_limit_s))
    except PackageUnavailable as err:
        raise ObjectPhotosUnavailable(str(err)) from err
    except OSError as err:
        raise ObjectPhotosUnavailable(f"the cache folder cannot be used: {err.strerror}") from err
    return photos_dir


def _fetch_into(work_dir: Path, photos_dir: Path, console: Console, deadline: Deadline) -> None:
    """Download and unpack in `work_dir`, then put the photographs in their place at once."""
    package_file = download_package(PACKAGE, work_dir, console=console, deadline=deadline)
    with console.status("Unpacking the object photos"):
        unpack_photos(package_file, work_dir / "photos")
    shutil.rmtree(photos_dir, ignore_errors=True)
    (work_dir / "photos").rename(photos_dir)


def unpack_photos(package_file: Path, photos_dir: Path) -> int:
    """Write the package's object photos below one folder per class; return their number."""
    names = set()
    for path, data in read_package_files(package_file, _is_wanted_member):
        relative = path.removeprefix(_PICTURE_ROOT)
        target = photos_dir / name_class(relative) / PurePosixPath(relative).name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        names.add(target)
    if len(names) < MIN_PHOTOS:
        raise ObjectPhotosUnavailable(
            f"{package_file.name} holds {len(names)} object photos, {MIN_PHOTOS} are needed"
        )
    (photos_dir / _COMPLETE).write_text(f"{len(names)} photos of {package_file.name}\n")
    return len(names)


def _is_wanted_member(path: str) -> bool:
    return path.startswith(_PICTURE_ROOT) and is_object_photo(path.removeprefix(_PICTURE_ROOT))
