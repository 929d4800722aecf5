"""Fixtures that tests of every kind share."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from _pytest.nodeid import coerce_node_id
from hypothesis import settings

from tests.support.emulators import AzureServer, GcsServer, MotoServer
from tests.support.object_stores import S3Server
from tests.support.platforms import InProcessServer, ServerProcess, run_in_process, run_process
from tests.support.postgres import PostgresServer, lend_databases

# Nothing of the developer's own environment may leak into a test.
for _name in [name for name in os.environ if name.startswith("LIGHTLY_")]:
    del os.environ[_name]

# How long an example takes says more about the machine than about the code.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

DATABASES = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Give each test an id of its own that tells its group.

    Those that are made for each operation of the contract share one, and of tests with one id the
    parallel run carries out a single one. It reads groups from the ends of ids, too, but notes them
    where pytest does not look any more. Done as soon as there are tests, since those that failed
    last are chosen by their ids.
    """
    report = yield
    for item in report.result or ():
        if isinstance(item, pytest.Item) and item.parent is not None:
            groups = "_".join(sorted({mark.args[0] for mark in item.iter_markers("xdist_group")}))
            item._id = coerce_node_id(f"{item.parent.nodeid}::{item.name}{groups and f'@{groups}'}")
    return report


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL server for the whole run."""
    server = PostgresServer()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    """An S3 server for the whole run."""
    server = S3Server()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def azure_server() -> Iterator[AzureServer]:
    """An Azure server for the whole run."""
    server = AzureServer()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def gcs_server() -> Iterator[GcsServer]:
    """A server of Google Cloud Storage for the whole run."""
    server = GcsServer()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def moto_server() -> Iterator[MotoServer]:
    """A server with S3 and roles for the whole run."""
    server = MotoServer()
    yield server
    server.stop()


@pytest.fixture
def make_database_url(request: pytest.FixtureRequest) -> Iterator[Callable[[str], str]]:
    """Return a function that makes an empty database of a kind and returns its URL."""
    with lend_databases(request) as make:
        yield make


@pytest.fixture
def make_server_url(request: pytest.FixtureRequest) -> Iterator[Callable[[str], str]]:
    """The same with the tables of this release in it, which is faster for a server to start on."""
    with lend_databases(request, is_migrated=True) as make:
        yield make


@pytest.fixture(params=DATABASES)
def server(
    request: pytest.FixtureRequest, tmp_path: Path, make_server_url: Callable[[str], str]
) -> Iterator[InProcessServer]:
    """A server in this process, once on SQLite and once on PostgreSQL."""
    with run_in_process(tmp_path / "data", make_server_url(request.param)) as running:
        yield running


@pytest.fixture
def sqlite_server(tmp_path: Path) -> Iterator[InProcessServer]:
    """A server in this process on SQLite, for what no database can change."""
    with run_in_process(tmp_path / "data") as running:
        yield running


@pytest.fixture
def server_process(tmp_path: Path) -> Iterator[ServerProcess]:
    """A real server process on SQLite."""
    with run_process(tmp_path / "data") as running:
        yield running
