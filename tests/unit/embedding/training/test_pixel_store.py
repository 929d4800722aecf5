"""The pictures of a training: decoded once, in order, and found again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lightly._kit.errors import BadInput
from lightly.embedding.training.pixel_store import find_pixels, store_pixels
from lightly.media.images import decode_image
from lightly.media.model_input import load_model_pixels
from lightly.media.resize_rule import ResizeRule
from tests.support.pictures import draw_folder

SIDE = 24


@pytest.fixture
def images(tmp_path: Path) -> list[Path]:
    """Five pictures, the third of them broken."""
    paths = [tmp_path / "in" / name for name in draw_folder(tmp_path / "in", 5)]
    paths[2].write_bytes(b"this is no picture")
    return paths


def test_pictures_are_those_that_models_see_and_broken_ones_are_left_out(
    images: list[Path], tmp_path: Path
) -> None:
    counts = list(
        store_pixels(((str(one), None) for one in images), tmp_path / "out", side=SIDE, key="a")
    )
    assert counts == [1, 2, 2, 3, 4]
    store = find_pixels(tmp_path / "out", key="a")
    assert store is not None
    assert (store.n_pictures, store.n_left_out) == (4, 1)
    good = [image for number, image in enumerate(images) if number != 2]
    rule = ResizeRule(SIDE, SIDE)
    expected = np.stack([load_model_pixels(image.read_bytes(), rule) for image in good])
    assert np.array_equal(store.open(), expected)


def test_boxes_become_pictures_of_their_own(images: list[Path], tmp_path: Path) -> None:
    boxes = [[0, 0, 10, 10], [20, 10, 30, 30]]
    list(store_pixels([(images[0].read_bytes(), boxes)], tmp_path / "out", side=8, key="a"))
    store = find_pixels(tmp_path / "out", key="a")
    assert store is not None
    assert store.n_pictures == 2
    part = decode_image(images[0].read_bytes()).pixels[:10, :10]
    expected = np.asarray(Image.fromarray(part).resize((8, 8), Image.Resampling.BICUBIC))
    assert np.abs(store.open()[0].astype(int) - expected).max() <= 1


def test_pictures_of_other_images_or_half_written_ones_are_not_taken(
    images: list[Path], tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    assert find_pixels(folder, key="a") is None
    list(store_pixels([(str(images[0]), None)], folder, side=SIDE, key="a"))
    assert find_pixels(folder, key="b") is None
    store = find_pixels(folder, key="a")
    assert store is not None
    store.path.write_bytes(store.path.read_bytes()[:-1])
    assert find_pixels(folder, key="a") is None


def test_pictures_that_fill_the_disk_are_refused(
    images: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lightly.embedding.training.pixel_store._DISK_SHARE", 0.0)
    with pytest.raises(BadInput, match=r"lightly_config\.collate\.input_size"):
        list(store_pixels([(str(images[0]), None)], tmp_path / "out", side=SIDE, key="a"))
