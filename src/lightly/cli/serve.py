"""`lightly serve` and `lightly-serve`: local folders for the web app in the user's browser."""

from __future__ import annotations

import signal
import ssl
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lightly._kit.errors import BadInput
from lightly.cli.key_values import KeyValueCommand, Setting, Values
from lightly.cli.old_settings import read_file

if TYPE_CHECKING:
    from lightly.api.serve import FileServer

_MOUNTS = ("input_mount", "lightly_mount")
_MOST_PORT = 65535


def run_serve(values: Values) -> None:
    """Serve until Ctrl-C.

    Raises:
        BadInput: If there is no folder, or the address cannot be taken.
    """
    from lightly.api.serve import get_server

    folders = _read_folders(values)
    host, port = values["host"], values["port"]
    if not 0 <= port <= _MOST_PORT:
        raise BadInput(f"port must be from 0 to {_MOST_PORT}, got {port}.")
    tls = _read_certificate(values)
    try:
        server = get_server(
            folders,
            host,
            port,
            allowed_origins=_read_list(values["allowed_origins"]) or None,
            allowed_hosts=_read_list(values["allowed_hosts"]),
        )
    except OSError as error:
        raise BadInput(f"Cannot listen on {host} port {port}: {error.strerror}.") from None
    with server:
        if tls is not None:
            # Each connection shakes hands in its own thread: a silent one keeps nobody waiting.
            server.socket = tls.wrap_socket(
                server.socket, server_side=True, do_handshake_on_connect=False
            )
        shown = f"[{host}]" if ":" in host else host
        scheme = "https" if tls else "http"
        click.echo(f"Serving files at {scheme}://{shown}:{server.server_port}. Ctrl-C stops.")
        _serve_until_stopped(server)


def _serve_until_stopped(server: FileServer) -> None:
    def stop(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is threading.main_thread():
        # Both: a process that a shell has put into the background begins with Ctrl-C ignored.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, stop)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        click.echo("Stopped.")


def _read_list(text: str) -> list[str]:
    return [item.strip().rstrip("/") for item in text.split(",") if item.strip()]


def _read_folders(values: Values) -> list[Path]:
    from lightly.api.serve import validate_input_mount, validate_lightly_mount

    folders = [Path(values[key]) for key in _MOUNTS if values[key]]
    if not folders:
        raise BadInput("Say which folders: input_mount=FOLDER lightly_mount=FOLDER.")
    if values["input_mount"]:
        validate_input_mount(Path(values["input_mount"]))
    if values["lightly_mount"]:
        validate_lightly_mount(Path(values["lightly_mount"]))
    return folders


def _read_certificate(values: Values) -> ssl.SSLContext | None:
    if not values["ssl_cert"]:
        if values["ssl_key"]:
            raise BadInput("ssl_key needs ssl_cert=FILE too.")
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    key = read_file(values, "ssl_key") if values["ssl_key"] else None
    try:
        context.load_cert_chain(read_file(values, "ssl_cert"), key)
    except ssl.SSLError:
        raise BadInput("ssl_cert and ssl_key must be a PEM certificate and its key.") from None
    return context


serve = KeyValueCommand(
    "serve",
    run_serve,
    settings=(
        Setting("input_mount", "Folder with the images or videos; looked into first."),
        Setting("lightly_mount", "Folder with thumbnails, frames and crops."),
        Setting("host", "Address to listen on; 0.0.0.0 lets other machines read.", "localhost"),
        Setting("port", "Port to listen on, 0 for a free one.", 3456),
        Setting(
            "allowed_origins",
            "Only pages of these addresses may read, such as http://localhost:8000; all if empty.",
        ),
        Setting(
            "allowed_hosts",
            "Further names under which browsers may reach this machine, such as gpu-box.example.",
        ),
        Setting("ssl_cert", "PEM file with a certificate, for https."),
        Setting("ssl_key", "PEM file with its key, if that is not in ssl_cert."),
    ),
    summary="Show local folders to the web app in your browser, for datasources of type LOCAL."
    " Files are read only; nothing passes through the platform's server.",
    examples=(
        "input_mount=images lightly_mount=results",
        "input_mount=images allowed_origins=http://localhost:8000",
    ),
)
