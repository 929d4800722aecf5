"""`LightlyDataset` behaves like the one of the published client 1.2.28, without torch."""

from __future__ import annotations

import gc
import inspect
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import lightly.data
from lightly.data import LightlyDataset
from lightly.data.image_values import as_image
from tests.unit.media import odd_images as odd
from tests.unit.media.clips import read_number, write_clip


def paint(folder: Path, *names: str) -> None:
    for number, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 6), (number, 2, 3)).save(path)


@pytest.fixture
def folder(tmp_path):
    """Two classes, one of them with a folder inside."""
    folder = tmp_path / "data"
    paint(folder, "k2/a.png", "k1/b.png", "k1/deep/c.png")
    return folder


@pytest.fixture
def video_folder(tmp_path):
    folder = tmp_path / "videos"
    (folder / "sub").mkdir(parents=True)
    write_clip(folder / "b.mp4", 12)
    write_clip(folder / "sub" / "a.avi", 3, codec="mpeg4")
    paint(folder, "ignored.png")
    return folder


class NumberedImages:
    """A torch dataset by behaviour: a length, items, a transform that it applies itself."""

    transform = None

    def __len__(self) -> int:
        return 12

    def __getitem__(self, index: int):
        if index >= 12:
            raise IndexError
        image = Image.new("RGB", (8, 6), (index, 0, 0))
        return (self.transform(image) if self.transform else image), index % 3


def files_below(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.*"))


def test_the_signatures_are_those_of_the_published_client():
    assert list(inspect.signature(LightlyDataset).parameters) == [
        "input_dir",
        "transform",
        "index_to_filename",
        "filenames",
        "tqdm_args",
        "num_workers_video_frame_counting",
    ]
    assert list(inspect.signature(LightlyDataset.from_torch_dataset).parameters) == [
        "dataset",
        "transform",
        "index_to_filename",
    ]
    assert list(inspect.signature(LightlyDataset.dump).parameters) == [
        "self",
        "output_dir",
        "filenames",
        "format",
    ]
    assert list(inspect.signature(LightlyDataset.get_filepath_from_filename).parameters) == [
        "self",
        "filename",
        "image",
    ]


def test_a_folder_with_sub_folders_has_classes(folder):
    dataset = LightlyDataset(str(folder))

    assert dataset.get_filenames() == ["k1/b.png", "k1/deep/c.png", "k2/a.png"]
    assert [dataset[index][1] for index in range(3)] == [0, 0, 1]
    assert len(dataset) == 3
    assert dataset.input_dir == str(folder)
    assert dataset.dataset.classes == ["k1", "k2"]


def test_an_item_is_image_target_and_name(folder):
    image, target, filename = LightlyDataset(folder)[2]

    assert (image.mode, image.size, image.getpixel((0, 0))) == ("RGB", (8, 6), (0, 2, 3))
    assert (target, filename) == (1, "k2/a.png")


def test_a_flat_folder_has_one_class_and_lists_images_only(tmp_path):
    paint(tmp_path, "b.png", "a.jpg", "z.JPG", "t.tiff")
    (tmp_path / "notes.txt").touch()

    dataset = LightlyDataset(tmp_path)

    assert dataset.get_filenames() == ["a.jpg", "b.png", "t.tiff", "z.JPG"]
    assert {target for _, target, _ in dataset} == {0}


def test_images_beside_class_folders_are_not_lost(folder):
    paint(folder, "top.png")

    assert LightlyDataset(folder).get_filenames()[0] == "top.png"


def test_indices_behave_like_those_of_a_list(folder):
    dataset = LightlyDataset(folder)

    assert dataset[-1][2] == "k2/a.png"
    assert [filename for _, _, filename in dataset] == dataset.get_filenames()
    for index in (3, -4):
        with pytest.raises(IndexError, match="3 samples"):
            dataset[index]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: path.mkdir(), "Found 0 files in folder"),
        (lambda path: None, "does not exist!"),
    ],
)
def test_a_folder_without_images_is_a_value_error(tmp_path, make, message):
    make(tmp_path / "x")

    with pytest.raises(ValueError, match=message):
        LightlyDataset(tmp_path / "x")


def test_filenames_filter_the_dataset_and_keep_its_order(folder):
    dataset = LightlyDataset(folder, filenames=["k2/a.png", "k1/b.png", "unknown.png"])

    assert dataset.get_filenames() == ["k1/b.png", "k2/a.png"]
    assert dataset[1][1:] == (1, "k2/a.png")
    assert LightlyDataset(folder, filenames=[]).get_filenames() == []


def test_names_can_be_made_by_the_user(folder):
    dataset = LightlyDataset(folder, index_to_filename=lambda inner, index: f"{index}.png")

    assert dataset.get_filenames() == ["0.png", "1.png", "2.png"]
    assert dataset[1][2] == "1.png"


