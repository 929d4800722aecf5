"""Where the bytes of a local dataset's images come from."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lightly.api.upload_sources import count_decoders, inspect_images, read_content
from lightly.data.dataset import LightlyDataset
from lightly.media.inspection import inspect_image


class InMemoryDataset:
    """Images that are in no file."""

    def __init__(self, *images: Any) -> None:
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Any, int, str]:
        return self.images[index], 0, f"{index}.png"

    def get_filenames(self) -> list[str]:
        return [f"{index}.png" for index in range(len(self.images))]


class DirectPool:
    """Inspects in this process, one image ahead of whoever consumes."""

    def inspect_images(self, sources: Any, *, with_thumbnails: bool = True) -> Any:
        ahead: list[Any] = []
        for source in sources:
            ahead.append(source)
            if len(ahead) > 1:
                yield inspect_image(ahead.pop(0), with_thumbnail=with_thumbnails)
        for source in ahead:
            yield inspect_image(source, with_thumbnail=with_thumbnails)


def inspect(dataset: Any, positions: Any) -> Any:
    pool: Any = DirectPool()
    names = dataset.get_filenames()
    return inspect_images(dataset, names, positions, pool, with_thumbnails=False)


def test_a_file_is_used_as_it_is(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.jpg").write_bytes(b"whatever it holds")
    dataset = InMemoryDataset()
    dataset.input_dir = str(tmp_path)  # type: ignore[attr-defined]

    assert read_content(dataset, "sub/a.jpg", 0) == tmp_path / "sub" / "a.jpg"


def test_an_image_in_memory_is_kept_without_loss():
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    dataset = InMemoryDataset(Image.fromarray(pixels))

    content = read_content(dataset, "0.png", 0)

    assert isinstance(content, bytes)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(content))), pixels)


@pytest.mark.parametrize("image", [None, "text", np.zeros((2, 2, 2, 2), np.uint8)])
def test_what_is_no_image_counts_as_corrupt_and_the_next_one_goes_on(image):
    dataset = InMemoryDataset(image, Image.new("L", (3, 3)))

    found = list(inspect(dataset, [0, 1]))

    assert [one.report.is_corrupt for one in found] == [True, False]
    assert found[0].report.corruption is not None
    assert "Error" in found[0].report.corruption or "no image" in found[0].report.corruption


def test_a_dataset_that_fails_counts_as_corrupt():
    class Broken(InMemoryDataset):
        def __getitem__(self, index):
            raise RuntimeError("disk on fire")

    assert next(inspect(Broken(1), [0])).report.corruption == "RuntimeError: disk on fire"


def test_files_of_a_folder_are_found_under_other_names(tmp_path):
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
    dataset = LightlyDataset(str(tmp_path), index_to_filename=lambda _, index: f"renamed {index}")

    assert read_content(dataset, "renamed 0", 0) == tmp_path / "a.png"


def test_images_come_in_the_order_of_their_positions_with_their_names():
    dataset = InMemoryDataset(*(Image.new("L", (size, size)) for size in range(1, 6)))

    found = list(inspect(dataset, [4, 0, 2]))

    assert [image.name for image in found] == ["4.png", "0.png", "2.png"]
    assert [image.report.metadata["shape"][0] for image in found] == [5, 1, 3]


def test_at_least_one_process_decodes():
    assert count_decoders(0) == 1
