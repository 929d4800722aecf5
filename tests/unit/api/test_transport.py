"""Calls of the server: what is sent, what is repeated, what errors say."""

import io
import pickle
from typing import Any

import pytest
import requests
from requests.adapters import BaseAdapter
from urllib3.exceptions import MaxRetryError, NewConnectionError, ProtocolError

from lightly._kit.errors import BadInput
from lightly._kit.retry import RetryPolicy
from lightly.api.errors import (
    ApiException,
    BlobTransferFailed,
    ConnectionFailed,
    UnexpectedAnswer,
)
from lightly.api.sending import TransportSettings
from lightly.api.transport import Transport
from tests.support.sdk import ScriptedAdapter, make_json_response, make_response, make_settings

URL = "http://server:8000"
SIGNED_URL = "http://store/blobs/key?signature=SIGNATURE"


def refused() -> requests.ConnectionError:
    reason = NewConnectionError(None, "refused")  # type: ignore[arg-type]
    return requests.ConnectionError(MaxRetryError(None, "/v1?token=x", reason))  # type: ignore[arg-type]


def broken() -> requests.ConnectionError:
    return requests.ConnectionError(ProtocolError("Connection aborted."))


def make_transport(adapter: BaseAdapter, waits: list[float] | None = None) -> Transport:
    sleep = waits.append if waits is not None else lambda _: None
    return Transport(URL, "TOKEN", settings=make_settings(sleep), make_adapter=lambda: adapter)


def test_token_travels_in_the_authorization_header_only():
    adapter = ScriptedAdapter([make_json_response("[]")])

    make_transport(adapter).get("/v1/datasets", {"shared": False})

    assert adapter.requests[0].headers["Authorization"] == "Bearer TOKEN"
    assert adapter.requests[0].url == f"{URL}/v1/datasets?shared=False"


def test_user_agent_names_the_client_as_a_new_one():
    adapter = ScriptedAdapter([make_json_response("[]")])

    make_transport(adapter).get("/v1/datasets")

    assert adapter.requests[0].headers["User-Agent"].startswith("Lightly/")


def test_parameters_that_are_none_are_left_out():
    adapter = ScriptedAdapter([make_json_response("[]")])

    make_transport(adapter).get("/v1/x", {"a": None, "b": 3})

    assert adapter.requests[0].url == f"{URL}/v1/x?b=3"


def test_body_is_sent_as_json():
    adapter = ScriptedAdapter([make_json_response('{"id": "1"}', 201)])

    make_transport(adapter).post("/v1/datasets", {"name": "bücher"})

    assert adapter.bodies == ['{"name":"bücher"}'.encode()]
    assert adapter.requests[0].headers["Content-Type"] == "application/json"


def test_text_answer_is_not_read_as_json():
    adapter = ScriptedAdapter([make_response(200, b"123", {"Content-Type": "text/plain"})])

    assert make_transport(adapter).get("/v1/x") == "123"


def test_empty_answer_is_none():
    assert make_transport(ScriptedAdapter([make_response(204)])).put("/v1/x", {}) is None


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_answers_that_say_later_are_asked_again(status):
    adapter = ScriptedAdapter([make_response(status), make_json_response("1")])

    assert make_transport(adapter).get("/v1/x") == 1


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 409, 410, 413, 422, 501])
def test_answers_that_say_no_are_final(status):
    adapter = ScriptedAdapter([make_response(status), make_json_response("1")])

    with pytest.raises(ApiException) as caught:
        make_transport(adapter).get("/v1/x")

    assert (caught.value.status, len(adapter.requests)) == (status, 1)


def test_a_failing_server_is_asked_as_often_as_the_policy_says():
    adapter = ScriptedAdapter([make_response(500)])

    with pytest.raises(ApiException) as caught:
        make_transport(adapter).get("/v1/x")

    assert (caught.value.attempts, len(adapter.requests)) == (4, 4)


