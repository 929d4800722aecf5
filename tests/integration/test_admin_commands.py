"""`lightly admin` beside a server that runs, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from click.testing import CliRunner

from lightly._kit.errors import BadInput
from lightly.cli.admin import admin
from lightly.server.auth.token_cache import CACHE_TTL_S
from lightly.server.datasets.purge import purge_deleted_datasets
from lightly.server.maintenance import Maintenance
from tests.support.platforms import InProcessServer

FAR_FUTURE_MS = 10**15


@pytest.fixture
def run(server: InProcessServer) -> Callable[..., str]:
    """Return a function that runs a command on the server's data and returns what it prints."""
    settings = server.platform.settings
    place = ["--data-dir", str(settings.data_dir)]
    if settings.database_url:
        place += ["--database-url", settings.database_url]

    def run_command(*words: str) -> str:
        result = CliRunner().invoke(admin, [*words, *place], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output.strip()

    return run_command


def test_a_team_made_in_the_shell_works_at_once(server, run):
    owner = server.client_of(run("user", "add", "ann@example.com"))
    member = server.client_of(run("user", "add", "bob@example.com"))
    made = owner.post("/v1/datasets", json={"name": "birds"}).json()["id"]

    team_id = run("team", "add", "watchers", "--owner", "ann@example.com")
    assert member.get(f"/v1/datasets/{made}").status_code == 404
    assert run("team", "member", "add", "watchers", "bob@example.com") == ""

    assert owner.get(f"/v1/teams/{team_id}").json()["name"] == "watchers"
    assert member.get(f"/v1/datasets/{made}").status_code == 200
    assert run("team", "list") == f"{team_id}\twatchers\t2"
    assert "bob@example.com\tMEMBER" in run("team", "member", "list", team_id)
    run("team", "member", "remove", team_id, "bob@example.com")
    assert member.get(f"/v1/datasets/{made}").status_code == 404


def test_adding_a_service_account_prints_only_its_token(server, run):
    run("user", "add", "ann@example.com")
    team_id = run("team", "add", "watchers", "--owner", "ann@example.com")

    token = run("service-account", "add", team_id, "nightly")

    assert len(token) == 64
    assert server.client_of(token).get(f"/v1/teams/{team_id}").status_code == 200
    assert run("service-account", "list", "watchers").endswith("\tnightly")
    assert "service-account" in run("user", "list")


def test_a_token_that_was_rotated_in_the_shell_ends_within_seconds(server, run):
    old = run("user", "add", "ann@example.com")
    new = run("token", "rotate", "Ann@Example.com")

    # Nobody has used the old one, so no process remembers it.
    assert server.client_of(old).get("/v1/datasets").status_code == 401
    assert server.client_of(new).get("/v1/datasets").status_code == 200
    assert CACHE_TTL_S <= 60


def test_a_rotated_service_account_has_one_token(server, run):
    run("user", "add", "ann@example.com")
    run("team", "add", "watchers", "--owner", "ann@example.com")
    old = run("service-account", "add", "watchers", "nightly")

    new = run("service-account", "rotate", "watchers", "nightly")

    assert server.client_of(old).get("/v1/datasets").status_code == 401
    assert server.client_of(new).get("/v1/datasets").status_code == 200


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["team", "add", "x", "--owner", "nobody@example.com"], "no user 'nobody@example.com'"),
        (["team", "add", "watchers", "--owner", "ann@example.com"], "already a team 'watchers'"),
        (["team", "add", " x", "--owner", "ann@example.com"], "printable characters"),
        (["team", "member", "add", "none", "ann@example.com"], "no team 'none'"),
        (["team", "member", "remove", "watchers", "ann@example.com"], "last owner"),
        (["team", "member", "add", "watchers", "ann@example.com"], "last owner"),
        (["service-account", "add", "none", "x"], "no team 'none'"),
        (["service-account", "add", "watchers", "nightly"], "already a service account"),
        (["service-account", "rotate", "watchers", "x"], "no service account 'x'"),
        (["dataset", "restore", "0" * 24], "no deleted dataset"),
        (["user", "add", "ANN@example.com"], "already a user ann@example.com"),
        (["user", "add", "x@service-accounts.invalid"], "not an e-mail address"),
        (["user", "quota", "nobody@example.com", "5"], "no user"),
    ],
)
def test_what_cannot_be_done_says_why(run, words, reason):
    run("user", "add", "ann@example.com")
    run("team", "add", "watchers", "--owner", "ann@example.com")
    run("service-account", "add", "watchers", "nightly")

    with pytest.raises(BadInput, match=reason):
        run(*words)


