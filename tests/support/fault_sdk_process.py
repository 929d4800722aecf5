"""Uploads with the client of this project, in a process that can be killed.

Run as `python -m tests.support.fault_sdk_process`; reads its order from standard input.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from lightly.api import upload_engine
from lightly.api.errors import CorruptImagesWarning, IncompleteUploadWarning
from tests.support.fault_traffic import Traffic

_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class UploadOrder:
    """What to upload, and where to.

    Attributes:
        url: Address of the server.
        token: API token.
        dataset_id: The dataset on the server.
        folder: A folder of images.
        mode: As in `upload_dataset`.
        journal: Where every request is noted.
        report: Where the peak of resident memory goes at the end, in bytes.
        batch_items: Samples per batch; None leaves it to the client.
        max_workers: As in `upload_dataset`.
    """

    url: str
    token: str
    dataset_id: str
    folder: str
    mode: str
    journal: str
    report: str
    batch_items: int | None = None
    max_workers: int = 4


class SdkProcess:
    """An upload in a process of its own; as context manager it is killed at the end."""

    def __init__(self, order: UploadOrder) -> None:
        self._order = order
        environment = {
            **{name: value for name, value in os.environ.items() if "LIGHTLY" not in name},
            "LIGHTLY_SERVER_LOCATION": order.url,
        }
        self._errors = Path(order.report).with_suffix(".stderr")
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.fault_sdk_process"],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                env=environment,
                cwd=_ROOT,
                start_new_session=True,
            )
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asdict(order)).encode())
        self._process.stdin.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.kill()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    def kill(self) -> None:
        """End it with SIGKILL; whatever it has started is left to itself."""
        if self.is_running:
            self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def finish(self, timeout_s: float) -> int:
        """Wait for the end of the upload; return the peak of its resident memory in bytes.

        Raises:
            RuntimeError: If it failed.
        """
        if self._process.wait(timeout_s):
            raise RuntimeError(self._errors.read_text(errors="replace")[-4000:])
        return int(Path(self._order.report).read_text())


def main() -> None:
    """Carry out the order."""
    order = UploadOrder(**_read_order())
    for kind in (CorruptImagesWarning, IncompleteUploadWarning):
        warnings.simplefilter("error", kind)
    if order.batch_items is not None:
        upload_engine.BATCH_ITEMS = order.batch_items
    with Path(order.journal).open("a", encoding="utf-8") as journal:
        client = Traffic(journal=journal).connect(order.url, order.token)
        client.dataset_id = order.dataset_id
        client.upload_dataset(order.folder, mode=order.mode, max_workers=order.max_workers)
    # Not the peak that `getrusage` tells: that one goes back to before the process was its own.
    (peak_kb,) = re.findall(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    Path(order.report).write_text(str(int(peak_kb) * 1024))


def _read_order() -> Mapping[str, Any]:
    order: Mapping[str, Any] = json.load(sys.stdin)
    return order


if __name__ == "__main__":
    main()