def test_waits_grow_from_attempt_to_attempt():
    waits: list[float] = []

    with pytest.raises(ApiException):
        make_transport(ScriptedAdapter([make_response(500)]), waits).get("/v1/x")

    assert waits == [0.5, 1.0, 2.0]


def test_retry_after_is_honoured():
    waits: list[float] = []
    later = make_response(429, headers={"Retry-After": "7"})

    make_transport(ScriptedAdapter([later, make_json_response("1")]), waits).get("/v1/x")

    assert waits == [7.0]


def test_retry_after_is_capped():
    waits: list[float] = []
    later = make_response(503, headers={"Retry-After": "86400"})

    make_transport(ScriptedAdapter([later, make_json_response("1")]), waits).get("/v1/x")

    assert waits == [RetryPolicy().cap_s]


@pytest.mark.parametrize("failure", [make_response(500), make_response(502), broken()])
def test_a_post_that_may_have_happened_is_not_repeated(failure):
    adapter = ScriptedAdapter([failure, make_json_response("1")])

    with pytest.raises((ApiException, ConnectionFailed)):
        make_transport(adapter).post("/v1/x", {})

    assert len(adapter.requests) == 1


@pytest.mark.parametrize("failure", [make_response(429), make_response(503), refused()])
def test_a_post_that_cannot_have_happened_is_repeated(failure):
    adapter = ScriptedAdapter([failure, make_json_response("1")])

    assert make_transport(adapter).post("/v1/x", {}) == 1


@pytest.mark.parametrize("failure", [make_response(500), make_response(502), broken()])
def test_a_repeatable_post_is_repeated(failure):
    adapter = ScriptedAdapter([failure, make_json_response("1")])

    assert make_transport(adapter).post("/v1/x", {"a": 1}, is_repeatable=True) == 1
    assert adapter.bodies == [b'{"a":1}', b'{"a":1}']


def test_a_restarting_server_is_waited_for():
    adapter = ScriptedAdapter([make_json_response("0"), *[refused()] * 15, make_json_response("1")])
    transport = make_transport(adapter)
    transport.get("/v1/x")

    assert transport.get("/v1/x") == 1


def test_a_server_that_stays_away_is_given_up_after_some_minutes():
    waits: list[float] = []
    transport = make_transport(ScriptedAdapter([make_json_response("0"), refused()]), waits)
    transport.get("/v1/x")

    with pytest.raises(ConnectionFailed):
        transport.get("/v1/x")

    assert 300 <= sum(waits) <= 300 + RetryPolicy().cap_s


def test_a_server_that_never_answered_is_given_up_soon():
    waits: list[float] = []

    with pytest.raises(ConnectionFailed):
        make_transport(ScriptedAdapter([refused()]), waits).get("/v1/x")

    assert sum(waits) <= 30


def test_a_refusal_counts_as_first_contact():
    waits: list[float] = []
    transport = make_transport(ScriptedAdapter([make_response(404), refused()]), waits)
    with pytest.raises(ApiException):
        transport.get("/v1/x")

    with pytest.raises(ConnectionFailed):
        transport.get("/v1/x")

    assert sum(waits) >= 300


def test_nobody_at_the_default_address_leads_to_the_command_that_starts_a_server():
    with pytest.raises(ConnectionFailed, match="lightly server"):
        make_transport(ScriptedAdapter([refused()])).get("/v1/x")


def test_nobody_at_a_configured_address_leads_to_its_variable(monkeypatch):
    monkeypatch.setenv("LIGHTLY_SERVER_LOCATION", URL)

    with pytest.raises(ConnectionFailed, match="comes from LIGHTLY_SERVER_LOCATION"):
        make_transport(ScriptedAdapter([refused()])).get("/v1/x")


def test_a_wrong_certificate_is_not_tried_again():
    adapter = ScriptedAdapter([requests.exceptions.SSLError("self-signed")])

    with pytest.raises(ConnectionFailed, match="LIGHTLY_CA_CERTS"):
        make_transport(adapter).get("/v1/x")

    assert len(adapter.requests) == 1


