"""Runs the battery of `tests/e2e/battery` in a published client, against one server for all."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lightly.server.auth.service import add_user, ensure_first_user
from lightly.server.settings import Settings
from lightly.server.startup import open_platform
from tests.support.pictures import draw_folder, write_embeddings
from tests.support.platforms import TOKEN, ServerProcess, run_process
from tests.support.published_clients.runner import run_client_script

STEPS = Path(__file__).resolve().parents[2] / "e2e"
STAND_INS = Path(__file__).resolve().parent
N_PICTURES = 12
FILES_FROM_S = 1_700_000_000
OTHER_EMAIL = "other@example.com"
#: Clients wait up to 30 s between two looks at a run; nothing here takes that long.
LONGEST_SLEEP_S = 0.05

SCRIPT = """
import sys

sys.path[:0] = [arguments["steps"], arguments["stand_ins"]]
from battery import main

result = main.run(arguments)
"""
#: What a LOCAL datasource has besides images.
PREDICTION_TASK = "weather"
_SCHEMA = {"task_type": "classification", "categories": [{"id": 0, "name": "sun"}]}
_PREDICTION = {"predictions": [{"category_id": 0, "probabilities": [1.0]}]}


@dataclass(frozen=True)
class BatteryServer:
    """A running server and what the steps need.

    Attributes:
        process: The server.
        arguments: For the script.
        url: Where clients find it: the server itself, or what stands before it.
    """

    process: ServerProcess
    arguments: dict[str, Any]
    url: str


@contextmanager
def start_battery_server(folder: Path, *, public_url: str = "") -> Iterator[BatteryServer]:
    """Yield a server with a second user and a mount for LOCAL datasources.

    Args:
        folder: Everything is kept here.
        public_url: Where clients find the server when something stands before it; what it hands
            out starts with that. Empty for its own address.
    """
    arguments = prepare_files(folder)
    environment = {
        "LIGHTLY_SERVER_INPUT_MOUNT": arguments["mount"],
        "LIGHTLY_SERVER_LIGHTLY_MOUNT": arguments["mount"],
        "LIGHTLY_SERVER_PUBLIC_URL": public_url,
    }
    data_dir = folder / "data"
    _add_other_user(data_dir)
    with run_process(data_dir, **environment) as process:
        yield BatteryServer(process, arguments, public_url or process.url)


def run_battery(version: str, server: BatteryServer) -> dict[str, str | None]:
    """Run all steps in one client.

    Returns:
        For each public name None if it works, else why not.
    """
    run = run_client_script(
        version,
        SCRIPT,
        server_url=server.url,
        token=server.process.token,
        arguments={**server.arguments, "version": version, "token": server.process.token},
        longest_sleep_s=LONGEST_SLEEP_S,
        timeout_s=180,
    )
    outcomes: dict[str, str | None] = run.result
    return outcomes


def prepare_files(folder: Path) -> dict[str, Any]:
    """Draw pictures, write embeddings, fill a mount; return the steps' arguments."""
    pictures, mount, table = folder / "pictures", folder / "mount", folder / "embeddings.csv"
    names = draw_folder(pictures, N_PICTURES)
    write_embeddings(table, sorted(names, reverse=True))
    shutil.copytree(pictures, mount)
    predictions = mount / ".lightly" / "predictions"
    metadata = mount / ".lightly" / "metadata"
    contents: dict[Path, object] = {
        predictions / "tasks.json": [PREDICTION_TASK],
        predictions / PREDICTION_TASK / "schema.json": _SCHEMA,
        predictions / PREDICTION_TASK / "plain" / "0000.json": _PREDICTION,
        metadata / "schema.json": [],
        metadata / "plain" / "0000.json": {"metadata": {"people": 1}},
    }
    for path, content in contents.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content), "utf-8")
    (mount / ".lightly" / "embeddings").mkdir()
    shutil.copy(table, mount / ".lightly" / "embeddings" / "mine.csv")
    for path in mount.rglob("*"):
        # Older than any recording: listings of a recorded moment must find them.
        os.utime(path, (FILES_FROM_S, FILES_FROM_S))
    return {
        "steps": str(STEPS),
        "stand_ins": str(STAND_INS),
        "folder": str(pictures),
        "names": names,
        "csv": str(table),
        "mount": str(mount),
        "other_email": OTHER_EMAIL,
    }


def _add_other_user(data_dir: Path) -> None:
    platform = open_platform(Settings(data_dir=data_dir))
    ensure_first_user(platform.database, platform.keys, platform.clock, data_dir, TOKEN)
    add_user(platform.database, platform.keys, platform.clock, OTHER_EMAIL)
    platform.database.close()
