"""What published clients once sent gets the same kind of answer, from the contract's own schemas.

The recordings are made by `python -m tests.support.published_clients.record`.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.contract import ContractClient
from tests.support.platforms import run_in_process
from tests.support.published_clients.battery import OTHER_EMAIL, prepare_files
from tests.support.published_clients.record import ASSETS
from tests.support.published_clients.table import VERSIONS
from tests.support.recording import (
    Exchange,
    Recording,
    Translation,
    decode_answer,
    describe_shape,
    list_progress,
)

#: How long background work may take for an answer to become what it was.
PATIENCE_S = 30.0


@pytest.fixture
def replay_server(tmp_path: Path):
    """A server with what was there when the recordings were made; nobody is signed in."""
    mount = prepare_files(tmp_path)["mount"]
    with run_in_process(tmp_path / "data", input_mount=mount, lightly_mount=mount) as server:
        server.add_user(OTHER_EMAIL)
        yield ContractClient(server.anonymous_client())


def send(client: ContractClient, one: Exchange, translation: Translation) -> Any:
    return client.request(
        one.method,
        translation.translate_target(one.target),
        content=translation.translate_body(one.body),
        headers=one.headers,
        follow_redirects=False,
    )


def read_answer(response: Any) -> Any:
    return decode_answer(response.content, response.headers.get("Location", ""))


def is_like(one: Exchange, response: Any) -> bool:
    """Tell whether an answer is of the recorded kind."""
    current = read_answer(response)
    return (
        response.status_code == one.status
        and describe_shape(current) == describe_shape(one.answer)
        and list_progress(current) == list_progress(one.answer)
    )


def replay(client: ContractClient, one: Exchange, translation: Translation) -> None:
    """Send a recorded request until its answer is of the recorded kind, and learn from it."""
    deadline = time.monotonic() + PATIENCE_S
    response = send(client, one, translation)
    while one.method == "GET" and not is_like(one, response) and time.monotonic() < deadline:
        time.sleep(0.05)
        response = send(client, one, translation)
    assert is_like(one, response), (
        f"{one.method} {one.target} was {one.status} {str(one.answer)[:500]}, "
        f"is {response.status_code} {response.text[:500]}"
    )
    translation.learn(one.answer, read_answer(response))


@pytest.mark.parametrize("version", VERSIONS)
def test_recorded_requests_are_answered_as_they_were(version: str, replay_server: ContractClient):
    translation = Translation()

    for one in Recording.load(ASSETS / f"{version}.json").exchanges:
        replay(replay_server, one, translation)