def test_an_error_says_what_the_server_says():
    answer = make_json_response(
        '{"code": "TAG_NAME_EXISTS", "error": "The name is taken.", "requestId": "r1"}', 409
    )

    with pytest.raises(ApiException) as caught:
        make_transport(ScriptedAdapter([answer])).post("/v1/tags", {})

    assert str(caught.value) == (
        "POST /v1/tags: 409 TAG_NAME_EXISTS: The name is taken. (request r1)"
    )
    assert (caught.value.code, caught.value.request_id) == ("TAG_NAME_EXISTS", "r1")


def test_an_error_without_json_still_has_its_status():
    answer = make_response(413, b"<html>too large</html>", {"X-Request-Id": "r2"})

    with pytest.raises(ApiException) as caught:
        make_transport(ScriptedAdapter([answer])).put("/v1/x", {})

    assert (caught.value.status, caught.value.request_id) == (413, "r2")


def test_an_error_can_cross_processes():
    with pytest.raises(ApiException) as caught:
        make_transport(ScriptedAdapter([make_response(404)])).get("/v1/x")

    copy = pickle.loads(pickle.dumps(caught.value))

    assert (str(copy), copy.status) == (str(caught.value), 404)


def test_a_long_error_body_is_shortened():
    with pytest.raises(ApiException) as caught:
        make_transport(ScriptedAdapter([make_response(400, b"x" * 100_000)])).get("/v1/x")

    assert len(caught.value.body) <= 1_001


def test_redirects_are_refused_with_the_address_to_use():
    answer = make_response(301, headers={"Location": "https://server/v1/x?token=TOKEN"})
    adapter = ScriptedAdapter([answer])

    with pytest.raises(ApiException, match="leads to https://server/v1/x") as caught:
        make_transport(adapter).get("/v1/x")

    assert "TOKEN" not in str(caught.value).replace("LIGHTLY_TOKEN", "")
    assert len(adapter.requests) == 1


def test_a_page_instead_of_json_is_no_answer():
    answer = make_response(200, b"<html>", {"Content-Type": "text/html"})

    with pytest.raises(UnexpectedAnswer, match="LIGHTLY_SERVER_LOCATION"):
        make_transport(ScriptedAdapter([answer])).get("/v1/x")


def test_cookies_are_not_kept():
    adapter = ScriptedAdapter(
        [make_json_response("1", 200, **{"Set-Cookie": "a=b"}), make_json_response("1")]
    )
    transport = make_transport(adapter)

    transport.get("/v1/x")
    transport.get("/v1/x")

    assert "Cookie" not in adapter.requests[1].headers


