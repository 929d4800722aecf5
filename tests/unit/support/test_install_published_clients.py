"""Environments of published clients are made once per lock file, from pinned packages only."""

import re

import pytest

from tools import install_published_clients as installer

VERSIONS = ["1.0.8", "1.1.23", "1.2.28", "1.4.26", "1.5.26"]


@pytest.fixture
def commands(tmp_path, monkeypatch):
    """Commands that the installer ran; folders are temporary, nothing is downloaded."""
    ran = []
    monkeypatch.setattr(installer, "LOCKS", tmp_path / "locks")
    monkeypatch.setattr(installer, "CLIENTS", tmp_path / "clients")
    monkeypatch.setattr(installer, "_run", lambda *command: ran.append(command))
    (tmp_path / "locks").mkdir()
    (tmp_path / "locks" / "1.5.26.txt").write_text("lightly==1.5.26", "utf-8")
    return ran


def test_all_releases_with_needs_are_listed_oldest_first():
    assert installer.list_versions() == VERSIONS


@pytest.mark.parametrize("version", VERSIONS)
def test_lock_pins_the_release_and_every_package_with_hashes(version):
    lock = (installer.LOCKS / f"{version}.txt").read_text("utf-8")
    requirements = [line for line in lock.splitlines() if not line.startswith(" ")]

    assert f"lightly=={version} \\" in requirements
    assert all(re.fullmatch(r"[\w-]+==[\w.]+ \\", line) for line in requirements)


@pytest.mark.parametrize("version", VERSIONS)
def test_lock_names_no_registry_and_nothing_heavy(version):
    lock = (installer.LOCKS / f"{version}.txt").read_text("utf-8")

    assert "://" not in lock
    assert not re.search(r"^(torch|torchvision|pytorch-lightning|hydra-core)==", lock, re.MULTILINE)


def test_environment_is_made_once(commands):
    first = installer.install_client("1.5.26")
    second = installer.install_client("1.5.26")

    assert (first, second) == (True, False)
    assert len(commands) == 1
    assert {"--no-deps", "--require-hashes"} <= set(commands[0])


def test_changed_lock_makes_the_environment_anew(commands):
    installer.install_client("1.5.26")
    leftover = installer.CLIENTS / "1.5.26" / "leftover"
    leftover.write_text("", "utf-8")

    (installer.LOCKS / "1.5.26.txt").write_text("lightly==1.5.26 # newer", "utf-8")

    assert installer.install_client("1.5.26")
    assert not leftover.exists()


def test_interrupted_installation_is_made_anew(commands, monkeypatch):
    def fail(*_command):
        raise SystemExit("no network")

    with monkeypatch.context() as broken:
        broken.setattr(installer, "_run", fail)
        with pytest.raises(SystemExit):
            installer.install_client("1.5.26")

    assert installer.install_client("1.5.26")


def test_failing_command_is_named():
    with pytest.raises(SystemExit, match="false failed"):
        installer._run("false")
