"""How long a lease lives without a sign of life.

Our workers send one every few seconds. Clients of the contract know no such thing: there, whatever
they say about the run counts, and they get much longer. Source: reliability target F1.
"""

from __future__ import annotations

import sqlalchemy as sa

from lightly.server.runs import lease_repository
from lightly.server.runs.models import Run
from lightly.server.settings import Settings

#: Signs of life that a worker owes per lease, so that two may be lost.
BEATS_PER_LEASE = 3


def get_heartbeat_s(settings: Settings) -> float:
    """Return after how many seconds a worker has to show the next sign of life."""
    return settings.run_lease_s / BEATS_PER_LEASE


def get_end_ms(settings: Settings, now_ms: int, *, is_fenced: bool) -> int:
    """Return until when a lease lives that is taken or extended now.

    Args:
        settings: The server's.
        now_ms: The database's own time.
        is_fenced: Whether its holder sends a token; else it is a client of the contract.
    """
    return now_ms + 1000 * (settings.run_lease_s if is_fenced else settings.contract_run_lease_s)


def extend_contract_lease(
    connection: sa.Connection, settings: Settings, run: Run, now_ms: int
) -> None:
    """Take what was said about a run as a sign of life, where its worker knows no other."""
    lease = lease_repository.find_lease_of_run(connection, run.id)
    if lease is not None and lease.token is None:
        lease_repository.extend_lease(
            connection, lease.id, get_end_ms(settings, now_ms, is_fenced=False)
        )
