"""The lock file of the Azure emulator pins everything and names no place to fetch it from."""

from __future__ import annotations

import json

import pytest

from tools.install_azurite import LOCK, check_lock


def test_the_lock_file_has_hashes_and_no_places():
    text = (LOCK / "package-lock.json").read_text("utf-8")

    check_lock(text)

    assert len(json.loads(text)["packages"]) > 100
    assert "registry" not in text


@pytest.mark.parametrize(
    "package",
    [{"version": "1.0.0"}, {"resolved": "https://x.example.com", "integrity": "sha512-a"}],
)
def test_a_package_without_a_hash_or_with_a_place_is_refused(package):
    with pytest.raises(ValueError, match="lock file"):
        check_lock(json.dumps({"packages": {"": {}, "node_modules/x": package}}))
