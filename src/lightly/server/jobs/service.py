"""Starting, following and recovering background jobs."""

from __future__ import annotations

from lightly._kit.clock import Clock
from lightly.server.db.engine import Database
from lightly.server.settings import Settings
from lightly.server.storage.blobs import BlobStore


class JobService:
    """The server's background jobs."""

    def __init__(
        self, settings: Settings, database: Database, blobs: BlobStore, clock: Clock
    ) -> None:
        self._settings = settings
        self._database = database
        self._blobs = blobs
        self._clock = clock

    def start(self) -> None:
        """Take up what an earlier process left."""

    def stop(self) -> None:
        """Finish or hand back what is under way."""

    def blob_arrived(self, key: str) -> None:
        """Note that an upload to a signed URL has ended."""
