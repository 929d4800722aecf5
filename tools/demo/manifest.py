"""What lies in a prepared demo folder: the record of every file, on disk and in memory."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

Kind = Literal[
    "original",
    "video_frame",
    "non_ascii_name",
    "near_duplicate",
    "exact_duplicate",
    "blurred",
    "cmyk",
    "16_bit",
    "exif_rotated",
    "corrupt",
]
KINDS: tuple[Kind, ...] = get_args(Kind)
ImageSet = Literal["object photos", "shipped set"]

# Counts up when the same seed gives other files: an older folder is then built anew.
MANIFEST_VERSION = 1
MANIFEST_MAKER = "lightly demo"
MANIFEST_NAME = "manifest.json"
METADATA_NAME = "custom_metadata.json"
IMAGES_NAME = "images"

# Name, path, default and type of each entry of the metadata configuration that fits the metadata.
METADATA_CONFIGURATION = (
    ("Class", "class", "unknown", "CATEGORICAL_STRING"),
    ("Source", "source", "unknown", "CATEGORICAL_STRING"),
    ("Kind", "planted.kind", "original", "CATEGORICAL_STRING"),
    ("Variant", "planted.variant", "", "CATEGORICAL_STRING"),
    ("Size in bytes", "size_bytes", 0, "NUMERIC_INT"),
)


@dataclass(frozen=True)
class DemoFile:
    """One file of the demo.

    Attributes:
        name: Path below the images folder, with forward slashes.
        kind: `original`, `video_frame`, or what was planted.
        category: Class from the folder.
        source: Where the picture comes from.
        size_bytes: Size of the file.
        variant: How exactly it was made, for example `cropped`.
        copy_of: Name of the file that it shows again, empty if none.
    """

    name: str
    kind: Kind
    category: str
    source: str
    size_bytes: int
    variant: str = ""
    copy_of: str = ""

    @property
    def is_corrupt(self) -> bool:
        """True if no reader may accept the file as an image."""
        return self.kind == "corrupt"


@dataclass(frozen=True)
class DemoFolder:
    """A folder that is ready to be uploaded, and the record of what lies in it.

    Attributes:
        path: Folder that holds `images/`, `manifest.json` and `custom_metadata.json`.
        image_set: Which pictures are used.
        reason: Why these.
        seed: Seed of everything that was planted.
        files: One record per file below `images/`, ordered by name.
    """

    path: Path
    image_set: ImageSet
    reason: str
    seed: int
    files: tuple[DemoFile, ...]

    @property
    def images_dir(self) -> Path:
        """The folder to upload and embed."""
        return self.path / IMAGES_NAME

    @property
    def manifest_path(self) -> Path:
        """The record on disk."""
        return self.path / MANIFEST_NAME

    @property
    def metadata_path(self) -> Path:
        """The custom metadata on disk, of all files that are images."""
        return self.path / METADATA_NAME

    @property
    def corrupt_names(self) -> tuple[str, ...]:
        """Names of the files that must be refused."""
        return tuple(file.name for file in self.files if file.is_corrupt)

    @property
    def report(self) -> str:
        """Which pictures are used and why, and how many of which kind, in a few lines."""
        counts = self.count_kinds()
        kinds = ", ".join(f"{counts[kind]} {kind.replace('_', ' ')}" for kind in KINDS)
        return f"{len(self.files)} files: {self.image_set} ({self.reason}).\nOf these {kinds}."

    def count_kinds(self) -> Counter[Kind]:
        """Return the number of files of each kind."""
        return Counter(file.kind for file in self.files)

    def custom_metadata(self, names: Collection[str] | None = None) -> dict[str, Any]:
        """Return metadata in the form that `upload_custom_metadata` takes.

        Args:
            names: The files to describe, for example those that were uploaded. All files that are
                images if not given.
        """
        wanted = [f for f in self.files if (not f.is_corrupt if names is None else f.name in names)]
        return {
            "images": [{"id": number, "file_name": f.name} for number, f in enumerate(wanted)],
            "metadata": [describe(number, f) for number, f in enumerate(wanted)],
        }


def describe(image_id: int, file: DemoFile) -> dict[str, Any]:
    """Return the metadata of one image."""
    return {
        "image_id": image_id,
        "class": file.category,
        "source": file.source,
        "size_bytes": file.size_bytes,
        "planted": {"kind": file.kind, "variant": file.variant, "copy_of": file.copy_of},
    }


def write_manifest(folder: DemoFolder) -> None:
    """Write metadata and manifest."""
    write_json(folder.metadata_path, folder.custom_metadata())
    record = {
        "made_by": MANIFEST_MAKER,
        "version": MANIFEST_VERSION,
        "image_set": folder.image_set,
        "reason": folder.reason,
        "seed": folder.seed,
        "files": [asdict(file) for file in folder.files],
    }
    write_json(folder.manifest_path, record)


def write_json(path: Path, value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=1)
    path.write_text(text + "\n", encoding="utf-8")


def read_manifest(path: Path) -> DemoFolder | None:
    """Return the folder recorded in `path`, None if it is absent or of another version."""
    record = read_record(path)
    if record.get("version") != MANIFEST_VERSION:
        return None
    files = tuple(DemoFile(**entry) for entry in record["files"])
    return DemoFolder(path, record["image_set"], record["reason"], record["seed"], files)


def read_record(path: Path) -> dict[str, Any]:
    """Return the manifest in `path` as it stands, empty if there is none of ours."""
    try:
        record = json.loads((path / MANIFEST_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    is_ours = isinstance(record, dict) and record.get("made_by") == MANIFEST_MAKER
    return record if is_ours else {}


def list_sizes(images_dir: Path) -> dict[str, int]:
    """Return name and size in bytes of every file below a folder."""
    return {
        path.relative_to(images_dir).as_posix(): path.stat().st_size
        for path in images_dir.rglob("*")
        if path.is_file()
    }


def is_as_recorded(folder: DemoFolder) -> bool:
    """Tell whether exactly the recorded files are there, with their sizes."""
    return list_sizes(folder.images_dir) == {file.name: file.size_bytes for file in folder.files}
