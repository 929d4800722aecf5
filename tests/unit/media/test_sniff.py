from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightly.media.sniff import SNIFF_BYTES, sniff_content_type
from tests.unit.media import odd_images as odd


@pytest.mark.parametrize(
    ("file_format", "content_type"),
    [
        ("JPEG", "image/jpeg"),
        ("PNG", "image/png"),
        ("GIF", "image/gif"),
        ("WEBP", "image/webp"),
        ("BMP", "image/bmp"),
        ("TIFF", "image/tiff"),
        ("PPM", "image/x-portable-pixmap"),
    ],
)
def test_images_are_known_by_their_first_bytes(file_format, content_type):
    assert sniff_content_type(odd.encode(odd.flat(), file_format)[:SNIFF_BYTES]) == content_type


@pytest.mark.parametrize(
    ("head", "content_type"),
    [
        (b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00", "video/mp4"),
        (b"\x00\x00\x00\x14ftypqt  \x00\x00\x02\x00", "video/quicktime"),
        (b"\x00\x00\x00\x08wide\x00\x00\x00\x00mdat", "video/quicktime"),
        (b"RIFF\x00\x10\x00\x00AVI LIST", "video/x-msvideo"),
        (b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\x82\x84webm", "video/webm"),
        (b"\x00\x00\x01\xba\x44\x00", "video/mpeg"),
        (b"\x00\x00\x01\xb3\x14\x00", "video/mpeg"),
        ((b"\x47" + b"\x00" * 187) * 3, "video/mp2t"),
        (b"\x00\x00\x00\x01\x40\x01\x0c\x01", "video/h265"),
    ],
)
def test_videos_are_known_by_their_first_bytes(head, content_type):
    assert sniff_content_type(head) == content_type


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\xff\xd8",
        b"<html>",
        b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>",
        b"  <svg onload='alert(1)'>",
        b"%PDF-1.7",
        b"PK\x03\x04",
        b"\x7fELF",
        b"#EXTM3U\n#EXTINF:1\nfile:///etc/passwd",
        b"ffconcat version 1.0\nfile /etc/passwd",
        b"RIFF\x00\x00\x00\x00WAVEfmt ",
        b"BM this is an English sentence.",
        b"P6 <script>",
        b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00",
        b"\x00\x00\x00\x18ftypavif\x00\x00\x00\x00",
        b"\x00\x00\x00\x18ftypM4A \x00\x00\x00\x00",
        b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\x82\x88matroska",
    ],
)
def test_everything_else_is_no_media(head):
    assert sniff_content_type(head) is None


@given(st.binary(max_size=SNIFF_BYTES))
def test_any_bytes_get_a_safe_type_or_none(head):
    content_type = sniff_content_type(head)

    assert content_type is None or content_type.split("/")[0] in {"image", "video"}


@given(st.binary(max_size=64))
def test_text_is_never_media(body):
    assert sniff_content_type(b"<!DOCTYPE html>" + body) is None


def test_sniffing_loads_neither_numpy_nor_an_image_library():
    code = (
        "import sys, lightly.media.sniff; print({'numpy', 'PIL', 'cv2', 'av'} & set(sys.modules))"
    )

    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert answer.stdout.strip() == "set()"
