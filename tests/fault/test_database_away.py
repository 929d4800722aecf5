"""Databases that go away, hang, are locked by others or cut connections."""

from __future__ import annotations

import random
import sqlite3
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import pytest

from lightly.server.db import engine
from tests.support.fault_checks import (
    RemoteDataset,
    await_condition,
    call,
    check_samples,
    check_tag_covers_all,
)
from tests.support.fault_kills import choose_seed, run_killable_server
from tests.support.fault_postgres import MovablePostgres, cut_connections, find_waiting
from tests.support.fault_traffic import Traffic
from tests.support.pictures import draw_folder
from tests.support.platforms import run_in_process

pytestmark = pytest.mark.xdist_group("fault-databases")
COUNT = 60
#: Liveness is answered at once whatever the database does; this is for slow machines.
AT_ONCE_S = 5.0


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    server = MovablePostgres()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def database_url(database):
    return database.make_database("away")


@pytest.fixture(scope="module")
def server(database_url, tmp_path_factory):
    with run_killable_server(tmp_path_factory.mktemp("server") / "data", database_url) as running:
        yield running


@pytest.fixture
def dataset(server):
    answer = call(server, "POST", "/v1/datasets", json={"name": f"away {uuid.uuid4().hex}"})
    return RemoteDataset(server, answer.json()["id"])


def make_rows(start, stop):
    return [
        {"fileName": f"{number:06d}.jpg", "metaData": {"sizeInBytes": 1}}
        for number in range(start, stop)
    ]


def register(dataset, start, stop):
    path = f"/ext/v1/datasets/{dataset.id}/samples/bulk"
    return call(dataset.server, "POST", path, json={"samples": make_rows(start, stop)})


def is_ready(server):
    return call(server, "GET", "/readyz").status_code == 200


def check_refusal(answer):
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) >= 1
    assert set(answer.json()) == {"code", "error", "requestId"}


def check_alive(server):
    started = time.monotonic()
    assert call(server, "GET", "/healthz").status_code == 200
    assert time.monotonic() - started < AT_ONCE_S


@pytest.mark.postgres
def test_a_database_that_is_away_is_waited_for(database, server, dataset):
    register(dataset, 0, 10)
    database.take_away()
    try:
        refusals = [
            call(server, "GET", f"/v1/datasets/{dataset.id}"),
            call(server, "GET", f"/v1/datasets/{dataset.id}/mappings?field=fileName"),
            call(server, "POST", "/v1/datasets", json={"name": "meanwhile"}),
            register(dataset, 10, 20),
            call(server, "GET", "/readyz"),
        ]
        check_alive(server)
    finally:
        database.bring_back()

    for refusal in refusals:
        check_refusal(refusal)
    await_condition(lambda: is_ready(server))
    assert register(dataset, 0, 20).status_code == 201
    assert len(dataset.list_names()) == 20
    assert call(server, "POST", "/v1/datasets", json={"name": "meanwhile"}).status_code == 201


@pytest.mark.postgres
def test_a_database_that_answers_nothing_stops_no_health_check(database, server, dataset):
    with ThreadPoolExecutor(40) as executor:
        with database.freeze():
            waiting = [
                executor.submit(call, server, "GET", f"/v1/datasets/{dataset.id}")
                for _ in range(40)
            ]
            time.sleep(0.5)
            check_alive(server)
            refusal = call(server, "GET", "/readyz")
            check_alive(server)
        answers = [future.result(120) for future in waiting]

    check_refusal(refusal)
    assert {answer.status_code for answer in answers} <= {200, 503}
    await_condition(lambda: is_ready(server))
    assert register(dataset, 0, 5).status_code == 201


@pytest.mark.postgres
def test_an_upload_goes_on_when_the_database_is_back(database, server, tmp_path):
    names = draw_folder(tmp_path, COUNT)
    n_sent = 0

    def take_away_once(send):
        nonlocal n_sent
        n_sent += 1
        if n_sent == COUNT // 2:
            database.take_away()
            executor.submit(bring_back_later)
        return send()

    def bring_back_later():
        time.sleep(1.0)
        database.bring_back()

    traffic = Traffic(take_away_once)
    client = traffic.connect(server.url, server.token)
    client.create_dataset("goes on")
    with ThreadPoolExecutor(1) as executor:
        client.upload_dataset(str(tmp_path), mode="thumbnails", max_workers=2)

    dataset = RemoteDataset(server, client.dataset_id)
    check_samples(dataset, names)
    check_tag_covers_all(dataset, COUNT)


@contextmanager
def hold(database, url, statement):
    """Hold a lock that requests have to wait for."""
    with database.connect(url) as connection, connection.transaction():
        connection.execute(statement)
        yield


