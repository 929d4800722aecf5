"""`lightly server`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from lightly.server.settings import Settings, read_settings

_DEFAULTS = Settings()


@click.command(context_settings={"show_default": True})
@click.option("--host", help=f"Address to listen on. [default: {_DEFAULTS.host}]")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help=f"Port to listen on, 0 for a free one. [default: {_DEFAULTS.port}]",
)
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help=f"Where everything is kept. [default: ./{_DEFAULTS.data_dir}]",
)
@click.option(
    "--database-url",
    help="sqlite:///FILE or postgresql://USER@HOST/NAME. [default: SQLite in the data folder]",
)
@click.option(
    "--storage-url",
    help="file:///FOLDER, s3://BUCKET/PREFIX, gs:// or az:// for images and embeddings. "
    "[default: blobs/ in the data folder]",
)
@click.option("--public-url", help="What handed-out URLs begin with. [default: http://HOST:PORT]")
@click.option("--input-mount", help="Folder below which LOCAL datasources are read.")
@click.option("--lightly-mount", help="Folder below which LOCAL datasources are written.")
@click.option("--no-worker", is_flag=True, default=None, help="Do not start the embedded worker.")
def server(**flags: Any) -> None:
    """Start the server. Stop it with Ctrl-C or SIGTERM.

    Every option is also a variable, LIGHTLY_SERVER_PORT for --port and so on. At the first start
    LIGHTLY_TOKEN becomes the API token of admin@localhost; without it a random one is made,
    printed once, and kept in the data folder.
    """
    from lightly.server.startup import run_server

    run_server(read_settings(**flags))
