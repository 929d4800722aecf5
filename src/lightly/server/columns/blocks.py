"""Columns of one block of neighbouring samples, derived from their metadata and predictions.

A block is a table in Arrow's file format in the data folder: `name` holds the file names, `n:KEY`
the numbers and `t:KEY` the texts under a key of the metadata. It can be deleted at any time.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import sqlalchemy as sa

from lightly.server.columns.prediction_values import read_prediction_values
from lightly.server.db.engine import Database
from lightly.server.db.tables import sample_contents, samples
from lightly.server.samples.changes import BLOCK_SAMPLES

#: Keys that begin so are of what was measured or predicted, all others of custom metadata.
MEASURED_PREFIX = "lightly."
NAMES = "name"
NUMBER, TEXT = "n:", "t:"
#: Deeper objects are data of their own, not values of a sample.
MAX_DEPTH = 4
MAX_KEYS = 300
MAX_KEY_CHARACTERS = 200
#: Longer texts are descriptions: nothing to count or to colour by.
MAX_TEXT_CHARACTERS = 100
#: Numbers beyond this are of no use, and the app's float32 has no room for them.
MAX_NUMBER = 3e38
_SAMPLES_PER_QUERY = 10_000
_FORMAT = 2

#: Positions of samples within the block, and their values.
Leaf = tuple[list[int], list[Any]]
Leaves = dict[str, Leaf]


def find_block_path(folder: Path, block: int, revision: int, n_samples: int) -> Path:
    """Return where a block is kept; every state of it has a name of its own."""
    return folder / f"{block}-{revision}-{n_samples}.v{_FORMAT}.arrow"


def load_block(
    database: Database, folder: Path, dataset_key: int, block: int, revision: int, n_samples: int
) -> pa.Table:
    """Return a block, from its file if there is one, else from the database.

    Args:
        database: Where the samples are.
        folder: Of the dataset's blocks.
        dataset_key: The dataset.
        block: Number of the block.
        revision: Of the block.
        n_samples: Samples in the block; the last one grows.
    """
    path = find_block_path(folder, block, revision, n_samples)
    try:
        with pa.memory_map(str(path)) as source:
            return pa.ipc.open_file(source).read_all()
    except (OSError, pa.ArrowInvalid):
        # Not there yet, or cut off: it is made again.
        predicted = read_prediction_values(database, dataset_key, block * BLOCK_SAMPLES, n_samples)
        rows = _iterate_rows(database, dataset_key, block, n_samples)
        table = build_block(rows, n_samples, predicted)
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob(f"{block}-*.arrow"):
        old.unlink(missing_ok=True)
    draft = path.with_suffix(f".{os.getpid()}.draft")
    with pa.OSFile(str(draft), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    draft.replace(path)
    return table


def _iterate_rows(
    database: Database, dataset_key: int, block: int, n_samples: int
) -> Iterator[tuple[str, str | None, str | None]]:
    """Yield name, measured and custom metadata of the samples of a block, in order."""
    first = block * BLOCK_SAMPLES
    joined = samples.join(
        sample_contents,
        (sample_contents.c.dataset_key == samples.c.dataset_key)
        & (sample_contents.c.idx == samples.c.idx),
    )
    for start in range(first, first + n_samples, _SAMPLES_PER_QUERY):
        stop = min(start + _SAMPLES_PER_QUERY, first + n_samples)
        query = (
            sa.select(
                samples.c.file_name,
                sample_contents.c.metadata_json,
                sample_contents.c.custom_metadata_json,
            )
            .select_from(joined)
            .where(
                samples.c.dataset_key == dataset_key, samples.c.idx >= start, samples.c.idx < stop
            )
            .order_by(samples.c.idx)
        )
        with database.read() as connection:
            rows = connection.execute(query).all()
        yield from (tuple(row) for row in rows)


def build_block(
    rows: Iterable[tuple[str, str | None, str | None]],
    n_samples: int,
    predicted: Mapping[str, Leaf] | None = None,
) -> pa.Table:
    """Return the columns of some samples.

    Args:
        rows: Name, measured metadata and custom metadata as JSON of each sample, in order.
        n_samples: How many there are.
        predicted: What their predictions say, see `read_prediction_values`.
    """
    names: list[str] = []
    leaves: Leaves = {}
    for position, (name, measured, custom) in enumerate(rows):
        names.append(name)
        if measured is not None:
            _collect(leaves, position, MEASURED_PREFIX, orjson.loads(measured), MAX_DEPTH)
        if custom is not None:
            content = orjson.loads(custom)
            # What users call so cannot be told from what was measured.
            content.pop(MEASURED_PREFIX[:-1], None)
            _collect(leaves, position, "", content, MAX_DEPTH)
    columns: dict[str, pa.Array] = {NAMES: pa.array(names, pa.large_string())}
    # Their keys have a prefix that metadata of users cannot have.
    fitting = {k: v for k, v in (predicted or {}).items() if len(k) <= MAX_KEY_CHARACTERS}
    for key, (positions, values) in (leaves | fitting).items():
        columns |= _make_columns(key, positions, values, n_samples)
    return pa.table(columns)


def _collect(leaves: Leaves, position: int, prefix: str, content: Any, depth: int) -> None:
    if not isinstance(content, dict):
        return
    for name, value in content.items():
        if isinstance(value, dict):
            if depth > 1:
                _collect(leaves, position, f"{prefix}{name}.", value, depth - 1)
            continue
        if value is None or isinstance(value, list):
            continue
        key = prefix + name
        if not prefix and key.startswith(MEASURED_PREFIX):
            continue
        found = leaves.get(key)
        if found is None:
            if len(leaves) >= MAX_KEYS or len(key) > MAX_KEY_CHARACTERS:
                continue
            found = leaves[key] = ([], [])
        found[0].append(position)
        found[1].append(value)


def _make_columns(
    key: str, positions: list[int], values: list[Any], n_samples: int
) -> dict[str, pa.Array]:
    """Return the numbers and the texts under a key, as far as there are any."""
    numbers = np.full(n_samples, np.nan)
    texts: list[str | None] | None = None
    has_numbers = False
    for position, value in zip(positions, values, strict=True):
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            if math.isfinite(value) and abs(value) < MAX_NUMBER:
                numbers[position] = value
                has_numbers = True
            continue
        text = str(value).lower() if isinstance(value, bool) else str(value)
        if len(text) <= MAX_TEXT_CHARACTERS:
            if texts is None:
                texts = [None] * n_samples
            texts[position] = text
    columns: dict[str, pa.Array] = {}
    if has_numbers:
        columns[NUMBER + key] = pa.array(numbers)
    if texts is not None:
        columns[TEXT + key] = pa.array(texts, pa.string()).dictionary_encode()
    return columns
