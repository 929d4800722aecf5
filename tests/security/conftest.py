"""Servers full of things of two users, shared by the tests of a module."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from tests.support.platforms import run_in_process
from tests.support.population import Population, populate

#: Walks over all routes: what they ask is the same SQL on both databases, which the contract tests
#: run on both. On PostgreSQL they are part of the long profile.
WALKS = frozenset({"test_access_walk.py", "test_hostile_bodies.py", "test_mass_assignment.py"})


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave walks on the second database to the long profile."""
    for item in items:
        if item.path.name in WALKS and "postgres" in item.keywords:
            item.add_marker(pytest.mark.long)


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
)
def population(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Population]:
    """Two users on one server, once on SQLite and once on PostgreSQL."""
    url = ""
    if request.param == "postgres":
        server = request.getfixturevalue("postgres_server")
        url = server.make_database(f"test_{uuid.uuid4().hex}")
    folder = tmp_path_factory.mktemp("population")
    with run_in_process(folder / "data", url, lightly_mount=str(folder / "mount")) as running:
        yield populate(running)


@pytest.fixture(scope="module")
def sqlite_population(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Population]:
    """Two users on one server on SQLite, for what no database can change."""
    folder = tmp_path_factory.mktemp("population")
    with run_in_process(folder / "data", lightly_mount=str(folder / "mount")) as running:
        yield populate(running)
