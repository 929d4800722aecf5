"""Records the requests of the battery in every published client, one file each.

python -m tests.support.published_clients.record [VERSION ...]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.support.published_clients.battery import run_battery, start_battery_server
from tests.support.published_clients.table import VERSIONS, find_failures
from tests.support.recording import RecordingProxy

ASSETS = Path(__file__).resolve().parents[2] / "assets" / "recorded"


def record_client(version: str) -> int:
    """Run the battery through a proxy, store what went over the wire, return how much that is."""
    with (
        tempfile.TemporaryDirectory() as folder,
        RecordingProxy() as proxy,
        start_battery_server(Path(folder), public_url=proxy.url) as server,
    ):
        proxy.upstream = server.process.url
        failures = find_failures(run_battery(version, server))
        if failures:
            raise SystemExit(f"Nothing was stored: {failures}")
        proxy.recording.save(ASSETS / f"{version}.json")
    return len(proxy.recording.exchanges)


def main() -> None:
    """Record the clients that were named, or all."""
    for version in sys.argv[1:] or VERSIONS:
        print(f"lightly {version}: {record_client(version)} exchanges")  # noqa: T201  a program


if __name__ == "__main__":
    main()
