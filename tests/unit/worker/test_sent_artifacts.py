"""Uploading what a run leaves behind."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any, cast

import pytest

from lightly.worker.runs import artifacts
from lightly.worker.runs.context import RunContext


@pytest.mark.parametrize("name", [artifacts.LOG_NAME, artifacts.MEMORY_LOG_NAME])
def test_a_log_that_grows_while_it_is_sent_is_sent_as_it_was(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("first line\n")
    sent: list[bytes] = []

    def send(_name: str, _kind: str, source: IO[bytes]) -> None:
        first = source.read()
        with path.open("a") as file:
            file.write("second line\n")
        source.seek(0)
        sent.extend([first, source.read()])

    link: Any = SimpleNamespace(send_artifact=send)
    folder: Any = SimpleNamespace(path=tmp_path.joinpath)
    artifacts.send_artifacts(cast("RunContext", SimpleNamespace(link=link, folder=folder)))
    assert sent == [b"first line\n"] * 2
