"""From the configured datasources of a dataset to its two sides, as this worker reaches them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lightly._kit.safe_paths import resolve_below
from lightly.media.listing import IMAGE_EXTENSIONS, VIDEO_EXTENSIONS
from lightly.worker.errors import RunRefused
from lightly.worker.server_link import RunLink
from lightly.worker.settings import WorkerSettings
from lightly.worker.sources.datasource import (
    InputSide,
    LightlySide,
    MountedInput,
    MountedLightly,
    SignedInput,
    SignedLightly,
)

Datasources = Mapping[str, Mapping[str, Any]]

#: The written one first: it decides about thumbnails.
PURPOSES = ("LIGHTLY", "INPUT_OUTPUT", "INPUT")
_LOCAL = "LOCAL"


def read_datasources(link: RunLink) -> dict[str, Mapping[str, Any]]:
    """Return the configurations of the dataset's datasources by purpose.

    Raises:
        RunRefused: If there is none.
    """
    found = {purpose: link.read_datasource(purpose) for purpose in PURPOSES}
    configured: dict[str, Mapping[str, Any]] = {
        purpose: config for purpose, config in found.items() if config is not None
    }
    if not configured:
        raise RunRefused(
            "The dataset has no datasource. Set one, for example with set_s3_config() or "
            "set_local_config()."
        )
    return configured


def open_sides(
    settings: WorkerSettings, link: RunLink, datasources: Datasources, *, holds_videos: bool = False
) -> tuple[InputSide, LightlySide]:
    """Return the two sides: folders where this worker has them mounted, else by signed URLs."""
    lightly_root = _find_mount(settings.lightly_mount, datasources, "LIGHTLY")
    lightly: LightlySide = (
        SignedLightly(link) if lightly_root is None else MountedLightly(lightly_root)
    )
    input_root = _find_mount(settings.input_mount, datasources, "INPUT")
    if input_root is None:
        return SignedInput(link), lightly
    extensions = VIDEO_EXTENSIONS if holds_videos else IMAGE_EXTENSIONS
    return MountedInput(input_root, lightly, extensions), lightly


def _find_mount(mount: Path | None, datasources: Datasources, purpose: str) -> Path | None:
    config = datasources.get(purpose) or datasources.get("INPUT_OUTPUT")
    if mount is None or config is None or config.get("type") != _LOCAL:
        return None
    path = str(config.get("fullPath") or "").strip("/")
    # The oldest clients put the URL of a file server here; what it serves is the mount itself.
    if not path or "://" in path:
        return mount
    folder = resolve_below(mount, path)
    if not folder.is_dir():
        raise RunRefused(
            f"The folder {path[:200]!r} of the datasource is not below the worker's "
            f"{purpose.lower()} mount. Start the worker with the folder that it is relative to."
        )
    return folder
