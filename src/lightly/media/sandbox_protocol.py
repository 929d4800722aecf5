"""Messages between the pool and its children: JSON and raw bytes, never pickle.

A child runs decoders on bytes of strangers; what it answers is data to check, not objects to load.
A message is two sizes (4 bytes each: header, number of blobs), 8 bytes of size per blob, the header
as JSON, then the blobs.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

# Statistics and EXIF of one image: far below. A child that claims more is broken.
MAX_HEADER_BYTES = 4 * 1024 * 1024
MAX_BLOBS = 4_096
# The largest blob is a whole image file on its way to the child.
MAX_BLOB_BYTES = 1024 * 1024 * 1024

_PREFIX = struct.Struct(">II")
_BLOB_SIZE = struct.Struct(">Q")


class ProtocolError(Exception):
    """The other side sent something that is no message, or went away in the middle of one."""


@dataclass(frozen=True, slots=True)
class Message:
    """A header of JSON values with raw bytes beside it."""

    header: dict[str, Any]
    blobs: Sequence[bytes] = ()


def write_message(stream: BinaryIO, message: Message) -> None:
    """Write a message and flush it."""
    header = json.dumps(message.header).encode()
    sizes = b"".join(_BLOB_SIZE.pack(len(blob)) for blob in message.blobs)
    stream.write(_PREFIX.pack(len(header), len(message.blobs)) + sizes + header)
    stream.writelines(message.blobs)
    stream.flush()


def read_message(stream: BinaryIO) -> Message | None:
    """Return the next message; None if the other side closed between two messages.

    Raises:
        ProtocolError: If what comes is no message.
    """
    prefix = stream.read(_PREFIX.size)
    if not prefix:
        return None
    header_bytes, n_blobs = _unpack(_PREFIX, prefix)
    if header_bytes > MAX_HEADER_BYTES or n_blobs > MAX_BLOBS:
        raise ProtocolError("The message is too large.")
    blob_sizes = [_unpack(_BLOB_SIZE, stream.read(_BLOB_SIZE.size))[0] for _ in range(n_blobs)]
    header = _parse_header(_read_exactly(stream, header_bytes))
    return Message(header, [_read_exactly(stream, size) for size in blob_sizes])


def _unpack(layout: struct.Struct, data: bytes) -> tuple[int, ...]:
    if len(data) != layout.size:
        raise ProtocolError("The message is cut off.")
    return layout.unpack(data)


def _parse_header(data: bytes) -> dict[str, Any]:
    try:
        header = json.loads(data)
    except ValueError as error:
        raise ProtocolError("The header is not JSON.") from error
    if not isinstance(header, dict):
        raise ProtocolError("The header is not an object.")
    return header


def _read_exactly(stream: BinaryIO, size_bytes: int) -> bytes:
    if size_bytes > MAX_BLOB_BYTES:
        raise ProtocolError("The message is too large.")
    data = stream.read(size_bytes)
    if len(data) != size_bytes:
        raise ProtocolError("The message is cut off.")
    return data
