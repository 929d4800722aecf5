"""Images that real folders hold and that naive code gets wrong. All are made here."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image, PngImagePlugin

GREEN = (10, 200, 30)


def encode(image: Image.Image, file_format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def photo(width: int = 64, height: int = 48, seed: int = 0) -> Image.Image:
    """A picture with gradients and noise, so that codecs have something to do."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    base = np.stack([x * 255 // width, y * 255 // height, (x + y) * 255 // (width + height)], -1)
    noisy = base + rng.normal(0, 12, base.shape)
    return Image.fromarray(noisy.clip(0, 255).astype(np.uint8))


def flat(color: object = GREEN, size: tuple[int, int] = (6, 4), mode: str = "RGB") -> Image.Image:
    return Image.new(mode, size, color)


def cut(data: bytes, share: float) -> bytes:
    return data[: int(len(data) * share)]


def flip_bit(data: bytes, position: int) -> bytes:
    return data[:position] + bytes([data[position] ^ 0x10]) + data[position + 1 :]


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_header(width: int, height: int, *, bits: int = 8, color: int = 2) -> bytes:
    """A PNG that claims a size and has no pixels."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, color, 0, 0, 0))
    pixels = png_chunk(b"IDAT", zlib.compress(b""))
    return b"\x89PNG\r\n\x1a\n" + header + pixels + png_chunk(b"IEND", b"")


def one_bit_png(side: int) -> bytes:
    """A valid PNG of side x side black pixels in a few kilobytes."""
    row = b"\x00" * (1 + (side + 7) // 8)
    packer = zlib.compressobj(9)
    pixels = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + png_chunk(b"IDAT", pixels) + png_chunk(b"IEND", b"")


def deep_png(values: np.ndarray) -> bytes:
    """A 16-bit grey PNG."""
    height, width = values.shape
    rows = b"".join(b"\x00" + row.astype(">u2").tobytes() for row in values)
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, 0, 0, 0, 0))
    body = png_chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + header + body + png_chunk(b"IEND", b"")


def deep_tiff(values: np.ndarray) -> bytes:
    return encode(Image.fromarray(values.astype(np.uint16)), "TIFF")


def tiff_12_bit(levels: tuple[int, int]) -> bytes:
    """A 2x1 grey TIFF that packs 12 bits per sample; two samples fill three bytes."""
    a, b = levels
    packed = bytes([a >> 4, (a & 15) << 4 | b >> 8, b & 255])
    entries = [
        (256, 3, 1, 2), (257, 3, 1, 1), (258, 3, 1, 12), (259, 3, 1, 1), (262, 3, 1, 1),
        (273, 4, 1, 8), (277, 3, 1, 1), (278, 3, 1, 1), (279, 4, 1, 3),
    ]  # fmt: skip
    table = b"".join(
        struct.pack("<HHI", tag, kind, count) + struct.pack("<I", value)
        for tag, kind, count, value in entries
    )
    directory = struct.pack("<H", len(entries)) + table + struct.pack("<I", 0)
    return b"II*\x00" + struct.pack("<I", 12) + packed + b"\x00" + directory


def float_tiff(values: np.ndarray) -> bytes:
    return encode(Image.fromarray(values.astype(np.float32)), "TIFF")


def palette_png(*, transparent: bool = False) -> bytes:
    image = flat().quantize(colors=4)
    return encode(image, "PNG", **({"transparency": image.getpixel((0, 0))} if transparent else {}))


def oriented_jpeg(orientation: int, image: Image.Image | None = None) -> bytes:
    exif = Image.Exif()
    exif[274] = orientation
    return encode(image or photo(64, 48), "JPEG", exif=exif, quality=95, subsampling=0)


def animated(file_format: str) -> bytes:
    """Green first, red after."""
    later = flat((200, 0, 0))
    return encode(flat(), file_format, save_all=True, append_images=[later, later])


def png_with_huge_exif() -> bytes:
    """Valid EXIF of 200 KB, more than any JPEG could hold."""
    exif = Image.Exif()
    exif[270] = "x" * 200_000
    return encode(flat(), "PNG", exif=exif)


def png_with_text_bomb() -> bytes:
    """A compressed text chunk of 100 MB in 100 KB."""
    info = PngImagePlugin.PngInfo()
    info.add_text("bomb", "a" * 100_000_000, zip=True)
    return encode(flat(), "PNG", pnginfo=info)