def test_the_transform_is_applied_and_can_be_changed(folder):
    dataset = LightlyDataset(folder, transform=lambda image: image.size)

    assert dataset[0][0] == (8, 6)
    dataset.transform = lambda image: "other"
    assert dataset[0][0] == "other"
    assert dataset.transform(None) == "other"


def test_images_follow_the_convention_of_the_platform(tmp_path):
    (tmp_path / "a.jpg").write_bytes(odd.oriented_jpeg(6))
    (tmp_path / "b.png").write_bytes(odd.encode(odd.flat((9, 9, 9, 0), mode="RGBA"), "PNG"))

    dataset = LightlyDataset(tmp_path)

    assert dataset[0][0].size == (48, 64)
    assert dataset[1][0].getpixel((0, 0)) == (255, 255, 255)


def test_a_corrupt_image_is_an_error_with_the_reason(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"<html>")

    with pytest.raises(OSError, match="not an image of a supported type"):
        LightlyDataset(tmp_path)[0]


def test_videos_are_read_as_frames_and_images_beside_them_are_ignored(video_folder):
    dataset = LightlyDataset(video_folder, tqdm_args={"disable": True})

    assert len(dataset) == 15
    assert dataset.get_filenames()[0] == "b-00-mp4.png"
    assert dataset.get_filenames()[11:13] == ["b-11-mp4.png", "sub/a-0-avi.png"]
    assert [read_number(np.asarray(dataset[index][0])) for index in (0, 11, 5, 14)] == [0, 11, 5, 2]
    assert [dataset[index][1] for index in (0, 11, 12, 14)] == [0, 0, 1, 1]
    assert dataset[-1][2] == "sub/a-2-avi.png"
    assert dataset.dataset.get_source(12) == ("sub/a.avi", 0)


def test_frames_can_be_filtered_by_name(video_folder):
    names = ["sub/a-1-avi.png", "b-07-mp4.png"]

    dataset = LightlyDataset(video_folder, filenames=names, tqdm_args={"disable": True})

    assert dataset.get_filenames() == ["b-07-mp4.png", "sub/a-1-avi.png"]
    assert [read_number(np.asarray(image)) for image, _, _ in dataset] == [7, 1]
    assert dataset.dataset.targets == [0, 1]


@pytest.mark.parametrize("n_workers", [0, 2])
def test_a_corrupt_video_is_left_out_with_a_warning(video_folder, n_workers):
    (video_folder / "a.mp4").write_bytes(b"<html>")

    with pytest.warns(
        UserWarning, match=r"The video a.mp4 is left out: The content is not a video"
    ):
        dataset = LightlyDataset(
            video_folder,
            tqdm_args={"disable": True},
            num_workers_video_frame_counting=n_workers,
        )

    assert len(dataset) == 15


def test_a_video_dataset_can_be_sent_to_another_process(video_folder):
    dataset = LightlyDataset(video_folder, tqdm_args={"disable": True})
    dataset[3]

    copy = pickle.loads(pickle.dumps(dataset))

    assert read_number(np.asarray(copy[4][0])) == 4


def test_files_are_dumped_as_they_are(folder, tmp_path):
    out = tmp_path / "out"

    LightlyDataset(folder, transform=lambda image: None).dump(out)

    assert files_below(out) == ["k1/b.png", "k1/deep/c.png", "k2/a.png"]
    assert (out / "k2/a.png").read_bytes() == (folder / "k2/a.png").read_bytes()


def test_some_files_are_dumped_on_request(folder, tmp_path):
    LightlyDataset(folder).dump(tmp_path / "out", filenames=["k1/b.png", "unknown.png"])

    assert files_below(tmp_path / "out") == ["k1/b.png"]


def test_frames_are_dumped_as_png(video_folder, tmp_path):
    dataset = LightlyDataset(video_folder, tqdm_args={"disable": True})

    dataset.dump(str(tmp_path / "out"), filenames=["b-03-mp4.png", "sub/a-1-avi.png"])

    assert files_below(tmp_path / "out") == ["b-03-mp4.png", "sub/a-1-avi.png"]
    with Image.open(tmp_path / "out" / "b-03-mp4.png") as image:
        assert image.format == "PNG"
        assert np.array_equal(np.asarray(image), np.asarray(dataset[3][0]))


def test_the_format_of_dumped_frames_can_be_chosen(video_folder, tmp_path):
    dataset = LightlyDataset(video_folder, tqdm_args={"disable": True})

    dataset.dump(tmp_path / "out", filenames=["b-03-mp4.png"], format="jpg")

    with Image.open(tmp_path / "out" / "b-03-mp4.png") as image:
        assert image.format == "JPEG"


