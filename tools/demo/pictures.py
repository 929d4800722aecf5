"""Prepare the folder of pictures that the demo uploads."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.progress import track

from lightly._kit.errors import LightlyError
from tools.demo.manifest import (
    IMAGES_NAME,
    DemoFile,
    DemoFolder,
    ImageSet,
    is_as_recorded,
    list_sizes,
    read_manifest,
    read_record,
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
    target_dir = target_dir.resolve()
    prepared = read_manifest(target_dir)
    asked_for = {"always": "object photos", "never": "shipped set"}.get(use_object_photos)
    is_fitting = prepared is not None and asked_for in {None, prepared.image_set}
    if prepared is not None and is_fitting and is_as_recorded(prepared):
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
            pictures = replace(shipped, reason=reason)
    return build_folder(target_dir, pictures, shipped_dir / "videos", console)


@dataclass(frozen=True)
class PictureSet:
    """Real pictures below one folder per class, and why these."""

    name: ImageSet
    images_dir: Path
    reason: str


def check_is_ours(target_dir: Path) -> None:
    """Refuse to replace files of somebody else.

    Raises:
        FolderNotOurs: If the folder has no manifest of ours, or images that it does not name.
    """
    if not target_dir.exists() or (target_dir.is_dir() and not any(target_dir.iterdir())):
        return
    record = read_record(target_dir)
    if not record:
        raise FolderNotOurs(
            f"'{target_dir.name}' holds files that the demo did not make. Name another folder."
        )
    recorded = {entry["name"] for entry in record["files"]}
    foreign = sorted(list_sizes(target_dir / IMAGES_NAME).keys() - recorded)
    if foreign:
        raise FolderNotOurs(
            f"'{target_dir.name}/{IMAGES_NAME}' holds {len(foreign)} files that the demo did not "
            f"make, for example '{foreign[0][:80]}'. Move them away or name another folder."
        )


def build_folder(
    target_dir: Path, pictures: PictureSet, videos_dir: Path, console: Console
) -> DemoFolder:
    """Build the images beside their place and move them there when they are complete."""
    target_dir.mkdir(parents=True, exist_ok=True)
    partial_dir = target_dir.with_name(f".{target_dir.name}.partial")
    old_dir = target_dir.with_name(f".{target_dir.name}.old")
    for leftover in (partial_dir, old_dir):
        shutil.rmtree(leftover, ignore_errors=True)
    originals = list(copy_originals(pictures, partial_dir, console))
    frames = list(add_frames(videos_dir, partial_dir))
    with console.status("Planting duplicates, blurred and broken files"):
        files = [*plant_files(partial_dir, originals, SEED), *frames]

    files.sort(key=lambda file: file.name)
    folder = DemoFolder(target_dir, pictures.name, pictures.reason, SEED, tuple(files))
    # Old images go before the manifest changes: whatever it does not name counts as foreign.
    if folder.images_dir.exists():
        folder.images_dir.rename(old_dir)
    write_manifest(folder)
    partial_dir.rename(folder.images_dir)
    shutil.rmtree(old_dir, ignore_errors=True)
    return folder


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
