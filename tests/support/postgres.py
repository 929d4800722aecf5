"""A PostgreSQL server of the tests' own: made in a temporary folder, on a free port."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from tests.support.migrated_databases import make_tables
from tests.support.ports import find_free_port

#: Debian keeps the server's programs out of PATH.
_PROGRAM_FOLDERS = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
_START_TIMEOUT_S = 60.0


class PostgresServer:
    """Starts on creation; `stop` removes everything."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="lightly-postgres-"))
        self._port = find_free_port()
        self._user = _choose_user()
        self._has_template = False
        if self._user is not None:
            shutil.chown(self._folder, self._user)
        data = str(self._folder / "data")
        self._run("initdb", "-D", data, "-U", "lightly", "--auth=trust", "--no-sync", "-E", "UTF8")
        options = f"-p {self._port} -c listen_addresses=127.0.0.1 -k {self._folder}"
        self._run("pg_ctl", "-D", data, "-o", options, "-l", f"{data}.log", "-w", "start")
        self._wait()

    def make_database(self, name: str, *, is_migrated: bool = False) -> str:
        """Make a database and return its URL.

        Args:
            name: Of the database.
            is_migrated: Whether it has the tables of this release; else it is empty.
        """
        template = self._make_template() if is_migrated else "template1"
        self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self._url(name)

    def drop_database(self, url: str) -> None:
        """Remove a database, whoever is connected: in memory, thousands of them would add up."""
        self._execute(f'DROP DATABASE IF EXISTS "{url.rpartition("/")[2]}" WITH (FORCE)')

    def _make_template(self) -> str:
        """Migrate one database; a copy of it takes a fraction of the time."""
        if not self._has_template:
            self._execute('CREATE DATABASE "migrated"')
            make_tables(self._url("migrated"))
            self._has_template = True
        return "migrated"

    def _execute(self, statement: str) -> None:
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())

    def stop(self) -> None:
        """Stop the server and remove its folder."""
        data = str(self._folder / "data")
        self._run("pg_ctl", "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(self._folder, ignore_errors=True)

    def _url(self, name: str) -> str:
        return f"postgresql://lightly@127.0.0.1:{self._port}/{quote(name)}"

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(_find_program(program)), *arguments]
        if self._user is not None:
            # The server refuses to run as root.
            command = ["setpriv", f"--reuid={self._user}", "--clear-groups", "--", *command]
        # Output goes to a file: the server inherits it and would keep a pipe open.
        log = self._folder / "setup.log"
        with log.open("ab") as output:
            status = subprocess.run(command, stdout=output, stderr=output, cwd="/", check=False)
        if status.returncode != 0:
            raise RuntimeError(f"{program} failed:\n{log.read_text()[-2000:]}")

    def _wait(self) -> None:
        deadline = time.monotonic() + _START_TIMEOUT_S
        while True:
            try:
                psycopg.connect(self._url("postgres")).close()
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
            else:
                return


@contextmanager
def lend_databases(
    request: pytest.FixtureRequest, *, is_migrated: bool = False
) -> Iterator[Callable[[str], str]]:
    """Yield a function that makes a database of a kind and returns its URL; drop them afterwards.

    Args:
        request: Of the fixture that lends them.
        is_migrated: Whether they have the tables of this release.
    """
    lent: list[str] = []

    def make(kind: str) -> str:
        if kind == "sqlite":
            return ""
        server: PostgresServer = request.getfixturevalue("postgres_server")
        lent.append(server.make_database(f"test_{uuid.uuid4().hex}", is_migrated=is_migrated))
        return lent[-1]

    yield make
    for url in lent:
        request.getfixturevalue("postgres_server").drop_database(url)


def _find_program(name: str) -> Path:
    for folder in _PROGRAM_FOLDERS:
        if (folder / name).exists():
            return folder / name
    raise RuntimeError(f"PostgreSQL's {name} is missing: run `make setup`.")


def _choose_user() -> str | None:
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            pwd.getpwnam(name)
        except KeyError:
            continue
        return name
    raise RuntimeError("PostgreSQL cannot run as root and there is no user 'postgres'.")
