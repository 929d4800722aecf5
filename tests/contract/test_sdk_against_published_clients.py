"""What published clients offer, our client offers too: names, places, defaults."""

import importlib
import inspect
from typing import Any

import pytest

from lightly.api import ApiWorkflowClient
from tests.support.published_clients.runner import run_client_script
from tests.unit.api.test_signatures import CLIENT_DOCUMENT, METHODS, find_properties

#: Prints nothing and sends nothing: the address is one where nobody listens.
NOWHERE = "http://127.0.0.1:9"

DESCRIBE_CLIENT = """
import enum
import importlib
import inspect
import pkgutil

import lightly.api
from lightly.api import ApiWorkflowClient


def describe_default(value):
    if value is inspect.Parameter.empty:
        return ["required"]
    return ["default", value.value if isinstance(value, enum.Enum) else value]


def describe(function):
    return [
        [one.name, *describe_default(one.default)]
        for one in inspect.signature(function).parameters.values()
        if one.name != "self" and one.kind is one.POSITIONAL_OR_KEYWORD
    ]


def describe_module(name):
    try:
        module = importlib.import_module("lightly.api." + name)
    except ImportError:
        return []
    return [
        one for one, value in vars(module).items()
        if not one.startswith("_") and getattr(value, "__module__", "") == module.__name__
    ]


members = {name: getattr(ApiWorkflowClient, name) for name in dir(ApiWorkflowClient)
           if not name.startswith("_")}
result = {
    "constructor": describe(ApiWorkflowClient),
    "methods": {name: describe(one) for name, one in members.items() if callable(one)},
    "properties": [name for name, one in members.items() if isinstance(one, property)],
    "modules": {one.name: describe_module(one.name)
                for one in pkgutil.iter_modules(lightly.api.__path__)},
}
"""

#: Methods that are left out, with the reason.
LEFT_OUT_METHODS = {
    "check_version_compatibility": "compares versions of the vendor's own package",
}
#: Defaults that differ on purpose, because the document has them differently.
OTHER_DEFAULTS = {
    ("create_dataset", "dataset_type"): "None stands for images",
    ("create_new_dataset_with_unique_name", "dataset_type"): "None stands for images",
    ("upload_scores", "query_tag_id"): "may be left out, as in older clients",
    ("set_local_config", "resource_path"): "the newer form does without",
}
#: Modules that exist for the vendor's generated client or its own website, with the reason.
LEFT_OUT_MODULES = {
    "_version_checking": "nothing is asked at import",
    "patch": "repairs generated code of that release",
    "serve": "comes with the command line",
    "swagger_api_client": "part of the generated client of that release",
    "swagger_rest_client": "part of the generated client of that release",
    "version_checking": "nothing is asked at import",
}
LEFT_OUT_NAMES = {
    ("api_workflow_client", "set_api_client_request_timeout"): "takes the generated client",
    ("download", "APIExceptionLike"): "a type of the retry helper",
    ("retry_utils", "APIExceptionLike"): "a type of the retry helper",
    ("retry_utils", "ParamType"): "a type of the retry helper",
    ("retry_utils", "Retry"): "retries belong to the connection here",
    ("retry_utils", "RetryConfig"): "retries belong to the connection here",
    ("retry_utils", "RetryOnApiConfig"): "retries belong to the connection here",
    ("retry_utils", "RetryOnApiError"): "retries belong to the connection here",
    ("retry_utils", "RetryOnRequestsConfig"): "retries belong to the connection here",
    ("retry_utils", "RetryOnRequestsError"): "retries belong to the connection here",
    ("retry_utils", "ReturnType"): "a type of the retry helper",
    ("retry_utils", "no_retry"): "retries belong to the connection here",
    ("retry_utils", "retry"): "retries belong to the connection here",
    ("retry_utils", "retry_on_requests_error"): "retries belong to the connection here",
    ("utils", "Paginated"): "pages calls of the generated client",
    ("utils", "build_azure_signed_url_write_headers"): "the connection does that",
    ("utils", "DatasourceType"): "tells providers apart for the connection, which does that",
    ("utils", "get_api_client_configuration"): "makes the generated client",
    ("utils", "get_signed_url_destination"): "the connection does that",
}


@pytest.fixture(scope="module", params=["1.5.26", "1.2.28"])
def published(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What a published client offers."""
    run = run_client_script(
        request.param,
        DESCRIBE_CLIENT,
        server_url=NOWHERE,
        token="0123456789abcdef",
        variables={"LIGHTLY_DID_VERSION_CHECK": "True"},
    )
    return {"version": request.param, **run.result}


def read_own(function: Any) -> dict[str, inspect.Parameter]:
    """Return the parameters of a function of ours by name, in order."""
    parameters = inspect.signature(function).parameters
    return {name: one for name, one in parameters.items() if name != "self"}


def list_positional(parameters: dict[str, inspect.Parameter]) -> list[str]:
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    return [name for name, one in parameters.items() if one.kind is kind]


def test_every_public_method_is_there(published):
    missing = {name for name in published["methods"] if not hasattr(ApiWorkflowClient, name)}

    assert missing - set(LEFT_OUT_METHODS) == set()
    assert len(published["methods"]) > 50


def test_every_property_is_there(published):
    assert {"dataset_id", "dataset_type"} <= set(published["properties"])
    for name in published["properties"]:
        assert isinstance(getattr(ApiWorkflowClient, name), property)


def test_every_parameter_can_be_passed_by_name_and_has_the_same_default(published):
    problems = []
    described = {"constructor": published["constructor"], **published["methods"]}
    for method, parameters in described.items():
        if method in LEFT_OUT_METHODS:
            continue
        own = read_own(
            ApiWorkflowClient if method == "constructor" else getattr(ApiWorkflowClient, method)
        )
        for name, kind, *value in parameters:
            if name not in own:
                problems.append(f"{method} does not take {name}")
            elif kind == "default" and (method, name) not in OTHER_DEFAULTS:
                if own[name].default != value[0]:
                    problems.append(f"{method}: {name} is {own[name].default!r}, not {value[0]!r}")
            elif kind == "required" and own[name].kind is inspect.Parameter.KEYWORD_ONLY:
                problems.append(f"{method}: {name} is required there and no place has it here")

    assert problems == []


def test_methods_that_the_document_lacks_take_arguments_in_their_places(published):
    compared = 0
    for method, parameters in published["methods"].items():
        if method in METHODS or method in LEFT_OUT_METHODS:
            continue
        own = list_positional(read_own(getattr(ApiWorkflowClient, method)))
        assert own[: len(parameters)] == [name for name, *_ in parameters], method
        compared += 1

    assert compared > (30 if published["version"] == "1.5.26" else 5)


def test_public_names_of_its_modules_are_there(published):
    missing = []
    for module, names in published["modules"].items():
        if module in LEFT_OUT_MODULES:
            continue
        own = importlib.import_module(f"lightly.api.{module}")
        missing += [
            (module, name)
            for name in names
            if not hasattr(own, name) and (module, name) not in LEFT_OUT_NAMES
        ]

    assert missing == []


def test_documented_properties_are_those_of_the_clients(published):
    assert set(find_properties(CLIENT_DOCUMENT)) <= set(published["properties"])
