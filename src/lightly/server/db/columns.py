"""What all tables share: how constraints are named, how ids and keys are stored."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

ID = sa.String(24)
# SQLite numbers rows by itself only in a column of exactly this type.
KEY = sa.BigInteger().with_variant(sa.Integer, "sqlite")
