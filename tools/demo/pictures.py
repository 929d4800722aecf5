"""Prepare the folder of pictures that the demo uploads."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.progress import track
from tools.demo.manifest import (
    IMAGES_NAME,
    MANIFEST_NAME,
    DemoFile,
    DemoFolder,
    ImageSet,
    read_manifest,
    write_manifest,
)
from tools.demo.object_photos import (
    PACKAGE,
    TIME_LIMIT_S,
    ObjectPhotosUnavailable,
    fetch_object_photos,
)
from tools.demo.planted import plant_files
from tools.demo.video_frames import extract_frames

from lightly._kit.errors import LightlyError

REPOSITORY = Path(__file__).parents[2]
SHIPPED_DIR = REPOSITORY / "demo"
CACHE_DIR = REPOSITORY / ".cache" / "demo"

SEED = 20
# 190 frames of two scenes: 24 frames, a third of a second apart.
FRAME_STEP = 8

_IMAGE_SUFFIXES = frozenset({".png", ".jpg"})
_SOURCE_NAMES: dict[ImageSet, str] = {
    "object photos": f"Debian {PACKAGE}",
    "shipped set": "shipped with the demo",
}


class FolderNotOurs(LightlyError):
    """The target folder holds something else. Name an empty or new folder."""

    code = "demo_folder_not_ours"


def prepare_demo_folder(
    target_dir: Path,
    *,
    use_object_photos: Literal["auto", "always", "never"] = "auto",
    cache_dir: Path = CACHE_DIR,
    shipped_dir: Path = SHIPPED_DIR,
    time_limit_s: float = TIME_LIMIT_S,
    console: Console | None = None,
) -> DemoFolder:
    """Fill a folder with real pictures, frames of a real video and planted files.

    The same picture set and seed give the same folder. A folder that was prepared before and is
    unchanged is used again, whatever set it holds, unless `use_object_photos` asks for the other.

    Args:
        target_dir: New or empty folder, or one that this function made.
        use_object_photos: `auto` takes the object photos where they can be had in time, else the
            shipped set; `always` insists on them; `never` does without network.
        cache_dir: Where fetched object photos are kept.
        shipped_dir: The committed set: `images/` and `videos/`.
        time_limit_s: For fetching the object photos.
        console: Shows progress.

    Returns:
        The folder and the record of every file in it.

    Raises:
        FolderNotOurs: If the folder holds files that this function did not put there.
        ObjectPhotosUnavailable: With `always`, if the photos cannot be had.
    """
    console = console or Console()
    prepared = read_manifest(target_dir)
    asked_for = {"always": "object photos", "never": "shipped set"}.get(use_object_photos)
    if prepared and asked_for in {None, prepared.image_set}:
        return prepared
    check_is_ours(target_dir)

    shipped = PictureSet("shipped set", shipped_dir / "images", "asked for")
    if use_object_photos == "never":
        pictures = shipped
    else:
        try:
            photos_dir = fetch_object_photos(cache_dir, console=console, time_limit_s=time_limit_s)
            pictures = PictureSet("object photos", photos_dir, f"from Debian's {PACKAGE}")
        except ObjectPhotosUnavailable as err:
            if use_object_photos == "always":
                raise
            reason = f"the object photos cannot be had: {err}"
            pictures = PictureSet("shipped set", shipped.images_dir, reason)
    return build_folder(target_dir, pictures, shipped_dir / "videos", console)


@dataclass(frozen=True)
class PictureSet:
    """Real pictures below one folder per class, and why these."""

    name: ImageSet
    images_dir: Path
    reason: str


def check_is_ours(target_dir: Path) -> None:
    """Refuse to replace a folder that holds files of somebody else."""
    is_free = not target_dir.exists() or (target_dir.is_dir() and not any(target_dir.iterdir()))
    if not is_free and not (target_dir / MANIFEST_NAME).is_file():
        raise FolderNotOurs(
            f"'{target_dir.name}' holds files that the demo did not make. Name another folder."
        )


def build_folder(
    target_dir: Path, pictures: PictureSet, videos_dir: Path, console: Console
) -> DemoFolder:
    """Build the folder beside `target_dir` and put it in place when it is complete."""
    partial_dir = target_dir.with_name(f".{target_dir.name}.partial")
    shutil.rmtree(partial_dir, ignore_errors=True)
    images_dir = partial_dir / IMAGES_NAME
    originals = list(copy_originals(pictures, images_dir, console))
    frames = list(add_frames(videos_dir, images_dir))
    with console.status("Planting duplicates, blurred and broken files"):
        files = [*plant_files(images_dir, originals, SEED), *frames]

    files.sort(key=lambda file: file.name)
    folder = DemoFolder(partial_dir, pictures.name, pictures.reason, SEED, tuple(files))
    write_manifest(folder)
    shutil.rmtree(target_dir, ignore_errors=True)
    partial_dir.rename(target_dir)
    return replace(folder, path=target_dir)


def copy_originals(pictures: PictureSet, images_dir: Path, console: Console) -> Iterator[DemoFile]:
    """Copy the pictures, class folders and all, and yield their records."""
    paths = sorted(p for p in pictures.images_dir.rglob("*") if p.suffix in _IMAGE_SUFFIXES)
    for path in track(paths, "Copying pictures", console=console):
        name = path.relative_to(pictures.images_dir).as_posix()
        (images_dir / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, images_dir / name)
        yield DemoFile(
            name=name,
            kind="original",
            category=path.parent.name,
            source=_SOURCE_NAMES[pictures.name],
            size_bytes=path.stat().st_size,
        )


def add_frames(videos_dir: Path, images_dir: Path) -> Iterator[DemoFile]:
    """Extract frames of the shipped clips and yield their records."""
    for video in sorted(videos_dir.glob("*.mp4")):
        for path in extract_frames(video, images_dir / "video_frames", every=FRAME_STEP):
            yield DemoFile(
                name=path.relative_to(images_dir).as_posix(),
                kind="video_frame",
                category="video_frames",
                source=f"frame of {video.name}",
                size_bytes=path.stat().st_size,
            )