def test_a_password_file_does_not_replace_the_token(monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine server login me password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    adapter = ScriptedAdapter([make_json_response("1")])

    make_transport(adapter).get("/v1/x")

    assert adapter.requests[0].headers["Authorization"] == "Bearer TOKEN"


def test_blobs_go_without_token_and_content_type():
    adapter = ScriptedAdapter([make_response(200)])

    make_transport(adapter).put_blob(SIGNED_URL, b"data")

    headers = adapter.requests[0].headers
    assert not {"Authorization", "Content-Type", "Transfer-Encoding"} & set(headers)
    assert headers["Content-Length"] == "4"


def test_a_file_is_sent_again_from_where_it_stood():
    adapter = ScriptedAdapter([make_response(503), broken(), make_response(200)])
    file = io.BytesIO(b"skipped data")
    file.seek(8)

    make_transport(adapter).put_blob(SIGNED_URL, file)

    assert adapter.bodies == [b"data"] * 3
    assert adapter.requests[0].headers["Content-Length"] == "4"


def test_an_empty_file_is_sent_with_its_length():
    adapter = ScriptedAdapter([make_response(200)])

    make_transport(adapter).put_blob(SIGNED_URL, io.BytesIO())

    assert adapter.requests[0].headers["Content-Length"] == "0"


def test_a_refused_blob_is_named_without_its_signature():
    adapter = ScriptedAdapter([make_response(403, b"signature=SIGNATURE expired")])

    with pytest.raises(BlobTransferFailed) as caught:
        make_transport(adapter).put_blob(SIGNED_URL, b"data")

    assert "SIGNATURE" not in f"{caught.value} {caught.value.body}"


@pytest.mark.parametrize(
    ("url", "key", "expected"),
    [
        # Azure insists on the blob type.
        ("https://a.blob.core.windows.net/c/k?sig=1", "", {"x-ms-blob-type": "BlockBlob"}),
        # No encryption unless it is asked for.
        ("https://b.s3.eu-central-1.amazonaws.com/k", "", {}),
        (
            "https://b.s3.eu-central-1.amazonaws.com/k",
            "True",
            {"x-amz-server-side-encryption": "AES256"},
        ),
        (
            "https://b.s3.eu-central-1.amazonaws.com/k",
            "arn:key",
            {
                "x-amz-server-side-encryption": "aws:kms",
                "x-amz-server-side-encryption-aws-kms-key-id": "arn:key",
            },
        ),
        # Other stores know nothing of it.
        ("http://store/k", "True", {}),
    ],
)
def test_stores_get_the_headers_that_they_insist_on(monkeypatch, url, key, expected):
    monkeypatch.setenv("LIGHTLY_S3_SSE_KMS_KEY", key)
    adapter = ScriptedAdapter([make_response(200)])

    make_transport(adapter).put_blob(url, b"data")

    sent = adapter.requests[0].headers
    assert {name: sent[name] for name in sent if name.startswith("x-")} == expected


@pytest.mark.parametrize("url", ["http://[", "ftp://store/key", "file:///etc/passwd", "nothing"])
def test_an_address_that_is_none_is_a_clean_error(url):
    transport = Transport(URL, "TOKEN", settings=make_settings())

    with pytest.raises(UnexpectedAnswer, match="cannot be opened"), transport.open_blob(url):
        pass


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {"a": [-float("inf")]}])
def test_numbers_that_json_lacks_are_refused_before_they_are_sent(value):
    adapter = ScriptedAdapter([make_json_response("1")])

    with pytest.raises(BadInput, match="cannot be sent"):
        make_transport(adapter).put("/v1/x", {"value": value})

    assert adapter.requests == []


def test_proxies_of_the_environment_are_used(monkeypatch):
    seen: dict[str, Any] = {}

    class ProxyAdapter(ScriptedAdapter):
        def send(self, request, **options):
            seen.update(options["proxies"])
            return super().send(request, **options)

    monkeypatch.setenv("HTTP_PROXY", "http://proxy:3128")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    adapter = ProxyAdapter([make_json_response("1")])

    make_transport(adapter).get("/v1/x")

    assert seen["http"] == "http://proxy:3128"


def test_certificates_of_the_environment_are_used(monkeypatch, tmp_path):
    bundle = tmp_path / "ca.pem"
    bundle.write_text("")
    seen: dict[str, Any] = {}

    class VerifyAdapter(ScriptedAdapter):
        def send(self, request, **options):
            seen.update(options)
            return super().send(request, **options)

    monkeypatch.setenv("LIGHTLY_CA_CERTS", str(bundle))
    adapter = VerifyAdapter([make_json_response("1")])

    make_transport(adapter).get("/v1/x")

    assert seen["verify"] == str(bundle)


def test_timeouts_bound_every_request():
    seen: dict[str, Any] = {}

    class TimeoutAdapter(ScriptedAdapter):
        def send(self, request, **options):
            seen.update(options)
            return super().send(request, **options)

    make_transport(TimeoutAdapter([make_json_response("1")])).get("/v1/x")

    defaults = TransportSettings()
    assert seen["timeout"] == (defaults.connect_timeout_s, defaults.read_timeout_s)