@pytest.mark.postgres
@pytest.mark.parametrize(
    "statement",
    ["SELECT * FROM datasets FOR UPDATE", "LOCK samples", "LOCK sample_contents"],
)
def test_a_cut_connection_leaves_no_part_of_a_transaction(
    database, database_url, dataset, statement
):
    register(dataset, 0, 10)
    with ThreadPoolExecutor(1) as executor, database.connect(database_url) as operator:
        with hold(database, database_url, statement):
            under_way = executor.submit(register, dataset, 10, 30)
            await_condition(lambda: find_waiting(operator))
            cut_connections(operator, find_waiting(operator))
            answer = under_way.result(60)
        check_refusal(answer)

    assert len(dataset.list_names()) == 10
    assert register(dataset, 10, 30).status_code == 201
    assert dataset.list_names() == [row["fileName"] for row in make_rows(0, 30)]
    assert dataset.get("")["nSamples"] == 30


@pytest.mark.postgres
def test_connections_that_are_cut_at_any_time_lose_nothing(database, database_url, server, dataset):
    generator = random.Random(choose_seed())
    statuses = []
    query = (
        "SELECT pid FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    with ThreadPoolExecutor(1) as executor, database.connect(database_url) as operator:
        for start in range(0, 3_000, 100):
            under_way = executor.submit(register, dataset, start, start + 100)
            time.sleep(generator.uniform(0.0, 0.03))
            cut_connections(operator, [row[0] for row in operator.execute(query)])
            statuses.append(under_way.result().status_code)

    assert set(statuses) <= {201, 503}
    n_samples = dataset.get("")["nSamples"]
    names = dataset.list_names()
    assert len(names) == len(set(names)) == n_samples
    assert n_samples % 100 == 0
    assert n_samples >= 100 * statuses.count(201)


def test_a_database_without_a_server_is_told_at_the_start(tmp_path):
    with (
        pytest.raises(RuntimeError, match="database does not answer"),
        run_killable_server(tmp_path / "data", "postgresql://lightly@127.0.0.1:1/nothing"),
    ):
        pass


@pytest.fixture
def impatient_server(tmp_path, monkeypatch):
    """A server on SQLite that waits for others a second at most."""
    monkeypatch.setattr(engine, "SQLITE_BUSY_TIMEOUT_MS", 1_000)
    with run_in_process(tmp_path / "data") as running:
        yield running


@contextmanager
def lock_file(server):
    """Hold the database file as another process that writes would."""
    path = server.platform.settings.data_dir / "lightly.sqlite"
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    with closing(connection):
        connection.execute("BEGIN IMMEDIATE")
        yield connection


def test_a_writer_waits_for_a_file_that_is_locked_for_a_moment(sqlite_server):
    with lock_file(sqlite_server) as holder, ThreadPoolExecutor(1) as executor:
        under_way = executor.submit(sqlite_server.client.post, "/v1/datasets", json={"name": "abc"})
        time.sleep(0.5)
        assert not under_way.done()
        holder.execute("ROLLBACK")

        assert under_way.result(60).status_code == 201


def test_a_file_that_stays_locked_is_answered_with_later(impatient_server):
    client = impatient_server.client
    with lock_file(impatient_server) as holder:
        check_refusal(client.post("/v1/datasets", json={"name": "abc"}))
        assert client.get("/v1/datasets").json() == []
        assert client.get("/readyz").status_code == 200
        holder.execute("ROLLBACK")

    assert client.post("/v1/datasets", json={"name": "abc"}).status_code == 201


def test_many_writers_before_a_locked_file_are_all_answered_in_time(impatient_server):
    client = impatient_server.client
    started = time.monotonic()
    with lock_file(impatient_server), ThreadPoolExecutor(60) as executor:
        under_way = [
            executor.submit(client.post, "/v1/datasets", json={"name": f"name {number}"})
            for number in range(60)
        ]
        time.sleep(0.3)
        health_started = time.monotonic()
        assert client.get("/healthz").status_code == 200
        assert time.monotonic() - health_started < AT_ONCE_S
        answers = [future.result(60) for future in under_way]

    for answer in answers:
        check_refusal(answer)
    # Not one after the other, each with a wait of its own.
    assert time.monotonic() - started < 20


def test_an_exhausted_pool_is_answered_with_later(sqlite_server, monkeypatch):
    pool = sqlite_server.platform.database.engine.pool
    monkeypatch.setattr(pool, "_timeout", 0.2)
    held = [pool.connect() for _ in range(pool.size())]
    try:
        check_refusal(sqlite_server.client.get("/v1/datasets"))
    finally:
        for connection in held:
            connection.close()

    assert sqlite_server.client.get("/v1/datasets").status_code == 200
