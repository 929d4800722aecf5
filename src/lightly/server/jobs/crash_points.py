"""Places where tests stop a task to see what is left of it. Nothing happens outside of tests.

The variable `LIGHTLY_TEST_CRASH_POINTS` lists `place=action:marker`, separated by semicolons. The
first process that reaches the place makes the marker file and then does the action: `pause` waits
until there is a file `marker.go` or the process is killed, `kill` ends the process as a crash of
native code would, `disk_full` fails as a full disk does. Where the marker exists already nothing
happens, so that it happens once; with a marker that ends in `*` it happens every time.
"""

from __future__ import annotations

import errno
import os
import signal
import time
from pathlib import Path

_VARIABLE = "LIGHTLY_TEST_CRASH_POINTS"
_LONGEST_PAUSE_S = 600.0
_PAUSE_STEP_S = 0.05


def reach(place: str) -> None:
    """Do what a test asked for at this place, if any did."""
    for entry in os.environ.get(_VARIABLE, "").split(";"):
        name, _, rest = entry.partition("=")
        if name == place:
            action, _, marker = rest.partition(":")
            _act(action, marker)


def _act(action: str, marker: str) -> None:
    path = Path(marker.removesuffix("*"))
    if path.exists() and not marker.endswith("*"):
        return
    path.touch()
    if action == "pause":
        go = path.with_name(f"{path.name}.go")
        deadline = time.monotonic() + _LONGEST_PAUSE_S
        while not go.exists() and time.monotonic() < deadline:
            time.sleep(_PAUSE_STEP_S)
    elif action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif action == "disk_full":
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
