"""Tables of datasources."""

from __future__ import annotations

import sqlalchemy as sa

from lightly.server.db.columns import ID, metadata

# Names compare by their bytes, on every database alike: listings go on behind a name.
FILE_NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

# One row per dataset and purpose. `settings_json` has what may be shown. What may not is in
# `sealed_secrets`: a JSON object, encrypted with a key that is not in the database. `role_hash`
# stands for the role and the external id of those that have any: see `datasources.tenants`.
datasources = sa.Table(
    "datasources",
    metadata,
    sa.Column("id", ID, primary_key=True),
    sa.Column("dataset_key", sa.BigInteger, nullable=False),
    sa.Column("purpose", sa.String(16), nullable=False),
    sa.Column("type", sa.String(24), nullable=False),
    sa.Column("full_path", sa.Text, nullable=False),
    sa.Column("settings_json", sa.Text, nullable=False),
    sa.Column("sealed_secrets", sa.Text),
    sa.Column("created_at_ms", sa.BigInteger, nullable=False),
    sa.Column("last_modified_at_ms", sa.BigInteger, nullable=False),
    sa.Column("role_hash", sa.String(64), index=True),
    sa.UniqueConstraint("dataset_key", "purpose"),
)

# A row for each role that was ever configured: whoever configures one holds its row meanwhile.
delegated_roles = sa.Table(
    "delegated_roles",
    metadata,
    sa.Column("role_hash", sa.String(64), primary_key=True),
)

# Up to which second the files of a dataset were processed.
datasource_clocks = sa.Table(
    "datasource_clocks",
    metadata,
    sa.Column("dataset_key", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("processed_until_s", sa.BigInteger, nullable=False),
)

# Names of files in the server's own storage. There is a row from when a file may be written on.
datasource_files = sa.Table(
    "datasource_files",
    metadata,
    sa.Column("dataset_key", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("name", FILE_NAME, primary_key=True),
    sa.Column("created_at_ms", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
