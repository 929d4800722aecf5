from __future__ import annotations

import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image

from lightly.media.exif import describe_exif
from lightly.media.inspection import inspect_image
from lightly.media.sandbox import DecodePool
from tests.unit.media import odd_images as odd


def exif_of(entries: dict[int, object], folders: dict[int, dict[int, object]] | None = None):
    exif = Image.Exif()
    exif.update(entries)
    for folder, values in (folders or {}).items():
        exif.get_ifd(folder).update(values)
    return Image.open(io.BytesIO(odd.encode(odd.flat(), "JPEG", exif=exif))).getexif()


def test_entries_are_named_and_plain():
    exif = exif_of(
        {271: "Maker", 274: 6},
        {ExifTags.IFD.Exif: {33434: 0.01, 37510: b"note"}, ExifTags.IFD.GPSInfo: {1: "N"}},
    )

    described = describe_exif(exif)

    assert described["Make"] == "Maker"
    assert described["Orientation"] == 6
    assert described["ExposureTime"] == pytest.approx(0.01)
    assert described["UserComment"] == "note"
    assert described["GPSLatitudeRef"] == "N"


def test_binary_blobs_and_pointers_are_left_out():
    exif = exif_of({271: "Maker"}, {ExifTags.IFD.Exif: {37500: b"\x00\xff" * 100}})

    assert describe_exif(exif) == {"Make": "Maker"}


def test_text_is_bounded_and_printable():
    exif = exif_of({270: "a\x1b[31m" + "b" * 5_000})

    text = describe_exif(exif)["ImageDescription"]

    assert text.startswith("a[31mb")
    assert len(text) <= 1_000


def test_a_fraction_over_zero_is_left_out():
    exif = Image.Exif()
    exif[282] = float("nan")

    assert describe_exif(exif) == {}


def test_no_exif_is_an_empty_object():
    assert describe_exif(None) == {}
    assert inspect_image(odd.encode(odd.flat(), "PNG")).exif == {}


def test_too_large_exif_is_ignored_and_the_image_is_good():
    report = inspect_image(odd.png_with_huge_exif())

    assert report.exif == {}
    assert report.corruption is None


@pytest.mark.filterwarnings("ignore:.*corrupt EXIF data:UserWarning")
@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=300))
def test_any_exif_bytes_leave_the_image_good_and_the_answer_json(body):
    data = odd.encode(odd.flat(), "JPEG", exif=b"Exif\x00\x00II*\x00" + body)

    report = inspect_image(data)

    assert report.corruption is None
    json.dumps(report.exif, allow_nan=False)


def test_damaged_exif_leaves_the_image_good_in_the_sandbox_too():
    bodies = [b"", b"\x08\x00\x00\x00", b"\x08\x00\x00\x00\x05\x00" + b"\x01" * 30, b"\xff" * 99]
    images = [odd.encode(odd.flat(), "JPEG", exif=b"Exif\x00\x00II*\x00" + body) for body in bodies]

    with DecodePool(n_processes=1) as pool:
        corruptions = [report.corruption for report in pool.inspect_images(images)]

    assert corruptions == [None] * len(images)
