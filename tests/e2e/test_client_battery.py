"""Every public method of every published client works, called as a user would, on a real server."""

from __future__ import annotations

import pytest

from tests.support.published_clients.battery import BatteryServer, run_battery, start_battery_server
from tests.support.published_clients.table import (
    CLIENTS,
    find_failures,
    read_column,
)


@pytest.fixture(scope="module")
def battery_server(tmp_path_factory):
    with start_battery_server(tmp_path_factory.mktemp("battery")) as server:
        yield server


@pytest.mark.parametrize(
    "version",
    [pytest.param(v, marks=pytest.mark.xdist_group("client-battery")) for v in CLIENTS],
)
def test_every_public_method_of_a_published_client_works(
    version: str, battery_server: BatteryServer, capfd: pytest.CaptureFixture[str]
):
    outcomes = run_battery(version, battery_server)

    failures = find_failures(outcomes)
    with capfd.disabled():
        count = f"{len(outcomes) - len(failures)} of {len(outcomes)}"
        print(f"\nlightly {version}: {count}")  # noqa: T201  how much of a client was called
    assert failures == {}
    # The table in the docs says just this; `python -m tests.support.published_clients.table`
    # writes it.
    assert read_column(version) == outcomes
