"""The public interface, name by name and parameter by parameter, as the two documents have it."""

import ast
import importlib
import inspect
import re
from pathlib import Path

import pytest

from lightly.api import ApiWorkflowClient

SEEDS = Path(__file__).resolve().parents[2] / "assets" / "seeds"
CLIENT_DOCUMENT = (SEEDS / "lightly-api-workflow-client.txt").read_text("utf-8")
FUNCTIONS_DOCUMENT = (SEEDS / "lightly-api-functions.txt").read_text("utf-8")

#: Methods of compute workers and datasources; they come with the worker.
LATER = {
    "create_compute_worker_config",
    "delete_compute_worker",
    "download_new_raw_samples",
    "download_raw_metadata",
    "download_raw_predictions",
    "download_raw_samples",
    "get_compute_worker_ids",
    "get_compute_worker_runs",
    "get_datasource",
    "get_metadata_read_url",
    "get_prediction_read_url",
    "get_processed_until_timestamp",
    "get_scheduled_compute_worker_runs",
    "register_compute_worker",
    "schedule_compute_worker_run",
    "set_azure_config",
    "set_gcs_config",
    "set_local_config",
    "set_s3_config",
    "set_s3_delegated_access_config",
    "update_processed_until_timestamp",
}


def find_signatures(document: str) -> dict[str, str]:
    """Return the text between the brackets of every signature in a document, by name."""
    lines = [line for line in document.splitlines() if not line.startswith((" ", ">"))]
    found = {}
    for line in lines:
        match = re.match(r"(?:class )?(?:lightly\.api\.)?([\w.]+)\((.*)\)(?: (?:→ )?\S.*)?$", line)
        if match:
            found[match[1]] = match[2]
    return found


def find_properties(document: str) -> list[str]:
    return re.findall(r"^property (\w+):", document, re.MULTILINE)


def read_parameters(text: str) -> list[tuple[str, object]]:
    """Return name and default of each parameter in a signature's text."""
    # Spaces inside of defaults such as `- 1`, and spellings that are no Python, are of no matter.
    arguments = ast.parse(f"def f({text}): ...").body[0].args  # type: ignore[attr-defined]
    defaults = [ast.literal_eval(default) for default in arguments.defaults]
    names = [argument.arg for argument in arguments.args]
    required = [inspect.Parameter.empty] * (len(names) - len(defaults))
    return list(zip(names, [*required, *defaults], strict=True))


def check_signature(function: object, text: str) -> None:
    """Check that calls of the documented form work: same names, places and defaults."""
    expected = read_parameters(text)
    actual = [
        parameter
        for parameter in inspect.signature(function).parameters.values()  # type: ignore[arg-type]
        if parameter.name != "self"
    ]
    documented = actual[: len(expected)]
    assert [(one.name, one.default) for one in documented] == expected
    assert all(one.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD for one in documented)
    assert all(one.default is not inspect.Parameter.empty for one in actual[len(expected) :])


CLIENT_SIGNATURES = find_signatures(CLIENT_DOCUMENT)
FUNCTION_SIGNATURES = find_signatures(FUNCTIONS_DOCUMENT)
METHODS = {name: text for name, text in CLIENT_SIGNATURES.items() if "." not in name}


def test_documents_are_read_completely():
    assert len(METHODS) == 50
    assert len(FUNCTION_SIGNATURES) == 23
    assert find_properties(CLIENT_DOCUMENT) == ["dataset_id", "dataset_type"]


@pytest.mark.parametrize("name", sorted(set(METHODS) - LATER))
def test_method_is_there_with_its_signature(name):
    check_signature(getattr(ApiWorkflowClient, name), METHODS[name])


@pytest.mark.parametrize("name", sorted(LATER))
def test_later_methods_are_documented_ones_that_are_really_missing(name):
    assert name in METHODS
    assert not hasattr(ApiWorkflowClient, name)


@pytest.mark.parametrize("name", find_properties(CLIENT_DOCUMENT))
def test_property_is_there(name):
    assert isinstance(getattr(ApiWorkflowClient, name), property)


def test_constructor_has_its_signature():
    check_signature(ApiWorkflowClient, CLIENT_SIGNATURES["api_workflow_client.ApiWorkflowClient"])


@pytest.mark.parametrize("name", sorted(FUNCTION_SIGNATURES))
def test_function_is_there_with_its_signature(name):
    module, _, function = name.rpartition(".")
    found = getattr(importlib.import_module(f"lightly.api.{module}"), function)

    check_signature(found, FUNCTION_SIGNATURES[name])


@pytest.mark.parametrize("name", re.findall(r"^exception (\S+)", CLIENT_DOCUMENT, re.MULTILINE))
def test_exception_is_there(name):
    module, _, error = name.rpartition(".")

    assert issubclass(getattr(importlib.import_module(module), error), Exception)


@pytest.mark.parametrize("name", sorted(set(METHODS) - LATER))
def test_method_is_documented(name):
    method = getattr(ApiWorkflowClient, name)
    text = method.__doc__ or ""

    assert text.strip()
    parameters = [one for one, _ in read_parameters(METHODS[name])]
    undocumented = [one for one in parameters if one not in text]
    assert undocumented in ([], ["dataset_id"])


def test_module_exports_exactly_its_documented_names():
    module = importlib.import_module("lightly.api")

    assert sorted(module.__all__) == module.__all__
    assert all(hasattr(module, name) for name in module.__all__)
    with pytest.raises(AttributeError):
        module.nothing  # noqa: B018  the access is what is tested
