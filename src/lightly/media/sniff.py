"""What a file is, told from its first bytes and never from its name.

Cheap to import: no numpy, no image library. A server sets `Content-Type` with it, the decoder
chooses its demuxer with it, and whatever it does not know is not media to us: SVG, HTML, HEIC,
playlists and archives among them.
"""

from __future__ import annotations

#: This many bytes from the start of a file are enough.
SNIFF_BYTES = 512

_PREFIXES: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"II+\x00", "image/tiff"),
    (b"MM\x00+", "image/tiff"),
    (b"\x00\x00\x01\xba", "video/mpeg"),
    (b"\x00\x00\x01\xb3", "video/mpeg"),
    # An H.265 stream without container begins with a parameter set (types 32 to 35).
    (b"\x00\x00\x00\x01\x40\x01", "video/h265"),
    (b"\x00\x00\x00\x01\x42\x01", "video/h265"),
    (b"\x00\x00\x00\x01\x46\x01", "video/h265"),
)
_BMP_HEADER_SIZES = frozenset({12, 40, 52, 56, 64, 108, 124})
_PORTABLE_MAPS = {
    b"1": "image/x-portable-bitmap",
    b"4": "image/x-portable-bitmap",
    b"2": "image/x-portable-graymap",
    b"5": "image/x-portable-graymap",
    b"3": "image/x-portable-pixmap",
    b"6": "image/x-portable-pixmap",
}
# ISO base media brands that hold still images or sound only.
_NOT_VIDEO_BRANDS = frozenset(
    {b"avif", b"avis", b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
    | {b"M4A ", b"M4B ", b"M4P "}
)
_OLD_QUICKTIME_ATOMS = frozenset({b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"})
_TS_PACKET_BYTES = 188


def sniff_content_type(head: bytes) -> str | None:
    r"""Return the media type of a file, or None if it is no image or video that we decode.

    Args:
        head: The first `SNIFF_BYTES` bytes of the file, or all of it if it is shorter.

    Returns:
        A type that begins with `image/` or `video/`, safe to hand to a browser together with
        `X-Content-Type-Options: nosniff`; None for everything else.

    >>> sniff_content_type(b"\x89PNG\r\n\x1a\n....")
    'image/png'
    >>> sniff_content_type(b"<svg xmlns='http://www.w3.org/2000/svg'>") is None
    True
    """
    for prefix, content_type in _PREFIXES:
        if head.startswith(prefix):
            return content_type
    return (
        _sniff_riff(head)
        or _sniff_bmp(head)
        or _sniff_portable_map(head)
        or _sniff_iso_media(head)
        or _sniff_webm(head)
        or _sniff_transport_stream(head)
    )


def _sniff_riff(head: bytes) -> str | None:
    if head[:4] != b"RIFF":
        return None
    return {b"WEBP": "image/webp", b"AVI ": "video/x-msvideo"}.get(head[8:12])


def _sniff_bmp(head: bytes) -> str | None:
    is_bmp = head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in _BMP_HEADER_SIZES
    return "image/bmp" if is_bmp else None


def _sniff_portable_map(head: bytes) -> str | None:
    is_map = head[:1] == b"P" and head[2:3].isspace() and (head[3:4].isdigit() or head[3:4] == b"#")
    return _PORTABLE_MAPS.get(head[1:2]) if is_map else None


def _sniff_iso_media(head: bytes) -> str | None:
    atom, brand = head[4:8], head[8:12]
    if atom in _OLD_QUICKTIME_ATOMS:
        return "video/quicktime"
    if atom != b"ftyp" or brand in _NOT_VIDEO_BRANDS:
        return None
    return "video/quicktime" if brand == b"qt  " else "video/mp4"


def _sniff_webm(head: bytes) -> str | None:
    is_webm = head[:4] == b"\x1aE\xdf\xa3" and b"webm" in head[:64]
    return "video/webm" if is_webm else None


def _sniff_transport_stream(head: bytes) -> str | None:
    marks = head[::_TS_PACKET_BYTES]
    is_stream = len(head) > 2 * _TS_PACKET_BYTES and set(marks) == {0x47}
    return "video/mp2t" if is_stream else None
