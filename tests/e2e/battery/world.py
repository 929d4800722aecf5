"""What the steps share: a client, a dataset, plain HTTP to the same server."""

from __future__ import annotations

import json
import os
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from battery.ledger import OURS


class PlainHttp:
    """The wire contract without any client.

    Args:
        base_url: Of the server.
        token: Of the user.
    """

    def __init__(self, base_url: str, token: str) -> None:
        self._base_url = base_url.rstrip("/")
        self._token = token

    def get(self, path: str, **query: str) -> Any:
        """Return the answer to a GET."""
        return self.request("GET", path, query=query)

    def post(self, path: str, body: object = None) -> Any:
        """Return the answer to a POST."""
        return self.request("POST", path, body=body)

    def put(self, path: str, body: object = None) -> Any:
        """Return the answer to a PUT."""
        return self.request("PUT", path, body=body)

    def request(
        self, method: str, path: str, *, query: dict[str, str] | None = None, body: object = None
    ) -> Any:
        """Return a decoded answer; anything but success raises."""
        text = urllib.parse.urlencode({**(query or {}), "token": self._token})
        request = urllib.request.Request(
            f"{self._base_url}{path}?{text}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                content = answer.read()
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.code} {error.read()[:500]!r}") from error
        return json.loads(content) if content else None


def put_bytes(url: str, content: bytes) -> None:
    """Upload to a signed URL."""
    with urllib.request.urlopen(
        urllib.request.Request(url, method="PUT", data=content), timeout=30
    ) as answer:
        answer.read()


def read_bytes(url: str) -> bytes:
    """Download from a URL."""
    with urllib.request.urlopen(url, timeout=30) as answer:
        content: bytes = answer.read()
    return content


class World:
    """What the steps share.

    Attributes:
        line: Major and minor version of the client.
        version: Its whole version.
        client: An `ApiWorkflowClient` on the main dataset, once that was made.
        http: The same server and user without a client.
        token: Of the user.
        other_email: Address of another user.
        folder: Pictures.
        names: Their names below the folder, sorted.
        csv: Embeddings of them, in another order.
        mount: Folder that the server reads LOCAL datasources from.
        scratch: Folder for what is downloaded.
    """

    def __init__(self, arguments: dict[str, Any]) -> None:
        self.version: str = arguments["version"]
        self.line = OURS
        if self.version != "ours":
            major, minor, _ = self.version.split(".")
            self.line = (int(major), int(minor))
        self.client: Any = None
        self.token: str = arguments["token"]
        self.url = os.environ["LIGHTLY_SERVER_LOCATION"]
        self.http = PlainHttp(self.url, self.token)
        self.other_email: str = arguments["other_email"]
        self.folder = Path(arguments["folder"])
        self.names: list[str] = arguments["names"]
        self.csv = Path(arguments["csv"])
        self.mount = Path(arguments["mount"])
        self.scratch = Path.cwd() / "scratch"
        self.scratch.mkdir()
        #: Ids and objects that one step leaves for the next.
        self.kept: dict[str, Any] = {}

    def make_client(self, **options: Any) -> Any:
        """Return a new client; 1.1 does not look for the token in the environment."""
        from lightly.api import ApiWorkflowClient

        return ApiWorkflowClient(token=self.token, **options)

    @property
    def dataset_path(self) -> str:
        """Path of the main dataset."""
        return f"/v1/datasets/{self.client._dataset_id}"

    def name(self, text: str) -> str:
        """Return a name that no other client of the same server uses."""
        return f"{text} {self.version.replace('.', '-')}"

    def wait_for_embedding(self, dataset_id: str, name: str) -> dict[str, Any]:
        """Return an embedding once its CSV was read."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            for found in self.http.get(f"/v1/datasets/{dataset_id}/embeddings"):
                if found["name"] == name and found["isProcessed"]:
                    return dict(found)
            threading.Event().wait(0.05)
        raise AssertionError(f"the embedding '{name}' was not read")

    def fill_dataset(self, dataset_id: str, names: list[str], img_type: str = "full") -> None:
        """Upload pictures without a client: from 1.3 on clients cannot."""
        path = f"/v1/datasets/{dataset_id}"
        for name in names:
            made = self.http.post(f"{path}/samples/withWriteUrls", {"fileName": name})
            content = (self.folder / name).read_bytes()
            put_bytes(made["sampleWriteUrls"]["full"], content)
            put_bytes(made["sampleWriteUrls"]["thumb"], content)
        self.http.post(f"{path}/tags/initial", {"imgType": img_type})


def raises(kinds: type[Exception] | tuple[type[Exception], ...], function: Any, *args: Any) -> str:
    """Return the message of the error that a call must end with."""
    try:
        function(*args)
    except kinds as error:
        return str(error)
    raise AssertionError(f"{function} should have raised {kinds}")
