"""Queries on samples. Samples are only ever appended, so index ranges have no holes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by

from lightly._kit.ids import make_ids
from lightly.server.auth.users import User
from lightly.server.db.engine import insert_rows
from lightly.server.db.tables import datasets, sample_contents, samples, tokens, users
from lightly.server.samples.changes import note_changes
from lightly.server.samples.models import NewSample, Sample

#: Index, id and file name: all that listings of names read.
Identity = tuple[int, str, str]

_IDENTITY = (samples.c.idx, samples.c.id, samples.c.file_name)
#: Below the number of parameters that databases take.
_INDICES_PER_QUERY = 1_000
_SAMPLE_COLUMNS = [
    samples.c[name] if name in samples.c else sample_contents.c[name]
    for name in Sample.__dataclass_fields__
]
_SAME_SAMPLE = (sample_contents.c.dataset_key == samples.c.dataset_key) & (
    sample_contents.c.idx == samples.c.idx
)
_IDENTITY_INSERT = ["dataset_key", "idx", "id", "file_name", "type", "created_at_ms"]
_CONTENTS_INSERT = [
    "dataset_key",
    "idx",
    "last_modified_at_ms",
    "thumb_name",
    "metadata_json",
    "custom_metadata_json",
    "exif_json",
    "video_frame_json",
    "crop_json",
]


def lock_counts(connection: sa.Connection, dataset_key: int) -> tuple[int, int]:
    """Hold the dataset against other writers; return its sample count and size in bytes."""
    row = connection.execute(
        sa.select(datasets.c.n_samples, datasets.c.size_bytes)
        .where(datasets.c.key == dataset_key)
        .with_for_update()
    ).one()
    return row.n_samples, row.size_bytes


def update_counts(
    connection: sa.Connection, dataset_key: int, now_ms: int, *, n_samples: int, size_bytes: int
) -> None:
    """Store the counts of a dataset that `lock_counts` holds."""
    connection.execute(
        sa.update(datasets)
        .where(datasets.c.key == dataset_key)
        .values(n_samples=n_samples, size_bytes=size_bytes, last_modified_at_ms=now_ms)
    )


def update_size(connection: sa.Connection, dataset_key: int, size_bytes: int) -> None:
    """Store the size of a dataset that `lock_counts` holds."""
    connection.execute(
        sa.update(datasets).where(datasets.c.key == dataset_key).values(size_bytes=size_bytes)
    )


def append_samples(
    connection: sa.Connection,
    dataset_key: int,
    first_idx: int,
    new_samples: Sequence[NewSample],
    now_ms: int,
) -> list[str]:
    """Add samples at the end of a dataset that `lock_counts` holds; return their ids."""
    ids = make_ids(len(new_samples))
    numbered = list(enumerate(new_samples, first_idx))
    identities = [
        (dataset_key, idx, sample_id, new.file_name, new.contents.type, now_ms)
        for sample_id, (idx, new) in zip(ids, numbered, strict=True)
    ]
    contents = [
        (
            dataset_key,
            idx,
            now_ms,
            new.contents.thumb_name,
            new.contents.metadata_json,
            new.contents.custom_metadata_json,
            new.contents.exif_json,
            new.contents.video_frame_json,
            new.contents.crop_json,
        )
        for idx, new in numbered
    ]
    insert_rows(connection, samples, _IDENTITY_INSERT, identities)
    insert_rows(connection, sample_contents, _CONTENTS_INSERT, contents)
    note_changes(connection, dataset_key, range(first_idx, first_idx + len(ids)))
    return ids


def find_by_ids(connection: sa.Connection, dataset_key: int, ids: Iterable[str]) -> list[Identity]:
    """Return those of the samples with these ids that are in the dataset, in no order."""
    return _find_identities(connection, dataset_key, "id", ids)


def find_by_file_names(
    connection: sa.Connection, dataset_key: int, file_names: Iterable[str]
) -> list[Identity]:
    """Return those of the samples with these names that are in the dataset, in no order."""
    return _find_identities(connection, dataset_key, "file_name", file_names)


def _find_identities(
    connection: sa.Connection,
    dataset_key: int,
    column: Literal["id", "file_name"],
    values: Iterable[str],
) -> list[Identity]:
    # One statement whatever their number: a list of parameters has a length limit on SQLite.
    if connection.dialect.name == "sqlite":
        parameters = {"dataset_key": dataset_key, "wanted": json.dumps(list(values))}
        rows = connection.execute(_FIND_ON_SQLITE[column], parameters)
    else:
        is_wanted = samples.c[column] == sa.any_(sa.cast(list(values), sa.ARRAY(sa.Text)))
        query = sa.select(*_IDENTITY).where(samples.c.dataset_key == dataset_key, is_wanted)
        rows = connection.execute(query)
    return [(row.idx, row.id, row.file_name) for row in rows]


# CROSS JOIN makes SQLite look up each value in the index. Free to choose, it reads all samples of
# the dataset and compares each with the values.
_FIND_ON_SQLITE = {
    column: sa.text(
        "SELECT samples.idx, samples.id, samples.file_name "  # noqa: S608  our own column names
        "FROM json_each(:wanted) AS wanted CROSS JOIN samples "
        f"WHERE samples.dataset_key = :dataset_key AND samples.{column} = wanted.value"
    )
    for column in ("id", "file_name")
}


def read_identities(
    connection: sa.Connection, dataset_key: int, start: int, stop: int
) -> list[Identity]:
    """Return index, id and name of the samples with `start <= idx < stop`, in order."""
    query = _select_range(_IDENTITY, dataset_key, start, stop)
    return [tuple(row) for row in connection.execute(query)]


def read_chosen_identities(
    connection: sa.Connection, dataset_key: int, indices: Sequence[int]
) -> dict[int, tuple[str, str]]:
    """Return id and name of samples by index."""
    found: dict[int, tuple[str, str]] = {}
    for start in range(0, len(indices), _INDICES_PER_QUERY):
        wanted = indices[start : start + _INDICES_PER_QUERY]
        query = sa.select(*_IDENTITY).where(
            samples.c.dataset_key == dataset_key, samples.c.idx.in_(wanted)
        )
        found |= {row.idx: (row.id, row.file_name) for row in connection.execute(query)}
    return found


def read_file_names(
    connection: sa.Connection, dataset_key: int, start: int, stop: int
) -> list[str]:
    """Return the file names of the samples with `start <= idx < stop`, in order."""
    query = _select_range([samples.c.file_name], dataset_key, start, stop)
    return list(connection.execute(query).scalars())


def write_mapping(
    connection: sa.Connection,
    dataset_key: int,
    start: int,
    stop: int,
    column: Literal["id", "file_name"],
) -> str:
    """Return ids or names of the samples with `start <= idx < stop`, in order, as a JSON list.

    The database writes it: for a million names that takes half the time of reading them here.
    """
    query = _select_range([samples.c.idx, samples.c[column]], dataset_key, start, stop)
    page = query.subquery("page")
    if connection.dialect.name == "sqlite":
        written: sa.ColumnElement[Any] = sa.func.json_group_array(page.c[column])
    else:
        ordered = aggregate_order_by(page.c[column], page.c.idx)
        written = sa.cast(sa.func.coalesce(sa.func.json_agg(ordered), sa.text("'[]'")), sa.Text)
    text: str = connection.execute(sa.select(written)).scalar_one()
    return text


def _select_range(
    columns: Iterable[sa.ColumnElement[Any]], dataset_key: int, start: int, stop: int
) -> sa.Select[Any]:
    return (
        sa.select(*columns)
        .where(samples.c.dataset_key == dataset_key, samples.c.idx >= start, samples.c.idx < stop)
        .order_by(samples.c.idx)
    )


def read_samples(
    connection: sa.Connection, dataset_key: int, start: int, stop: int
) -> list[Sample]:
    """Return the samples with `start <= idx < stop`, in order."""
    query = _select_range(_SAMPLE_COLUMNS, dataset_key, start, stop)
    return _fetch_samples(connection, query)


def read_samples_by_id(
    connection: sa.Connection,
    dataset_key: int,
    *,
    after_id: str,
    n_samples: int,
    offset: int,
    limit: int,
) -> list[Sample]:
    """Return at most `limit` samples in the order of their ids.

    Args:
        connection: An open transaction.
        dataset_key: The dataset.
        after_id: Only ids above this one; empty for all.
        n_samples: Only samples with an index below this one.
        offset: How many of those to leave out.
        limit: Most samples to return.
    """
    order = samples.c.id.asc()
    n_left = n_samples - offset - limit
    if not after_id and 0 <= n_left < offset:
        # Nearer to the end: what is left out is walked through.
        order, offset = samples.c.id.desc(), n_left
    # The page is cut from the index alone. Joined first, PostgreSQL may read all contents.
    page = (
        sa.select(samples.c.idx)
        .where(
            samples.c.dataset_key == dataset_key,
            samples.c.id > after_id,
            samples.c.idx < n_samples,
        )
        .order_by(order)
        .offset(offset)
        .limit(limit)
        .subquery("page")
    )
    joined = page.join(
        samples, (samples.c.dataset_key == dataset_key) & (samples.c.idx == page.c.idx)
    ).join(sample_contents, _SAME_SAMPLE)
    rows = connection.execute(
        sa.select(*_SAMPLE_COLUMNS).select_from(joined).order_by(samples.c.id)
    )
    return [Sample(*row) for row in rows]


def find_sample(connection: sa.Connection, dataset_key: int, sample_id: str) -> Sample | None:
    """Return one sample by id."""
    return _find_one(connection, dataset_key, samples.c.id == sample_id)


def find_metadata_of_upload(
    connection: sa.Connection, dataset_id: str, sample_id: str
) -> str | None:
    """Return the metadata of a sample as JSON text, for an upload that a signed URL has let in."""
    query = (
        sa.select(sample_contents.c.metadata_json)
        .select_from(samples.join(sample_contents, _SAME_SAMPLE))
        .join(datasets, datasets.c.key == samples.c.dataset_key)
        .where(datasets.c.id == dataset_id, samples.c.id == sample_id)
    )
    text: str | None = connection.execute(query).scalar()
    return text


def find_sample_by_file_name(
    connection: sa.Connection, dataset_key: int, file_name: str
) -> Sample | None:
    """Return one sample by its name."""
    # No name has a NUL in it, and PostgreSQL refuses to compare with one.
    if "\0" in file_name:
        return None
    return _find_one(connection, dataset_key, samples.c.file_name == file_name)


def _find_one(
    connection: sa.Connection, dataset_key: int, condition: sa.ColumnElement[bool]
) -> Sample | None:
    query = sa.select(*_SAMPLE_COLUMNS).where(samples.c.dataset_key == dataset_key, condition)
    found = _fetch_samples(connection, query)
    return found[0] if found else None


def _fetch_samples(connection: sa.Connection, query: sa.Select[Any]) -> list[Sample]:
    rows = connection.execute(query.select_from(samples.join(sample_contents, _SAME_SAMPLE)))
    return [Sample(*row) for row in rows]


def rename_sample(connection: sa.Connection, dataset_key: int, idx: int, file_name: str) -> None:
    """Change a file name. Raises `IntegrityError` when another sample has it."""
    connection.execute(
        sa.update(samples)
        .where(samples.c.dataset_key == dataset_key, samples.c.idx == idx)
        .values(file_name=file_name)
    )
    note_changes(connection, dataset_key, [idx])


def update_contents(
    connection: sa.Connection, dataset_key: int, idx: int, now_ms: int, **values: str | None
) -> None:
    """Change columns of one sample's contents and note when."""
    connection.execute(
        sa.update(sample_contents)
        .where(sample_contents.c.dataset_key == dataset_key, sample_contents.c.idx == idx)
        .values(last_modified_at_ms=now_ms, **values)
    )
    note_changes(connection, dataset_key, [idx])


