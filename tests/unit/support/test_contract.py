"""The judge of answers accepts what the contract allows and nothing else."""

import json

import pytest
import requests
from requests.adapters import BaseAdapter
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from tests.support.contract import (
    ContractClient,
    check_response,
    find_operation,
    list_operations,
)

ID = "65f0c0ffee65f0c0ffee1234"
JSON = {"Content-Type": "application/json"}
TAGS = f"/v1/datasets/{ID}/tags"
TAG = {
    "id": ID,
    "datasetId": ID,
    "prevTagId": None,
    "name": "initial-tag",
    "bitMaskData": "0x59",
    "totSize": 10,
    "createdAt": 0,
}
SAMPLE = {"id": ID, "type": "IMAGE", "fileName": "a.jpg"}
ERROR = {"code": "NOT_FOUND", "error": "No such tag."}


def judge(method, path, status, body, headers=JSON):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    check_response(method, path, status, headers, content)


def test_every_operation_of_the_contract_is_listed():
    operations = list(list_operations())

    assert len(operations) == 140
    assert {method for method, _, _ in operations} == {"GET", "POST", "PUT", "DELETE"}


def test_every_listed_operation_is_found_by_a_concrete_path():
    for method, template, definition in list_operations():
        path = "/".join(ID if part.startswith("{") else part for part in template.split("/"))
        operation = find_operation(method, path)

        assert operation is not None
        assert operation.definition is definition


def test_literal_path_goes_before_a_parameter():
    operation = find_operation("GET", "/v1/docker/worker/default")

    assert operation is not None
    assert operation.template == "/v1/docker/worker/default"


@pytest.mark.parametrize("path", ["//v1/datasets", "/v1/datasets/", "/v1/datasets"])
def test_spare_slashes_of_older_clients_are_forgiven(path):
    operation = find_operation("GET", path)

    assert operation is not None
    assert operation.template == "/v1/datasets"


def test_encoded_slash_stays_within_its_parameter():
    operation = find_operation("GET", f"/v1/datasets/{ID}/predictions/tasks/a%2Fb")

    assert operation is not None
    assert operation.template == "/v1/datasets/{datasetId}/predictions/tasks/{taskName}"


def test_answer_that_fits_is_accepted():
    judge("GET", TAGS, 200, [TAG])


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"owner": "me"}, r"\$\[0\]: .*'owner' was unexpected"),
        ({"totSize": 10.0}, r"\$\[0\]\.totSize: 10\.0 is not of type 'integer'"),
        ({"totSize": True}, r"\$\[0\]\.totSize: True is not of type 'integer'"),
        ({"totSize": "10"}, r"\$\[0\]\.totSize"),
        ({"createdAt": -1}, r"\$\[0\]\.createdAt"),
        ({"name": "ab"}, r"\$\[0\]\.name: 'ab' is too short"),
        ({"name": "initial-tag\n"}, r"\$\[0\]\.name: .* does not match"),
        ({"bitMaskData": "0xF"}, r"\$\[0\]\.bitMaskData"),
        ({"runId": None}, r"\$\[0\]\.runId"),
        ({"changes": [{"ts": 1}]}, r"\$\[0\]\.changes\[0\]"),
    ],
)
def test_field_that_breaks_the_contract_is_named(change, place):
    with pytest.raises(AssertionError, match=place):
        judge("GET", TAGS, 200, [{**TAG, **change}])


def test_missing_required_field_is_refused():
    tag = {key: value for key, value in TAG.items() if key != "prevTagId"}

    with pytest.raises(AssertionError, match="'prevTagId' is a required property"):
        judge("GET", TAGS, 200, [tag])


def test_unknown_field_is_refused_at_any_depth():
    sample = {**SAMPLE, "metaData": {"sharpness": 1, "is_corrupted": False}}

    with pytest.raises(AssertionError, match=r"\$\[0\]\.metaData.*is_corrupted"):
        judge("GET", f"/v1/datasets/{ID}/samples", 200, [sample])


def test_free_form_object_takes_any_field():
    judge("GET", f"/v1/datasets/{ID}/samples", 200, [{**SAMPLE, "customMetaData": {"a": [None]}}])


@pytest.mark.parametrize("number", [b"NaN", b"-Infinity", b"1e999"])
def test_number_that_is_not_finite_is_refused(number):
    body = json.dumps([{**SAMPLE, "customMetaData": {"a": 0.5}}]).encode().replace(b"0.5", number)

    with pytest.raises(AssertionError, match="the body holds"):
        judge("GET", f"/v1/datasets/{ID}/samples", 200, body)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"s3Region": "us-east-1"}, r"\$: .*'s3Region' was unexpected"),
        ({"fullPath": 3}, r"\$\.fullPath: 3 is not of type 'string'"),
        ({"type": "S3"}, r"\$: 's3\w+' is a required property"),
        ({"type": "FTP"}, r"\$: 'type' is 'FTP' instead of one of"),
    ],
)
def test_discriminator_decides_which_rules_hold(change, message):
    local = {"type": "LOCAL", "purpose": "INPUT_OUTPUT", "fullPath": "photos"}
    path = f"/v1/datasets/{ID}/datasource"

    judge("GET", path, 200, local)
    with pytest.raises(AssertionError, match=message):
        judge("GET", path, 200, {**local, **change})


def test_long_values_are_cut_in_messages():
    with pytest.raises(AssertionError) as caught:
        judge("GET", TAGS, 200, [{**TAG, "bitMaskData": "F" * 100_000}])

    assert len(str(caught.value)) < 500


