"""The one `lightly` command. Each subcommand's module is loaded only when it is called.

The functions of the 1.x clients' commands are here too: `from lightly.cli import upload_cli`.
"""

from __future__ import annotations

from typing import Any

_OLD_FUNCTIONS = frozenset(
    {"crop_cli", "download_cli", "embed_cli", "lightly_cli", "train_cli", "upload_cli"}
)


def __getattr__(name: str) -> Any:
    # Loads with its first use: the functions import the command line library.
    if name not in _OLD_FUNCTIONS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from lightly.cli import legacy

    return getattr(legacy, name)
