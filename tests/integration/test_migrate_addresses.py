"""Addresses of a database of the first schema come into the form in which they are compared."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from lightly.server.db.engine import open_database
from lightly.server.db.migrate import migrate_database
from lightly.server.db.tables import users

#: What they were, and what they become: somebody who has the other form already keeps it.
ADDRESSES = {
    "Ann@Example.com": "ann@example.com",
    "bob@example.com": "bob@example.com",
    "Bob@example.com": "Bob@example.com",
}


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_addresses_become_lower_case_unless_somebody_has_that(kind, make_database_url, tmp_path):
    url = make_database_url(kind) or f"sqlite:///{tmp_path / 'old.sqlite'}"
    database = open_database(url)
    migrate_database(database, "0001")
    with database.write() as connection:
        for number, email in enumerate(ADDRESSES):
            row = {"id": f"{number:024x}", "email": email, "is_admin": False, "created_at_ms": 1}
            connection.execute(sa.insert(users).values(row))

    migrate_database(database)

    with database.read() as connection:
        found = connection.execute(sa.select(users.c.email).order_by(users.c.id)).scalars().all()
    database.close()
    assert found == list(ADDRESSES.values())
