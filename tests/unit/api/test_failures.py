"""Errors of answers: a class for each status that programs tell apart, where they look for it."""

import importlib
import json

import pytest

from lightly.api import retry_utils
from lightly.api.errors import ApiException, ConnectionFailed, DatasetNotFoundError
from lightly.openapi_generated.swagger_client import exceptions
from tests.support.sdk import ScriptedAdapter, make_json_response, make_transport


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "MALFORMED_REQUEST", ApiException),
        (401, "UNAUTHORIZED", exceptions.UnauthorizedException),
        (403, "FORBIDDEN", exceptions.ForbiddenException),
        (404, "NOT_FOUND", exceptions.NotFoundException),
        (404, "DATASET_UNKNOWN", DatasetNotFoundError),
        (500, "INTERNAL_SERVER_ERROR", exceptions.ServiceException),
        (501, "NOT_IMPLEMENTED", exceptions.ServiceException),
    ],
)
def test_an_answer_becomes_the_error_of_its_status(status, code, kind):
    answer = make_json_response(json.dumps({"code": code, "error": "No."}), status)

    with pytest.raises(ApiException) as caught:
        make_transport(ScriptedAdapter([answer])).get("/v1/datasets")

    assert type(caught.value) is kind
    assert (caught.value.status, caught.value.code) == (status, code)
    assert isinstance(caught.value, exceptions.ApiException)


@pytest.mark.parametrize("package", ["swagger_client", "swagger_codegen"])
@pytest.mark.parametrize("module", ["exceptions", "rest"])
def test_the_error_is_where_scripts_import_it(package, module):
    found = importlib.import_module(f"lightly.openapi_generated.{package}.{module}")

    assert found.ApiException is ApiException


def test_errors_of_later_clients_are_ours():
    assert retry_utils.MaxRetryError is ConnectionFailed
    assert retry_utils.DatasetNotFoundError is DatasetNotFoundError


def test_an_error_has_the_headers_that_give_nothing_away():
    answer = make_json_response(
        "{}", 400, **{"X-Request-Id": "r1", "Location": "/blobs/a?signature=s", "Set-Cookie": "c=1"}
    )

    with pytest.raises(ApiException) as caught:
        make_transport(ScriptedAdapter([answer])).get("/v1/datasets")

    assert caught.value.headers["x-request-id"] == "r1"
    assert {"Location", "Set-Cookie"}.isdisjoint(caught.value.headers)
