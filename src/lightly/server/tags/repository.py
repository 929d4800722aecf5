"""Queries on tags, their scores and their samples. All are bound to a dataset or a tag of one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from lightly.server.db.tables import sample_contents, samples, tag_scores, tags
from lightly.server.samples.changes import note_scores
from lightly.server.samples.models import Sample, SampleIdentity
from lightly.server.tags.masks import IndexArray
from lightly.server.tags.models import Score, Tag

_COLUMNS = [tags.c[name] for name in Tag.__dataclass_fields__]
_SCORE_COLUMNS = [tag_scores.c[name] for name in Score.__dataclass_fields__]
_SAMPLE_COLUMNS = [
    samples.c[name] if name in samples.c else sample_contents.c[name]
    for name in Sample.__dataclass_fields__
]
_SAMPLES_WITH_CONTENTS = samples.join(
    sample_contents,
    (sample_contents.c.dataset_key == samples.c.dataset_key)
    & (sample_contents.c.idx == samples.c.idx),
)


def _make_tag(row: sa.Row[tuple[object, ...]]) -> Tag:
    return Tag(**row._mapping)  # noqa: SLF001  the documented name of this view


def find_tag(connection: sa.Connection, dataset_key: int, tag_id: str) -> Tag | None:
    """Return a tag of a dataset by id."""
    return next(iter(find_tags(connection, dataset_key, [tag_id])), None)


def find_tags(connection: sa.Connection, dataset_key: int, tag_ids: Iterable[str]) -> list[Tag]:
    """Return those of some tags that the dataset has, oldest first."""
    query = sa.select(*_COLUMNS).where(tags.c.dataset_key == dataset_key, tags.c.id.in_(tag_ids))
    found = [_make_tag(row) for row in connection.execute(query)]
    # Sorted here, because the database would carry the masks through its sort.
    return sorted(found, key=lambda tag: (tag.created_at_ms, tag.id))


def find_tag_by_name(connection: sa.Connection, dataset_key: int, name: str) -> Tag | None:
    """Return a tag of a dataset by its exact name."""
    row = connection.execute(
        sa.select(*_COLUMNS).where(tags.c.dataset_key == dataset_key, tags.c.name == name)
    ).one_or_none()
    return None if row is None else _make_tag(row)


def find_tot_size(connection: sa.Connection, dataset_key: int) -> int | None:
    """Return how many samples the tags of a dataset cover, None when it has no tag."""
    query = sa.select(tags.c.tot_size).where(tags.c.dataset_key == dataset_key)
    return connection.execute(query.limit(1)).scalar()


def list_tag_ids(connection: sa.Connection, dataset_key: int) -> list[str]:
    """Return the ids of all tags of a dataset, oldest first: the initial tag leads."""
    query = (
        sa.select(tags.c.id)
        .where(tags.c.dataset_key == dataset_key)
        .order_by(tags.c.created_at_ms, tags.c.id)
    )
    return list(connection.execute(query).scalars())


def filter_tag_ids(connection: sa.Connection, dataset_key: int, tag_ids: Iterable[str]) -> set[str]:
    """Return those of some ids that are tags of the dataset."""
    query = sa.select(tags.c.id).where(tags.c.dataset_key == dataset_key, tags.c.id.in_(tag_ids))
    return set(connection.execute(query).scalars())


def list_children(connection: sa.Connection, tag: Tag) -> list[Tag]:
    """Return the tags whose parent is `tag`."""
    query = sa.select(*_COLUMNS).where(
        tags.c.dataset_key == tag.dataset_key, tags.c.prev_tag_id == tag.id
    )
    return [_make_tag(row) for row in connection.execute(query)]


def is_referred_to(connection: sa.Connection, tag: Tag) -> bool:
    """Tell whether another tag names this one as parent, query or preselection."""
    links = (tags.c.prev_tag_id, tags.c.query_tag_id, tags.c.preselected_tag_id)
    query = sa.select(tags.c.id).where(
        tags.c.dataset_key == tag.dataset_key,
        tags.c.id != tag.id,
        sa.or_(*(link == tag.id for link in links)),
    )
    return connection.execute(query.limit(1)).first() is not None


def insert_tag(connection: sa.Connection, tag: Tag) -> None:
    """Add a tag. Raises `IntegrityError` when the dataset has one of this name."""
    values = {name: getattr(tag, name) for name in Tag.__dataclass_fields__}
    connection.execute(sa.insert(tags).values(values))


def update_tag(connection: sa.Connection, tag: Tag, now_ms: int, **values: object) -> None:
    """Change columns of a tag and note when."""
    connection.execute(
        sa.update(tags).where(tags.c.id == tag.id).values(last_modified_at_ms=now_ms, **values)
    )


def resize_tags(connection: sa.Connection, dataset_key: int, tot_size: int) -> None:
    """Let all tags of a dataset speak of so many samples; which they hold stays."""
    connection.execute(
        sa.update(tags)
        .where(tags.c.dataset_key == dataset_key, tags.c.tot_size != tot_size)
        .values(tot_size=tot_size)
    )


def delete_tag(connection: sa.Connection, tag: Tag) -> None:
    """Remove a tag; its scores go with it."""
    connection.execute(sa.delete(tags).where(tags.c.id == tag.id))


def list_scores(connection: sa.Connection, tag_id: str) -> list[Score]:
    """Return a tag's scores without their values, oldest first."""
    query = (
        sa.select(*_SCORE_COLUMNS)
        .where(tag_scores.c.tag_id == tag_id)
        .order_by(tag_scores.c.created_at_ms, tag_scores.c.id)
    )
    return [Score(**row._mapping) for row in connection.execute(query)]  # noqa: SLF001  documented


