"""Names that somebody sent, and the paths that are made of them."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightly._kit import safe_paths
from lightly._kit.errors import BadInput
from lightly._kit.safe_paths import (
    MAX_NAME_BYTES,
    MAX_NAME_PARTS,
    check_relative_name,
    open_below,
    resolve_below,
)

GOOD_NAMES = [
    "a.jpg",
    "a/b/c.jpg",
    "a b.jpg",
    ".hidden",
    ".lightly/thumbnails/a_thumb.webp",
    "a..b.jpg",
    "..a/b",
    "a../b",
    "...a",
    "a.",
    "-rf",
    "~/a.jpg",
    "$HOME/a.jpg",
    "%2e%2e%2fa.jpg",
    "12:30:05.jpg",
    "a=b&c?d#e+f%20.jpg",
    "größe/猫🦜.jpg",
    "e\u0301.jpg",
    "\u00e9.jpg",
    "a//b.jpg",
    "a/",
    "'\"`;|<>*.jpg",
    "x" * MAX_NAME_BYTES,
    "/".join("a" * MAX_NAME_PARTS),
]

BAD_NAMES = [
    # nothing
    "",
    # absolute
    "/etc/passwd",
    "//server/share",
    "\\\\server\\share",
    "\\a",
    # up and out
    "..",
    "../a",
    "a/..",
    "a/../../b",
    "a\\..\\..\\b",
    "a/..\\b",
    "....//..//a",
    # the same folder: one file with two names
    ".",
    "./a",
    "a/./b",
    # what Windows takes for `..` and `.`
    ".. ",
    "a/.. /b",
    "a/ ../b",
    "a/.../b",
    "a/. ./b",
    ". /b",
    # drives
    "C:",
    "C:/a",
    "c:a",
    "C:\\a",
    # what ends a text, a line or a log entry
    "a\0.jpg",
    "\0",
    "a\nb",
    "a\rb",
    "a\tb",
    "a\x1b[31m",
    "a\x7f",
    # no text
    "a\ud800.jpg",
    "\udcff",
    # too long in bytes, not in characters
    "ü" * (MAX_NAME_BYTES // 2 + 1),
    "x" * (MAX_NAME_BYTES + 1),
    # too deep
    "/".join("a" * (MAX_NAME_PARTS + 1)),
]


@pytest.mark.parametrize("name", GOOD_NAMES)
def test_plain_names_pass_unchanged(name):
    assert check_relative_name(name) == name


@pytest.mark.parametrize("name", BAD_NAMES)
def test_names_with_tricks_are_refused(name):
    with pytest.raises(BadInput):
        check_relative_name(name)


@pytest.mark.parametrize("name", BAD_NAMES)
def test_refused_names_make_no_path(tmp_path, name):
    with pytest.raises(BadInput):
        resolve_below(tmp_path, name)


@pytest.mark.parametrize("name", ["x" * 100_000 + "\n", "\n\x1b[31m" * 1000, "/" + "\ud800" * 1000])
def test_errors_show_little_of_a_name_and_nothing_that_acts(name):
    with pytest.raises(BadInput) as caught:
        check_relative_name(name)

    assert len(str(caught.value)) < 250
    assert str(caught.value).isprintable()
    assert str(caught.value).isascii()


@given(st.text(max_size=40) | st.text("./\\ ab:~\0", max_size=40))
def test_whatever_passes_stays_below_on_any_system(name):
    try:
        check_relative_name(name)
    except BadInput:
        return

    for kind in (PurePosixPath, PureWindowsPath):
        path = kind(name)
        assert not path.is_absolute()
        assert not path.anchor
        assert ".." not in path.parts
    # Windows drops dots and blanks at the end of each part.
    assert ".." not in [part.rstrip(" ") for part in PureWindowsPath(name).parts]


@given(st.text(st.characters(codec="utf-8"), max_size=40))
def test_whatever_passes_makes_a_path_below_the_root(name):
    root = Path("/some/root")
    try:
        path = resolve_below(root, name)
    except BadInput:
        return

    assert root in path.parents
    assert os.path.normpath(root / name) == str(path)


def test_a_path_is_made_below_the_root(tmp_path):
    assert resolve_below(tmp_path, "a/b.jpg") == tmp_path.resolve() / "a" / "b.jpg"


@pytest.mark.parametrize("name", ["link", "link/passwd", "link/deep/er"])
def test_links_do_not_lead_outside(tmp_path, name):
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "outside").mkdir()
    (root / "link").symlink_to(tmp_path / "outside")

    with pytest.raises(BadInput, match="leads outside"):
        resolve_below(root, name)


def test_links_within_the_root_are_followed(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder")

    assert resolve_below(tmp_path, "link/a.jpg") == tmp_path.resolve() / "folder" / "a.jpg"


def test_a_link_to_the_root_itself_is_no_file(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path)

    with pytest.raises(BadInput, match="leads outside"):
        resolve_below(tmp_path, "link")


def test_a_loop_of_links_is_refused(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")

    with pytest.raises(BadInput, match="loop of links"):
        resolve_below(tmp_path, "a/file")


def test_the_root_may_be_a_link(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")

    assert resolve_below(tmp_path / "link", "a") == tmp_path.resolve() / "real" / "a"


def test_errors_name_no_path_of_this_machine(tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    (root / "link").symlink_to(tmp_path)

    with pytest.raises(BadInput) as caught:
        resolve_below(root, "link/x")

    assert str(tmp_path) not in str(caught.value)


@pytest.fixture(params=["linux", "elsewhere"])
def root(request, tmp_path, monkeypatch):
    """A folder with a file, beside a secret; on Linux, and where open files cannot be named."""
    if request.param == "elsewhere":
        monkeypatch.setattr(safe_paths, "_OPEN_FILES", "/nowhere")
    (tmp_path / "root" / "sub").mkdir(parents=True)
    (tmp_path / "root" / "sub" / "a.txt").write_bytes(b"content")
    (tmp_path / "secret.txt").write_bytes(b"secret")
    return tmp_path.resolve() / "root"


def read_below(root, name):
    with os.fdopen(open_below(str(root), name), "rb") as file:
        return file.read()


def test_a_file_below_is_opened(root):
    (root / "link.txt").symlink_to(root / "sub" / "a.txt")
    (root / "folder").symlink_to("sub")

    assert read_below(root, "sub/a.txt") == b"content"
    assert read_below(root, "link.txt") == b"content"
    assert read_below(root, "folder/a.txt") == b"content"


def test_a_file_outside_is_not_opened(root):
    (root / "link.txt").symlink_to("../secret.txt")
    (root / "folder").symlink_to("..")
    (root.parent / "root2").mkdir()
    (root.parent / "root2" / "a.txt").write_bytes(b"secret")
    (root / "beside").symlink_to("../root2")

    for name in ("link.txt", "folder/secret.txt", "beside/a.txt", "../secret.txt", "/etc/passwd"):
        with pytest.raises(BadInput):
            open_below(str(root), name)


def test_what_is_no_regular_file_is_not_opened(root):
    os.mkfifo(root / "pipe")
    (root / "zero").symlink_to("/dev/zero")

    for name in ("pipe", "zero", "sub"):
        with pytest.raises(BadInput):
            open_below(str(root), name)


def test_a_refused_file_is_closed_again(root):
    (root / "link.txt").symlink_to("../secret.txt")
    with pytest.raises(BadInput):
        open_below(str(root), "link.txt")
    n_open = len(list(Path("/proc/self/fd").iterdir()))

    for _ in range(20):
        with pytest.raises(BadInput):
            open_below(str(root), "link.txt")

    assert len(list(Path("/proc/self/fd").iterdir())) == n_open
