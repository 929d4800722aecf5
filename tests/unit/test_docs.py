"""The documents say what is true."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from lightly.cli.main import COMMANDS
from lightly.server.settings import Settings

ROOT = Path(__file__).parents[2]
PATTERNS = ("*.md", "docs/**/*.md", "demo/*.md")
DOCUMENTS = sorted(path for pattern in PATTERNS for path in ROOT.glob(pattern))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_documents_lead_somewhere(path):
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text())

    local = [link for link in links if "://" not in link and not link.startswith("mailto:")]

    assert [link for link in local if not (path.parent / link).exists()] == []


def test_every_setting_is_documented():
    text = (ROOT / "docs/reference/server.md").read_text()

    missing = [f.name for f in fields(Settings) if f"LIGHTLY_SERVER_{f.name.upper()}" not in text]

    assert missing == []


def test_every_command_is_documented():
    text = "\n".join(path.read_text() for path in DOCUMENTS)

    assert [name for name in COMMANDS if f"lightly {name}" not in text] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_documents_name_no_place_on_the_writers_machine(path):
    assert re.search(r"/work/|/tmp/|/root/|/home/", path.read_text()) is None
