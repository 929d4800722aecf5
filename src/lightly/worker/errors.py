"""How a run ends other than well."""

from __future__ import annotations

from lightly._kit.errors import LightlyError


class RunFailed(LightlyError):
    """The run cannot go on. The message says why and what to do about it."""

    code = "run_failed"


class RunRefused(RunFailed):
    """The run must not begin: what it asks for and what is there do not go together."""

    code = "run_refused"


class RunStopped(LightlyError):
    """Somebody asked for the run to stop."""

    code = "run_stopped"


class RunLost(LightlyError):
    """Another worker has the run now, or it is over. Nothing more may be written in its name."""

    code = "run_lost"


class WorkerShutsDown(LightlyError):
    """This process was asked to end. The run is handed back."""

    code = "worker_shuts_down"
