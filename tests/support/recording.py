"""Recording what a client and a server say to each other, and saying it again to another server.

`RecordingProxy` stands between the two and keeps every exchange. Who sends the same requests to
another server needs a `Translation`. Ids and signed URLs differ from server to server: wherever an
answer has another text than the recorded one at the same place, later requests use that instead.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from tests.support.ports import find_free_port

#: What URLs start with in a recording, and what those of a server in this process start with.
BASE_URL = "http://testserver"
_KEPT_HEADERS = ("User-Agent", "Content-Type", "Accept")
_ID = re.compile(r"(?<![0-9a-f])[0-9a-f]{24}(?![0-9a-f])")
#: What background work changes.
_PROGRESS = ("status", "isProcessed", "state")
#: Shorter texts are no ids, cursors or URLs.
_SHORTEST_MAPPED_TEXT = 12


@dataclass(frozen=True)
class Exchange:
    """A request and its answer.

    Attributes:
        method: Of the request.
        target: Its path and query.
        headers: Those that matter to a server.
        body: Its bytes.
        status: Of the answer.
        answer: Decoded JSON; where it leads to, if that is all it says; None for anything else.
    """

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    status: int
    answer: Any


@dataclass
class Recording:
    """All exchanges of one client, in the order in which the server worked on them."""

    exchanges: list[Exchange] = field(default_factory=list)

    def save(self, path: Path) -> None:
        """Write a file; what was sent more than once is in it once."""
        bodies: dict[str, str] = {}
        rows = []
        for one in _drop_polls(self.exchanges):
            digest = hashlib.sha256(one.body).hexdigest()[:12] if one.body else None
            if digest is not None:
                bodies[digest] = _write_body(one.body)
            rows.append([one.method, one.target, one.headers, digest, one.status, one.answer])
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
        text = f'{{"bodies": {json.dumps(bodies, indent=0)},\n"exchanges": [\n{lines}\n]}}\n'
        path.write_text(text, "utf-8")

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a file."""
        content = json.loads(path.read_text("utf-8"))
        bodies = {digest: _read_body(text) for digest, text in content["bodies"].items()}
        return cls(
            [
                Exchange(method, target, headers, bodies.get(digest, b""), status, answer)
                for method, target, headers, digest, status, answer in content["exchanges"]
            ]
        )


def _drop_polls(exchanges: list[Exchange]) -> list[Exchange]:
    """Leave out requests that were repeated until the answer changed, but for the last."""
    return [
        one
        for one, following in zip(exchanges, [*exchanges[1:], None], strict=True)
        if following is None
        or one.method != "GET"
        or (one.method, one.target) != (following.method, following.target)
    ]


def _write_body(body: bytes) -> str:
    try:
        return "text:" + body.decode()
    except UnicodeDecodeError:
        return "base64:" + base64.b64encode(body).decode()


def _read_body(text: str) -> bytes:
    kind, _, content = text.partition(":")
    return content.encode() if kind == "text" else base64.b64decode(content)


