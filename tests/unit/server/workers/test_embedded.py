"""What the worker that comes with the server is started with."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from lightly.server.workers.embedded import EmbeddedWorker


def test_it_may_read_the_stores_that_its_server_may_and_gets_no_other_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: dict[str, Any] = {}
    monkeypatch.setattr(subprocess, "Popen", lambda _command, **options: started.update(options))
    monkeypatch.setenv("LIGHTLY_SERVER_SECRET_KEY", "00" * 32)
    monkeypatch.setenv("LIGHTLY_SERVER_EGRESS_ALLOW", "10.0.0.0/8")
    settings = SimpleNamespace(
        data_dir=tmp_path,
        input_mount="",
        lightly_mount="",
        egress_allow="192.168.7.0/24",
    )
    platform = cast("Any", SimpleNamespace(settings=settings))
    worker = EmbeddedWorker(platform, "http://127.0.0.1:8000")

    worker._start(cast("Any", SimpleNamespace(id="a" * 24)), "token")

    given = {name: value for name, value in started["env"].items() if "LIGHTLY_SERVER" in name}
    assert given == {"LIGHTLY_SERVER_EGRESS_ALLOW": "192.168.7.0/24"}
