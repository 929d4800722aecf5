"""Two server processes on one PostgreSQL and one S3 store, behind one address."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.balancer import Balancer
from tests.support.object_stores import S3Server
from tests.support.platforms import TOKEN, ServerProcess, run_process
from tests.support.ports import find_free_port
from tests.support.postgres import PostgresServer


@dataclass(frozen=True)
class Cluster:
    """Servers that share everything.

    Attributes:
        url: Where clients find them.
        token: API token of the administrator.
        servers: The processes.
    """

    url: str
    token: str
    servers: tuple[ServerProcess, ...]


@contextmanager
def run_cluster(folder: Path, postgres: PostgresServer, store: S3Server) -> Iterator[Cluster]:
    """Yield two running servers that each have a folder of their own and nothing else."""
    name = uuid.uuid4().hex
    database_url = postgres.make_database(f"test_{name}")
    port = find_free_port()
    variables = {
        **store.variables,
        "LIGHTLY_SERVER_STORAGE_URL": store.make_url(),
        "LIGHTLY_SERVER_SECRET_KEY": uuid.uuid4().hex * 2,
        "LIGHTLY_SERVER_PUBLIC_URL": f"http://127.0.0.1:{port}",
    }
    with (
        run_process(folder / "first", database_url, **variables) as first,
        run_process(folder / "second", database_url, **variables) as second,
        Balancer(port, [first.port, second.port]),
    ):
        yield Cluster(f"http://127.0.0.1:{port}", TOKEN, (first, second))
