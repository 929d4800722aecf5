"""Tokens in JSON bodies: only where client 1.0.8 sends them, and never without bounds."""

from __future__ import annotations

import json

import pytest

from lightly.server.auth import body_tokens
from tests.support.platforms import TOKEN


@pytest.fixture
def anonymous(sqlite_server):
    return sqlite_server.anonymous_client()


@pytest.fixture
def dataset_id(sqlite_server):
    made = sqlite_server.client.post("/v1/datasets", json={"name": "legacy"})
    return made.json()["id"]


def test_a_token_in_the_body_opens_the_old_routes_only(anonymous, dataset_id):
    old = anonymous.post(f"/users/datasets/{dataset_id}/tags", json={"token": TOKEN})
    new = anonymous.post("/v1/datasets", json={"name": "by body", "token": TOKEN})
    read = anonymous.request("GET", "/users/quota", json={"token": TOKEN})

    assert [answer.status_code for answer in (old, new, read)] == [200, 401, 401]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b'{"token": 1}',
        b'{"token": "' + b"0" * 32 + b'"}',
        b"{" * 100,
        b'{"token": null}',
    ],
)
def test_a_body_without_a_good_token_is_refused(anonymous, dataset_id, body):
    answer = anonymous.post(f"/users/datasets/{dataset_id}/tags", content=body)

    assert (answer.status_code, answer.json()["code"]) == (401, "UNAUTHORIZED")


def test_a_good_token_in_the_query_is_enough(anonymous, dataset_id):
    url = f"/users/datasets/{dataset_id}/tags?token={TOKEN}"

    assert anonymous.post(url, json={"token": "another"}).status_code == 200


def test_a_long_body_is_not_read_to_its_end(anonymous, dataset_id, monkeypatch):
    monkeypatch.setattr(body_tokens, "MAX_BODY_BYTES", 1000)
    body = json.dumps({"padding": "x" * 2000, "token": TOKEN})

    answer = anonymous.post(f"/users/datasets/{dataset_id}/tags", content=body)

    assert (answer.status_code, answer.json()["code"]) == (413, "PAYLOAD_TOO_LARGE")


def test_few_such_bodies_are_held_at_once(anonymous, dataset_id, monkeypatch):
    monkeypatch.setattr(body_tokens, "MAX_WAITING", 0)

    answer = anonymous.post(f"/users/datasets/{dataset_id}/tags", json={"token": TOKEN})

    assert answer.status_code == 503


def test_somebody_elses_dataset_is_not_there(sqlite_server, dataset_id):
    other = sqlite_server.add_user("other@example.com")
    token = other.headers["Authorization"].removeprefix("Bearer ")

    answer = sqlite_server.anonymous_client().post(
        f"/users/datasets/{dataset_id}/tags", json={"token": token}
    )

    assert (answer.status_code, answer.json()["code"]) == (404, "DATASET_UNKNOWN")
