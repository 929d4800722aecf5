"""One number or one class per sample, from the metadata of a dataset."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import orjson
import sqlalchemy as sa
from numpy.typing import NDArray

from lightly.server.db.engine import Database
from lightly.server.db.tables import sample_contents
from lightly.server.jobs.task import TaskFailed

#: Samples per query: 10 MB of metadata at 1 kB each.
_SAMPLES_AT_ONCE = 10_000
#: Keys that begin so are of what was measured on images, all others of custom metadata.
MEASURED_PREFIX = "lightly."
#: Classes of one key. What has more is no category: a file name, a moment, a number.
MAX_CLASSES = 10_000

Note = Callable[[int, int], None]


def read_numbers(
    database: Database, dataset_key: int, n_samples: int, key: str, note: Note
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return a metadata value per sample, and where it is missing or no finite number.

    Args:
        database: Where they are.
        dataset_key: Of the dataset.
        n_samples: How many samples to look at.
        key: Dotted names.
        note: Called every now and then with (samples looked at, all of them).
    """
    numbers = np.zeros(n_samples)
    is_missing = np.ones(n_samples, dtype=np.bool_)
    for idx, value in _iterate_values(database, dataset_key, n_samples, key, note):
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            numbers[idx], is_missing[idx] = value, False
    return numbers, is_missing


def read_classes(
    database: Database, dataset_key: int, n_samples: int, key: str, note: Note
) -> tuple[NDArray[np.int64], list[str]]:
    """Return a class number per sample, -1 where there is none, and the names of the classes.

    Texts, whole numbers and truth values are classes, in the order in which samples have them.

    Args:
        database: As for `read_numbers`, and so are the others.
        dataset_key: Of the dataset.
        n_samples: How many samples to look at.
        key: Dotted names.
        note: Called every now and then.

    Raises:
        TaskFailed: If there are too many different ones.
    """
    codes = np.full(n_samples, -1)
    numbers: dict[str, int] = {}
    for idx, value in _iterate_values(database, dataset_key, n_samples, key, note):
        if isinstance(value, (str, int)):
            name = value if isinstance(value, str) else orjson.dumps(value).decode()
            codes[idx] = numbers.setdefault(name, len(numbers))
            if len(numbers) > MAX_CLASSES:
                raise TaskFailed(
                    f"The metadata '{key[:80]}' has more than {MAX_CLASSES} different values: it "
                    "is no category that a selection can balance."
                )
    return codes, list(numbers)


def _iterate_values(
    database: Database, dataset_key: int, n_samples: int, key: str, note: Note
) -> Iterator[tuple[int, Any]]:
    """Yield index and value of the samples that have a value under a key of dotted names."""
    is_measured = key.startswith(MEASURED_PREFIX)
    column = sample_contents.c["metadata_json" if is_measured else "custom_metadata_json"]
    names = key.removeprefix(MEASURED_PREFIX).split(".")
    for start in range(0, n_samples, _SAMPLES_AT_ONCE):
        note(start, n_samples)
        stop = min(start + _SAMPLES_AT_ONCE, n_samples)
        query = sa.select(sample_contents.c.idx, column).where(
            sample_contents.c.dataset_key == dataset_key,
            sample_contents.c.idx >= start,
            sample_contents.c.idx < stop,
            column.is_not(None),
        )
        with database.read() as connection:
            rows = connection.execute(query).all()
        for idx, text in rows:
            yield idx, _look_up(orjson.loads(text), names)


def _look_up(value: Any, names: list[str]) -> Any:
    for name in names:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value
