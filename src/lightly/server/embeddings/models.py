"""Embeddings as the server works with them."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from lightly.server.storage.blobs import make_embedding_prefix

_CSV_NAME = "embeddings.csv"


class EmbeddingState(enum.StrEnum):
    """How far an embedding is."""

    WAITING = "WAITING"
    READY = "READY"
    FAILED = "FAILED"


@dataclass(frozen=True)
class Embedding:
    """One row of the embeddings table: one vector per sample of a dataset.

    Attributes:
        id: 24 hex digits.
        dataset_key: The dataset it belongs to.
        name: Unique in its dataset.
        state: `WAITING` for its CSV or for that to be read, `READY`, or `FAILED` with `error`.
        error: Which rule the CSV breaks.
        n_rows: How many samples it covers: the first so many of the dataset.
        dimension: Length of a vector.
        source_etag: The CSV that `state` speaks of; another one has arrived when the blob differs.
        created_at_ms: When it was made.
    """

    id: str
    dataset_key: int
    name: str
    state: str
    error: str | None
    n_rows: int
    dimension: int
    source_etag: str | None
    created_at_ms: int

    @property
    def is_ready(self) -> bool:
        """Whether the vectors can be used."""
        return self.state == EmbeddingState.READY


@dataclass(frozen=True)
class DatasetFacts:
    """What work that nobody calls for needs to know of a dataset.

    Attributes:
        key: Stands for the dataset in tables with a row per sample.
        user_id: The owner.
        n_samples: How many samples are registered.
    """

    key: int
    user_id: str
    n_samples: int


@dataclass(frozen=True)
class Projection:
    """One row of the table of 2-D embeddings.

    Attributes:
        id: 24 hex digits.
        embedding_id: The embedding that was projected.
        name: Unique per embedding and method.
        method: `PCA`, `TSNE` or `UMAP`.
        created_at_ms: When it was made.
        coordinates: Packed, see `unpack_coordinates`; None when only a summary was read.
    """

    id: str
    embedding_id: str
    name: str
    method: str
    created_at_ms: int
    coordinates: bytes | None = field(repr=False)


def make_csv_key(dataset_id: str, embedding_id: str) -> str:
    """Return where the CSV is kept as it was uploaded."""
    return f"{make_embedding_prefix(dataset_id, embedding_id)}{_CSV_NAME}"


def make_vectors_key(dataset_id: str, embedding_id: str, etag: str) -> str:
    """Return where the vectors of one version of the CSV are kept.

    Each version has a key of its own, so that a commit switches from one to the next as a whole.
    """
    return f"{make_embedding_prefix(dataset_id, embedding_id)}vectors-{etag}.npy"


def parse_csv_key(key: str) -> tuple[str, str] | None:
    """Return the ids of dataset and embedding when `key` is that of a CSV."""
    parts = key.split("/")
    if len(parts) < 5 or key != make_csv_key(parts[1], parts[3]):
        return None
    return parts[1], parts[3]


def make_projection_name(embedding_name: str) -> str:
    """Return the name of the 2-D embeddings that the server makes itself."""
    return f"{embedding_name}__2d"
