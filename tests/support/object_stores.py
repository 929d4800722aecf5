"""An S3 server of the tests' own: SeaweedFS in a temporary folder, on free ports."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from datetime import timedelta
from pathlib import Path

import obstore
import requests
from obstore.store import S3Store

from tests.support.ports import find_free_port

ACCESS_KEY = "test-access-key"
SECRET_KEY = "test-secret-key"
REGION = "us-east-1"
SHARED_BUCKET = "shared"
_START_TIMEOUT_S = 90.0
_IDENTITIES = {
    "identities": [
        {
            "name": "tests",
            "credentials": [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}],
            "actions": ["Admin", "Read", "Write", "List"],
        }
    ]
}


class S3Server:
    """Starts on creation; `stop` removes everything."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="lightly-s3-"))
        self._port = find_free_port()
        (self._folder / "identities.json").write_text(json.dumps(_IDENTITIES))
        command = [str(Path(sys.executable).parent / "weed"), f"-logdir={self._folder}"]
        command += ["server", *self._flags()]
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        self._wait()

    @property
    def endpoint(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def variables(self) -> dict[str, str]:
        """The provider's usual variables for this server."""
        return {
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": REGION,
        }

    def make_bucket(self, name: str) -> str:
        """Make an empty bucket and return its name."""
        url = obstore.sign(self._open(name), "PUT", "", timedelta(minutes=5))
        requests.put(url, timeout=30).raise_for_status()
        return name

    def make_url(self) -> str:
        """Return the URL of a prefix that nobody else uses, in a bucket that all tests share.

        Every bucket of this server takes files of its own, so there are few of them.
        """
        return f"s3://{SHARED_BUCKET}/{uuid.uuid4().hex}"

    def open(self, bucket: str = SHARED_BUCKET) -> S3Store:
        """Return the library's client of a bucket."""
        return self._open(bucket)

    def stop(self) -> None:
        """Stop the server and remove its folder."""
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _open(self, bucket: str) -> S3Store:
        return S3Store(
            bucket,
            access_key_id=ACCESS_KEY,
            secret_access_key=SECRET_KEY,
            endpoint=self.endpoint,
            region=REGION,
            client_options={"allow_http": True},
        )

    def _flags(self) -> list[str]:
        # Without a port of its own, gRPC would take the other port plus 10,000.
        names = ["master.port", "volume.port", "filer.port"]
        names += ["master.port.grpc", "volume.port.grpc", "filer.port.grpc", "s3.port.grpc"]
        return [
            f"-dir={self._folder}",
            "-ip=127.0.0.1",
            "-ip.bind=127.0.0.1",
            "-s3",
            # Catalogues that nobody asks for would listen on fixed ports.
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            f"-s3.port={self._port}",
            f"-s3.config={self._folder / 'identities.json'}",
            *(f"-{name}={find_free_port()}" for name in names),
            "-volume.max=200",
            "-master.volumeSizeLimitMB=64",
            "-master.telemetry=false",
        ]

    def _wait(self) -> None:
        deadline = time.monotonic() + _START_TIMEOUT_S
        while True:
            try:
                self.make_bucket(SHARED_BUCKET)
                obstore.put(self._open(SHARED_BUCKET), "probe", b"probe")
            except (requests.RequestException, obstore.exceptions.BaseError):
                if time.monotonic() > deadline or self._process.poll() is not None:
                    log = (self._folder / "log").read_text(errors="replace")
                    raise RuntimeError(f"The S3 server did not start:\n{log[-2000:]}") from None
                time.sleep(0.2)
            else:
                return
