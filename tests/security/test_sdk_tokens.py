"""The SDK keeps the token and signatures of URLs out of everything that people read.

Canaries are planted in each channel, every way a call can end is gone through, and what was logged,
raised, warned of and shown is searched for them. Source: threat T09 of the project's threat list.
"""

import io
import logging
import pprint
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from lightly._kit.retry import RetryPolicy
from lightly.api import ApiWorkflowClient
from lightly.api.download import download_and_write_all_files, download_and_write_file
from lightly.api.sending import TransportSettings
from lightly.api.transport import Transport
from lightly.api.upload import upload_file_with_signed_url
from lightly.api.utils import get_request, post_request, put_request
from lightly.openapi_generated.swagger_client.models.docker_run_data import DockerRunData
from tests.support.http_servers import Answer, LocalServer, Request, serve
from tests.support.ports import find_free_port

TOKEN = "canary-token-5d2f8a1b9c"
SIGNATURE = "canary-signature-77aa01"
ID = "0123456789abcdef01234567"
JSON = {"Content-Type": "application/json"}


def echo(request: Request, status: int) -> Answer:
    """Repeat everything that was sent, as a careless server or proxy does."""
    text = f"{request.path} {request.headers} {request.body!r}".replace('"', "'")
    body = f'{{"code": "BAD_REQUEST", "error": "{text}", "requestId": "{TOKEN}"}}'
    return Answer(status, body.encode(), dict(JSON))


