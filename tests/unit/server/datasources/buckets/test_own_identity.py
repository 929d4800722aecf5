"""The server's own identity is found where AWS's tools look for it, in their order."""

from urllib.parse import parse_qs

import pytest

from lightly.server.datasources.buckets.own_identity import OwnIdentity
from lightly.server.datasources.buckets.raw_requests import StoreAnswered
from lightly.server.errors import DatasourceUnreachable

NOW_S = 1_700_000_000.0
KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
ANSWER = b"""<A xmlns="x"><Credentials><AccessKeyId>ASIA</AccessKeyId>
<SecretAccessKey>s</SecretAccessKey><SessionToken>session</SessionToken>
<Expiration>2023-11-14T23:13:20Z</Expiration></Credentials></A>"""


class TokenService:
    """Answers, and remembers what it was asked."""

    def __init__(self, failure=None):
        self.failure = failure
        self.asked = []

    def send(self, _method, _make_url, content, headers):
        """Answer a request."""
        self.asked.append((parse_qs(content.decode()), headers))
        if self.failure is not None:
            raise self.failure
        return ANSWER


@pytest.fixture
def places(tmp_path):
    """A token of a cluster and a file of profiles, as variables name them."""
    (tmp_path / "token").write_text("the token\n")
    (tmp_path / "credentials").write_text(
        "[default]\naws_access_key_id = first\naws_secret_access_key = a%b\n"
        "[other]\naws_access_key_id=second\naws_secret_access_key=c\naws_session_token=d\n"
    )
    return {
        "web": {
            "AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "token"),
            "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/server",
        },
        "profile": {"AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials")},
        "none": {"AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "nowhere")},
    }


def find(service, variables):
    return OwnIdentity(service, "https://sts.example.com/", variables).find(NOW_S)


def test_variables_come_before_tokens_and_profiles(places):
    service = TokenService()

    found = find(service, {**places["profile"], **places["web"], **KEYS})

    assert (found.access_key_id, found.token, service.asked) == ("key", None, [])


def test_a_token_of_the_cluster_is_traded_for_a_session(places):
    service = TokenService()

    found = find(service, {**places["profile"], **places["web"]})

    assert (found.access_key_id, found.token) == ("ASIA", "session")
    assert found.renew_at.timestamp() == NOW_S + 1800
    ((query, headers),) = service.asked
    assert query["WebIdentityToken"] == ["the token"]
    assert query["RoleArn"] == ["arn:aws:iam::123456789012:role/server"]
    assert "authorization" not in headers


@pytest.mark.parametrize(
    ("more", "expected"),
    [({}, ("first", "a%b", None)), ({"AWS_PROFILE": "other"}, ("second", "c", "d"))],
)
def test_keys_of_the_chosen_profile_are_used(places, more, expected):
    found = find(TokenService(), {**places["profile"], **more})

    assert (found.access_key_id, found.secret_access_key, found.token) == expected


def test_a_refused_token_is_said_without_the_token(places):
    service = TokenService(StoreAnswered("status 400: <Code>InvalidIdentityToken</Code>"))

    with pytest.raises(DatasourceUnreachable, match="AWS_ROLE_ARN") as caught:
        find(service, places["web"])

    assert "the token" not in str(caught.value).replace("the token service", "")


@pytest.mark.parametrize(
    ("variables", "remedy"),
    [
        ({}, "AWS_ACCESS_KEY_ID"),
        ({"AWS_PROFILE": "unknown"}, "AWS_ACCESS_KEY_ID"),
        ({"AWS_WEB_IDENTITY_TOKEN_FILE": "/nowhere", "AWS_ROLE_ARN": "arn"}, "cannot be read"),
    ],
)
def test_what_is_missing_is_said(places, variables, remedy):
    with pytest.raises(DatasourceUnreachable, match=remedy):
        find(TokenService(), {**places["none"], **variables})
