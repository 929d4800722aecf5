"""`lightly version` and `lightly-version`."""

from __future__ import annotations

import click

from lightly import __version__
from lightly.cli.key_values import KeyValueCommand, Values


def print_version(_values: Values) -> None:
    """Print which release this is."""
    click.echo(f"lightly version {__version__}")


version = KeyValueCommand(
    "version", print_version, settings=(), summary="Print which release this is.", examples=("",)
)
