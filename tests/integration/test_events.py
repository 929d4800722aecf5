"""The stream of events of a page: two server processes, both databases."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from lightly.server.auth.repository import find_user_by_email
from lightly.server.errors import JobUnknown, NotAuthenticated
from lightly.server.events import feed as feeds
from lightly.server.events.feed import MAX_STREAMS_PER_USER
from lightly.server.events.frames import HEARTBEAT
from lightly.server.events.topics import JobTopic, WorkersTopic
from lightly.server.jobs.models import JobKind, NewJob
from lightly.server.jobs.outbox import add_job
from lightly.server.jobs.repository import fail_job
from tests.conftest import DATABASES
from tests.support.platforms import TOKEN, ServerProcess, run_process

HEADERS = {"Authorization": f"Bearer {TOKEN}"}
WAIT_S = 20.0


@dataclass
class Listener:
    """What a page hears.

    Attributes:
        answer: The open stream.
        lines: Of the stream.
        last_id: Of the last event.
    """

    answer: requests.Response
    lines: Iterator[str]
    last_id: str = ""

    def hear(self, name: str) -> Any:
        """Return what the next event of a kind says."""
        deadline = time.monotonic() + WAIT_S
        kind = ""
        for line in self.lines:
            assert time.monotonic() < deadline, f"no {name}"
            field, _, value = line.partition(": ")
            if field == "id":
                self.last_id = value
            elif field == "event":
                kind = value
            elif field == "data" and kind == name:
                return json.loads(value)
        raise AssertionError(f"the stream ended without {name}")


@contextmanager
def listen(
    server: ServerProcess, last_id: str = "", headers: dict[str, str] = HEADERS, **query: Any
) -> Iterator[Listener]:
    sent = headers | ({"Last-Event-ID": last_id} if last_id else {})
    url = f"{server.url}/ext/v1/events"
    with requests.get(url, params=query, headers=sent, stream=True, timeout=WAIT_S) as answer:
        assert answer.status_code == 200, answer.text
        yield Listener(answer, answer.iter_lines(chunk_size=1, decode_unicode=True))


def call(server: ServerProcess, method: str, path: str, body: Any = None) -> Any:
    answer = requests.request(method, server.url + path, json=body, headers=HEADERS, timeout=30)
    assert answer.ok, answer.text
    return answer.json() if answer.content else None


@dataclass(frozen=True)
class Place:
    """Two processes on one database, and a dataset with a run."""

    one: ServerProcess
    two: ServerProcess
    dataset_id: str
    run_id: str

    def say(self, state: str, *messages: str) -> None:
        """Let the run go on, by way of the first process."""
        entries = [
            {"ts": 1, "level": "INFO", "group": "test", "msg": message} for message in messages
        ]
        if entries:
            call(self.one, "PUT", f"/v1/docker/runs/{self.run_id}/logs", entries)
        body = {"state": state, "message": state.lower(), "ts": 1}
        call(self.one, "PUT", f"/v1/docker/runs/{self.run_id}", body)


@pytest.fixture(params=DATABASES)
def place(request, tmp_path: Path, make_server_url) -> Iterator[Place]:
    url = make_server_url(request.param)
    with ExitStack() as stack:
        one = stack.enter_context(run_process(tmp_path / "data", url))
        two = stack.enter_context(run_process(tmp_path / "data", url))
        dataset = call(one, "POST", "/v1/datasets", {"name": "watched"})["id"]
        body = {"dockerVersion": "1.0.0", "datasetId": dataset}
        run = call(one, "POST", "/v1/docker/runs", body)["id"]
        yield Place(one, two, dataset, run)


def test_what_one_process_is_told_pages_of_the_other_hear(place):
    with listen(place.two, runs=True, runId=place.run_id, datasetId=place.dataset_id) as page:
        assert page.hear("run")["datasetName"] == "watched"
        assert page.hear("dataset")["nTags"] == 0
        place.say("EMBEDDING", "first <b>line</b>", "second")

        heard = page.hear("log")
        assert heard["start"] == 0
        said = [entry["msg"] for entry in heard["entries"]]
        assert said == ["first <b>line</b>", "second", "embedding"]
        assert page.hear("run")["state"] == "EMBEDDING"


def test_a_page_that_was_away_misses_nothing(place):
    with listen(place.two, runId=place.run_id) as page:
        place.say("EMBEDDING", "before")
        assert page.hear("log")["entries"][0]["msg"] == "before"
        assert page.hear("run")["state"] == "EMBEDDING"
    place.say("SAMPLING", "while away")

    # It comes back to the other process.
    with listen(place.one, last_id=page.last_id, runId=place.run_id) as page:
        assert page.hear("run")["state"] == "SAMPLING"
        heard = page.hear("log")
        assert (heard["start"], heard["entries"][0]["msg"]) == (2, "while away")


def test_a_page_whose_token_is_revoked_is_cut_off(sqlite_server, monkeypatch):
    monkeypatch.setattr(feeds, "HEARTBEAT_S", 0.05)
    feed = feeds.Feed(sqlite_server.platform)
    with sqlite_server.platform.database.read() as connection:
        caller = find_user_by_email(connection, "admin@localhost")
    renewals = iter([None])

    def renew() -> None:
        if next(renewals, "revoked") == "revoked":
            raise NotAuthenticated

    async def hear_all() -> list[bytes]:
        stream = await feed.open(caller, [("workers", WorkersTopic)], None)
        return [text async for text in feed.listen(stream, renew, seconds=60)]

    first, *others = asyncio.run(hear_all())
    assert b"event: workers" in b"".join([first, *others])
    assert others[-1] == HEARTBEAT


def test_a_job_is_followed_by_who_asked_for_it(sqlite_server):
    database = sqlite_server.platform.database
    sqlite_server.add_user("other@example.com")
    dataset = sqlite_server.client.post("/v1/datasets", json={"name": "watched"}).json()["id"]
    with database.write() as connection:
        owner, other = (
            find_user_by_email(connection, email)
            for email in ("admin@localhost", "other@example.com")
        )
        job_id = add_job(connection, NewJob(JobKind.SAMPLING, owner.id, dataset, {}), 0)
        fail_job(connection, job_id, "Cancelled.", 1)

    topic = JobTopic(owner, job_id)
    with database.snapshot() as connection:
        topic.begin(connection)
        (event,) = topic.catch_up(connection, None)
        assert topic.poll(connection) == []
        with pytest.raises(JobUnknown):
            JobTopic(other, job_id).begin(connection)
    shown = sqlite_server.client.get(f"/ext/v1/jobs/{job_id}").json()
    assert (event.name, json.loads(event.data)) == ("job", shown)
    assert shown["status"] == "FAILED"


def test_streams_are_bounded_and_do_not_keep_the_server_from_ending(server_process):
    query = {"runs": True}
    with ExitStack() as stack:
        # Kept: a stream that nobody has any more is closed.
        pages = [
            stack.enter_context(listen(server_process, **query))
            for _ in range(MAX_STREAMS_PER_USER)
        ]
        assert [page.hear("waiting") for page in pages] == [[]] * MAX_STREAMS_PER_USER
        url = f"{server_process.url}/ext/v1/events?runs=true&maxSeconds=0"
        assert requests.get(url, headers=HEADERS, timeout=WAIT_S).status_code == 429
        # Streams take no share of what other requests of the user may do at once.
        assert call(server_process, "GET", "/v1/datasets") == []
        began_s = time.monotonic()
        assert server_process.stop() == 0
        assert time.monotonic() - began_s < WAIT_S


def test_watching_needs_something_to_watch(sqlite_server):
    assert sqlite_server.client.get("/ext/v1/events").status_code == 400
    for name in ("runId", "jobId"):
        unknown = sqlite_server.client.get(f"/ext/v1/events?{name}={'a' * 24}")
        assert unknown.status_code == 404


def test_nobody_is_asked_while_nothing_is_committed(sqlite_server, monkeypatch):
    """A look costs one pragma as long as the stamp is the same."""
    feed = sqlite_server.client.app.state.feed
    stamp = feed._look(None)
    monkeypatch.setattr(sqlite_server.platform.database, "snapshot", None)

    assert feed._look(stamp) == stamp
