"""The demo folder holds what its manifest says, and every planted file is what it claims to be."""

import functools
import hashlib
import io
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from lightly.media.errors import CorruptImage
from lightly.media.images import decode_image
from tools.demo import pictures
from tools.demo.manifest import KINDS, METADATA_CONFIGURATION
from tools.demo.object_photos import ObjectPhotosUnavailable
from tools.demo.pictures import FolderNotOurs, prepare_demo_folder


def quiet():
    return Console(file=io.StringIO())


def prepare(target, **options):
    options = {"use_object_photos": "never", "console": quiet(), **options}
    return prepare_demo_folder(target, **options)


def digest_files(folder):
    return {
        path.relative_to(folder.path).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.path.rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    return prepare(tmp_path_factory.mktemp("demo") / "pictures")


def files_of(folder, kind):
    return [file for file in folder.files if file.kind == kind]


def pixels_of(folder, name):
    return decode_image((folder.images_dir / name).read_bytes()).pixels


@functools.cache
def shrink(folder, name):
    """Pixels at 64 x 64, float32."""
    small = Image.fromarray(pixels_of(folder, name)).resize((64, 64), Image.Resampling.BOX)
    return np.asarray(small, dtype=np.float32)


def mean_difference(folder, file):
    """Mean absolute difference between a copy and its original, at 64 x 64."""
    return float(np.abs(shrink(folder, file.name) - shrink(folder, file.copy_of)).mean())


def find_nearest(picture, others):
    return int(np.argmin([np.abs(picture - other).mean() for other in others]))


def test_at_least_300_images_without_any_network(shipped):
    assert shipped.image_set == "shipped set"
    assert sum(not file.is_corrupt for file in shipped.files) >= 300


def test_every_kind_is_there(shipped):
    assert set(shipped.count_kinds()) == set(KINDS)


def test_the_manifest_names_exactly_the_files_on_disk(shipped):
    on_disk = {
        path.relative_to(shipped.images_dir).as_posix(): path.stat().st_size
        for path in shipped.images_dir.rglob("*")
        if path.is_file()
    }

    assert {file.name: file.size_bytes for file in shipped.files} == on_disk


def test_building_twice_gives_the_same_bytes(shipped, tmp_path):
    again = prepare(tmp_path / "again")

    assert digest_files(again) == digest_files(shipped)


def test_every_corrupt_file_is_refused(shipped):
    for file in files_of(shipped, "corrupt"):
        with pytest.raises(CorruptImage):
            pixels_of(shipped, file.name)


def test_every_other_file_is_decoded(shipped):
    for file in shipped.files:
        if not file.is_corrupt:
            assert pixels_of(shipped, file.name).size


def test_corrupt_files_are_cut_html_and_empty(shipped):
    starts = {
        file.variant: (shipped.images_dir / file.name).read_bytes()[:4]
        for file in files_of(shipped, "corrupt")
    }

    assert starts == {
        "truncated JPEG": b"\xff\xd8\xff\xe0",
        "truncated PNG": b"\x89PNG",
        "HTML named .jpg": b"<!do",
        "0 bytes": b"",
    }


def test_exact_duplicates_have_the_bytes_of_their_originals(shipped):
    for file in files_of(shipped, "exact_duplicate"):
        original, copy = shipped.images_dir / file.copy_of, shipped.images_dir / file.name
        assert original.read_bytes() == copy.read_bytes()


def test_near_duplicates_are_other_bytes(shipped):
    for file in files_of(shipped, "near_duplicate"):
        original, copy = shipped.images_dir / file.copy_of, shipped.images_dir / file.name
        assert original.read_bytes() != copy.read_bytes()


def test_the_nearest_original_of_a_near_duplicate_is_its_own(shipped):
    copies = files_of(shipped, "near_duplicate")
    names = [file.name for file in files_of(shipped, "original")]

    nearest = [
        names[find_nearest(shrink(shipped, file.name), [shrink(shipped, n) for n in names])]
        for file in copies
    ]

    assert nearest == [file.copy_of for file in copies]


def test_blurred_files_have_lost_their_edges(shipped):
    for file in files_of(shipped, "blurred"):
        edges = [
            np.abs(np.diff(pixels_of(shipped, name).astype(np.float32), axis=1)).mean()
            for name in (file.name, file.copy_of)
        ]
        assert edges[0] < 0.7 * edges[1], file.name


def test_turned_files_are_upright_after_their_exif_entry_is_applied(shipped):
    variants = set()
    for file in files_of(shipped, "exif_rotated"):
        variants.add(file.variant)
        assert mean_difference(shipped, file) < 4, file.name

    assert variants == {f"orientation {turn}" for turn in (3, 5, 6, 8)}


def test_cmyk_files_are_stored_as_cmyk_and_look_like_their_originals(shipped):
    for file in files_of(shipped, "cmyk"):
        with Image.open(shipped.images_dir / file.name) as image:
            assert image.mode == "CMYK"
        assert mean_difference(shipped, file) < 16, file.name


def test_16_bit_files_store_16_bits_per_channel(shipped):
    colour_types = set()
    for file in files_of(shipped, "16_bit"):
        header = (shipped.images_dir / file.name).read_bytes()[:26]
        assert header[24] == 16, file.name
        colour_types.add(header[25])

    assert colour_types == {0, 2}


def test_unusual_names_cover_scripts_emoji_and_url_characters(shipped):
    names = " ".join(file.name for file in files_of(shipped, "non_ascii_name"))

    for part in (
        "Ü",
        "写真",
        "사진",
        "фото",
        "صورة",
        "📷",
        "👩🏽\u200d🚀",
        "cafe\u0301",
        "  ",
        "%",
        "#",
        "&",
    ):
        assert part in names
    assert "," not in names


def test_no_original_is_planted_twice(shipped):
    origins = [file.copy_of for file in shipped.files if file.copy_of]

    assert len(origins) == len(set(origins))
    assert {name for file in shipped.files for name in [file.name]} >= set(origins)


def test_frames_come_from_the_shipped_clip(shipped):
    frames = files_of(shipped, "video_frame")

    assert len(frames) == 24
    assert {file.source for file in frames} == {"frame of city.mp4"}


def test_metadata_describes_every_image_and_no_broken_file(shipped):
    metadata = shipped.custom_metadata()

    names = {entry["file_name"] for entry in metadata["images"]}
    assert names == {file.name for file in shipped.files if not file.is_corrupt}
    assert [entry["id"] for entry in metadata["images"]] == [
        entry["image_id"] for entry in metadata["metadata"]
    ]


def test_metadata_can_be_limited_to_what_was_uploaded(shipped):
    wanted = [shipped.files[0].name, shipped.files[5].name]

    metadata = shipped.custom_metadata(wanted)

    assert [entry["file_name"] for entry in metadata["images"]] == wanted


def test_metadata_says_class_source_and_what_was_planted(shipped):
    copy = files_of(shipped, "exact_duplicate")[0]

    entry = shipped.custom_metadata([copy.name])["metadata"][0]

    assert entry == {
        "image_id": 0,
        "class": copy.name.split("/")[0],
        "source": "shipped with the demo",
        "size_bytes": copy.size_bytes,
        "planted": {"kind": "exact_duplicate", "variant": "copy", "copy_of": copy.copy_of},
    }


@pytest.mark.parametrize("path", [path for _, path, _, _ in METADATA_CONFIGURATION])
def test_every_configured_metadata_path_leads_to_a_value(shipped, path):
    value = shipped.custom_metadata()["metadata"][0]
    for key in path.split("."):
        value = value[key]

    assert isinstance(value, str | int)


def test_a_prepared_folder_is_used_again_as_it_is(tmp_path):
    first = prepare(tmp_path / "pictures")
    changed_at = first.manifest_path.stat().st_mtime_ns

    second = prepare(tmp_path / "pictures", use_object_photos="auto")

    assert second == first
    assert second.manifest_path.stat().st_mtime_ns == changed_at


def test_a_folder_with_a_missing_file_is_built_again(tmp_path, shipped):
    folder = prepare(tmp_path / "pictures")
    (folder.images_dir / folder.files[0].name).unlink()

    again = prepare(tmp_path / "pictures")

    assert digest_files(again) == digest_files(shipped)


def test_a_folder_whose_images_went_missing_is_built_again(tmp_path, shipped):
    folder = prepare(tmp_path / "pictures")
    shutil.rmtree(folder.images_dir)

    again = prepare(tmp_path / "pictures")

    assert digest_files(again) == digest_files(shipped)


def test_a_leftover_of_a_killed_run_does_not_get_in(tmp_path, shipped):
    leftover = tmp_path / ".pictures.partial" / "birds" / "stranger.png"
    leftover.parent.mkdir(parents=True)
    leftover.write_bytes(b"half")

    folder = prepare(tmp_path / "pictures")

    assert digest_files(folder) == digest_files(shipped)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pictures"]


@pytest.mark.parametrize("name", ["holiday.jpg", "manifest.json"])
def test_a_folder_of_somebody_else_is_refused_and_kept(tmp_path, name):
    target = tmp_path / "pictures"
    target.mkdir()
    (target / name).write_text("{}")

    with pytest.raises(FolderNotOurs, match="Name another folder"):
        prepare(target)

    assert [path.name for path in target.iterdir()] == [name]


def test_a_picture_that_somebody_added_is_not_deleted(tmp_path):
    folder = prepare(tmp_path / "pictures")
    added = folder.images_dir / "mine.jpg"
    added.write_bytes(b"precious")

    with pytest.raises(FolderNotOurs, match=r"mine\.jpg"):
        prepare(tmp_path / "pictures")

    assert added.read_bytes() == b"precious"


def refuse_photos(*_args, **_options):
    raise ObjectPhotosUnavailable("this machine has no apt-get")


def give_photos(*_args, **_options):
    return pictures.SHIPPED_DIR / "images"


def test_auto_falls_back_to_the_shipped_set_and_says_why(tmp_path, monkeypatch):
    monkeypatch.setattr(pictures, "fetch_object_photos", refuse_photos)

    folder = prepare(tmp_path / "pictures", use_object_photos="auto")

    assert folder.image_set == "shipped set"
    assert "this machine has no apt-get" in folder.report


def test_auto_takes_the_object_photos_where_they_can_be_had(tmp_path, monkeypatch):
    monkeypatch.setattr(pictures, "fetch_object_photos", give_photos)

    folder = prepare(tmp_path / "pictures", use_object_photos="auto")

    assert folder.image_set == "object photos"
    assert "tuxpaint-stamps-default" in folder.report


def test_always_insists_on_the_object_photos(tmp_path, monkeypatch):
    monkeypatch.setattr(pictures, "fetch_object_photos", refuse_photos)

    with pytest.raises(ObjectPhotosUnavailable, match="no apt-get"):
        prepare(tmp_path / "pictures", use_object_photos="always")


def test_asking_for_the_other_set_replaces_the_images(tmp_path, monkeypatch):
    monkeypatch.setattr(pictures, "fetch_object_photos", give_photos)
    prepare(tmp_path / "pictures")

    folder = prepare(tmp_path / "pictures", use_object_photos="always")

    assert folder.image_set == "object photos"
    assert not list(Path(tmp_path).glob(".pictures*"))
