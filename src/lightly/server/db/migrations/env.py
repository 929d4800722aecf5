"""How Alembic reaches the database: always through a connection that it is given."""

from __future__ import annotations

from alembic import context

from lightly.server.db.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    render_as_batch=True,
)
context.run_migrations()
