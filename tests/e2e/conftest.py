"""One real server for a module of end-to-end tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.platforms import ServerProcess, run_process


@pytest.fixture(scope="module")
def running_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server process on SQLite that the tests of a module share."""
    with run_process(tmp_path_factory.mktemp("server") / "data") as server:
        yield server
