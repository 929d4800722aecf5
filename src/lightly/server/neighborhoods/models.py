"""Neighborhoods as the server works with them."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lightly.server.tags.masks import pack, unpack

#: What stands for a sample that was not looked at, among leaders of groups.
NO_LEADER = 2**32 - 1


class NeighborhoodKind(enum.StrEnum):
    """What was looked for."""

    NEAR_DUPLICATES = "NEAR_DUPLICATES"
    OUTLIERS = "OUTLIERS"

    @property
    def dtype(self) -> str:
        """How values lie in memory: indices of leaders, or scores."""
        return "<u4" if self is NeighborhoodKind.NEAR_DUPLICATES else "<f4"


@dataclass(frozen=True)
class Neighborhood:
    """One row of the table: one value per sample of an embedding.

    Attributes:
        id: 24 hex digits.
        embedding_id: Where distances were measured.
        kind: What was looked for.
        parameters_json: With which parameters, as JSON text.
        source_etag: Of which version of the embedding; of another one it tells nothing.
        created_at_ms: When it was made.
        summary_json: What fits on a line, as JSON text.
        content: Packed values; None when only a summary was read.
    """

    id: str
    embedding_id: str
    kind: str
    parameters_json: str
    source_etag: str
    created_at_ms: int
    summary_json: str
    content: bytes | None = field(repr=False)

    def read_values(self) -> NDArray[np.generic]:
        """Return one value per sample that the embedding covers."""
        content = unpack(self.content) if self.content is not None else b""
        return np.frombuffer(content, dtype=NeighborhoodKind(self.kind).dtype)


def pack_values(values: NDArray[np.generic], kind: NeighborhoodKind) -> bytes:
    """Return values as they are stored."""
    return pack(np.ascontiguousarray(values, dtype=kind.dtype).tobytes())
