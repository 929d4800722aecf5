"""Queries on reports of selections. All are bound to a tag, or to a job, that was loaded before."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from lightly.server.db.engine import insert_rows
from lightly.server.db.selection_tables import selection_columns, selection_reports
from lightly.server.db.tables import tags
from lightly.server.selections.models import StoredReport

_COLUMNS = [selection_reports.c[name] for name in StoredReport.__dataclass_fields__]
_BLOCK_FIELDS = ["tag_id", "name", "block", "content"]


def insert_report(
    connection: sa.Connection, report: StoredReport, blocks: Iterable[tuple[str, int, bytes]]
) -> None:
    """Add the report of a tag that was made in this transaction."""
    values = {name: getattr(report, name) for name in StoredReport.__dataclass_fields__}
    connection.execute(sa.insert(selection_reports).values(values))
    rows = [(report.tag_id, *block) for block in blocks]
    insert_rows(connection, selection_columns, _BLOCK_FIELDS, rows)


def find_report(connection: sa.Connection, tag_id: str) -> StoredReport | None:
    """Return the report of a tag."""
    return _find(connection, selection_reports.c.tag_id == tag_id)


def find_report_of_job(connection: sa.Connection, job_id: str) -> StoredReport | None:
    """Return the report of a job whose tag still exists."""
    return _find(connection, selection_reports.c.job_id == job_id)


def _find(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> StoredReport | None:
    row = connection.execute(sa.select(*_COLUMNS).where(condition)).one_or_none()
    return None if row is None else StoredReport(*row)


def find_reported(connection: sa.Connection, dataset_key: int) -> set[str]:
    """Return the ids of the tags of a dataset that have reports."""
    query = (
        sa.select(selection_reports.c.tag_id)
        .join(tags, tags.c.id == selection_reports.c.tag_id)
        .where(tags.c.dataset_key == dataset_key)
    )
    return set(connection.scalars(query))


def read_block(connection: sa.Connection, tag_id: str, name: str, block: int) -> bytes | None:
    """Return a packed block of a column; None when it is gone with its tag."""
    query = sa.select(selection_columns.c.content).where(
        selection_columns.c.tag_id == tag_id,
        selection_columns.c.name == name,
        selection_columns.c.block == block,
    )
    return connection.execute(query).scalar_one_or_none()
