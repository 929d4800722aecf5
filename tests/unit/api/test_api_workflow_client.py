"""The client itself: time limits, uploads by signed URL, copies for other processes."""

import pickle

import pytest
import requests

from lightly.api import ApiWorkflowClient
from lightly.openapi_generated.swagger_client.models.creator import Creator
from tests.support.http_servers import Answer, serve
from tests.support.sdk import ScriptedAdapter, make_client, make_response

DATASET = "0123456789abcdef01234567"


class TimeoutAdapter(ScriptedAdapter):
    """Notes how long each request may take."""

    def __init__(self) -> None:
        super().__init__([make_response(200, b"[]", {"Content-Type": "application/json"})])
        self.timeouts: list[tuple[float, float]] = []

    def send(self, request, **options):
        """Note the time limit."""
        self.timeouts.append(options["timeout"])
        return super().send(request, **options)


@pytest.mark.parametrize(("timeout", "expected"), [(7, (7, 7)), ((2, 30.5), (2, 30.5))])
def test_requests_may_take_as_long_as_is_said(timeout, expected):
    adapter = TimeoutAdapter()
    client = make_client(adapter)

    client.get_datasets()
    client.set_request_timeout(timeout)
    client.get_datasets()

    assert adapter.timeouts[-1] == expected != adapter.timeouts[0]


@pytest.mark.parametrize("timeout", [0, -1, (1, 0)])
def test_requests_take_some_time(timeout):
    with pytest.raises(ValueError, match="above 0"):
        make_client(TimeoutAdapter()).set_request_timeout(timeout)


def test_nothing_is_uploaded_as_an_empty_file():
    with serve(lambda _: Answer()) as server:
        answer = make_client(ScriptedAdapter([make_response()])).upload_file_with_signed_url(
            None, f"{server.url}/blob", session=requests.Session()
        )

        assert answer.status_code == 200
        (request,) = server.requests

    assert (request.method, request.body) == ("PUT", b"")
    assert request.headers["Content-Length"] == "0"


def test_a_session_of_ones_own_uploads_without_the_token():
    session = requests.Session()
    session.headers["X-Session"] = "mine"
    with serve(lambda _: Answer()) as server, session:
        client = ApiWorkflowClient(token="canary-token-123")
        client.upload_file_with_signed_url(
            None, f"{server.url}/blob", {"X-More": "yes"}, session=session
        )

        headers = server.requests[0].headers

    assert (headers["X-Session"], headers["X-More"]) == ("mine", "yes")
    assert "canary" not in str(headers)


def test_a_client_can_be_sent_to_another_process():
    client = ApiWorkflowClient("0123456789abcdef", DATASET, creator=Creator.USER_WORKER)

    copied = pickle.loads(pickle.dumps(client))

    assert (copied.token, copied.dataset_id) == (client.token, DATASET)
    assert copied._creator == "USER_WORKER"


def test_another_token_is_used_from_the_next_request_on():
    adapter = ScriptedAdapter([make_response(200, b"[]", {"Content-Type": "application/json"})])
    client = make_client(adapter)
    client.get_datasets()

    client.token = "another-token"
    client.get_datasets()

    assert client.token == "another-token"
    assert adapter.requests[-1].headers["Authorization"] == "Bearer another-token"
    assert adapter.requests[0].headers["Authorization"] != "Bearer another-token"
