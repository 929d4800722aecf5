"""A server on loopback is reached by nobody else's name and from no other address: T12, T13."""

from __future__ import annotations

import socket

import pytest
import requests

from lightly.server.http.hosts import choose_allowed_hosts
from lightly.server.settings import Settings
from tests.support.platforms import run_in_process, run_process

LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@pytest.mark.parametrize(
    ("settings", "allowed"),
    [
        (Settings(), LOOPBACK),
        (Settings(host="127.0.0.2"), LOOPBACK | {"127.0.0.2"}),
        (Settings(host="localhost"), LOOPBACK),
        (Settings(public_url="https://a.example.com:8443/x"), LOOPBACK | {"a.example.com"}),
        (Settings(host="0.0.0.0"), None),
        (Settings(host="0.0.0.0", allowed_hosts="A.example.com, b"), {"a.example.com", "b"}),
        (Settings(allowed_hosts="*"), None),
    ],
)
def test_the_names_follow_from_the_settings(settings, allowed):
    assert choose_allowed_hosts(settings) == allowed


@pytest.mark.parametrize(
    "host",
    [
        "evil.example.com",
        "localhost.evil.example.com",
        "127.0.0.1.nip.io",
        "evil.example.com:80",
        "",
    ],
)
def test_a_foreign_name_is_refused_before_anything_is_looked_at(sqlite_server, host):
    answer = sqlite_server.client.get("/v1/datasets", headers={"Host": host})

    assert answer.status_code == 403
    assert answer.json()["code"]
    assert "LIGHTLY_SERVER_ALLOWED_HOSTS" in answer.json()["error"]


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:8000", "127.0.0.1:1234", "[::1]:8000", "localhost.", "testserver"],
)
def test_its_own_names_are_served(sqlite_server, host):
    assert sqlite_server.client.get("/v1/datasets", headers={"Host": host}).status_code == 200


def test_the_operator_adds_names(tmp_path):
    with run_in_process(tmp_path / "data", allowed_hosts="curation.example.com") as server:
        good = server.client.get("/healthz", headers={"Host": "curation.example.com:8443"})
        bad = server.client.get("/healthz", headers={"Host": "localhost"})

    assert (good.status_code, bad.status_code) == (200, 403)


@pytest.mark.parametrize(
    "origin", ["http://evil.example.com", "null", "http://localhost.evil.example.com", "*"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_no_page_of_another_origin_reads_an_answer(sqlite_server, origin, method):
    answer = sqlite_server.client.request(
        method,
        "/v1/datasets",
        headers={"Origin": origin, "Access-Control-Request-Method": "POST"},
    )

    assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_with_defaults_no_other_address_is_listened_on(tmp_path):
    addresses = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None)}
    others = [address for address in addresses if not address.startswith(("127.", "::1"))]
    with run_process(tmp_path / "data") as server:
        for address in others:
            with pytest.raises(OSError), socket.create_connection((address, server.port), 2):
                pass
        assert requests.get(f"{server.url}/healthz", timeout=5).ok


@pytest.mark.parametrize(
    "path", ["/docs", "/redoc", "/openapi.json", "/debug", "/admin", "/_debug"]
)
def test_there_are_no_pages_for_developers(sqlite_server, path):
    assert sqlite_server.client.get(path).status_code == 404
