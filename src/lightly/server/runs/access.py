"""The one way to runs and schedules: loaded for this caller, or not at all."""

from __future__ import annotations

import sqlalchemy as sa

from lightly.server.auth.users import User
from lightly.server.errors import RunUnknown, ScheduleUnknown
from lightly.server.runs import repository, schedule_repository
from lightly.server.runs.fencing import hold_run
from lightly.server.runs.models import Run, Schedule


def load_run(connection: sa.Connection, caller: User, run_id: str) -> Run:
    """Return a run that the caller may see.

    Raises:
        RunUnknown: If it does not exist or is not there for the caller; the two look the same.
    """
    run = repository.find_run_for(connection, caller, run_id)
    if run is None:
        raise RunUnknown
    return run


def load_run_to_write(connection: sa.Connection, caller: User, run_id: str) -> Run:
    """Return a run in whose name the present request may write.

    Args:
        connection: An open write transaction.
        caller: Who asks.
        run_id: The run.

    Raises:
        RunUnknown: If it does not exist or is not there for the caller.
        LeaseLost: If a worker holds it and the request does not carry its lease.
        RunStateRefused: If it is over.
    """
    return hold_run(connection, load_run(connection, caller, run_id))


def check_run_id(connection: sa.Connection, caller: User, run_id: str | None) -> None:
    """Raise unless something may be made in the name of a run; errors as in `load_run_to_write`.

    Args:
        connection: An open write transaction.
        caller: Who asks.
        run_id: The run; None when it is made in nobody's name.
    """
    if run_id is not None:
        load_run_to_write(connection, caller, run_id)


def load_run_of_schedule(connection: sa.Connection, caller: User, scheduled_id: str) -> Run:
    """Return the run that carries out a schedule; errors as in `load_run`."""
    run = repository.find_run_of_schedule_for(connection, caller, scheduled_id)
    if run is None:
        raise RunUnknown("No worker has begun this scheduled run yet, or it is not yours.")
    return run


def load_schedule(
    connection: sa.Connection, caller: User, scheduled_id: str, dataset_id: str | None = None
) -> Schedule:
    """Return a scheduled run whose dataset the caller may use, held until the commit.

    Args:
        connection: An open write transaction.
        caller: Who asks.
        scheduled_id: The scheduled run.
        dataset_id: Only if it is one of this dataset, which was loaded for the caller.

    Raises:
        ScheduleUnknown: If it does not exist or is not there for the caller.
    """
    schedule = schedule_repository.lock_schedule_for(connection, caller, scheduled_id, dataset_id)
    if schedule is None:
        raise ScheduleUnknown
    return schedule