class RecordingProxy:
    """Passes requests on, one at a time, and keeps them.

    One at a time, because the order in which a server registers samples is part of its answers.
    """

    def __init__(self) -> None:
        self.port = find_free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.recording = Recording()
        self.upstream = ""
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), self._make_handler())
        self._server.daemon_threads = True

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _make_handler(self) -> type[BaseHTTPRequestHandler]:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                proxy._pass_on(self, body)

            do_GET = do_POST = do_PUT = do_DELETE = handle_any  # noqa: N815  named by the base class

            def log_message(self, *_args: object) -> None:
                pass

        return Handler

    def _pass_on(self, handler: BaseHTTPRequestHandler, body: bytes) -> None:
        headers = {
            name: value
            for name, value in handler.headers.items()
            if name.lower() not in {"host", "connection", "accept-encoding"}
        }
        with self._lock:
            connection = http.client.HTTPConnection(urlsplit(self.upstream).netloc, timeout=60)
            connection.request(handler.command, handler.path, body or None, headers)
            answer = connection.getresponse()
            content = answer.read()
            connection.close()
            self._keep(handler, body, answer, content)
        handler.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in {"connection", "content-length", "transfer-encoding"}:
                handler.send_header(name, value)
        if answer.status != http.client.NO_CONTENT:
            handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    def _keep(
        self,
        handler: BaseHTTPRequestHandler,
        body: bytes,
        answer: http.client.HTTPResponse,
        content: bytes,
    ) -> None:
        kept = {name: handler.headers[name] for name in _KEPT_HEADERS if name in handler.headers}
        self.recording.exchanges.append(
            Exchange(
                method=handler.command,
                target=handler.path,
                headers=kept,
                body=body.replace(self.url.encode(), BASE_URL.encode()),
                status=answer.status,
                answer=decode_answer(
                    content.replace(self.url.encode(), BASE_URL.encode()),
                    (answer.getheader("Location") or "").replace(self.url, BASE_URL),
                ),
            )
        )


def decode_answer(content: bytes, location: str) -> Any:
    """Return what of an answer is kept: its JSON, else where it leads to, else None."""
    try:
        return json.loads(content)
    except ValueError:
        return {"Location": location} if location else None


class Translation:
    """What texts of a recording are called on another server."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}

    def learn(self, recorded: Any, current: Any) -> None:
        """Compare an answer with the recorded one."""
        if isinstance(recorded, dict) and isinstance(current, dict):
            for name in recorded.keys() & current.keys():
                self.learn(recorded[name], current[name])
        elif isinstance(recorded, list) and isinstance(current, list):
            for old, new in zip(recorded, current, strict=False):
                self.learn(old, new)
        elif isinstance(recorded, str) and isinstance(current, str) and recorded != current:
            self._learn_text(recorded, current)

    def _learn_text(self, recorded: str, current: str) -> None:
        for separator in ("\n", "?", "&", "="):
            old_parts, new_parts = recorded.split(separator), current.split(separator)
            if 1 < len(old_parts) == len(new_parts):
                self.learn(old_parts, new_parts)
        if len(recorded) >= _SHORTEST_MAPPED_TEXT:
            self._texts[recorded] = current

    def translate(self, text: str) -> str:
        """Return a text with what is known of it replaced."""
        if text in self._texts:
            return self._texts[text]
        return _ID.sub(lambda match: self._texts.get(match[0], match[0]), text)

    def translate_target(self, target: str) -> str:
        """Return path and query for the other server."""
        whole = self._texts.get(BASE_URL + target)
        if whole is not None:
            return whole.removeprefix(BASE_URL)
        path, mark, query = target.partition("?")
        parts = [
            f"{name}{sign}{self.translate(value)}"
            for name, sign, value in (part.partition("=") for part in query.split("&"))
        ]
        return self.translate(path) + mark + "&".join(parts)

    def translate_body(self, body: bytes) -> bytes:
        """Return a body for the other server; what is not text stays as it is."""
        try:
            text = body.decode()
        except UnicodeDecodeError:
            return body
        return self.translate(text).encode()


def describe_shape(value: Any) -> Any:
    """Return a JSON value with every text, number and flag replaced by its kind.

    Of a list, the different shapes of its items count, not how many there are: background work may
    be further on one server than on another.
    """
    if isinstance(value, dict):
        return {name: describe_shape(inner) for name, inner in sorted(value.items())}
    if isinstance(value, list):
        return sorted({json.dumps(describe_shape(inner)) for inner in value})
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return "number"
    return type(value).__name__


def list_progress(value: Any) -> list[Any]:
    """Return the values in an answer that background work changes, in their order."""
    if isinstance(value, dict):
        own = [value[name] for name in _PROGRESS if name in value]
        return own + [found for inner in value.values() for found in list_progress(inner)]
    if isinstance(value, list):
        return [found for inner in value for found in list_progress(inner)]
    return []
