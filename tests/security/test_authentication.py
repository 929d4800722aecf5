"""Deny by default: T01, T07, T08 of the threat list."""

from __future__ import annotations

import ast
import re
import stat
from pathlib import Path

import pytest

from lightly.server.app import ROUTERS
from lightly.server.auth.service import Authenticator, ensure_first_user
from lightly.server.errors import NotAuthenticated, TooManyRequests
from lightly.server.settings import Settings
from lightly.server.startup import open_platform
from tests.support.platforms import TOKEN, run_in_process
from tests.support.routes import fill_path, list_routes

SOURCES = Path(__file__).parents[2] / "src" / "lightly"

#: What may be reached without an API token, and nothing else.
OPEN_ROUTES = {
    "/healthz",
    "/readyz",
    "/pip/version",
    "/ping",
    "/v1/versions/pip/latest",
    "/v1/versions/pip/minimum",
    "/v1/datasets/{datasetId}/samples/{sampleId}/readurlRedirect",
    "/v1/datasets/{datasetId}/datasource/readurlRedirect",
    "/blobs/{key:path}",
    "/files/{datasourceId}",
    # Signing in; who asks without a cookie of a session learns that nobody is signed in.
    "/ext/v1/session",
}


def test_every_route_but_a_literal_few_needs_a_token(sqlite_server):
    anonymous = sqlite_server.anonymous_client()

    reachable = set()
    for method, path in list_routes():
        if anonymous.request(method, fill_path(path)).status_code != 401:
            reachable.add(path)

    assert reachable == OPEN_ROUTES


def test_the_application_serves_the_listed_routers_and_nothing_else(sqlite_server):
    (table,) = sqlite_server.client.app.routes

    assert table.routes == [route for router in ROUTERS for route in router.routes]


def test_the_open_redirect_refuses_a_caller_without_a_public_token(sqlite_server):
    path = "/v1/datasets/{d}/samples/{d}/readurlRedirect?type=full".replace("{d}", "ab" * 12)

    response = sqlite_server.anonymous_client().get(path, follow_redirects=False)

    assert response.status_code in {400, 401, 403, 404}


def test_a_path_that_does_not_exist_needs_a_token_too(sqlite_server):
    assert sqlite_server.anonymous_client().get("/v1/nothing").status_code == 401


@pytest.mark.parametrize(
    "path",
    [
        # the open path with something behind it
        "/healthz/x",
        # an open prefix that is none
        "/blobsx/a",
        # a redirect outside of the datasets
        "/v1/jobs/readurlRedirect",
        # doubled slashes lead to the same path, not around the check
        "//v1//datasets",
        # an escaped slash
        "/v1%2Fdatasets",
    ],
)
def test_look_alikes_of_open_paths_are_closed(sqlite_server, path):
    response = sqlite_server.anonymous_client().get(f"http://testserver{path}")

    assert response.status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": f"Bearer {TOKEN}"},
        {"Authorization": f"bearer   {TOKEN}"},
    ],
)
def test_the_token_works_in_the_header(sqlite_server, headers):
    response = sqlite_server.anonymous_client().get("/v1/datasets", headers=headers)

    assert response.status_code == 200


def test_the_token_works_as_the_last_query_parameter(sqlite_server):
    response = sqlite_server.anonymous_client().get(f"/v1/datasets?shared=False&token={TOKEN}")

    assert response.status_code == 200


@pytest.mark.parametrize(
    "token",
    ["", "wrong", TOKEN[:-1], TOKEN + "0", TOKEN.upper(), "\u0130" * 8, "x" * 10_000],
)
def test_other_tokens_do_not(sqlite_server, token):
    response = sqlite_server.anonymous_client().get("/v1/datasets", params={"token": token})

    assert (response.status_code, response.json()["code"]) == (401, "UNAUTHORIZED")