def test_an_unknown_format_is_refused_before_anything_is_written(folder, tmp_path):
    with pytest.raises(ValueError, match="Unknown image format 'qqq'"):
        LightlyDataset(folder).dump(tmp_path / "out", format="qqq")

    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["../x.png", "/x.png", "a/../../x.png"])
def test_a_name_cannot_lead_out_of_the_folder(folder, tmp_path, name):
    dataset = LightlyDataset(folder, index_to_filename=lambda inner, index: name)

    with pytest.raises(ValueError, match="file name"):
        dataset.dump(tmp_path / "out")


def test_a_torch_dataset_is_numbered(tmp_path):
    dataset = LightlyDataset.from_torch_dataset(NumberedImages())

    assert dataset.get_filenames() == [str(index) for index in range(12)]
    assert dataset.input_dir is None
    assert dataset[4][1:] == (1, "4")
    assert dataset[-1][2] == "11"
    with pytest.raises(IndexError):
        dataset[12]


def test_a_torch_dataset_applies_the_transform_itself():
    dataset = LightlyDataset.from_torch_dataset(NumberedImages(), transform=lambda image: "T")

    assert dataset[0][0] == "T"
    assert dataset.transform is dataset.dataset.transform


def test_a_torch_dataset_keeps_its_own_transform():
    inner = NumberedImages()
    inner.transform = lambda image: "own"

    assert LightlyDataset.from_torch_dataset(inner)[0][0] == "own"


def test_a_torchvision_folder_names_its_files(folder):
    class Folder(NumberedImages):
        root = str(folder)
        samples = ((str(folder / "k1" / "b.png"), 0),)

        def __len__(self):
            return 1

    dataset = LightlyDataset.from_torch_dataset(Folder())

    assert dataset.get_filenames() == ["k1/b.png"]


def test_a_torch_dataset_is_dumped_without_its_transform(tmp_path):
    inner = NumberedImages()
    inner.transform = lambda image: "no image"
    dataset = LightlyDataset.from_torch_dataset(
        inner, index_to_filename=lambda inner, index: f"q/{index}.jpg"
    )

    dataset.dump(tmp_path / "out", filenames=["q/3.jpg"])

    with Image.open(tmp_path / "out" / "q" / "3.jpg") as image:
        assert image.format == "JPEG"
    assert dataset[0][0] == "no image"


def test_samples_without_a_target_have_target_0():
    class Bare(NumberedImages):
        def __getitem__(self, index):
            return super().__getitem__(index)[0]

    assert LightlyDataset.from_torch_dataset(Bare())[2][1:] == (0, "2")


def test_the_path_of_a_file_is_the_file(folder):
    path = LightlyDataset(str(folder)).get_filepath_from_filename("k1/b.png")

    assert path == str(folder / "k1" / "b.png")


def test_the_path_of_something_else_is_a_private_jpeg(folder):
    dataset = LightlyDataset.from_torch_dataset(NumberedImages())

    path = Path(dataset.get_filepath_from_filename("sub/5.png", dataset[5][0]))

    assert path.name == "5.png.jpg"
    with Image.open(path) as image:
        assert (image.format, image.size) == ("JPEG", (8, 6))
    assert path.parent.parent.stat().st_mode & 0o077 == 0
    del dataset
    gc.collect()
    assert not path.exists()


def test_the_path_of_something_else_needs_its_image(folder):
    with pytest.raises(ValueError, match="image must not be None"):
        LightlyDataset(folder).get_filepath_from_filename("none.png")


@pytest.mark.parametrize(
    ("array", "pixel"),
    [
        (np.full((4, 5, 3), 7, np.uint8), (7, 7, 7)),
        (np.full((3, 4, 5), 0.5, np.float32), (128, 128, 128)),
        (np.full((1, 4, 5), 1.0), 255),
        (np.full((4, 5), 9, np.uint8), 9),
        (np.full((4, 5, 1), 9, np.uint8), 9),
    ],
)
def test_arrays_and_tensors_become_images(array, pixel):
    class Tensor:
        def numpy(self):
            return array

    for value in (array, Tensor()):
        image = as_image(value)

        assert image.size == (5, 4)
        assert image.getpixel((0, 0)) == pixel


@pytest.mark.parametrize("value", ["text", np.zeros(5), np.zeros((2, 2, 2, 2)), None])
def test_what_is_no_image_says_so(value):
    with pytest.raises(ValueError, match="A sample is no image"):
        as_image(value)


def test_the_package_loads_lazily():
    code = (
        "import sys, lightly.data;"
        "print({'numpy', 'PIL', 'cv2', 'av', 'torch', 'tqdm'} & set(sys.modules))"
    )

    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert answer.stdout.strip() == "set()"
    with pytest.raises(AttributeError, match="nothing_like_this"):
        lightly.data.nothing_like_this  # noqa: B018
