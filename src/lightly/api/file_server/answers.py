"""What a request is answered with: which file, which part of it, which headers."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path
from urllib.parse import unquote

from lightly import __version__
from lightly._kit.errors import BadInput
from lightly._kit.safe_paths import open_below
from lightly.api.file_server.origins import Visitors
from lightly.api.file_server.requests import Request, RequestRefused
from lightly.media.sniff import SNIFF_BYTES, sniff_content_type

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_SERVER = f"Server: lightly-serve/{__version__}\r\n"
_ALWAYS = (
    "Cache-Control: no-store\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    # Whatever a file holds, it runs nothing.
    "Content-Security-Policy: default-src 'none'; sandbox\r\n"
)
_STARTS = {
    status: f"HTTP/1.1 {status.value} {status.phrase}\r\n{_SERVER}{_ALWAYS}"
    for status in HTTPStatus
}
_PREFLIGHT = (
    "Access-Control-Allow-Methods: GET, HEAD, OPTIONS\r\n"
    "Access-Control-Allow-Headers: Range, Content-Type, If-Range\r\n"
    "Access-Control-Max-Age: 600\r\n"
)
_FOREIGN = "Forbidden. See allowed_origins= and allowed_hosts= of lightly-serve."


@dataclass(slots=True)
class Answer:
    """What is sent back.

    Attributes:
        head: Status line, headers, and the body of an answer without file.
        descriptor: The open file, -1 if none is sent. Who sends it closes it.
        start: Its first byte that is sent.
        size_bytes: How many are.
        is_last: Whether the connection ends with this answer.
    """

    head: bytes
    descriptor: int = -1
    start: int = 0
    size_bytes: int = 0
    is_last: bool = False


class Answers:
    """Makes answers from the files of some folders.

    Args:
        folders: Where a file is looked for; the first one that has it wins.
        visitors: Whose requests are answered.
    """

    def __init__(self, folders: Sequence[Path], visitors: Visitors) -> None:
        self._roots = [str(folder.resolve()) for folder in folders]
        self._visitors = visitors
        self._date = (0, "")

    def make(self, request: Request) -> Answer:
        """Return the answer to a request; the caller closes its file."""
        headers = self._visitors.describe(request.headers.get("origin"))
        try:
            answer = self._choose(request, headers)
        except RequestRefused as refused:
            return self.refuse(refused, headers, has_body=request.method != "HEAD")
        answer.is_last = not request.is_kept_alive
        return answer

    def refuse(
        self, refused: RequestRefused, headers: str | None = None, *, has_body: bool = True
    ) -> Answer:
        """Return an answer that says why there is none, and repeats nothing of the request."""
        text = refused.reason.encode()
        fields = self._visitors.describe(None) if headers is None else headers
        fields += (
            "Connection: close\r\nContent-Type: text/plain; charset=utf-8\r\n"
            f"Content-Length: {len(text)}\r\n"
        )
        head = self._start(refused.status, fields)
        return Answer(head + text if has_body else head, is_last=True)

    def _choose(self, request: Request, headers: str) -> Answer:
        if not self._visitors.may_read(request.headers):
            raise RequestRefused(HTTPStatus.FORBIDDEN, _FOREIGN)
        if request.method == "OPTIONS":
            return Answer(self._start(HTTPStatus.NO_CONTENT, headers + _PREFLIGHT))
        if request.method not in {"GET", "HEAD"}:
            raise RequestRefused(HTTPStatus.NOT_IMPLEMENTED)
        # Decoded once: what is still encoded after that is part of a name.
        descriptor = self._open(unquote(request.target.partition("?")[0][1:]))
        try:
            answer = self._describe(request, descriptor, headers)
        except BaseException:
            os.close(descriptor)
            raise
        if answer.descriptor < 0:
            os.close(descriptor)
        return answer

    def _open(self, name: str) -> int:
        status = HTTPStatus.NOT_FOUND
        for root in self._roots:
            try:
                return open_below(root, name)
            except PermissionError:
                status = HTTPStatus.FORBIDDEN
            except (BadInput, OSError):
                continue
        raise RequestRefused(status)

    def _describe(self, request: Request, descriptor: int, headers: str) -> Answer:
        file = os.fstat(descriptor)
        size_bytes = file.st_size
        tag = f'"{file.st_mtime_ns:x}-{file.st_ino:x}-{size_bytes:x}"'
        changed = _format_date(int(file.st_mtime))
        headers += f"Accept-Ranges: bytes\r\nETag: {tag}\r\nLast-Modified: {changed}\r\n"
        if _is_known(request, tag, changed):
            return Answer(self._start(HTTPStatus.NOT_MODIFIED, headers))
        part = _choose_part(request, size_bytes, tag, changed)
        if not part and size_bytes:
            headers += f"Content-Range: bytes */{size_bytes}\r\nContent-Length: 0\r\n"
            return Answer(self._start(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers))
        headers += _describe_content(descriptor)
        status = HTTPStatus.OK
        if len(part) < size_bytes:
            status = HTTPStatus.PARTIAL_CONTENT
            headers += f"Content-Range: bytes {part.start}-{part.stop - 1}/{size_bytes}\r\n"
        head = self._start(status, headers + f"Content-Length: {len(part)}\r\n")
        if request.method == "HEAD":
            return Answer(head)
        return Answer(head, descriptor, part.start, len(part))

    def _start(self, status: HTTPStatus, headers: str) -> bytes:
        now_s = int(time.time())
        if self._date[0] != now_s:
            self._date = (now_s, f"Date: {_format_date(now_s)}\r\n")
        return f"{_STARTS[status]}{self._date[1]}{headers}\r\n".encode("latin-1")


# Files of one recording share their seconds.
@lru_cache(maxsize=1024)
def _format_date(seconds: int) -> str:
    return formatdate(seconds, usegmt=True)


def _describe_content(descriptor: int) -> str:
    head = os.read(descriptor, SNIFF_BYTES)
    content_type = sniff_content_type(head)
    if content_type is None:
        return "Content-Type: application/octet-stream\r\nContent-Disposition: attachment\r\n"
    return f"Content-Type: {content_type}\r\n"


def _is_known(request: Request, tag: str, changed: str) -> bool:
    """Tell whether the caller has this version already."""
    tags = request.headers.get("if-none-match")
    if tags is not None:
        return tag in tags or tags == "*"
    return request.headers.get("if-modified-since") == changed


def _choose_part(request: Request, size_bytes: int, tag: str, changed: str) -> range:
    """Return which bytes are asked for; none if there are no such bytes.

    Several ranges at once, ranges that make no sense, and ranges of another version get all bytes.
    """
    everything = range(size_bytes)
    match = _RANGE.fullmatch(request.headers.get("range", ""))
    if match is None or match.group(1, 2) == ("", ""):
        return everything
    if request.headers.get("if-range", tag) not in {tag, changed}:
        return everything
    first, last = match.groups()
    if not first:
        return range(max(0, size_bytes - int(last)), size_bytes)
    if last and int(last) < int(first):
        return everything
    return range(int(first), min(int(last) + 1, size_bytes) if last else size_bytes)