def test_guessing_is_slowed_down_per_address(tmp_path):
    with run_in_process(tmp_path / "data", failed_logins_per_minute=5) as server:
        anonymous = server.anonymous_client()

        statuses = [
            anonymous.get("/v1/datasets", params={"token": f"guess{number}"}).status_code
            for number in range(7)
        ]

    assert statuses == [401] * 5 + [429] * 2


def test_the_throttle_ends_after_a_minute(sqlite_server):
    now = [0.0]
    platform = sqlite_server.platform
    authenticator = Authenticator(
        platform.database, platform.keys, failures_per_minute=1, monotonic=lambda: now[0]
    )
    with pytest.raises(NotAuthenticated):
        authenticator.authenticate("guess", "10.0.0.1")
    with pytest.raises(TooManyRequests):
        authenticator.authenticate(TOKEN, "10.0.0.1")

    now[0] = 61.0

    assert authenticator.authenticate(TOKEN, "10.0.0.1").email == "admin@localhost"


def test_a_throttled_address_does_not_block_others(sqlite_server):
    platform = sqlite_server.platform
    authenticator = Authenticator(platform.database, platform.keys, failures_per_minute=1)
    with pytest.raises(NotAuthenticated):
        authenticator.authenticate("guess", "10.0.0.1")

    assert authenticator.authenticate(TOKEN, "10.0.0.2").email == "admin@localhost"


def start_fresh(folder: Path) -> tuple[str, bytes]:
    platform = open_platform(Settings(data_dir=folder))
    token = ensure_first_user(platform.database, platform.keys, platform.clock, folder, None)
    platform.database.close()
    assert token is not None
    return token, platform.keys.root


def test_two_fresh_servers_share_no_secret(tmp_path):
    first_token, first_key = start_fresh(tmp_path / "first")
    second_token, second_key = start_fresh(tmp_path / "second")

    assert first_token != second_token
    assert first_key != second_key


def test_secrets_on_disk_are_readable_by_their_owner_only(tmp_path):
    start_fresh(tmp_path / "data")

    for name in ("admin-token", "secret-key"):
        assert stat.S_IMODE((tmp_path / "data" / name).stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700


def test_the_database_holds_no_token(tmp_path):
    token, _ = start_fresh(tmp_path / "data")

    files = [path.read_bytes() for path in (tmp_path / "data").glob("lightly.sqlite*")]

    assert files
    assert not any(token.encode() in content for content in files)


@pytest.mark.parametrize("token", ["admin", "password", "lightly", "1234", "admin@localhost"])
def test_no_well_known_word_opens_a_fresh_server(sqlite_server, token):
    response = sqlite_server.anonymous_client().get("/v1/datasets", params={"token": token})

    assert response.status_code == 401


def test_a_revoked_token_is_refused_within_seconds(sqlite_server):
    platform = sqlite_server.platform
    now = [0.0]
    authenticator = Authenticator(
        platform.database, platform.keys, failures_per_minute=60, monotonic=lambda: now[0]
    )
    authenticator.authenticate(TOKEN, "10.0.0.1")
    with platform.database.write() as connection:
        connection.exec_driver_sql("DELETE FROM tokens")

    now[0] = 2.1

    assert authenticator.recall(TOKEN) is None
    with pytest.raises(NotAuthenticated):
        authenticator.authenticate(TOKEN, "10.0.0.1")


def test_secrets_are_never_compared_with_equals():
    """Looks for `==` next to a name that holds a secret, in the server's source."""
    secret_names = re.compile(r"signature|token_hash|secret|password")
    found = []
    for path in (SOURCES / "server").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Compare) and any(
                isinstance(operator, ast.Eq | ast.NotEq) for operator in node.ops
            ):
                names = [ast.unparse(part) for part in (node.left, *node.comparators)]
                # What a database compares is a hash or sealed, and a condition of a query.
                is_column = ".c." in names[0]
                if any(secret_names.search(name) for name in names) and not is_column:
                    found.append(f"{path.name}:{node.lineno}")

    assert found == []
