"""What operations on samples cost the database: T36 of the threat list."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
from sqlalchemy import event

from lightly.server.http.parameters import Page
from lightly.server.samples import listing, repository
from tests.support.samples import make_dataset


@pytest.fixture
def dataset(server):
    return make_dataset(server)


@contextmanager
def record_statements(server):
    """Collect (statement, parameters) of everything but transactions."""
    recorded = []
    engine = server.platform.database.engine

    def record(_connection, _cursor, statement, parameters, _context, _many):
        if not statement.startswith(("BEGIN", "SAVEPOINT")):
            recorded.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", record)
    yield recorded
    event.remove(engine, "before_cursor_execute", record)


def count_statements(dataset, call):
    # The caller's token is remembered for a moment; both counts are taken with it remembered.
    dataset.get_data()
    with record_statements(dataset.server) as recorded:
        assert call().status_code < 300
    return len(recorded)


def list_bulk_calls(dataset, ids):
    """Yield requests on many samples at once."""
    client, path = dataset.client, dataset.ext_path
    names = {"samples": [{"fileName": f"new {number}"} for number in range(len(ids))]}
    items = [{"id": sample_id, "customMetaData": {}} for sample_id in ids]
    urls = {"sampleIds": ids, "kinds": ["full"]}
    yield lambda: client.post(f"{path}/bulk", json=names)
    yield lambda: client.put(f"{path}/customMetadata", json={"items": items})
    yield lambda: client.post(f"{path}/writeUrls", json=urls)
    yield lambda: client.get(f"{path}/names")
    yield lambda: client.get(f"{path}/stored?kind=full")
    yield lambda: client.get(f"{dataset.path}/mappings?field=_id")
    yield lambda: client.get(f"{dataset.path}/samples/partial?mode=fileNames")


def test_many_samples_cost_no_more_statements_than_few(server):
    counts = []
    for name, size in (("few", 2), ("many", 300)):
        dataset = make_dataset(server, name)
        ids = dataset.add_many([f"{number}.jpg" for number in range(size)])
        dataset.upload(ids[0], "full", b"x")
        counts.append([count_statements(dataset, call) for call in list_bulk_calls(dataset, ids)])

    assert counts[0] == counts[1]


def test_a_list_costs_a_statement_for_each_piece(dataset, monkeypatch):
    monkeypatch.setattr(listing, "SAMPLES_PER_PIECE", 10)
    dataset.add_many([f"{number}.jpg" for number in range(100)])

    for query in ("", "?sortBy=_id", "?pageSize=100"):
        whole = count_statements(
            dataset, lambda end=query: dataset.client.get(f"{dataset.path}/samples{end}")
        )
        # one more for the dataset itself
        assert whole == 11
    last = count_statements(
        dataset, lambda: dataset.client.get(f"{dataset.path}/samples?pageSize=5&pageOffset=95")
    )
    assert last == 2


def test_no_operation_reads_a_whole_dataset(sqlite_server):
    dataset = make_dataset(sqlite_server)
    ids = dataset.add_many([f"{number}.jpg" for number in range(50)])
    dataset.upload(ids[0], "full", b"x")
    calls = list(list_bulk_calls(dataset, ids[:5]))
    calls += [
        lambda: dataset.client.post(f"{dataset.path}/samples", json={"fileName": "x.jpg"}),
        lambda: dataset.client.put(
            f"{dataset.path}/samples/{ids[1]}",
            json={"fileName": "y.jpg", "metaData": {"sizeInBytes": 1}},
        ),
        lambda: dataset.client.get(f"{dataset.path}/samples/{ids[2]}"),
        lambda: dataset.client.get(f"{dataset.path}/samples?fileName=3.jpg"),
        lambda: dataset.client.get(f"{dataset.path}/samples?pageSize=5&pageOffset=20"),
        lambda: dataset.client.get(f"{dataset.path}/samples?sortBy=_id&pageSize=5"),
        lambda: dataset.client.get(f"{dataset.path}/samples/{ids[0]}/readurl"),
    ]

    with record_statements(sqlite_server) as recorded:
        for call in calls:
            assert call().status_code < 300
        statements = list(recorded)

    with sqlite_server.platform.database.read() as connection:
        for statement, parameters in statements:
            first = parameters[0] if isinstance(parameters, list) else parameters
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", first).all()
            for step in (row[3] for row in plan):
                assert not step.startswith(("SCAN samples", "SCAN sample_contents")), statement
                # found by the dataset alone: every sample of it would be looked at
                assert "samples" not in step or "(dataset_key=?)" not in step, statement


def test_a_slow_reader_holds_no_connection(dataset, monkeypatch):
    dataset.add_many([f"{number}.jpg" for number in range(10)])
    platform = dataset.server.platform
    with platform.database.read() as connection:
        found = repository.find_by_file_names(connection, 1, ["0.jpg"])
    assert found
    opened = open_for_admin(dataset)

    pieces = listing.iterate_range(platform, opened, Page(0, None), repository.read_identities, 3)
    next(pieces)

    assert platform.database.engine.pool.checkedout() == 0


def test_samples_that_come_while_a_list_is_read_are_left_to_the_next(dataset):
    names = [f"{number}.jpg" for number in range(10)]
    dataset.add_many(names)
    opened = open_for_admin(dataset)
    platform = dataset.server.platform

    read = repository.read_file_names
    pieces = listing.iterate_range(platform, opened, Page(0, None), read, 3)
    found = next(pieces)
    dataset.add_many([f"late {number}.jpg" for number in range(10)])
    found += [name for piece in pieces for name in piece]

    assert found == names


def open_for_admin(dataset):
    from lightly.server.auth.repository import find_user_by_email

    platform = dataset.server.platform
    with platform.database.read() as connection:
        admin = find_user_by_email(connection, "admin@localhost")
    return listing.open_dataset(platform, admin, dataset.id)
