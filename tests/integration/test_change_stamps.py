"""Stamps of the database change with everything that is committed, wherever it is committed."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from lightly.server.db.changes import SNAPSHOT_TTL_S, ChangeStamps
from lightly.server.db.engine import open_database
from lightly.server.errors import Unavailable
from tests.conftest import DATABASES

INSERT = sa.text("INSERT INTO things VALUES (1)")


@pytest.fixture(params=DATABASES)
def url(request, tmp_path, make_database_url):
    return make_database_url(request.param) or f"sqlite:///{tmp_path / 'test.sqlite'}"


@pytest.fixture
def database(url):
    opened = open_database(url)
    with opened.write() as connection:
        connection.execute(sa.text("CREATE TABLE things (number INTEGER)"))
    yield opened
    opened.close()


@pytest.fixture
def other(url, database):
    """The same database as another server sees it."""
    opened = open_database(url)
    yield opened
    opened.close()


class Clock:
    now_s = 0.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def stamps(database, clock):
    made = ChangeStamps(database.engine, clock)
    yield made
    made.close()


def test_while_nobody_writes_the_stamp_stays(database, stamps, clock):
    stamp = stamps.read()

    with database.read() as connection:
        connection.execute(sa.text("SELECT * FROM things")).all()
    clock.now_s += SNAPSHOT_TTL_S

    assert stamps.read() == stamp


def test_what_another_server_commits_changes_the_stamp(other, stamps, clock):
    stamp = stamps.read()

    with other.write() as connection:
        connection.execute(INSERT)
    clock.now_s += SNAPSHOT_TTL_S

    assert stamps.read() != stamp


def test_what_this_server_commits_changes_the_stamp_at_once(database):
    stamp = database.stamps.read()

    with database.write() as connection:
        connection.execute(INSERT)

    assert database.stamps.peek() != stamp


def test_a_write_that_was_begun_before_changes_the_stamp_when_it_ends(other, stamps, clock):
    with other.write() as connection:
        connection.execute(INSERT)
        stamp = stamps.read()
    clock.now_s += SNAPSHOT_TTL_S

    assert stamps.read() != stamp


def test_a_stamp_that_is_too_old_is_not_given_without_asking(database, stamps, clock):
    stamps.read()

    clock.now_s += SNAPSHOT_TTL_S

    assert (stamps.peek() is None) == (not database.is_sqlite)


def test_a_database_that_is_away_is_unavailable(database):
    stamps = ChangeStamps(sa.create_engine("sqlite:////nowhere/at/all.sqlite"))
    with pytest.raises(Unavailable):
        stamps.read()
