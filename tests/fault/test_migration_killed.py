"""Migrations: from every schema there was, and killed in the middle of each."""

from __future__ import annotations

import subprocess
import sys

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from lightly.server.db import migrate
from lightly.server.db.engine import open_database
from lightly.server.db.migrate import migrate_database
from lightly.server.db.schema import metadata
from tests.conftest import DATABASES

REVISIONS = [
    script.revision
    for script in reversed(
        list(ScriptDirectory.from_config(migrate._make_config()).walk_revisions())
    )
]

#: Ends the process by SIGKILL when the n-th statement that changes the schema has been carried out.
KILLED = """
import os, signal, sys
import sqlalchemy as sa
from lightly.server.db.engine import open_database
from lightly.server.db.migrate import migrate_database

url, last = sys.argv[1], int(sys.argv[2])
database = open_database(url)
count = 0

@sa.event.listens_for(database.engine, "after_cursor_execute")
def be_killed(connection, cursor, statement, *rest):
    global count
    if statement.lstrip().upper().startswith(("CREATE", "ALTER", "DROP", "INSERT", "UPDATE")):
        count += 1
        if count == last:
            os.kill(os.getpid(), signal.SIGKILL)

migrate_database(database)
"""


@pytest.fixture(params=DATABASES)
def url(request, tmp_path, make_database_url):
    return make_database_url(request.param) or f"sqlite:///{tmp_path / 'test.sqlite'}"


@pytest.fixture
def database(url):
    opened = open_database(url)
    yield opened
    opened.close()


def read_schema(database):
    with database.read() as connection:
        revision = MigrationContext.configure(connection).get_current_revision()
        return revision, sorted(sa.inspect(connection).get_table_names())


def assert_whole(database):
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def add_user(database):
    statement = "INSERT INTO users (id, email, is_admin, created_at_ms) VALUES (:id, :mail, :no, 7)"
    values = {"id": "a" * 24, "mail": "a@b.c", "no": False}
    with database.write() as connection:
        connection.execute(sa.text(statement), values)


@pytest.mark.parametrize("revision", REVISIONS)
def test_every_schema_there_was_is_brought_up_to_date_with_its_rows(database, revision):
    migrate_database(database, revision)
    add_user(database)

    migrate_database(database)

    assert_whole(database)
    with database.read() as connection:
        assert connection.execute(sa.text("SELECT created_at_ms FROM users")).scalars().all() == [7]


@pytest.mark.parametrize("statement", [1, 2, 7, 20])
@pytest.mark.parametrize("revision", [None, "0001"])
def test_a_migration_that_is_killed_leaves_the_old_schema_and_is_repeated(
    database, url, revision, statement
):
    if revision is not None:
        migrate_database(database, revision)
        add_user(database)
    before = read_schema(database)

    killed = subprocess.run([sys.executable, "-c", KILLED, url, str(statement)], check=False)

    assert killed.returncode == -9
    assert read_schema(database) == before
    migrate_database(database)
    assert_whole(database)
