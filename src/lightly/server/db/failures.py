"""Failures of the database itself, as answers that clients can act on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from lightly.server.errors import StorageFull, Unavailable


@contextmanager
def translate_errors() -> Iterator[None]:
    """Turn failures of the database itself into answers that clients can act on."""
    try:
        yield
    except sa.exc.TimeoutError as error:
        raise Unavailable("All database connections are in use. Try again shortly.") from error
    except sa.exc.DBAPIError as error:
        if not (isinstance(error, sa.exc.OperationalError) or error.connection_invalidated):
            raise
        if "disk is full" in str(error.orig) or "No space left" in str(error.orig):
            raise StorageFull from error
        raise Unavailable("The database does not answer. Try again shortly.") from error


@contextmanager
def wrap_driver_errors(connection: sa.Connection, statement: str) -> Iterator[None]:
    """Raise what the driver raises as SQLAlchemy does for statements that go through it."""
    base = connection.dialect.loaded_dbapi.Error
    try:
        yield
    except base as error:
        raise sa.exc.DBAPIError.instance(
            statement, None, error, base, dialect=connection.dialect
        ) from error