ENDINGS: dict[str, Callable[[Request], Answer]] = {
    "success": lambda _: Answer(200, b"[]", dict(JSON)),
    "unauthorized": lambda request: echo(request, 401),
    "forbidden": lambda request: echo(request, 403),
    "not found": lambda request: echo(request, 404),
    "conflict": lambda request: echo(request, 409),
    "server error": lambda request: echo(request, 500),
    "unavailable": lambda request: echo(request, 503),
    "no json": lambda request: Answer(200, f"<html>{request.headers}</html>".encode()),
    "no json error": lambda request: Answer(502, f"{request.headers}".encode()),
    "redirect": lambda _: Answer(302, headers={"Location": f"http://x/?token={TOKEN}"}),
    "redirect to itself": lambda r: Answer(307, headers={"Location": f"{r.path}&token={TOKEN}"}),
    "cut off": lambda _: Answer(200, b"[", {**JSON, "Content-Length": "100"}),
    "timeout": lambda _: Answer(200, b"[]", dict(JSON), delay_s=2.0),
    "wrong type": lambda _: Answer(200, f'{{"id": "{TOKEN}"}}'.encode(), dict(JSON)),
}
CALLS: dict[str, Callable[[ApiWorkflowClient], object]] = {
    "list datasets": lambda client: client.get_datasets(),
    "get dataset": lambda client: client.get_dataset_by_id(ID),
    "create dataset": lambda client: client.create_dataset("my dataset"),
    "delete tag": lambda client: client.delete_tag_by_id(ID),
    "choose dataset": lambda client: setattr(client, "dataset_id", ID),
    "upload metadata": lambda client: client.upload_custom_metadata({"images": [], "metadata": []}),
    "set S3": lambda client: client.set_s3_config("s3://b", "eu-west-1", "ID", SIGNATURE),
    "set Azure": lambda client: client.set_azure_config("b", "account", SIGNATURE),
    "set GCS": lambda client: client.set_gcs_config("gs://b", "project", SIGNATURE),
    "get datasource": lambda client: client.get_datasource(),
    "list files": lambda client: client.download_raw_samples(),
    "list files in parts": lambda client: list(
        client.download_raw_predictions_iter("task", divide_and_conquer_shards=3)
    ),
    "read a file": lambda client: client.get_metadata_read_url("schema.json"),
    "register a worker": lambda client: client.register_compute_worker(),
    "watch a run": lambda client: client.get_compute_worker_run_info(ID),
    "predict": lambda client: client.create_or_update_prediction(ID, []),
    "share": lambda client: client.share_dataset_only_with(ID, ["a@example.com"]),
    "call one to one": lambda client: client._tags_api.get_tags_by_dataset_id(ID),
}
RUN = DockerRunData.from_dict(
    {
        "id": ID,
        "userId": "someone",
        "dockerVersion": "1.0",
        "state": "COMPLETED",
        "createdAt": 1,
        "lastModifiedAt": 1,
        "artifacts": [{"id": ID, "type": "LOG", "fileName": "log.txt"}],
    }
)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody wait for long."""
    original = Transport.__init__
    policy = RetryPolicy(attempts=2, sleep=lambda _: None)
    settings = TransportSettings(policy, 0.4, 0.4, connect_timeout_s=1.0, read_timeout_s=0.3)

    def make(self, url, token, **options):
        original(self, url, token, **{"settings": settings, **options})

    monkeypatch.setattr(Transport, "__init__", make)
    monkeypatch.setattr("lightly._kit.retry.RetryPolicy.wait_s", lambda *_: 0.2)
    monkeypatch.setattr("lightly._kit.retry.time.sleep", lambda _: None)


@contextmanager
def watch(caplog: pytest.LogCaptureFixture) -> Iterator[list[str]]:
    """Collect whatever is logged, raised and warned of in the block."""
    seen: list[str] = []
    caplog.set_level(logging.DEBUG)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            yield seen
        except Exception as error:  # noqa: BLE001  any error may be raised, none may tell
            seen += [str(error), repr(error), "".join(traceback.format_exception(error))]
            seen += [repr(error.args), pprint.pformat(vars(error))]
            seen += describe_causes(error)
    seen += [str(warning.message) for warning in caught]
    seen += [record.getMessage() for record in caplog.records]
    seen.append(caplog.text)


def describe_causes(error: BaseException) -> list[str]:
    """Return the texts of everything that an error was raised from, shown or not."""
    texts = []
    cause: BaseException | None = error
    while cause is not None:
        texts += [str(cause), repr(cause)]
        cause = cause.__cause__ or cause.__context__
    return texts


def find_canaries(seen: list[str]) -> list[str]:
    """Return the texts with a canary; the name of the variable is none."""
    return [text[:300] for text in seen if TOKEN in text or SIGNATURE in text]


def make_client(server: LocalServer | str, monkeypatch: pytest.MonkeyPatch) -> ApiWorkflowClient:
    url = server if isinstance(server, str) else server.url
    monkeypatch.setenv("LIGHTLY_SERVER_LOCATION", url)
    return ApiWorkflowClient(token=TOKEN, dataset_id=ID)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("call", CALLS)
def test_token_is_in_no_text_however_a_call_ends(monkeypatch, caplog, call, ending):
    with serve(ENDINGS[ending]) as server:
        client = make_client(server, monkeypatch)

        with watch(caplog) as seen:
            CALLS[call](client)

        arrived = list(server.requests)

    assert find_canaries(seen) == []
    # It did arrive, and never in an address.
    assert {request.headers["Authorization"] for request in arrived} == {f"Bearer {TOKEN}"}
    assert [request.path for request in arrived if TOKEN in request.path] == []


@pytest.mark.usefixtures("quick")
def test_token_is_in_no_text_when_nobody_answers(monkeypatch, caplog):
    client = make_client(f"http://127.0.0.1:{find_free_port()}", monkeypatch)

    with watch(caplog) as seen:
        client.get_datasets()

    assert any("cannot be reached" in text for text in seen)
    assert find_canaries(seen) == []


@pytest.mark.usefixtures("quick")
def test_token_is_not_sent_to_where_a_redirect_leads(monkeypatch):
    with serve(lambda _: Answer(200, b"[]", dict(JSON))) as other:
        lead = Answer(302, headers={"Location": f"{other.url}/v1/datasets"})
        with serve(lambda _: lead) as server:
            client = make_client(server, monkeypatch)
            with pytest.raises(RuntimeError, match=other.url):
                client.get_datasets()

        assert other.requests == []


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("size", [0, 3, 100_000])
def test_signatures_are_in_no_text_however_an_upload_ends(monkeypatch, caplog, ending, size):
    with serve(ENDINGS[ending]) as server:
        client = make_client(server, monkeypatch)
        url = f"{server.url}/blobs/key?signature={SIGNATURE}&X-Amz-Signature={SIGNATURE}"

        with watch(caplog) as seen:
            client.upload_file_with_signed_url(io.BytesIO(b"x" * size), url)

        arrived = list(server.requests)

    assert find_canaries(seen) == []
    # Stores are no business of the token.
    assert [request for request in arrived if "Authorization" in request.headers] == []


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("function", [get_request, put_request, post_request])
def test_functions_of_old_scripts_keep_the_query_to_themselves(caplog, ending, function):
    with serve(ENDINGS[ending]) as server, watch(caplog) as seen:
        function(f"{server.url}/users/quota?token={TOKEN}&sig={SIGNATURE}", max_retries=2)

    assert find_canaries(seen) == []


@pytest.mark.usefixtures("quick")
def test_old_upload_function_keeps_the_signature_to_itself(caplog):
    url = f"http://127.0.0.1:{find_free_port()}/blobs/key?signature={SIGNATURE}"

    with watch(caplog) as seen:
        upload_file_with_signed_url(io.BytesIO(b"data"), url)

    assert any("cannot be reached" in text for text in seen)
    assert find_canaries(seen) == []


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("ending", ENDINGS)
def test_signatures_are_in_no_text_however_a_download_ends(monkeypatch, caplog, ending, tmp_path):
    def answer(request: Request) -> Answer:
        if request.path.startswith("/v1/"):
            return Answer(200, f'"{store.url}/blob?signature={SIGNATURE}"'.encode(), dict(JSON))
        return ENDINGS[ending](request)

    with serve(answer) as store:
        client = make_client(store, monkeypatch)
        url = f"{store.url}/blob?signature={SIGNATURE}"

        with watch(caplog) as seen:
            client.download_compute_worker_run_log(RUN, str(tmp_path / "log"))
        with watch(caplog) as seen_later:
            download_and_write_all_files([("a.jpg", url)], str(tmp_path))
        with watch(caplog) as seen_last:
            download_and_write_file(url, str(tmp_path / "b.jpg"))

        from_store = [one for one in store.requests if one.path.startswith("/blob")]

    assert find_canaries([*seen, *seen_later, *seen_last]) == []
    assert from_store
    assert [request for request in from_store if "Authorization" in request.headers] == []


def test_looking_at_a_client_shows_no_token(monkeypatch):
    client = make_client("http://server", monkeypatch)
    inner = client._transport

    shown = [repr(client), str(client), repr(inner), pprint.pformat(vars(client))]
    shown += [pprint.pformat(vars(part)) for part in (inner, inner._sender, inner._sessions)]

    assert find_canaries(shown) == []
    assert client.token == TOKEN


def test_a_token_that_cannot_be_sent_is_not_repeated():
    with pytest.raises(ValueError) as caught:
        ApiWorkflowClient(token=f"{TOKEN}\r\nX-Evil: 1")

    assert find_canaries([str(caught.value), repr(caught.value)]) == []
