"""Housekeeping beside the requests. Doing it twice, or in two processes, changes nothing."""

from __future__ import annotations

import logging
import threading
import time

from lightly.server.columns.leftovers import remove_leftover_columns
from lightly.server.columns.service import find_folder
from lightly.server.datasets.purge import purge_deleted_datasets
from lightly.server.datasources.service import note_roles, reseal_secrets
from lightly.server.platform import PlatformState
from lightly.server.runs.sweep import sweep_leases
from lightly.server.storage.local import LocalBlobStore
from lightly.server.storage.signing import CLOCK_TOLERANCE_S

log = logging.getLogger("lightly.server")

INTERVAL_S = 3600.0
#: How often runs of vanished workers are looked for: a fraction of the shortest lease.
SWEEP_INTERVAL_S = 5.0


class Maintenance:
    """A thread that tidies up at the start and then every hour, and frees runs all the time."""

    def __init__(self, platform: PlatformState) -> None:
        self._platform = platform
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="maintenance", daemon=True)

    def start(self) -> None:
        """Tidy up in the background from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Finish."""
        self._stopped.set()
        self._thread.join(timeout=5)

    def tidy_up(self) -> None:
        """Remove what killed writers left and datasets whose time to come back is over."""
        platform = self._platform
        if isinstance(platform.blobs, LocalBlobStore):
            an_hour_ago_s = platform.clock.now_ms() / 1000 - INTERVAL_S
            platform.blobs.sweep(written_before_s=an_hour_ago_s)
        settings = platform.settings
        # Whoever holds a signed URL can still upload with it: what came after the purge would stay.
        kept_s = max(settings.deleted_dataset_ttl_s, settings.signed_url_ttl_s + CLOCK_TOLERANCE_S)
        before_ms = platform.clock.now_ms() - 1000 * kept_s
        count = purge_deleted_datasets(platform.database, platform.blobs, before_ms)
        if count:
            log.info("purged %d deleted datasets", count)
        remove_leftover_columns(platform.database, find_folder(platform))
        resealed = reseal_secrets(platform)
        if resealed:
            log.info("sealed the secrets of %d datasources with the newest key", resealed)
        note_roles(platform)

    def sweep_runs(self) -> None:
        """Note which workers were heard of; free or end the runs of those that have vanished."""
        platform = self._platform
        platform.signs_of_life.write_when_due(platform.database)
        count = sweep_leases(platform.database, platform.settings)
        if count:
            log.warning("took %d runs from workers that show no sign of life", count)

    def _run(self) -> None:
        next_tidy_s = 0.0
        is_well = True
        while not self._stopped.is_set():
            try:
                self.sweep_runs()
                if time.monotonic() >= next_tidy_s:
                    next_tidy_s = time.monotonic() + INTERVAL_S
                    self.tidy_up()
                is_well = True
            except Exception:  # the thread must outlive a database that is away for a while
                if is_well:
                    log.exception("housekeeping failed; it is tried again")
                is_well = False
            self._stopped.wait(SWEEP_INTERVAL_S)
