"""Background jobs of one user do not keep those of others waiting: T37."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from lightly._kit.ids import make_id
from lightly.server.db.tables import jobs, users
from lightly.server.jobs import repository
from tests.support.platforms import InProcessServer, run_in_process

N_GREEDY, PER_USER = 40, 8


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def server(request, tmp_path, make_server_url):
    with run_in_process(tmp_path / "data", make_server_url(request.param)) as running:
        running.platform.jobs.stop()
        yield running


def add_jobs(server: InProcessServer, email: str, count: int, **values: object) -> list[str]:
    server.add_user(email)
    with server.platform.database.write() as connection:
        user_id = connection.execute(
            sa.select(users.c.id).where(users.c.email == email)
        ).scalar_one()
        ids = [make_id() for _ in range(count)]
        row = {"kind": "SAMPLING", "status": "WAITING", "input_json": "{}", "attempts": 0}
        row |= {"user_id": user_id, "created_at_ms": 1, "last_modified_at_ms": 1, **values}
        connection.execute(sa.insert(jobs), [{"id": id_, **row} for id_ in ids])
    return ids


def list_owed(server: InProcessServer, limit: int = 1_000) -> list[str]:
    with server.platform.database.read() as connection:
        return [job.id for job in repository.list_owed(connection, limit, PER_USER)]


def test_the_job_of_a_modest_user_is_the_second_whatever_a_greedy_one_has_asked_for(server):
    greedy = add_jobs(server, "greedy@example.com", N_GREEDY)
    (modest,) = add_jobs(server, "modest@example.com", 1)

    owed = list_owed(server)

    assert owed[:3] == [greedy[0], modest, greedy[1]]
    assert len(owed) == PER_USER + 1


def test_the_next_jobs_of_a_user_come_when_the_first_have_ended(server):
    greedy = add_jobs(server, "greedy@example.com", N_GREEDY)
    with server.platform.database.write() as connection:
        for job_id in greedy[:3]:
            repository.fail_job(connection, job_id, "it was only a test", 2)

    assert list_owed(server) == greedy[3 : 3 + PER_USER]


def test_slow_kinds_of_jobs_do_not_hold_up_quick_ones_of_the_same_user(server):
    slow = add_jobs(server, "ann@example.com", N_GREEDY, kind="EMBEDDINGS2D")
    with server.platform.database.read() as connection:
        user_id = connection.execute(
            sa.select(jobs.c.user_id).where(jobs.c.id == slow[0])
        ).scalar_one()
    (quick,) = add_jobs(server, "other@example.com", 1, user_id=user_id)

    assert list_owed(server)[:2] == [slow[0], quick]
    assert len(list_owed(server, limit=5)) == 5
