"""Redirected read URLs lend one user's access to one dataset, and end with it. T02, T04, T18."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import pytest

from lightly.server.auth.repository import find_user_by_email
from lightly.server.auth.service import disable_user, rotate_token
from lightly.server.errors import NotAuthenticated
from lightly.server.samples.public_tokens import make_public_token
from lightly.server.samples.urls import REDIRECT_TTL_S, redirected_read_url
from tests.support.samples import make_dataset

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
ADMIN = "admin@localhost"


@pytest.fixture
def dataset(server):
    return make_dataset(server)


def find_user(server, email=ADMIN):
    with server.platform.database.read() as connection:
        return find_user_by_email(connection, email)


def make_token(dataset, **options):
    platform = dataset.server.platform
    with platform.database.read() as connection:
        user = find_user(dataset.server)
        return make_public_token(connection, platform.keys, user, dataset.id, **options)


def make_url(dataset, sample_id, token, type_="full"):
    settings = dataset.server.platform.settings
    return redirected_read_url(settings, dataset.id, sample_id, type_, token)


def follow(dataset, url):
    return dataset.seen_by(dataset.server.anonymous_client()).client.get(
        url, follow_redirects=False
    )


class LaterClock:
    """A clock that runs ahead."""

    def __init__(self, clock, by_s):
        self._clock = clock
        self._by_ms = 1000 * by_s

    def now_ms(self):
        return self._clock.now_ms() + self._by_ms


def let_time_pass(server, seconds):
    state = server.client.app.state
    state.platform = replace(state.platform, clock=LaterClock(state.platform.clock, seconds))


def test_a_redirected_url_leads_to_the_image(dataset):
    sample_id = dataset.add("a.jpg")
    dataset.upload(sample_id, "full", PNG)
    url = make_url(dataset, sample_id, make_token(dataset))

    response = follow(dataset, url)

    assert response.status_code == 302
    assert response.headers["cache-control"] == "no-store"
    assert dataset.server.anonymous_client().get(response.headers["location"]).content == PNG


def test_each_use_leads_to_a_url_that_is_short_lived(server, dataset):
    sample_id = dataset.add("a.jpg")
    dataset.upload(sample_id, "full", PNG)
    url = make_url(dataset, sample_id, make_token(dataset))

    location = follow(dataset, url).headers["location"]

    expires = int(dict(parse_qsl(urlsplit(location).query))["expires"])
    assert expires <= server.platform.clock.now_ms() / 1000 + REDIRECT_TTL_S


def test_a_redirected_url_works_for_years_when_it_has_no_end(server, dataset):
    sample_id = dataset.add("a.jpg")
    dataset.upload(sample_id, "full", PNG)
    url = make_url(dataset, sample_id, make_token(dataset))

    let_time_pass(server, 3 * 365 * 24 * 3600)

    assert follow(dataset, url).status_code == 302


def test_a_redirected_url_ends_when_it_is_told_to(server, dataset):
    sample_id = dataset.add("a.jpg")
    dataset.upload(sample_id, "full", PNG)
    end = server.platform.clock.now_ms() // 1000 + 100
    url = make_url(dataset, sample_id, make_token(dataset, expires_at_s=end))

    assert follow(dataset, url).status_code == 302
    let_time_pass(server, 200)
    assert follow(dataset, url).status_code == 401


@pytest.mark.parametrize("type_", ["full", "thumbnail"])
def test_thumbnails_fall_back_to_the_image_here_too(dataset, type_):
    sample_id = dataset.add("a.jpg")
    dataset.upload(sample_id, "full", PNG)

    response = follow(dataset, make_url(dataset, sample_id, make_token(dataset), type_))

    assert "/full/" in response.headers["location"]


def test_what_was_never_stored_leads_nowhere(dataset):
    url = make_url(dataset, dataset.add("a.jpg"), make_token(dataset))

    assert follow(dataset, url).status_code == 404


def test_a_changed_token_is_refused(server, dataset):
    sample_id = dataset.add("a.jpg")
    dataset.upload(sample_id, "full", PNG)
    other_user = server.add_user("other@example.com")
    assert other_user.get("/v1/datasets").json() == []
    other_id = find_user(server, "other@example.com").id
    token = make_token(dataset)
    user_id, end, signature = token.split("-")
    changed = [
        "",
        "x",
        signature,
        f"{other_id}-{end}-{signature}",
        f"{'0' * 24}-{end}-{signature}",
        f"{user_id}-9999999999-{signature}",
        f"{user_id}-00-{signature}",
        f"{user_id}-{end}-{'0' * 64}",
        f"{user_id}-{end}-{signature[:-1]}",
        f"{user_id}-{end}-{signature}0",
        f"{user_id}-{end}-",
        token + "%00",
        token.upper(),
        "%F0%9F%98%80" * 1000,
    ]

    for text in changed:
        url = f"{dataset.path}/samples/{sample_id}/readurlRedirect?type=full&publicToken={text}"
        response = follow(dataset, url)
        assert (response.status_code, response.json()["code"]) == (401, "UNAUTHORIZED"), text
    assert follow(dataset, make_url(dataset, sample_id, token)).status_code == 302


def test_a_token_opens_one_dataset_only(server, dataset):
    other = make_dataset(server, "other")
    sample_id = other.add("a.jpg")
    other.upload(sample_id, "full", PNG)

    response = follow(other, make_url(other, sample_id, make_token(dataset)))

    assert response.status_code == 401
    # nor does it reach the other's sample through its own dataset
    response = follow(dataset, make_url(dataset, sample_id, make_token(dataset)))
    assert (response.status_code, response.json()["code"]) == (404, "SAMPLE_UNKNOWN")


def test_a_public_token_is_no_api_token(dataset):
    token = make_token(dataset)
    anonymous = dataset.server.anonymous_client()

    for query in (f"token={token}", f"publicToken={token}"):
        assert anonymous.get(f"{dataset.path}/samples?{query}").status_code == 401
    api_token = dataset.client.headers["Authorization"].removeprefix("Bearer ")
    sample_id = dataset.add("a.jpg")
    url = f"{dataset.path}/samples/{sample_id}/readurlRedirect?type=full&publicToken={api_token}"
    assert anonymous.get(url, follow_redirects=False).status_code == 401


def test_a_token_ends_with_the_api_token_that_it_was_made_under(server, dataset):
    sample_id = dataset.add("a.jpg")
    dataset.upload(sample_id, "full", PNG)
    url = make_url(dataset, sample_id, make_token(dataset))
    platform = server.platform

    rotate_token(platform.database, platform.keys, platform.clock, ADMIN)

    assert follow(dataset, url).status_code == 401
    assert follow(dataset, make_url(dataset, sample_id, make_token(dataset))).status_code == 302


def test_a_token_ends_with_its_user(server, dataset):
    sample_id = dataset.add("a.jpg")
    dataset.upload(sample_id, "full", PNG)
    url = make_url(dataset, sample_id, make_token(dataset))

    disable_user(server.platform.database, server.platform.clock, ADMIN)

    assert follow(dataset, url).status_code == 401
    with pytest.raises(NotAuthenticated):
        make_token(dataset)


def test_a_token_ends_with_the_dataset(dataset):
    sample_id = dataset.add("a.jpg")
    dataset.upload(sample_id, "full", PNG)
    url = make_url(dataset, sample_id, make_token(dataset))

    dataset.client.delete(dataset.path)

    response = follow(dataset, url)
    assert (response.status_code, response.json()["code"]) == (404, "DATASET_UNKNOWN")


def test_a_token_lends_no_more_than_its_user_has(server, dataset):
    sample_id = dataset.add("a.jpg")
    dataset.upload(sample_id, "full", PNG)
    server.add_user("other@example.com")
    platform = server.platform
    with platform.database.read() as connection:
        stranger = find_user(server, "other@example.com")
        token = make_public_token(connection, platform.keys, stranger, dataset.id)

    response = follow(dataset, make_url(dataset, sample_id, token))

    assert (response.status_code, response.json()["code"]) == (404, "DATASET_UNKNOWN")


def test_the_type_must_be_given(dataset):
    sample_id = dataset.add("a.jpg")
    path = f"{dataset.path}/samples/{sample_id}/readurlRedirect?publicToken={make_token(dataset)}"

    for query in ("", "&type=meta"):
        response = follow(dataset, path + query)
        assert (response.status_code, response.json()["code"]) == (400, "MALFORMED_REQUEST")
