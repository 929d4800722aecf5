"""The command names of the 1.2 era, as thin fronts."""

from __future__ import annotations

import sys

from lightly.cli.embed import run_legacy_embed
from lightly.cli.main import exit_on_error


def embed() -> None:
    """Run `lightly-embed key=value ...`."""
    with exit_on_error():
        run_legacy_embed(sys.argv[1:])
