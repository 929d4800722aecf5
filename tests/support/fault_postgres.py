"""A PostgreSQL server that goes away and comes back."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg
from psycopg.rows import TupleRow

from tests.support.postgres import PostgresServer


class MovablePostgres(PostgresServer):
    """A PostgreSQL server of one module's own; what is done to it disturbs nobody else."""

    def take_away(self) -> None:
        """Stop it at once, as a crash would; all connections are cut."""
        self._run("pg_ctl", "-D", self._data, "-m", "immediate", "-w", "stop")

    def bring_back(self) -> None:
        """Start it again where it was."""
        options = f"-p {self._port} -c listen_addresses=127.0.0.1 -k {self._folder}"
        log = f"{self._data}.log"
        self._run("pg_ctl", "-D", self._data, "-o", options, "-l", log, "-w", "start")
        self._wait()

    @property
    def folder(self) -> Path:
        """A folder that the server may look into."""
        return self._folder

    def make_database_on(self, name: str, folder: Path) -> str:
        """Make an empty database whose tables lie in a folder of their own; return its URL."""
        folder.mkdir()
        if self._user is not None:
            shutil.chown(folder, self._user)
        with self.connect(self._url("postgres")) as connection:
            connection.execute(f"CREATE TABLESPACE {name} LOCATION '{folder}'".encode())
            connection.execute(f"CREATE DATABASE {name} TABLESPACE {name}".encode())
        return self._url(name)

    def stop(self) -> None:
        """Stop the server, if it runs, and remove its folder."""
        if Path(self._data, "postmaster.pid").exists():
            super().stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    @contextmanager
    def freeze(self) -> Iterator[None]:
        """Let it answer nothing while the block runs, as behind a broken network."""
        postmaster = psutil.Process(int(Path(self._data, "postmaster.pid").read_text().split()[0]))
        # The parent first, so that it starts no others meanwhile.
        frozen = [postmaster.pid]
        os.kill(postmaster.pid, signal.SIGSTOP)
        try:
            for child in postmaster.children(recursive=True):
                os.kill(child.pid, signal.SIGSTOP)
                frozen.append(child.pid)
            yield
        finally:
            for pid in frozen:
                os.kill(pid, signal.SIGCONT)

    @contextmanager
    def connect(self, url: str) -> Iterator[psycopg.Connection[TupleRow]]:
        """Yield a connection beside those of the server under test."""
        with psycopg.connect(url, autocommit=True) as connection:
            yield connection

    @property
    def _data(self) -> str:
        return str(self._folder / "data")


def find_waiting(connection: psycopg.Connection[TupleRow]) -> list[int]:
    """Return the backends of this database that wait for a lock."""
    query = (
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() "
        "AND wait_event_type = 'Lock' AND pid <> pg_backend_pid()"
    )
    return [row[0] for row in connection.execute(query)]


def cut_connections(connection: psycopg.Connection[TupleRow], pids: list[int]) -> None:
    """End backends as an administrator can, or a fail-over does."""
    for pid in pids:
        connection.execute("SELECT pg_terminate_backend(%s, 10000)", (pid,))