def test_the_quota_of_a_user_is_set_and_taken_back(server, run):
    client = server.client_of(run("user", "add", "ann@example.com"))
    default = client.get("/v1/quota").json()

    run("user", "quota", "ann@example.com", "7")
    assert client.get("/v1/quota").json() == "7"
    run("user", "quota", "ann@example.com")

    assert client.get("/v1/quota").json() == default


def make_dataset(server: InProcessServer, name: str) -> str:
    dataset_id: str = server.client.post("/v1/datasets", json={"name": name}).json()["id"]
    url = f"/v1/datasets/{dataset_id}"
    server.client.post(f"{url}/samples", json={"fileName": "a.jpg"})
    server.client.post(f"{url}/tags/initial", json={"imgType": "meta"})
    return dataset_id


def test_a_deleted_dataset_comes_back_with_everything_in_it(server, run):
    dataset_id = make_dataset(server, "birds")
    url = f"/v1/datasets/{dataset_id}"
    before = [server.client.get(f"{url}/{path}").json() for path in ("tags", "samples")]
    server.client.delete(url)
    assert f"{dataset_id}\tbirds\tadmin@localhost\t1\t" in run("dataset", "list-deleted")

    run("dataset", "restore", dataset_id)

    assert [server.client.get(f"{url}/{path}").json() for path in ("tags", "samples")] == before
    assert run("dataset", "list-deleted") == ""


def test_a_name_that_was_used_again_needs_another_one(server, run):
    dataset_id = make_dataset(server, "birds")
    server.client.delete(f"/v1/datasets/{dataset_id}")
    make_dataset(server, "birds")

    with pytest.raises(BadInput, match="--name"):
        run("dataset", "restore", dataset_id)
    with pytest.raises(BadInput, match="cannot be called"):
        run("dataset", "restore", dataset_id, "--name", "a.b")
    run("dataset", "restore", dataset_id, "--name", "old birds")

    assert server.client.get(f"/v1/datasets/{dataset_id}").json()["name"] == "old birds"


def test_a_dataset_whose_purge_has_begun_does_not_come_back(server, run, monkeypatch):
    dataset_id = make_dataset(server, "birds")
    server.client.delete(f"/v1/datasets/{dataset_id}")
    platform = server.platform

    def break_off(_prefix: str) -> None:
        raise OSError("the disk is away")

    monkeypatch.setattr(platform.blobs, "delete_below", break_off)
    with pytest.raises(OSError, match="away"):
        purge_deleted_datasets(platform.database, platform.blobs, FAR_FUTURE_MS)

    assert run("dataset", "list-deleted") == ""
    with pytest.raises(BadInput, match="no deleted dataset"):
        run("dataset", "restore", dataset_id)
    monkeypatch.undo()
    assert purge_deleted_datasets(platform.database, platform.blobs, FAR_FUTURE_MS) == 1


class _ClockAt:
    def __init__(self, now_ms: int) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        return self._now_ms


@pytest.mark.parametrize(("margin_s", "is_kept"), [(-1, True), (1, False)])
def test_a_deleted_dataset_is_kept_for_as_long_as_the_setting_says(server, run, margin_s, is_kept):
    dataset_id = make_dataset(server, "birds")
    server.client.delete(f"/v1/datasets/{dataset_id}")
    settings = server.platform.settings
    later_ms = server.platform.clock.now_ms() + 1000 * (settings.deleted_dataset_ttl_s + margin_s)

    Maintenance(replace(server.platform, clock=_ClockAt(later_ms))).tidy_up()

    assert (dataset_id in run("dataset", "list-deleted")) is is_kept
