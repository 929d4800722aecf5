"""The command names of the 1.x era, as thin fronts, and their functions for Python code."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lightly.cli.key_values import KeyValueCommand, flatten
from lightly.cli.main import exit_on_error

#: Command -> module and name of what runs it.
OLD_COMMANDS = {
    "lightly-magic": ("lightly.cli.magic", "magic"),
    "lightly-upload": ("lightly.cli.upload", "upload"),
    "lightly-embed": ("lightly.cli.embed", "old_embed"),
    "lightly-train": ("lightly.cli.train", "train"),
    "lightly-ssl-train": ("lightly.cli.train", "train"),
    "lightly-download": ("lightly.cli.download", "download"),
    "lightly-crop": ("lightly.cli.crop", "crop"),
    "lightly-serve": ("lightly.cli.serve", "serve"),
    "lightly-version": ("lightly.cli.version", "version"),
}


def main() -> None:
    """Run the command that this program is called by."""
    name = Path(sys.argv[0]).name.removesuffix(".exe")
    command = _load(name)
    # Every command but the version needs words, so that without any it explains itself.
    words = sys.argv[1:] or (["--help"] if command.settings else [])
    with exit_on_error():
        command.main(words, prog_name=name)


def upload_cli(cfg: Mapping[str, Any] | None = None) -> Any:
    """Do what `lightly-upload` does.

    Args:
        cfg: The settings, nested or with dotted keys; those of the command line if left out.

    Returns:
        The dataset's id.

    Raises:
        ValueError: If a setting is unknown or wrong.
    """
    return _run("lightly-upload", cfg)


def lightly_cli(cfg: Mapping[str, Any] | None = None) -> Any:
    """Do what `lightly-magic` does and return the dataset's id; see `upload_cli` for `cfg`."""
    return _run("lightly-magic", cfg)


def embed_cli(cfg: Mapping[str, Any] | None = None) -> Any:
    """Do what `lightly-embed` does and return the CSV's path; see `upload_cli` for `cfg`."""
    return _run("lightly-embed", cfg)


def train_cli(cfg: Mapping[str, Any] | None = None) -> Any:
    """Do what `lightly-train` does; see `upload_cli` for `cfg`."""
    return _run("lightly-train", cfg)


def download_cli(cfg: Mapping[str, Any] | None = None) -> Any:
    """Do what `lightly-download` does and return the list's path; see `upload_cli` for `cfg`."""
    return _run("lightly-download", cfg)


def crop_cli(cfg: Mapping[str, Any] | None = None) -> Any:
    """Do what `lightly-crop` does and return the crops' names; see `upload_cli` for `cfg`."""
    return _run("lightly-crop", cfg)


def _run(name: str, cfg: Mapping[str, Any] | None) -> Any:
    command = _load(name)
    return command.run_words(sys.argv[1:]) if cfg is None else command.run_texts(flatten(cfg))


def _load(name: str) -> KeyValueCommand:
    if name not in OLD_COMMANDS:
        raise SystemExit(f"Call this as one of {', '.join(OLD_COMMANDS)}.")
    module, attribute = OLD_COMMANDS[name]
    command = getattr(importlib.import_module(module), attribute)
    assert isinstance(command, KeyValueCommand)  # noqa: S101  tells the type checker
    return command
