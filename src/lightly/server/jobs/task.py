"""What a task is given, and how it ends its job together with its effects."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from lightly._kit.clock import Clock
from lightly._kit.errors import LightlyError
from lightly.server.db.engine import Database
from lightly.server.jobs import repository
from lightly.server.storage.blobs import BlobStore


class TaskFailed(LightlyError):
    """The job cannot be done. The message is the reason that the job's owner reads."""


class ClaimLost(LightlyError):
    """Another process has taken the job over; whatever this one did is dropped."""


@dataclass
class Conclusion:
    """The last transaction of a task.

    Attributes:
        connection: Effects go through it: they and the end of the job are committed as one.
        result: The contract's `result` of the job; to be set within the block.
        now_ms: The present time.
    """

    connection: sa.Connection
    result: dict[str, Any]
    now_ms: int


@dataclass(frozen=True)
class Task:
    """One attempt at one job.

    Attributes:
        job_id: The job.
        claim_token: Held by this attempt alone; the job can only be ended with it.
        user_id: Who asked for the job.
        dataset_id: The dataset it works on.
        input: What to do.
        database: The server's database.
        blobs: The server's object store.
        clock: The time.
    """

    job_id: str
    claim_token: str
    user_id: str
    dataset_id: str
    input: dict[str, Any]
    database: Database
    blobs: BlobStore
    clock: Clock

    @contextmanager
    def conclude(self) -> Iterator[Conclusion]:
        """Yield the transaction in which the job's effects appear and the job is finished.

        Raises:
            ClaimLost: If another attempt has the job by now; nothing is changed then.
        """
        with self.database.write() as connection:
            conclusion = Conclusion(connection, {}, self.clock.now_ms())
            self._check_claim(conclusion)
            yield conclusion
            repository.finish_job(
                connection, self.job_id, self.claim_token, conclusion.result, conclusion.now_ms
            )

    @contextmanager
    def fail(self, reason: str) -> Iterator[Conclusion]:
        """Yield the transaction in which the job fails for a reason that its owner reads.

        Raises:
            ClaimLost: If another attempt has the job by now; nothing is changed then.
        """
        with self.database.write() as connection:
            conclusion = Conclusion(connection, {}, self.clock.now_ms())
            self._check_claim(conclusion)
            yield conclusion
            repository.fail_job(
                connection, self.job_id, reason, conclusion.now_ms, claim_token=self.claim_token
            )

    def _check_claim(self, conclusion: Conclusion) -> None:
        if not repository.touch_claim(
            conclusion.connection, self.job_id, self.claim_token, conclusion.now_ms
        ):
            raise ClaimLost
