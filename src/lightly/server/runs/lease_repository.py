"""Queries on leases. Times are the database's own."""

from __future__ import annotations

import sqlalchemy as sa

from lightly._kit.ids import make_id
from lightly.server.db.run_tables import run_leases, runs, workers
from lightly.server.runs.models import Lease

_COLUMNS = [run_leases.c[name] for name in Lease.__dataclass_fields__]

# Every poll asks this.
_OF_WORKER = (
    sa.select(*_COLUMNS)
    .where(run_leases.c.worker_id == sa.bindparam("worker_id"))
    .order_by(run_leases.c.id)
)


def _make_lease(row: sa.Row[tuple[object, ...]] | None) -> Lease | None:
    return None if row is None else Lease(**row._mapping)  # noqa: SLF001  the documented name


def insert_lease(
    connection: sa.Connection,
    *,
    token: str | None,
    scheduled_id: str | None,
    run_id: str | None,
    worker_id: str | None,
    session_id: str | None,
    expires_at_ms: int,
) -> Lease:
    """Add a lease. Raises `IntegrityError` when the schedule or the run has one."""
    lease = Lease(
        id=make_id(),
        token=token,
        scheduled_id=scheduled_id,
        run_id=run_id,
        worker_id=worker_id,
        session_id=session_id,
        expires_at_ms=expires_at_ms,
    )
    connection.execute(sa.insert(run_leases).values(vars(lease)))
    return lease


def hold_lease(connection: sa.Connection, token: str) -> Lease | None:
    """Return the lease of a token; until the commit it can be extended, but not taken away."""
    query = sa.select(*_COLUMNS).where(run_leases.c.token == token)
    query = query.with_for_update(read=True, key_share=True)
    return _make_lease(connection.execute(query).one_or_none())


def lock_lease(
    connection: sa.Connection, lease_id: str, *, skip_locked: bool = False
) -> Lease | None:
    """Return a lease that nobody else can use until the commit; None when it is gone.

    Args:
        connection: An open write transaction.
        lease_id: The lease.
        skip_locked: Return None instead of waiting for whoever uses it.
    """
    query = sa.select(*_COLUMNS).where(run_leases.c.id == lease_id)
    query = query.with_for_update(skip_locked=skip_locked)
    return _make_lease(connection.execute(query).one_or_none())


def lock_leases_of_dataset(connection: sa.Connection, dataset_id: str) -> None:
    """Wait until nobody writes under the leases on a dataset, and let nobody begin to."""
    run_ids = sa.select(runs.c.id).where(runs.c.dataset_id == dataset_id)
    query = sa.select(run_leases.c.id).where(run_leases.c.run_id.in_(run_ids))
    connection.execute(query.order_by(run_leases.c.id).with_for_update()).all()


def find_lease_of_run(connection: sa.Connection, run_id: str) -> Lease | None:
    """Return who works on a run."""
    query = sa.select(*_COLUMNS).where(run_leases.c.run_id == run_id)
    return _make_lease(connection.execute(query).one_or_none())


def find_lease_of_schedule(connection: sa.Connection, scheduled_id: str) -> Lease | None:
    """Return who has locked a scheduled run."""
    query = sa.select(*_COLUMNS).where(run_leases.c.scheduled_id == scheduled_id)
    return _make_lease(connection.execute(query).one_or_none())


def list_leases_of_worker(connection: sa.Connection, worker_id: str) -> list[Lease]:
    """Return what a worker works on, in all its processes."""
    rows = connection.execute(_OF_WORKER, {"worker_id": worker_id})
    return [lease for row in rows if (lease := _make_lease(row)) is not None]


def list_expired(connection: sa.Connection, now_ms: int, limit: int) -> list[str]:
    """Return ids of leases that have ended by themselves, the oldest first."""
    query = (
        sa.select(run_leases.c.id)
        .where(run_leases.c.expires_at_ms < now_ms)
        .order_by(run_leases.c.expires_at_ms)
        .limit(limit)
    )
    return list(connection.execute(query).scalars())


def extend_lease(connection: sa.Connection, lease_id: str, expires_at_ms: int) -> None:
    """Let a lease live until a moment."""
    connection.execute(
        sa.update(run_leases).where(run_leases.c.id == lease_id).values(expires_at_ms=expires_at_ms)
    )


def assign_run(connection: sa.Connection, lease_id: str, run_id: str) -> None:
    """Note which run is worked on under a lease."""
    connection.execute(
        sa.update(run_leases).where(run_leases.c.id == lease_id).values(run_id=run_id)
    )


def delete_lease(connection: sa.Connection, lease_id: str) -> None:
    """End a lease."""
    connection.execute(sa.delete(run_leases).where(run_leases.c.id == lease_id))


def hold_session(connection: sa.Connection, worker_id: str) -> str | None:
    """Return the session of a worker; no other one begins until the commit."""
    query = sa.select(workers.c.session_id).where(workers.c.id == worker_id)
    session_id: str | None = connection.execute(query.with_for_update()).scalar()
    return session_id
