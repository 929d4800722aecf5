"""Labels that others have made: the examples of labelme, from its Debian package.

They are under the GPL, so they are fetched when they are needed and kept in `.cache/`.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from rich.console import Console

from tools.demo.debian_package import PackageUnavailable, download_package, read_package_files
from tools.demo.limited_process import Deadline

CACHE = Path(__file__).resolve().parents[2] / ".cache" / "labelme-examples"
_PACKAGE = "labelme-examples"
_BEGINNING = "usr/share/doc/labelme-examples/examples/"
_TIMEOUT_S = 120.0
_FOLDERS = ("instance_segmentation", "bbox_detection", "classification", "semantic_segmentation")


def find_labelme_examples() -> Path:
    """Return the folder of the examples; skips the test where they cannot be had."""
    if not (CACHE / "complete").is_file():
        try:
            _fetch()
        except (PackageUnavailable, OSError) as error:
            pytest.skip(f"the Debian package {_PACKAGE} cannot be had here: {error}")
    return CACHE


def _fetch() -> None:
    with tempfile.TemporaryDirectory() as name:
        package = download_package(
            _PACKAGE,
            Path(name),
            console=Console(quiet=True),
            deadline=Deadline.after(_TIMEOUT_S),
        )
        for path, content in read_package_files(package, _is_wanted):
            target = CACHE / path.removeprefix(_BEGINNING)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
    (CACHE / "complete").touch()


def _is_wanted(path: str) -> bool:
    return (
        path.startswith(tuple(_BEGINNING + folder for folder in (*_FOLDERS, "primitives")))
        and "Visualization" not in path
        and "/.readme/" not in path
    )
