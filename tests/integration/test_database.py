"""The database: schema, durable settings, failures."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from lightly._kit.errors import BadInput
from lightly.server.db.engine import open_database
from lightly.server.db.migrate import migrate_database
from lightly.server.db.schema import metadata
from lightly.server.errors import StorageFull, Unavailable
from tests.conftest import DATABASES


@pytest.fixture(params=DATABASES)
def database(request, tmp_path, make_database_url):
    url = make_database_url(request.param) or f"sqlite:///{tmp_path / 'test.sqlite'}"
    opened = open_database(url)
    yield opened
    opened.close()


def test_the_migrations_make_exactly_the_tables(database):
    migrate_database(database)

    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, metadata)

    assert differences == []


def test_migrating_twice_changes_nothing(database):
    migrate_database(database)
    before = set(sa.inspect(database.engine).get_table_names())

    migrate_database(database)

    assert set(sa.inspect(database.engine).get_table_names()) == before


def test_a_database_of_a_newer_release_is_refused(database):
    migrate_database(database)
    with database.write() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(BadInput, match="newer release"):
        migrate_database(database)


def test_an_error_undoes_the_whole_transaction(database):
    migrate_database(database)
    insert = sa.text("INSERT INTO users VALUES ('a', 'a@b.c', :admin, 0, NULL)")

    with pytest.raises(RuntimeError), database.write() as connection:
        connection.execute(insert, {"admin": True})
        raise RuntimeError

    with database.read() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM users")).scalar_one() == 0


def test_sqlite_acknowledges_only_what_is_on_disk(tmp_path):
    database = open_database(f"sqlite:///{tmp_path / 'test.sqlite'}")

    with database.read() as connection:
        synchronous = connection.exec_driver_sql("PRAGMA synchronous").scalar_one()
        journal = connection.exec_driver_sql("PRAGMA journal_mode").scalar_one()

    assert (synchronous, journal) == (2, "wal")
    database.close()


def test_a_full_disk_is_told_apart_and_loses_nothing(tmp_path):
    database = open_database(f"sqlite:///{tmp_path / 'test.sqlite'}")
    migrate_database(database)
    # A ceiling on pages makes SQLite fail exactly as a full disk does.
    with database.read() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    insert = "INSERT INTO users VALUES (?, ?, 0, 0, NULL)"

    with pytest.raises(StorageFull), database.write() as connection:
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
        for number in range(10_000):
            connection.exec_driver_sql(insert, (str(number), f"{number}@{'x' * 200}"))

    with database.write() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count=1000000")
        assert connection.exec_driver_sql("SELECT count(*) FROM users").scalar_one() == 0
        connection.exec_driver_sql(insert, ("1", "a@b.c"))
    database.close()


def test_a_database_that_is_away_is_unavailable_not_broken(monkeypatch):
    with pytest.raises(Unavailable):
        open_database("postgresql://lightly@127.0.0.1:1/nothing?connect_timeout=1")


@pytest.mark.parametrize("url", ["mysql://x", "lightly.sqlite", "sqlite://", ""])
def test_other_kinds_of_database_are_refused(url):
    with pytest.raises(BadInput, match="database URL"):
        open_database(url)
