"""What the User-Agent tells of a client."""

from __future__ import annotations

import pytest

from lightly.server.http.clients import read_user_agent

SWAGGER = "Swagger-Codegen/1.0.0/python"
BROWSER = "Mozilla/5.0 (X11; Linux x86_64)"


def make_agent(version: str) -> str:
    return f"Lightly/{version} (Linux/6.1; x86_64; ;) python/3.11.4"


@pytest.mark.parametrize(
    ("agent", "expected"),
    [
        # 1.1 to 1.2.30
        (SWAGGER, True),
        (make_agent("1.3.3"), False),
        (make_agent("1.5.26"), False),
        (BROWSER, False),
        ("", False),
    ],
)
def test_clients_up_to_1_2_take_the_last_embedding(agent, expected):
    assert read_user_agent(agent).takes_last_embedding == expected


@pytest.mark.parametrize(
    ("agent", "expected"),
    [
        (SWAGGER, True),
        (make_agent("1.3.3"), True),
        (make_agent("1.4.0"), False),
        (make_agent("1.5.26"), False),
        (BROWSER, False),
    ],
)
def test_clients_up_to_1_3_expect_organizations(agent, expected):
    assert read_user_agent(agent).expects_organizations == expected


@pytest.mark.parametrize(
    ("agent", "expected"),
    [
        (SWAGGER, False),
        (make_agent("1.3.3"), False),
        (make_agent("1.4.26"), False),
        (make_agent("1.5.0"), True),
        (make_agent("1.10.2"), True),
        (make_agent("2.0.0"), True),
        (BROWSER, True),
        ("", True),
    ],
)
def test_clients_since_1_5_know_default_workers_and_log_details(agent, expected):
    client = read_user_agent(agent)

    assert (client.knows_default_workers, client.knows_log_details) == (expected, expected)


@pytest.mark.parametrize(
    "agent", ["Lightly/", "Lightly/1", "Lightly/x.y", "Lightly/" + "9" * 5_000 + ".1", "\x00"]
)
def test_what_is_no_version_is_no_version(agent):
    assert read_user_agent(agent).version is None
