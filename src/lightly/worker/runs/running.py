"""From a claimed run to its end, whatever that is."""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Callable

from lightly._kit.errors import LightlyError
from lightly.api.errors import ApiException, ConnectionFailed
from lightly.utils.run_configuration.errors import InvalidConfiguration
from lightly.worker.errors import RunLost, RunRefused, RunStopped, WorkerShutsDown
from lightly.worker.lease import RunLease
from lightly.worker.options import read_options
from lightly.worker.run_log import MemoryLog, RunLog
from lightly.worker.runs import artifacts
from lightly.worker.runs.context import LeasedClient, RunContext, RunFolder
from lightly.worker.runs.datasources import open_sides, read_datasources
from lightly.worker.runs.leftovers import remove_leftovers
from lightly.worker.runs.pipeline import RunOutcome, run_pipeline
from lightly.worker.runs.preparing import VIDEOS
from lightly.worker.server_link import ClaimedRun, RunLink
from lightly.worker.settings import WorkerSettings

log = logging.getLogger("lightly.worker")

_MAX_MESSAGE_CHARACTERS = 2_000


def work_on(settings: WorkerSettings, claim: ClaimedRun, shutdown: threading.Event) -> bool:
    """Do a run and report its end.

    Args:
        settings: Of this process.
        claim: The run.
        shutdown: Set when this process shall end; the run is handed back then.

    Returns:
        Whether the worker shall end because the run said so.
    """
    remove_leftovers(settings.work_dir / "runs")
    folder = RunFolder(settings.work_dir, claim)
    link = RunLink(settings, claim)
    run_log = RunLog(folder.path(artifacts.LOG_NAME))
    logger = logging.getLogger("lightly")
    logger.addHandler(run_log)
    try:
        return _Execution(settings, claim, folder, link, run_log, shutdown).run()
    finally:
        logger.removeHandler(run_log)
        run_log.close()
        link.transport.close()
        link.stores.close()


class _Execution:
    """One attempt at a run."""

    def __init__(
        self,
        settings: WorkerSettings,
        claim: ClaimedRun,
        folder: RunFolder,
        link: RunLink,
        run_log: RunLog,
        shutdown: threading.Event,
    ) -> None:
        self._settings = settings
        self._claim = claim
        self._folder = folder
        self._link = link
        memory_log = MemoryLog(folder.path(artifacts.MEMORY_LOG_NAME))
        self._lease = RunLease(link, run_log, memory_log, shutdown)
        self._run_log = run_log
        self._context: RunContext | None = None

    def run(self) -> bool:
        """Do the run, report its end; return whether the worker shall end too."""
        log.info("Run %s begins, attempt %d.", self._claim.run_id, self._claim.attempt)
        try:
            with self._lease:
                outcome = self._work()
                self._lease.send_log()
            self._link.finish("COMPLETED", outcome.message)
        except RunLost as error:
            log.warning("%s", error)
            return False
        except WorkerShutsDown:
            log.info("The run is handed back.")
            self._end(lambda: self._link.release("The worker was asked to end."))
            return False
        except RunStopped as error:
            self._end_early("ABORTED", str(error))
        except (RunRefused, InvalidConfiguration) as error:
            # Nothing has failed: the run must not be, as it is configured.
            self._end_early("ABORTED", f"In the state {self._run_log.state}: {error}")
        except (LightlyError, OSError) as error:
            self._end_early("FAILED", f"In the state {self._run_log.state}: {error}")
        except Exception as error:
            log.exception("The run failed.")
            reason = f"In the state {self._run_log.state}: {type(error).__name__}: {error}"
            self._end_early("FAILED", f"{reason} This is a fault of the worker; its log says more.")
        else:
            self._remove_folder()
        return self._context is not None and self._context.options.shutdown_when_job_finished

    def _work(self) -> RunOutcome:
        options = read_options(self._link.read_config(), dataset_id=self._claim.dataset_id)
        datasources = read_datasources(self._link)
        client = LeasedClient(self._link)
        holds_videos = client.get_dataset_by_id(self._claim.dataset_id).type.value == VIDEOS
        input_side, lightly_side = open_sides(
            self._settings, self._link, datasources, holds_videos=holds_videos
        )
        self._context = RunContext(
            settings=self._settings,
            claim=self._claim,
            options=options,
            link=self._link,
            client=client,
            lease=self._lease,
            folder=self._folder,
            input_side=input_side,
            lightly_side=lightly_side,
            datasources=datasources,
            holds_videos=holds_videos,
        )
        return run_pipeline(self._context)

    def _end_early(self, state: str, message: str) -> None:
        """Leave the log behind and end the run."""
        shown = message[:_MAX_MESSAGE_CHARACTERS]
        log.log(logging.ERROR if state == "FAILED" else logging.WARNING, "%s: %s", state, shown)

        def end() -> None:
            if self._context is not None:
                artifacts.send_artifacts(self._context)
            self._lease.send_log()

        self._end(end)
        if self._end(lambda: self._link.finish(state, shown)):
            self._remove_folder()

    def _end(self, step: Callable[[], None]) -> bool:
        """Do a last step; where the server cannot be told, its sweep ends the run.

        Returns:
            Whether that went well.
        """
        try:
            step()
        except (RunLost, ApiException, ConnectionFailed, OSError) as error:
            log.warning("The end of the run could not be reported in full: %s", error)
            return False
        return True

    def _remove_folder(self) -> None:
        """Remove what was kept for further attempts: the run is over."""
        shutil.rmtree(self._folder.root, ignore_errors=True)
