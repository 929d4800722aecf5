"""The reference of the commands names every command and setting."""

from __future__ import annotations

from pathlib import Path

import pytest

from lightly.cli import _OLD_FUNCTIONS
from lightly.cli.crop import crop
from lightly.cli.download import download
from lightly.cli.embed import old_embed
from lightly.cli.legacy import OLD_COMMANDS
from lightly.cli.magic import magic
from lightly.cli.serve import serve
from lightly.cli.train import train
from lightly.cli.upload import upload

ROOT = Path(__file__).parents[3]
REFERENCE = (ROOT / "docs/reference/commands.md").read_text("utf-8")
SETTINGS = {
    f"{command.name}: {key}": key
    for command in (crop, download, magic, old_embed, serve, train, upload)
    for key in command.settings
}


@pytest.mark.parametrize("name", [*OLD_COMMANDS, *sorted(_OLD_FUNCTIONS)])
def test_every_old_name_is_documented(name):
    assert name in REFERENCE


@pytest.mark.parametrize("key", SETTINGS.values(), ids=SETTINGS.keys())
def test_every_setting_is_documented(key):
    assert key in REFERENCE
