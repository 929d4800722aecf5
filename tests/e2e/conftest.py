"""Real servers for a module of end-to-end tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.clusters import Cluster, run_cluster
from tests.support.platforms import ServerProcess, run_process

CLUSTER = "two-processes-postgres-s3"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the older client on two servers to the long profile: 1.5.26 is tried there always."""
    for item in items:
        if item.path.name == "test_published_1_2_28.py" and CLUSTER in item.name:
            item.add_marker(pytest.mark.long)


@pytest.fixture(
    scope="module",
    params=[
        pytest.param("process", id="one-process"),
        pytest.param("cluster", id=CLUSTER, marks=pytest.mark.postgres),
    ],
)
def running_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServerProcess | Cluster]:
    """A server on SQLite and local files; and two on one PostgreSQL and one S3 store."""
    folder = tmp_path_factory.mktemp("server")
    if request.param == "process":
        with run_process(folder / "data") as server:
            yield server
    else:
        postgres = request.getfixturevalue("postgres_server")
        store = request.getfixturevalue("s3_server")
        with run_cluster(folder, postgres, store) as cluster:
            yield cluster
