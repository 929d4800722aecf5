"""Columns of datasets that are no more: every server has files of its own, so each looks itself."""

from __future__ import annotations

import shutil
from pathlib import Path

import sqlalchemy as sa

from lightly.server.db.engine import Database
from lightly.server.db.tables import datasets

_CHUNK_FOLDERS = 500


def remove_leftover_columns(database: Database, folder: Path) -> int:
    """Remove the files that were derived from datasets which have been purged.

    Args:
        database: Knows which datasets there are.
        folder: Where derived blocks are kept, in one folder per dataset.

    Returns:
        How many datasets had left files.
    """
    if not folder.is_dir():
        return 0
    count = 0
    names = sorted(found.name for found in folder.iterdir())
    for start in range(0, len(names), _CHUNK_FOLDERS):
        chunk = names[start : start + _CHUNK_FOLDERS]
        with database.read() as connection:
            known = set(
                connection.scalars(sa.select(datasets.c.id).where(datasets.c.id.in_(chunk)))
            )
        for name in set(chunk) - known:
            shutil.rmtree(folder / name, ignore_errors=True)
            count += 1
    return count
