"""A file server on the user's machine, so that the web app in a browser can show local files.

The files never pass through the platform's server: the browser fetches them from here.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import TCPServer
from typing import Any, BinaryIO
from urllib.parse import unquote, urlsplit

from lightly import __version__
from lightly._kit.errors import BadInput
from lightly._kit.safe_paths import resolve_below
from lightly.media.listing import IMAGE_EXTENSIONS, VIDEO_EXTENSIONS
from lightly.media.sniff import SNIFF_BYTES, sniff_content_type

#: A browser that is silent for longer has gone.
_IDLE_TIMEOUT_S = 60
_CHUNK_BYTES = 1 << 18
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_EXPOSED = "Accept-Ranges, Content-Length, Content-Range"


class FileServer(ThreadingHTTPServer):
    """Serves the files below some folders, for reading only.

    Args:
        address: Host and port; port 0 takes a free one.
        folders: Where a file is looked for, the first one that has it wins.
        allowed_origins: Web origins such as `http://localhost:8000` whose pages may read; None
            allows all. Credentials are never asked for.
    """

    daemon_threads = True

    def __init__(
        self,
        address: tuple[str, int],
        folders: Sequence[Path],
        allowed_origins: Sequence[str] | None = None,
    ) -> None:
        super().__init__(address, _FileRequest)
        self.folders = [folder.resolve() for folder in folders]
        self.allowed_origins = None if allowed_origins is None else frozenset(allowed_origins)
        # On loopback a name that is none of ours means a page that has rebound its own name.
        names = _LOOPBACK_NAMES | {address[0].lower()}
        self.allowed_hosts = names if address[0].lower() in _LOOPBACK_NAMES else None

    def server_bind(self) -> None:
        """Bind without asking the name service who this machine is: that can take minutes."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of callers that go away or speak http to https; the rest is a fault."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def find_file(self, name: str) -> Path | None:
        """Return the file of this name in the first folder that has it, never one outside."""
        for folder in self.folders:
            try:
                path = resolve_below(folder, name)
                if path.is_file():
                    return path
            except (BadInput, OSError):
                continue
        return None


