from __future__ import annotations

import pytest

from lightly._kit.errors import BadInput
from lightly.media.listing import list_classes, list_images, list_videos


def touch(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_images_are_listed_folder_by_folder_each_sorted(tmp_path):
    touch(tmp_path, "k2/a.png", "k1/z.JPG", "k1/deep/c.webp", "k1/b.tiff", "top.gif", "k1/n.txt")

    names = [file.name for file in list_images(tmp_path)]

    assert names == ["top.gif", "k1/b.tiff", "k1/z.JPG", "k1/deep/c.webp", "k2/a.png"]


def test_class_folders_are_labels_and_files_beside_them_get_one_of_their_own(tmp_path):
    touch(tmp_path, "k2/a.png", "k1/deep/c.png", "top.png")

    labels = {file.name: file.label for file in list_images(tmp_path)}

    assert list_classes(tmp_path) == ["k1", "k2"]
    assert labels == {"k1/deep/c.png": 0, "k2/a.png": 1, "top.png": 2}


def test_a_flat_folder_has_one_label(tmp_path):
    touch(tmp_path, "b.png", "a.jpg", ".hidden.png")

    assert [(file.name, file.label) for file in list_images(tmp_path)] == [
        (".hidden.png", 0),
        ("a.jpg", 0),
        ("b.png", 0),
    ]


def test_every_video_is_a_class_of_its_own(tmp_path):
    touch(tmp_path, "b.mp4", "k/a.MOV", "k/c.avi", "x.png")

    assert [(file.name, file.label) for file in list_videos(tmp_path)] == [
        ("b.mp4", 0),
        ("k/a.MOV", 1),
        ("k/c.avi", 2),
    ]


def test_linked_folders_are_followed_and_loops_are_not(tmp_path):
    touch(tmp_path / "elsewhere", "a.png")
    touch(tmp_path / "data", "k/b.png")
    (tmp_path / "data" / "k" / "loop").symlink_to(tmp_path / "data" / "k")
    (tmp_path / "data" / "linked").symlink_to(tmp_path / "elsewhere")

    names = [file.name for file in list_images(tmp_path / "data")]

    assert names == ["k/b.png", "linked/a.png"]


def test_a_folder_that_is_missing_is_named(tmp_path):
    with pytest.raises(BadInput, match="does not exist"):
        list_images(tmp_path / "none")
