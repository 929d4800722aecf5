"""Fetching the object photos: what is kept, where it is cached, and how it gives up."""

import io
import os
import shutil
import subprocess

import pytest
from rich.console import Console

from tools.demo.debian_package import PackageUnavailable, read_package_files
from tools.demo.object_photos import (
    MIN_PHOTOS,
    PACKAGE,
    ObjectPhotosUnavailable,
    fetch_object_photos,
    is_object_photo,
    name_class,
    unpack_photos,
)

# Stands for apt-get: knows sizes and copies a prepared package; the variables are filled in.
FAKE_APT = """#!/bin/sh
echo "$@" >> {log}
case "$*" in
  *--print-uris*) {on_ask} ;;
  *update*) {on_update} ;;
  *download*) {on_download} ;;
esac
"""
KNOWN = f"echo \"'uri' {PACKAGE}_1_all.deb 1234 SHA256:0\""


def quiet():
    return Console(file=io.StringIO())


def build_package(path, pictures):
    """Write a real Debian package with the given pictures below the package's root."""
    root = path.parent / f"{path.stem}-root"
    (root / "DEBIAN").mkdir(parents=True)
    (root / "DEBIAN" / "control").write_text(
        f"Package: {PACKAGE}\nVersion: 1\nArchitecture: all\nMaintainer: a\nDescription: b\n"
    )
    for name in pictures:
        file = root / "usr/share/tuxpaint/stamps" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(name.encode())
    command = ["dpkg-deb", "--root-owner-group", "-Znone", "--build", str(root), str(path)]
    subprocess.run(command, check=True, capture_output=True)
    return path


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    if shutil.which("dpkg-deb") is None:
        pytest.skip("dpkg-deb is not on this machine")
    photos = [f"animals/birds/bird{number}.png" for number in range(MIN_PHOTOS)]
    rest = ["animals/birds/cartoon/duck.png", "animals/birds/bird1.ogg", "symbols/one.png"]
    folder = tmp_path_factory.mktemp("package")
    return build_package(folder / f"{PACKAGE}_1_all.deb", photos + rest)


@pytest.fixture
def fake_apt(tmp_path, monkeypatch):
    """Put an apt-get of ours first on the path; returns its log."""
    log = tmp_path / "apt.log"
    log.touch()

    def install(*, on_ask=KNOWN, on_update=":", on_download=":"):
        script = tmp_path / "bin" / "apt-get"
        script.parent.mkdir()
        script.write_text(
            FAKE_APT.format(log=log, on_ask=on_ask, on_update=on_update, on_download=on_download)
        )
        script.chmod(0o755)
        monkeypatch.setenv("PATH", f"{script.parent}:{os.environ['PATH']}")
        return log

    return install


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("animals/birds/owl.png", True),
        ("sports/soccer.png", True),
        # drawings and symbols
        ("animals/birds/cartoon/duck.png", False),
        ("symbols/music/note.png", False),
        ("seasonal/christmas/santa.png", False),
        ("animals/mammals/hedgehog.png", False),
        # sounds and texts lie beside the pictures
        ("animals/birds/owl.ogg", False),
        ("animals/birds/owl.txt", False),
    ],
)
def test_only_photographs_of_objects_are_kept(path, expected):
    assert is_object_photo(path) is expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("animals/mammals/cats/lion.png", "mammals"),
        ("food/fruit/pear.png", "fruit"),
        ("sports/soccer.png", "sports"),
        ("alone.png", "unsorted"),
    ],
)
def test_the_class_is_the_second_folder_or_the_first(path, expected):
    assert name_class(path) == expected


def test_photos_are_sorted_into_class_folders(package, tmp_path):
    count = unpack_photos(package, tmp_path / "photos")

    assert count == MIN_PHOTOS
    assert [path.name for path in (tmp_path / "photos").iterdir() if path.is_dir()] == ["birds"]
    assert len(list((tmp_path / "photos").rglob("*.png"))) == MIN_PHOTOS


def test_a_package_with_too_few_photos_is_not_used(tmp_path, package):
    few = build_package(tmp_path / f"{PACKAGE}_2_all.deb", ["animals/birds/owl.png"])

    with pytest.raises(ObjectPhotosUnavailable, match=f"1 object photos, {MIN_PHOTOS} are needed"):
        unpack_photos(few, tmp_path / "photos")


def test_a_damaged_package_is_reported_as_broken(tmp_path, package):
    damaged = tmp_path / "damaged.deb"
    damaged.write_bytes(package.read_bytes()[:-50_000])

    with pytest.raises(PackageUnavailable, match=r"damaged\.deb is broken"):
        list(read_package_files(damaged, lambda _: True))


def test_a_download_is_unpacked_into_the_cache_and_used_again(tmp_path, fake_apt, package):
    log = fake_apt(on_download=f"cp {package} .")

    photos_dir = fetch_object_photos(tmp_path / "cache", console=quiet())
    calls = log.read_text().count("\n")
    again = fetch_object_photos(tmp_path / "cache", console=quiet())

    assert again == photos_dir
    assert len(list(photos_dir.rglob("*.png"))) == MIN_PHOTOS
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["object-photos"]
    assert log.read_text().count("\n") == calls


def test_missing_package_lists_are_fetched_into_our_own_folder(tmp_path, fake_apt, package):
    asked_with_own_lists = f'case "$*" in *Dir::State::lists=*) {KNOWN};; *) exit 100;; esac'
    log = fake_apt(on_ask=asked_with_own_lists, on_download=f"cp {package} .")

    fetch_object_photos(tmp_path / "cache", console=quiet())

    update = next(line for line in log.read_text().splitlines() if line.endswith("update"))
    assert f"Dir::State::lists={tmp_path / 'cache'}" in update
    assert f"Dir::Cache={tmp_path / 'cache'}" in update


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        ({"on_ask": "exit 100"}, "package sources of this machine do not have"),
        ({"on_ask": "exit 100", "on_update": "echo E: no network; exit 100"}, "E: no network"),
        ({"on_download": "echo Err:1 broken; exit 100"}, "apt-get failed: Err:1 broken"),
        ({"on_download": "exec sleep 30"}, "not done within the time limit"),
        ({"on_download": f"echo no package > {PACKAGE}_1_all.deb"}, "is broken"),
        ({"on_download": ":"}, "apt-get gave no package"),
    ],
)
def test_what_goes_wrong_is_named_and_nothing_is_left_behind(
    tmp_path, fake_apt, package, behaviour, reason
):
    fake_apt(**behaviour)

    with pytest.raises(ObjectPhotosUnavailable, match=reason):
        fetch_object_photos(tmp_path / "cache", console=quiet(), time_limit_s=1.0)

    assert list((tmp_path / "cache").iterdir()) == []


def test_a_machine_without_apt_is_told_apart(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(ObjectPhotosUnavailable, match="no apt-get and no dpkg-deb"):
        fetch_object_photos(tmp_path / "cache", console=quiet())


def test_a_cache_folder_that_cannot_be_made_is_named(tmp_path, fake_apt):
    fake_apt()
    (tmp_path / "cache").write_text("a file is in the way")

    with pytest.raises(ObjectPhotosUnavailable, match="cache folder cannot be used: File exists"):
        fetch_object_photos(tmp_path / "cache", console=quiet())
