"""A file server on the user's machine, so that the web app in a browser can show local files.

The files never pass through the platform's server: the browser fetches them from here.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from pathlib import Path
from socketserver import BaseRequestHandler, TCPServer
from typing import Any

from lightly._kit.errors import BadInput
from lightly.api.file_server.answers import Answers
from lightly.api.file_server.connections import MAX_CONNECTIONS, Connections
from lightly.api.file_server.origins import Visitors
from lightly.media.listing import IMAGE_EXTENSIONS, VIDEO_EXTENSIONS


class FileServer(TCPServer):
    """Serves the files below some folders, for reading only.

    Args:
        address: Host and port; port 0 takes a free one.
        folders: Where a file is looked for, the first one that has it wins.
        allowed_origins: Web origins such as `http://localhost:8000` whose pages may read; None
            allows all. Credentials are never asked for.
        allowed_hosts: Further names under which browsers reach this machine.
        max_connections: How many connections there may be at a time.

    Attributes:
        server_name: The address it listens on.
        server_port: The port.
    """

    allow_reuse_address = True
    request_queue_size = 128

    def __init__(
        self,
        address: tuple[str, int],
        folders: Sequence[Path],
        allowed_origins: Sequence[str] | None = None,
        *,
        allowed_hosts: Sequence[str] = (),
        max_connections: int = MAX_CONNECTIONS,
    ) -> None:
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        answers = Answers(folders, Visitors(address[0], allowed_origins, allowed_hosts))
        self._connections = Connections(answers, max_connections=max_connections)
        super().__init__(address, BaseRequestHandler)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ARG002  named by the library
        """Serve a new connection, beside the others."""
        self._connections.start(request)

    def server_close(self) -> None:
        """Stop listening; let answers that are being sent come to their end, for a moment."""
        super().server_close()
        self._connections.close()


def get_server(
    paths: Sequence[Path],
    host: str,
    port: int,
    *,
    allowed_origins: Sequence[str] | None = None,
    allowed_hosts: Sequence[str] = (),
) -> FileServer:
    """Return a server that is bound, but does not answer before its `serve_forever()`.

    Args:
        paths: Folders whose files are served; a file is taken from the first one that has it.
        host: Address to listen on.
        port: Port to listen on, 0 for a free one.
        allowed_origins: Web origins whose pages may read; None allows all.
        allowed_hosts: Further names under which browsers reach this machine.

    Raises:
        OSError: If the address is taken or not of this machine.

    Example:
        >>> server = get_server([Path("images")], "localhost", 3456)  # doctest: +SKIP
        >>> server.serve_forever()  # doctest: +SKIP
    """
    return FileServer((host, port), paths, allowed_origins, allowed_hosts=allowed_hosts)


def validate_input_mount(input_mount: Path) -> None:
    """Check that a folder holds something to show.

    Raises:
        ValueError: If it does not exist, or there is no image or video below it.
    """
    _check_folder("input_mount", input_mount)
    suffixes = IMAGE_EXTENSIONS + VIDEO_EXTENSIONS
    names = (name for _, _, files in os.walk(input_mount, followlinks=True) for name in files)
    if not any(name.lower().endswith(suffixes) for name in names):
        raise BadInput("input_mount: there is no image and no video below the folder.")


def validate_lightly_mount(lightly_mount: Path) -> None:
    """Check that a folder exists.

    Raises:
        ValueError: If it does not.
    """
    _check_folder("lightly_mount", lightly_mount)


def _check_folder(key: str, folder: Path) -> None:
    if not folder.is_dir():
        raise BadInput(f"{key}: the folder {str(folder)[:200]!r} does not exist.")
