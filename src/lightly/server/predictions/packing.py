"""From predictions in a request to bytes in the database, and back to JSON without parsing it.

Type and task name are the same for all predictions of a row and are left out of it. Run lengths
are kept apart, a line for each prediction, so that lists which go without them never read them.
What is left has no objects within objects and no texts but hex ids, so every brace in it is the
begin or end of a prediction: it is put together again by replacing bytes.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import orjson
import zstandard

from lightly.server.predictions.models import PackedPredictions, PredictionTask

#: Shorter texts are stored as they are: the frame around them would be longer than what it saves.
MIN_COMPRESSED_BYTES = 128

_LEFT_OUT = frozenset({"type", "taskName"})
_RUN_LENGTHS = "segmentation"
_NO_RUN_LENGTHS = b'"segmentation":[]'
_PLAIN_START = b"["
_SEPARATOR = b"},{"


class _Codec(threading.local):
    """Compressors are no good to several threads, and take longer to make than to use."""

    def __init__(self) -> None:
        self.compressor = zstandard.ZstdCompressor(write_checksum=False)
        self.decompressor = zstandard.ZstdDecompressor()


_codec = _Codec()


def pack_predictions(
    singletons: Sequence[dict[str, Any]], positions: Sequence[int] | None
) -> PackedPredictions:
    """Return the predictions of one task for one sample as they are stored.

    Args:
        singletons: Objects of the contract's `PredictionSingleton`, checked, at least one.
        positions: Where in the list that was sent they stood; None when nothing stood between.
    """
    text = orjson.dumps([_strip(singleton) for singleton in singletons])
    run_lengths = None
    if _RUN_LENGTHS in singletons[0]:
        run_lengths = b"\n".join(orjson.dumps(singleton[_RUN_LENGTHS]) for singleton in singletons)
    return PackedPredictions(
        size_bytes=len(text) + len(run_lengths or b""),
        positions_json=None if positions is None else orjson.dumps(positions).decode(),
        singletons=_compress(text),
        segmentations=None if run_lengths is None else _compress(run_lengths),
    )


def _strip(singleton: dict[str, Any]) -> dict[str, Any]:
    stripped = {
        name: value
        for name, value in singleton.items()
        if value is not None and name not in _LEFT_OUT
    }
    if _RUN_LENGTHS in stripped:
        stripped[_RUN_LENGTHS] = []
    return stripped


def unpack_predictions(rows: Sequence[tuple[PredictionTask, PackedPredictions]]) -> bytes:
    """Return the JSON list of all predictions of a sample, in the order in which they were sent.

    Args:
        rows: What is stored for the sample. Without `segmentations`, run lengths are empty.
    """
    if len(rows) == 1 or all(packed.positions_json is None for _, packed in rows):
        return b"[" + b",".join(_unpack(task, packed) for task, packed in rows) + b"]"
    numbered: list[tuple[int, bytes]] = []
    for task, packed in rows:
        singletons = _unpack(task, packed)[1:-1].split(_SEPARATOR)
        positions = range(len(singletons))
        if packed.positions_json is not None:
            positions = orjson.loads(packed.positions_json)
        numbered += zip(positions, singletons, strict=True)
    numbered.sort(key=lambda pair: pair[0])
    return b"[" + b",".join(b"{" + singleton + b"}" for _, singleton in numbered) + b"]"


def _unpack(task: PredictionTask, packed: PackedPredictions) -> bytes:
    begin = f'{{"type":"{task.type}","taskName":"{task.name}",'.encode()
    text = _decompress(packed.singletons)[1:-1].replace(b"{", begin)
    if packed.segmentations is None:
        return text
    first, *others = text.split(_NO_RUN_LENGTHS)
    run_lengths = _decompress(packed.segmentations).split(b"\n")
    pairs = zip(run_lengths, others, strict=True)
    return first + b"".join(b'"segmentation":' + runs + other for runs, other in pairs)


def list_scores(packed: PackedPredictions) -> list[tuple[int, float]]:
    """Return category and score of each prediction, in the order in which they were sent."""
    singletons = orjson.loads(_decompress(packed.singletons))
    return [(singleton["categoryId"], singleton["score"]) for singleton in singletons]


def read_scores(packed: PackedPredictions) -> dict[int, float]:
    """Return the score of each category; the highest where there are several of one."""
    scores: dict[int, float] = {}
    for category_id, score in list_scores(packed):
        scores[category_id] = max(score, scores.get(category_id, 0.0))
    return scores


def _compress(text: bytes) -> bytes:
    if len(text) < MIN_COMPRESSED_BYTES:
        return text
    compressed = _codec.compressor.compress(text)
    return compressed if len(compressed) < len(text) else text


def _decompress(stored: bytes) -> bytes:
    # Both kinds of text begin with a bracket, no zstd frame does.
    return stored if stored.startswith(_PLAIN_START) else _codec.decompressor.decompress(stored)
