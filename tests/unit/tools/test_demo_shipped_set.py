"""The committed picture set is complete, small, readable and its rights are recorded."""

import av
import pytest

from lightly.media.images import decode_image
from tools.demo.build_shipped_set import MAX_SET_BYTES, MIN_SET_FILES, read_drawings_list
from tools.demo.pictures import SHIPPED_DIR
from tools.demo.shipped_licences import PHOTO_RIGHTS
from tools.demo.shipped_sources import clean_text, read_sources

IMAGES_DIR = SHIPPED_DIR / "images"
LICENCES = {"public domain dedication", "public domain", "CC0", "CC0 (by the clip's name)"}


def list_images():
    return sorted(path for path in IMAGES_DIR.rglob("*") if path.is_file())


def test_the_set_is_large_enough_and_small_enough_to_commit():
    total_bytes = sum(path.stat().st_size for path in SHIPPED_DIR.rglob("*") if path.is_file())

    assert len(list_images()) >= MIN_SET_FILES
    assert total_bytes <= MAX_SET_BYTES


def test_every_picture_is_decoded_completely():
    for path in list_images():
        height, width, channels = decode_image(path.read_bytes()).pixels.shape
        assert min(height, width) >= 32, path.name
        assert channels == 3


def test_every_picture_has_exactly_one_row_in_the_table_of_sources():
    recorded = [picture.name for picture in read_sources(SHIPPED_DIR / "SOURCES.tsv")]

    assert recorded == [path.relative_to(IMAGES_DIR).as_posix() for path in list_images()]


def test_every_row_names_a_free_licence_and_a_source():
    for picture in read_sources(SHIPPED_DIR / "SOURCES.tsv"):
        assert picture.licence in LICENCES, picture.name
        assert picture.source, picture.name


def test_no_row_holds_an_e_mail_address():
    for picture in read_sources(SHIPPED_DIR / "SOURCES.tsv"):
        assert "@" not in picture.author + picture.title, picture.name


def test_photos_are_only_those_with_stated_rights():
    shipped = {path.stem for path in (IMAGES_DIR / "photos").iterdir()}

    assert shipped == {name.rsplit(".", 1)[0] for name in PHOTO_RIGHTS}


def test_drawings_are_those_of_the_list():
    listed = {f"{folder}/{path.split('/')[-1]}" for path, folder in read_drawings_list().items()}

    assert listed <= {path.relative_to(IMAGES_DIR).as_posix() for path in list_images()}


def test_the_clip_is_below_one_megabyte_and_has_all_frames():
    clip = SHIPPED_DIR / "videos" / "city.mp4"

    with av.open(str(clip)) as container:
        frames = sum(1 for _ in container.decode(video=0))

    assert clip.stat().st_size < 1_000_000
    assert frames == 190


def test_the_licence_notes_name_every_photo():
    notes = (SHIPPED_DIR / "LICENSES.md").read_text(encoding="utf-8")

    for name in PHOTO_RIGHTS:
        assert f"photos/{name.rsplit('.', 1)[0]}.jpg" in notes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # brackets go together with the address
        ("Jakob [jakob@example.org]", "Jakob"),
        ("Jean-Victor Balin (balin@example.org)\n", "Jean-Victor Balin"),
        # an address alone leaves nothing
        ("someone@example.org", ""),
        # UTF-8 that a PNG text chunk declares as Latin-1
        ("KocoÅ\x84", "Kocoń"),
        # Latin-1 proper stays
        ("Müller", "Müller"),
    ],
)
def test_author_entries_keep_the_name_only(text, expected):
    assert clean_text(text) == expected