def test_status_that_is_not_declared_is_refused():
    with pytest.raises(AssertionError, match="answered 200, but declares 201"):
        judge("POST", TAGS, 200, {"id": ID})


@pytest.mark.parametrize("status", [404, 402, 409, 413, 422, 429, 501, 503])
def test_error_statuses_are_allowed_with_the_error_body_of_the_contract(status):
    judge("GET", TAGS, status, ERROR)


def test_error_body_of_a_framework_is_refused():
    with pytest.raises(AssertionError, match="'code' is a required property"):
        judge("GET", TAGS, 422, {"detail": [{"loc": ["body"]}]})


def test_error_code_outside_the_closed_list_is_refused():
    with pytest.raises(AssertionError, match=r"\$\.code"):
        judge("GET", TAGS, 404, {**ERROR, "code": "TAG_GONE"})


def test_server_error_is_refused():
    with pytest.raises(AssertionError, match="answered 500"):
        judge("GET", TAGS, 500, ERROR)


def test_success_of_an_operation_outside_the_contract_is_refused():
    with pytest.raises(AssertionError, match="no such operation"):
        judge("PATCH", TAGS, 200, {})


@pytest.mark.parametrize("status", [404, 405])
def test_operation_outside_the_contract_may_be_refused(status):
    judge("PATCH", TAGS, status, ERROR)


def test_route_of_client_1_1_that_moved_is_known():
    judge("GET", "/v1/configuration/metadata", 200, [])


def test_success_body_that_clients_ignore_is_not_judged():
    judge("PUT", f"/v1/datasets/{ID}", 204, b"", {})
    judge("PUT", f"/v1/datasets/{ID}", 200, {"any": "thing"})


def test_answer_without_content_has_no_body():
    with pytest.raises(AssertionError, match="has a body"):
        judge("PUT", f"/v1/datasets/{ID}", 204, b"{}")


def test_redirect_needs_a_location():
    path = f"/v1/datasets/{ID}/datasource/readurlRedirect"

    judge("GET", path, 302, b"", {"location": "http://127.0.0.1/blob"})
    with pytest.raises(AssertionError, match="the header Location is missing"):
        judge("GET", path, 302, b"", {})


@pytest.mark.parametrize("body", [b"a.jpg\nb.jpg", b'"a.jpg\\nb.jpg"', b"", "ä.jpg".encode()])
def test_text_may_be_plain_or_json(body):
    path = f"{TAGS}/{ID}/export/basic/filenames"

    judge("GET", path, 200, body, {"content-type": "text/plain; charset=utf-8"})


def test_text_that_clients_would_read_as_a_number_is_refused():
    path = f"{TAGS}/{ID}/export/basic/filenames"

    with pytest.raises(AssertionError, match="123 is not of type 'string'"):
        judge("GET", path, 200, b"123", {"content-type": "text/plain"})


def test_content_type_must_be_declared():
    with pytest.raises(AssertionError, match="content type is 'text/html'"):
        judge("GET", TAGS, 200, b"<p>", {"content-type": "text/html"})


def test_body_that_is_no_json_is_refused():
    with pytest.raises(AssertionError, match="not JSON"):
        judge("GET", TAGS, 200, b"[")


def test_body_that_is_no_utf_8_is_refused():
    with pytest.raises(AssertionError, match="not UTF-8"):
        judge("GET", TAGS, 200, b'["\xff"]')


def test_archive_is_not_read_as_json():
    headers = {"content-type": "application/zip"}

    judge("GET", f"{TAGS}/{ID}/export/zip", 200, b"PK\x05\x06", headers)


def list_good_tags(_request):
    return JSONResponse([TAG])


def get_bad_quota(_request):
    return JSONResponse(25000)


def redirect_to_quota(_request):
    return RedirectResponse("/v1/quota", 302)


def greet(_request):
    return PlainTextResponse("hello")


APP = Starlette(
    routes=[
        Route(TAGS, list_good_tags),
        Route("/v1/quota", get_bad_quota),
        Route(f"/v1/datasets/{ID}/datasource/readurlRedirect", redirect_to_quota),
        Route("/healthz", greet),
    ]
)


class InProcessAdapter(BaseAdapter):
    """Lets `requests` talk to the app without a socket."""

    def send(self, request, **_options):
        answer = TestClient(APP).request(request.method, request.url, follow_redirects=False)
        response = requests.Response()
        response.status_code = answer.status_code
        response.headers.update(answer.headers)
        response._content = answer.content
        response.url = request.url
        response.request = request
        return response

    def close(self):
        pass


def make_requests_session():
    session = requests.Session()
    session.mount("http://testserver", InProcessAdapter())
    return session


@pytest.fixture(params=[lambda: TestClient(APP), make_requests_session], ids=["test", "requests"])
def client(request):
    return ContractClient(request.param(), base_url="http://testserver")


def test_client_hands_back_good_answers(client):
    assert client.get(TAGS).json() == [TAG]


def test_client_refuses_bad_answers(client):
    with pytest.raises(AssertionError, match="GET /v1/quota answered 200"):
        client.get("/v1/quota", params={"token": "secret"})


def test_client_checks_what_a_redirect_leads_to(client):
    with pytest.raises(AssertionError, match="GET /v1/quota answered 200"):
        client.get(f"/v1/datasets/{ID}/datasource/readurlRedirect")


def test_client_leaves_routes_outside_the_contract_alone(client):
    assert client.get("/healthz").text == "hello"


def test_client_passes_other_attributes_on(client):
    client.headers["Authorization"] = "Bearer secret"

    assert client.headers["Authorization"] == "Bearer secret"