def update_custom_metadata(
    connection: sa.Connection, dataset_key: int, texts: dict[int, str | None], now_ms: int
) -> None:
    """Replace the custom metadata of many samples, given as JSON text by sample index."""
    statement = (
        sa.update(sample_contents)
        .where(
            sample_contents.c.dataset_key == dataset_key,
            sample_contents.c.idx == sa.bindparam("at_idx"),
        )
        .values(custom_metadata_json=sa.bindparam("text"), last_modified_at_ms=now_ms)
    )
    parameters = [{"at_idx": idx, "text": text} for idx, text in texts.items()]
    connection.execute(statement, parameters)
    note_changes(connection, dataset_key, texts)


def find_user_with_token_hashes(
    connection: sa.Connection, user_id: str
) -> tuple[User, list[str]] | None:
    """Return an enabled user and the hashes of all API tokens that are valid for it."""
    rows = connection.execute(
        sa.select(users.c.id, users.c.email, users.c.is_admin, tokens.c.hash)
        .join(tokens, tokens.c.user_id == users.c.id)
        .where(users.c.id == user_id, users.c.disabled_at_ms.is_(None))
        .order_by(tokens.c.created_at_ms.desc(), tokens.c.hash)
    ).all()
    if not rows:
        return None
    user = User(rows[0].id, rows[0].email, rows[0].is_admin)
    return user, [row.hash for row in rows]
