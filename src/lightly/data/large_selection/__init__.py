"""Selections among embeddings that are larger than memory."""

from lightly.data.large_selection.embedding_file import EmbeddingFile, EmbeddingFileInvalid
from lightly.data.large_selection.remaining_time import RemainingTime
from lightly.data.large_selection.selecting import FileSelection, Progress, select_from_file

__all__ = [
    "EmbeddingFile",
    "EmbeddingFileInvalid",
    "FileSelection",
    "Progress",
    "RemainingTime",
    "select_from_file",
]
