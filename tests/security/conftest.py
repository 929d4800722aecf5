"""Servers full of things of two users, shared by the tests of a module."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.platforms import run_in_process
from tests.support.population import Population, populate
from tests.support.postgres import lend_databases

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
    folder = tmp_path_factory.mktemp("population")
    with (
        lend_databases(request, is_migrated=True) as make_url,
        run_in_process(folder / "data", make_url(request.param), **_settings(folder)) as running,
    ):
        yield populate(running)


@pytest.fixture(scope="module")
def sqlite_population(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Population]:
    """Two users on one server on SQLite, for what no database can change."""
    folder = tmp_path_factory.mktemp("population")
    with run_in_process(folder / "data", **_settings(folder)) as running:
        yield populate(running)


def _settings(folder: Path) -> dict[str, Any]:
    # Tokens that were taken back are used all the time, on a fast machine by the hundred a minute.
    return {"lightly_mount": str(folder / "mount"), "failed_logins_per_minute": 1_000_000}
