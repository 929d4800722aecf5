"""Sessions of roles: made once, renewed in time, as long as the role allows."""

from __future__ import annotations

import datetime as dt
from urllib.parse import parse_qs

import pytest

from lightly.server.datasources.buckets.raw_requests import StoreAnswered
from lightly.server.datasources.buckets.roles import AssumedRole
from lightly.server.datasources.buckets.s3 import S3Credentials
from lightly.server.errors import DatasourceUnavailable, DatasourceUnreachable

NOW_S = 1_800_000_000


class TokenService:
    """Answers as the real one does.

    Args:
        longest_s: What the role allows.
        failure: Raised instead.
    """

    def __init__(self, longest_s=12 * 3600, failure=None):
        self.longest_s = longest_s
        self.failure = failure
        self.asked_s = []
        self.now_s = NOW_S

    def send(self, _method, _make_url, content, _headers):
        """Answer a request."""
        if self.failure is not None:
            raise self.failure
        duration_s = int(parse_qs(content.decode())["DurationSeconds"][0])
        self.asked_s.append(duration_s)
        if duration_s > self.longest_s:
            raise StoreAnswered(
                "status 400: <Code>ValidationError</Code><Message>The requested DurationSeconds "
                "exceeds the MaxSessionDuration set for this role.</Message>"
            )
        end = dt.datetime.fromtimestamp(self.now_s + duration_s, dt.UTC).isoformat()
        return (
            "<A xmlns='x'><Credentials><AccessKeyId>id</AccessKeyId>"
            f"<SecretAccessKey>s</SecretAccessKey><SessionToken>{len(self.asked_s)}</SessionToken>"
            f"<Expiration>{end}</Expiration></Credentials></A>"
        ).encode()


def make_role(service):
    return AssumedRole(
        service,
        "https://sts.example.com",
        "us-east-1",
        arn="arn:aws:iam::123456789012:role/images",
        external_id="x" * 20,
        session_name="lightly-1",
        find_own=lambda: S3Credentials("key", "secret"),
        now=lambda: service.now_s,
    )


def test_a_session_serves_until_half_of_it_is_over():
    service = TokenService()
    role = make_role(service)

    first = role.find()
    service.now_s += 6 * 3600 - 1
    assert role.find() is first
    service.now_s += 2
    second = role.find()

    assert second.token != first.token
    assert second.expires_at.timestamp() - service.now_s == 12 * 3600


def test_a_role_with_short_sessions_gets_short_ones():
    service = TokenService(longest_s=3600)

    session = make_role(service).find()

    assert service.asked_s == [12 * 3600, 3600]
    assert session.expires_at.timestamp() == NOW_S + 3600


def test_a_refusal_says_what_to_allow_and_shows_no_secret():
    failure = StoreAnswered("status 403: <Code>AccessDenied</Code><Message>arn</Message>")

    with pytest.raises(DatasourceUnreachable, match="trust policy") as caught:
        make_role(TokenService(failure=failure)).find()

    assert "x" * 20 not in str(caught.value)


def test_a_service_that_does_not_answer_may_later():
    with pytest.raises(DatasourceUnavailable):
        make_role(TokenService(failure=OSError("connection: ReadTimeout"))).find()
