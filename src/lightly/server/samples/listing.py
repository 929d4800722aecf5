"""Lists of samples, read and sent in pieces of bounded size.

Each piece is read in a transaction of its own, so that a slow reader holds no connection. Samples
are only ever appended and a list ends where the dataset ended when it was asked for, so the pieces
fit together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import orjson
import sqlalchemy as sa
from starlette.responses import Response, StreamingResponse

from lightly.server.auth.users import User
from lightly.server.datasets.access import load_dataset
from lightly.server.datasets.models import Action, Dataset
from lightly.server.http.parameters import Page
from lightly.server.platform import PlatformState
from lightly.server.samples import repository
from lightly.server.samples.models import Sample, make_thumb_name

#: Names and ids per piece: about 1 MB.
NAMES_PER_PIECE = 10_000
#: Whole samples per piece. One may have 300 kB of metadata, mostly it is 1 kB.
SAMPLES_PER_PIECE = 200

PieceT = TypeVar("PieceT")
ReadRange = Callable[[sa.Connection, int, int, int], PieceT]


def open_dataset(platform: PlatformState, caller: User, dataset_id: str) -> Dataset:
    """Return the dataset to list, with the number of samples that the list goes by."""
    with platform.database.read() as connection:
        return load_dataset(connection, caller, dataset_id, Action.READ)


def iterate_range(
    platform: PlatformState,
    dataset: Dataset,
    page: Page,
    read_range: ReadRange[PieceT],
    per_piece: int = NAMES_PER_PIECE,
) -> Iterator[PieceT]:
    """Yield what `read_range` reads of a page of samples in index order, piece by piece."""
    stop = dataset.n_samples
    if page.size is not None:
        stop = min(stop, page.offset + page.size)
    for start in range(page.offset, stop, per_piece):
        with platform.database.read() as connection:
            piece = read_range(connection, dataset.key, start, min(start + per_piece, stop))
        yield piece


def iterate_by_id(platform: PlatformState, dataset: Dataset, page: Page) -> Iterator[list[Sample]]:
    """Yield a page of whole samples in the order of their ids, piece by piece."""
    left = dataset.n_samples - page.offset
    if page.size is not None:
        left = min(left, page.size)
    after_id, offset = "", page.offset
    while left > 0:
        with platform.database.read() as connection:
            piece = repository.read_samples_by_id(
                connection,
                dataset.key,
                after_id=after_id,
                n_samples=dataset.n_samples,
                offset=offset,
                limit=min(left, SAMPLES_PER_PIECE),
            )
        if not piece:
            return
        yield piece
        left -= len(piece)
        after_id, offset = piece[-1].id, 0


def find_by_file_name(
    platform: PlatformState, dataset: Dataset, file_name: str, page: Page
) -> Iterator[list[Sample]]:
    """Yield a list with the one sample of exactly this name, if there is one on the page."""
    with platform.database.read() as connection:
        sample = repository.find_sample_by_file_name(connection, dataset.key, file_name)
    yield [] if sample is None or page.offset > 0 else [sample]


def write_sample(dataset: Dataset, sample: Sample) -> dict[str, Any]:
    """Return the contract's `SampleData`. JSON that is stored as text is spliced in as it is."""
    optional = {
        "metaData": sample.metadata_json,
        "customMetaData": sample.custom_metadata_json,
        "exif": sample.exif_json,
        "videoFrameData": sample.video_frame_json,
        "cropData": sample.crop_json,
    }
    return {
        "id": sample.id,
        "type": sample.type,
        "datasetId": dataset.id,
        "fileName": sample.file_name,
        "thumbName": sample.thumb_name or make_thumb_name(sample.file_name),
        "index": sample.idx,
        "createdAt": sample.created_at_ms,
        "lastModifiedAt": sample.last_modified_at_ms,
    } | {name: orjson.Fragment(text) for name, text in optional.items() if text is not None}


def stream_pieces(pieces: Iterator[list[Any]]) -> Response:
    """Return a JSON list made of the items of all pieces.

    The first piece is read before the status is sent: what fails then is still an error answer.
    What fails later cuts the connection, so that no client takes half a list for a whole one.
    """
    first = next(pieces, [])
    return StreamingResponse(_join_pieces(first, pieces), media_type="application/json")


def _join_pieces(first: Sequence[Any], others: Iterator[list[Any]]) -> Iterator[bytes]:
    yield b"[" + orjson.dumps(first)[1:-1]
    for piece in others:
        yield b"," + orjson.dumps(piece)[1:-1]
    yield b"]"


def stream_json_pieces(pieces: Iterator[str]) -> Response:
    """Return a JSON list made of JSON lists that are text already; errors as in `stream_pieces`."""
    first = next(pieces, "[]")
    return StreamingResponse(_join_json_pieces(first, pieces), media_type="application/json")


def _join_json_pieces(first: str, others: Iterator[str]) -> Iterator[bytes]:
    yield first[:-1].encode()
    for piece in others:
        yield f",{piece[1:-1]}".encode()
    yield b"]"
