"""A shell as somebody has it who has just installed the package."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def make_shell(lines: str, folder: Path) -> subprocess.Popen[str]:
    """Start what a page shows, as somebody would who pastes it into a new shell.

    Args:
        lines: As they are printed.
        folder: Where the shell is.
    """
    environment = {name: value for name, value in os.environ.items() if "LIGHTLY" not in name}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    return subprocess.Popen(
        ["bash", "-c", lines],
        env=environment,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # So that whatever it starts can be ended with it.
        start_new_session=True,
    )
