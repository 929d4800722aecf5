"""What each role may do with a dataset, for every route: grant, act, revoke, act again. T04, T10.

The routes come from the application, so that a new one is walked without being listed.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable

import pytest

from lightly._kit.ids import make_id
from tests.support.population import FilledDataset, Person, fill_dataset
from tests.support.roles import GRANTINGS, MANAGING, SHARING, USING, add_team, share_with_address
from tests.support.routes import list_routes
from tests.support.valid_requests import make_valid_request

DATASET = "/v1/datasets/{datasetId}"
ACCESS = f"{DATASET}/collaboration/access"
#: Whoever holds a public token may use it: see the test of redirects.
REDIRECT = "/readurlRedirect"
Route = tuple[str, str]
#: For those who manage a dataset.
MANAGING_ROUTES = {
    ("DELETE", DATASET),
    ("POST", ACCESS),
    ("DELETE", f"{ACCESS}/{{accessConfigId}}"),
    ("PUT", f"{DATASET}/datasource"),
}
#: These name a worker or a configuration of the owner, which is not shared with the dataset.
OWNERS_WORKER_ROUTES = {
    ("POST", f"{DATASET}/docker/worker/schedule"),
    ("PUT", f"{DATASET}/docker/worker/{{workerId}}/schedule/{{scheduledId}}"),
}
#: For who saved a view, and the owner of its dataset.
VIEW = "/ext/v1/datasets/{datasetId}/views/{viewId}"
AUTHORS_ROUTES = {("PUT", VIEW), ("DELETE", VIEW)}
ROUTES = sorted(
    {
        route
        for route in list_routes()
        if (DATASET in route[1] or route == ("POST", "/v1/datasets"))
        and not route[1].endswith(REDIRECT)
    }
)


@pytest.fixture(scope="module")
def bob(sqlite_population) -> Person:
    return sqlite_population.bob


@pytest.fixture
def dataset(sqlite_population, bob) -> FilledDataset:
    return fill_dataset(sqlite_population.server, bob.client, bob.user, f"bob {make_id()}")


@pytest.fixture(scope="module")
def dataset_to_read(sqlite_population, bob) -> FilledDataset:
    """A dataset for tests that leave it as it is."""
    return fill_dataset(sqlite_population.server, bob.client, bob.user, f"bob {make_id()}")


def is_read(route: Route) -> bool:
    """Tell whether a route leaves everything as it is; this one makes an embedding."""
    return route[0] == "GET" and not route[1].endswith("/writeCSVUrl")


def act(route, dataset, client):
    answer = make_valid_request(*route, dataset).send(client)
    deadline = time.monotonic() + 30
    # Columns are collected when they are first asked for.
    while answer.status_code == 503 and "/columns" in route[1] and time.monotonic() < deadline:
        time.sleep(0.05)
        answer = make_valid_request(*route, dataset).send(client)
    return answer


@pytest.fixture(scope="module")
def ask_owner(sqlite_population, bob) -> Callable[[Route], int]:
    """Return a function that tells with which status the owner's own request is answered."""

    @functools.cache
    def ask(route: Route) -> int:
        own = fill_dataset(sqlite_population.server, bob.client, bob.user, f"bob {make_id()}")
        return act(route, own, bob.client).status_code

    return ask


@pytest.mark.parametrize("name", GRANTINGS)
@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
def test_a_role_allows_what_it_should_and_nothing_once_it_is_taken(
    route, name, request, sqlite_population, bob, ask_owner
):
    dataset = request.getfixturevalue("dataset_to_read" if is_read(route) else "dataset")
    grant = GRANTINGS[name](sqlite_population.server, bob, dataset)

    acted = act(route, dataset, grant.client)

    if route in AUTHORS_ROUTES or (name in USING and route in MANAGING_ROUTES):
        assert (acted.status_code, acted.json()["code"]) == (403, "FORBIDDEN")
    elif name in SHARING and route in OWNERS_WORKER_ROUTES:
        assert acted.status_code == 404, acted.text
        assert acted.json()["code"].startswith("DOCKER_WORKER_")
    else:
        assert acted.status_code == ask_owner(route), acted.text
    if route != ("DELETE", DATASET):
        grant.revoke()
        assert act(route, dataset, grant.client).status_code == grant.refusal


@pytest.mark.parametrize("name", GRANTINGS)
def test_a_role_acts_at_once_on_both_databases(name, population):
    bob = population.bob
    own = fill_dataset(population.server, bob.client, bob.user, f"bob {make_id()}")
    url = f"/v1/datasets/{own.id}"
    grant = GRANTINGS[name](population.server, bob, own)

    during = grant.client.get(url).status_code
    grant.revoke()

    assert (during, grant.client.get(url).status_code) == (200, grant.refusal)


@pytest.mark.parametrize("name", GRANTINGS)
def test_redirects_end_with_the_role(name, sqlite_population, bob, dataset):
    server = sqlite_population.server
    grant = GRANTINGS[name](server, bob, dataset)
    exported = grant.client.get(
        f"/v1/datasets/{dataset.id}/tags/{dataset.initial_tag_id}/export/LabelBox/datarows"
    )
    url = exported.json()[0]["imageUrl"]
    anonymous = server.anonymous_client()

    during = anonymous.get(url, follow_redirects=False).status_code
    grant.revoke()
    after = anonymous.get(url, follow_redirects=False).status_code

    assert (during, after) == (302, grant.refusal)


def test_a_dataset_cannot_be_deleted_or_shared_on_by_whom_it_is_shared_with(
    sqlite_population, bob, dataset
):
    grant = share_with_address(sqlite_population.server, bob, dataset)
    stranger = sqlite_population.server.add_user(f"{make_id()}@example.com")
    url = f"/v1/datasets/{dataset.id}"
    body = {"accessType": "WRITE", "users": ["anybody@example.com"]}

    assert grant.client.delete(url).status_code == 403
    assert grant.client.post(f"{url}/collaboration/access", json=body).status_code == 403
    assert stranger.delete(url).status_code == 404


@pytest.mark.parametrize("name", MANAGING)
def test_who_manages_a_team_may_delete_its_datasets(name, sqlite_population, bob, dataset):
    grant = GRANTINGS[name](sqlite_population.server, bob, dataset)

    assert grant.client.delete(f"/v1/datasets/{dataset.id}").status_code == 204
    assert bob.client.get(f"/v1/datasets/{dataset.id}").status_code == 404


def test_a_team_does_not_get_what_a_member_made_before_coming(sqlite_population, bob, dataset):
    """Whoever may add people to a team must not get at their data by adding them."""
    server = sqlite_population.server
    email = f"{make_id()}@example.com"
    mallory = server.add_user(email)
    team_id = add_team(server, email)
    body = {"email": bob.user.email, "role": "MEMBER"}

    assert mallory.post(f"/v1/teams/{team_id}/members", json=body).status_code == 200

    assert mallory.get(f"/v1/datasets/{dataset.id}").status_code == 404
    listed = mallory.get("/v1/datasets?getAssetsOfTeam=True").json()
    assert listed == []