class _FileRequest(BaseHTTPRequestHandler):
    """One connection of a browser."""

    protocol_version = "HTTP/1.1"
    server_version = f"lightly-serve/{__version__}"
    sys_version = ""
    timeout = _IDLE_TIMEOUT_S
    server: FileServer

    def do_GET(self) -> None:
        """Answer with a file or a part of it."""
        self._answer_file()

    def do_HEAD(self) -> None:
        """Answer with the headers of a file."""
        self._answer_file()

    def do_OPTIONS(self) -> None:
        """Answer a browser that asks before it sends a request."""
        if not self._is_refused():
            self._start(HTTPStatus.NO_CONTENT)
            self.send_header("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS")
            self.send_header("Access-Control-Allow-Headers", "Range, Content-Type, If-Range")
            self.send_header("Access-Control-Max-Age", "600")
            self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's name
        """Print nothing: a page of pictures makes hundreds of requests."""

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer with a status and its name, as plain text that repeats nothing of the request."""
        del message, explain
        text = HTTPStatus(code).phrase.encode()
        # The body of what was refused is not read, so nothing can follow it.
        self.close_connection = True
        self._start(HTTPStatus(code))
        self.send_header("Connection", "close")
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if getattr(self, "command", "") != "HEAD":
            self.wfile.write(text)

    def _answer_file(self) -> None:
        if self._is_refused():
            return
        # Decoded once: what is still encoded after that is part of a name.
        name = unquote(urlsplit(self.path).path.removeprefix("/"))
        path = self.server.find_file(name)
        if path is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        try:
            with path.open("rb") as file:
                self._send_file(file, path.stat().st_size)
        except PermissionError:
            self.send_error(HTTPStatus.FORBIDDEN)
        except ConnectionError:
            self.close_connection = True

    def _send_file(self, file: BinaryIO, size_bytes: int) -> None:
        content_type = sniff_content_type(file.read(SNIFF_BYTES))
        part = self._read_range(size_bytes)
        if part is None:
            self._start(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
            self.send_header("Content-Range", f"bytes */{size_bytes}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        is_partial = "Range" in self.headers and len(part) < size_bytes
        self._start(HTTPStatus.PARTIAL_CONTENT if is_partial else HTTPStatus.OK)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Type", content_type or "application/octet-stream")
        if content_type is None:
            self.send_header("Content-Disposition", "attachment")
        if is_partial:
            self.send_header("Content-Range", f"bytes {part.start}-{part.stop - 1}/{size_bytes}")
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        if self.command != "HEAD":
            self._copy(file, part)

    def _copy(self, file: BinaryIO, part: range) -> None:
        file.seek(part.start)
        n_left = len(part)
        while n_left and (chunk := file.read(min(_CHUNK_BYTES, n_left))):
            self.wfile.write(chunk)
            n_left -= len(chunk)
        # A file that shrank meanwhile: the length is promised, so only closing tells.
        self.close_connection |= n_left > 0

    def _read_range(self, size_bytes: int) -> range | None:
        """Return which bytes are asked for, None if there are no such bytes.

        Several ranges at once, and ranges of a version that cannot be compared, get all bytes.
        """
        everything = range(size_bytes)
        match = _RANGE.fullmatch(self.headers.get("Range", "").strip())
        if match is None or match.group(1, 2) == ("", "") or "If-Range" in self.headers:
            return everything
        first, last = match.groups()
        if not first:
            part = range(max(0, size_bytes - int(last)), size_bytes)
        else:
            stop = min(int(last) + 1, size_bytes) if last else size_bytes
            if last and int(last) < int(first):
                return everything
            part = range(int(first), stop)
        return part or None

    def _is_refused(self) -> bool:
        """Refuse a page of a foreign origin, and a name that is not this machine's."""
        origins, hosts = self.server.allowed_origins, self.server.allowed_hosts
        origin = self.headers.get("Origin")
        is_foreign = origins is not None and origin is not None and origin not in origins
        is_rebound = hosts is not None and self._read_host() not in hosts
        if is_foreign or is_rebound:
            self.send_error(HTTPStatus.FORBIDDEN)
        return is_foreign or is_rebound

    def _read_host(self) -> str | None:
        try:
            return urlsplit(f"//{self.headers.get('Host', '')}").hostname
        except ValueError:
            return None

    def _start(self, status: HTTPStatus) -> None:
        """Begin an answer with what all answers have."""
        self.send_response(status)
        origins = self.server.allowed_origins
        origin = self.headers.get("Origin") if hasattr(self, "headers") else None
        if origins is None:
            self.send_header("Access-Control-Allow-Origin", "*")
            self.send_header("Access-Control-Expose-Headers", _EXPOSED)
        elif origin in origins:
            self.send_header("Access-Control-Allow-Origin", str(origin))
            self.send_header("Access-Control-Expose-Headers", _EXPOSED)
        if origins is not None:
            self.send_header("Vary", "Origin")
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        # Whatever a file holds, it runs nothing.
        self.send_header("Content-Security-Policy", "default-src 'none'; sandbox")


def get_server(
    paths: Sequence[Path],
    host: str,
    port: int,
    *,
    allowed_origins: Sequence[str] | None = None,
) -> FileServer:
    """Return a server that is bound, but does not answer before its `serve_forever()`.

    Args:
        paths: Folders whose files are served; a file is taken from the first one that has it.
        host: Address to listen on.
        port: Port to listen on, 0 for a free one.
        allowed_origins: Web origins whose pages may read; None allows all.

    Raises:
        OSError: If the address is taken or not of this machine.
    """
    return FileServer((host, port), paths, allowed_origins)


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
