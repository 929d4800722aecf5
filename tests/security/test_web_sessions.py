"""The web app's sessions and files: T09 to T12 of the threat list."""

from __future__ import annotations

import re

import pytest

from lightly.server.auth.service import rotate_token
from lightly.server.auth.web_sessions import SESSION_TTL_S
from tests.support.platforms import TOKEN, run_in_process

OWN = {"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}
SESSION = "/ext/v1/session"


@pytest.fixture
def browser(sqlite_server):
    return sqlite_server.anonymous_client()


def sign_in(browser, token=TOKEN, **headers):
    return browser.post(SESSION, json={"token": token}, headers=OWN | headers)


def test_signing_in_gives_a_cookie_that_scripts_and_other_sites_cannot_use(browser):
    response = sign_in(browser)

    cookie = response.headers["Set-Cookie"]
    assert response.status_code == 201
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    assert TOKEN not in cookie + response.text
    assert browser.get("/v1/datasets").status_code == 200
    assert browser.get(SESSION).json()["user"]["email"] == "admin@localhost"


def test_nobody_is_signed_in_at_first(browser):
    assert "user" not in browser.get(SESSION).json()
    assert browser.get("/v1/datasets").status_code == 401


@pytest.mark.parametrize("token", ["", "x", TOKEN + "0", "0" * 500])
def test_a_wrong_token_begins_no_session(browser, token):
    response = sign_in(browser, token)

    assert response.status_code == 401
    assert "Set-Cookie" not in response.headers


def test_signing_in_again_gives_another_session_and_ends_the_first(browser):
    first = sign_in(browser).headers["Set-Cookie"].split(";")[0]
    second = sign_in(browser).headers["Set-Cookie"].split(";")[0]

    assert first != second
    browser.cookies.clear()
    assert browser.get("/v1/datasets", headers={"Cookie": first}).status_code == 401
    assert browser.get("/v1/datasets", headers={"Cookie": second}).status_code == 200


def test_signing_out_ends_the_session_on_the_server(browser):
    cookie = sign_in(browser).headers["Set-Cookie"].split(";")[0]

    assert browser.delete(SESSION, headers=OWN).status_code == 204

    browser.cookies.clear()
    assert browser.get("/v1/datasets", headers={"Cookie": cookie}).status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://testserver.evil.example"},
        {"Origin": "http://eviltestserver"},
        {"Origin": "http://testserver:1234"},
        {"Origin": "http://testserver", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "http://testserver", "Sec-Fetch-Site": "same-site"},
        # a form of old browsers, without any of it
        {},
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_another_site_changes_nothing_with_the_cookie(browser, headers):
    sign_in(browser)

    made = browser.post("/v1/datasets", json={"name": "forged"}, headers=headers)
    signed_out = browser.delete(SESSION, headers=headers)

    assert (made.status_code, signed_out.status_code) == (403, 403)
    assert browser.get("/v1/datasets").json() == []


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_site_reads_nothing_with_the_cookie(browser, site):
    sign_in(browser)

    assert browser.get("/v1/datasets", headers={"Sec-Fetch-Site": site}).status_code == 403


def test_another_site_cannot_sign_a_browser_in(browser):
    response = browser.post(
        SESSION, json={"token": TOKEN}, headers={"Origin": "https://evil.example"}
    )

    assert response.status_code == 403
    assert "Set-Cookie" not in response.headers


def test_no_origin_is_ever_allowed_to_read_answers(browser):
    sign_in(browser)
    for origin in ("https://evil.example", "null", "http://testserver"):
        answer = browser.get("/v1/datasets", headers={"Origin": origin})
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]


def test_an_api_token_is_never_judged_by_the_cookie(sqlite_server, browser):
    sign_in(browser)
    wrong = {"Authorization": "Bearer wrong-token"}
    foreign = {"Authorization": f"Bearer {TOKEN}", "Origin": "https://evil.example"}

    assert browser.get("/v1/datasets", headers=wrong).status_code == 401
    assert browser.get("/v1/datasets?token=wrong-token").status_code == 401
    assert browser.get("/v1/datasets", headers=foreign).status_code == 200


def test_revoking_the_token_ends_its_sessions(tmp_path):
    with run_in_process(tmp_path / "data") as server:
        browser = server.anonymous_client()
        sign_in(browser)
        platform = server.platform
        rotate_token(platform.database, platform.keys, platform.clock, "admin@localhost")
        platform.token_cache.forget_user(browser.get(SESSION).json().get("user", {}).get("id", ""))

        assert browser.get("/v1/datasets").status_code == 401


@pytest.mark.parametrize("cookie", ["x", "=;=", '"', "a" * 5_000, "\u00e9"])
def test_a_broken_cookie_is_no_session(browser, cookie):
    headers = {"Cookie": f"lightly_session_8000={cookie}; {cookie}".encode("latin-1")}

    assert browser.get("/v1/datasets", headers=headers).status_code == 401


def test_a_session_does_not_last_for_ever(browser):
    cookie = sign_in(browser).headers["Set-Cookie"]

    assert f"Max-Age={SESSION_TTL_S}" in cookie


def test_the_cookie_is_for_https_only_where_the_server_is(tmp_path):
    with run_in_process(tmp_path / "data", public_url="https://lightly.example") as server:
        response = server.anonymous_client().post(
            SESSION,
            json={"token": TOKEN},
            headers={"Origin": "https://lightly.example", "Host": "lightly.example"},
        )

    assert "Secure" in response.headers["Set-Cookie"].split("; ")


@pytest.mark.parametrize("path", ["/", "/datasets", "/datasets/0123/explore", "/login?next=/x"])
def test_pages_of_the_app_carry_a_strict_policy(browser, path):
    response = browser.get(path, headers={"Accept": "text/html,*/*;q=0.8"})

    policy = response.headers["Content-Security-Policy"]
    assert response.status_code in {200, 503}
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "unsafe" not in policy
    assert {"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"} <= set(
        policy.split("; ")
    )
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert not re.search(r"<script>|onload=|javascript:|https?://", response.text)


@pytest.mark.parametrize(
    "path", ["/v1/nothing", "/ext/v1/nothing", "/blobs/x", "/users/x", "/metrics", "/%2e%2e/etc"]
)
def test_the_app_answers_for_no_path_of_the_api_and_reads_no_file_outside(browser, path):
    response = browser.get(path, headers={"Accept": "text/html"})

    assert "root:" not in response.text
    if not path.startswith("/%2e"):
        assert response.headers["Content-Type"].startswith("application/json")
