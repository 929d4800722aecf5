"""Columns of reports at rest: blocks of packed values."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lightly.server.selections.models import ColumnInfo, ReportContent
from lightly.server.tags.masks import pack, unpack

#: Values per block: 512 kB before they are packed.
BLOCK_VALUES = 65_536


def pack_columns(content: ReportContent) -> Iterator[tuple[str, int, bytes]]:
    """Yield name, number of the block and packed values of all columns."""
    for info, values in content.columns:
        for block, start in enumerate(range(0, info.length, BLOCK_VALUES)):
            piece = values[start : start + BLOCK_VALUES]
            yield info.name, block, pack(np.ascontiguousarray(piece, dtype=info.dtype).tobytes())


def cut_block(packed: bytes, info: ColumnInfo, block: int, start: int, stop: int) -> bytes:
    """Return those values of a block that are between two places of its column, as bytes."""
    size_bytes = np.dtype(info.dtype).itemsize
    first = block * BLOCK_VALUES
    values = unpack(packed)
    return values[size_bytes * max(0, start - first) : size_bytes * (stop - first)]


def list_blocks(start: int, stop: int) -> range:
    """Return the numbers of the blocks that hold a range of values."""
    return range(start // BLOCK_VALUES, -(-stop // BLOCK_VALUES))