def find_scored(connection: sa.Connection, dataset_key: int) -> set[str]:
    """Return the ids of the tags of a dataset that have scores."""
    query = (
        sa.select(tag_scores.c.tag_id)
        .distinct()
        .join(tags, tags.c.id == tag_scores.c.tag_id)
        .where(tags.c.dataset_key == dataset_key)
    )
    return set(connection.scalars(query))


def find_score(connection: sa.Connection, tag_id: str, score_id: str) -> Score | None:
    """Return a tag's score by id, without its values."""
    return _find_score(connection, tag_id, tag_scores.c.id == score_id)


def find_score_by_type(connection: sa.Connection, tag_id: str, score_type: str) -> Score | None:
    """Return a tag's score by type, without its values."""
    return _find_score(connection, tag_id, tag_scores.c.score_type == score_type)


def _find_score(
    connection: sa.Connection, tag_id: str, condition: sa.ColumnElement[bool]
) -> Score | None:
    query = sa.select(*_SCORE_COLUMNS).where(tag_scores.c.tag_id == tag_id, condition)
    row = connection.execute(query).one_or_none()
    return None if row is None else Score(**row._mapping)  # noqa: SLF001  documented


def read_packed_scores(connection: sa.Connection, score: Score) -> bytes:
    """Return the packed values of a score."""
    packed: bytes = connection.execute(
        sa.select(tag_scores.c.scores).where(tag_scores.c.id == score.id)
    ).scalar_one()
    return packed


def insert_score(connection: sa.Connection, score: Score, packed: bytes) -> None:
    """Add the scores of one type."""
    values = {name: getattr(score, name) for name in Score.__dataclass_fields__}
    connection.execute(sa.insert(tag_scores).values(**values, scores=packed))


def replace_scores(connection: sa.Connection, score_id: str, packed: bytes) -> None:
    """Put other values in the place of stored scores."""
    connection.execute(
        sa.update(tag_scores).where(tag_scores.c.id == score_id).values(scores=packed)
    )


def delete_scores(connection: sa.Connection, tag_id: str) -> None:
    """Remove all scores of a tag."""
    connection.execute(sa.delete(tag_scores).where(tag_scores.c.tag_id == tag_id))


def note_scores_of(connection: sa.Connection, tag: Tag) -> None:
    """Note that a tag is about to change, where it has scores: columns speak of those."""
    if list_scores(connection, tag.id):
        note_scores(connection, tag.dataset_key)


def read_file_names_at(
    connection: sa.Connection, dataset_key: int, indices: IndexArray
) -> list[str]:
    """Return the file names of the samples with these indices, in index order."""
    query = _select_at([samples.c.file_name], dataset_key, indices)
    return list(connection.execute(query).scalars())


def read_identities_at(
    connection: sa.Connection, dataset_key: int, indices: IndexArray
) -> list[SampleIdentity]:
    """Return what names the samples with these indices, in index order."""
    columns = [samples.c.idx, samples.c.id, samples.c.file_name, samples.c.type]
    rows = connection.execute(_select_at(columns, dataset_key, indices))
    return [SampleIdentity(*row) for row in rows]


def read_samples_at(
    connection: sa.Connection, dataset_key: int, indices: IndexArray
) -> list[Sample]:
    """Return the samples with these indices, in index order."""
    query = _select_at(_SAMPLE_COLUMNS, dataset_key, indices)
    rows = connection.execute(query.select_from(_SAMPLES_WITH_CONTENTS))
    return [Sample(*row) for row in rows]


def _select_at(
    columns: Iterable[sa.ColumnElement[Any]], dataset_key: int, indices: IndexArray
) -> sa.Select[Any]:
    if len(indices) and int(indices[-1] - indices[0]) == len(indices) - 1:
        # A run, as in tags of most samples: read three times as fast as a list.
        condition = samples.c.idx.between(int(indices[0]), int(indices[-1]))
    else:
        condition = samples.c.idx.in_(indices.tolist())
    return (
        sa.select(*columns)
        .where(samples.c.dataset_key == dataset_key, condition)
        .order_by(samples.c.idx)
    )
