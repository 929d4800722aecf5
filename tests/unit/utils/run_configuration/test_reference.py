"""The reference page names every option there is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.run_configurations import FREE_FORM, FULL, respell

PAGE = Path(__file__).resolve().parents[4] / "docs" / "reference" / "worker-configuration.md"


def list_options(value: dict[str, Any], path: str = "") -> list[str]:
    found = []
    for key, inner in value.items():
        if isinstance(inner, dict) and key != "target":
            found += list_options(inner, f"{path}{key}.")
        else:
            found.append(f"{path}{key}")
    return found


@pytest.mark.parametrize("version", sorted(FULL))
@pytest.mark.parametrize("part", ["docker", "lightly"])
def test_every_option_is_listed_with_its_versions(version, part):
    lines = PAGE.read_text().splitlines()

    for option in list_options(respell(FULL[version][part])):
        (line,) = [line for line in lines if line.startswith(f"| `{option}` |")]
        cells = [cell.strip() for cell in line.split("|")]
        column = {"docker": ["V2", "V3", "V4"], "lightly": ["V2", "V3"]}[part]
        index = column.index("V3" if part == "lightly" and version == "V4" else version)
        assert cells[2 + index] == "x", (version, option)


@pytest.mark.parametrize("option", list_options(FREE_FORM))
def test_every_old_option_is_mentioned(option):
    assert f"`{option}`" in PAGE.read_text()
