"""The public interface, name by name and parameter by parameter, as the two documents have it."""

import ast
import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lightly.api import ApiWorkflowClient

SEEDS = Path(__file__).resolve().parents[2] / "assets" / "seeds"
CLIENT_DOCUMENT = (SEEDS / "lightly-api-workflow-client.txt").read_text("utf-8")
FUNCTIONS_DOCUMENT = (SEEDS / "lightly-api-functions.txt").read_text("utf-8")

#: Here the documented form and that of newer clients both hold, so that nothing may be required.
TAKES_BOTH_FORMS = {"set_local_config": "resource_path"}
#: Added since, in the place where newer published clients have it too.
SAME_PLACE_AS_LATER = {
    "create_compute_worker_config": 1,
    "get_compute_worker_runs": 1,
    "get_scheduled_compute_worker_runs": 1,
    "register_compute_worker": 1,
    "set_dataset_id_by_name": 1,
    "upload_file_with_signed_url": 1,
}
#: A parameter that older programs pass although it does not count any more.
UNUSED_PARAMETERS = {"dataset_id"}


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


def check_signature(
    function: object, text: str, optional: str | None = None, n_same_place: int = 0
) -> None:
    """Check that calls of the documented form work: same names, places and defaults.

    What was added since is passed by name only, because later clients put it in other places; but
    the first `n_same_place` may be passed by place as well.
    The parameter `optional` may have a default although the document has none.
    """
    expected = read_parameters(text)
    actual = [
        parameter
        for parameter in inspect.signature(function).parameters.values()  # type: ignore[arg-type]
        if parameter.name != "self"
    ]
    documented = actual[: len(expected)]
    assert [
        (one.name, inspect.Parameter.empty if one.name == optional else one.default)
        for one in documented
    ] == expected
    assert all(one.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD for one in documented)
    added = actual[len(expected) :]
    by_place = [one.name for one in added if one.kind is not inspect.Parameter.KEYWORD_ONLY]
    assert by_place == [one.name for one in added[:n_same_place]]
    assert all(one.default is not inspect.Parameter.empty for one in added)


CLIENT_SIGNATURES = find_signatures(CLIENT_DOCUMENT)
FUNCTION_SIGNATURES = find_signatures(FUNCTIONS_DOCUMENT)
METHODS = {name: text for name, text in CLIENT_SIGNATURES.items() if "." not in name}


def test_documents_are_read_completely():
    assert len(METHODS) == 50
    assert len(FUNCTION_SIGNATURES) == 23
    assert find_properties(CLIENT_DOCUMENT) == ["dataset_id", "dataset_type"]


@pytest.mark.parametrize("name", sorted(METHODS))
def test_method_is_there_with_its_signature(name):
    check_signature(
        getattr(ApiWorkflowClient, name),
        METHODS[name],
        optional=TAKES_BOTH_FORMS.get(name),
        n_same_place=SAME_PLACE_AS_LATER.get(name, 0),
    )


@pytest.mark.parametrize("name", find_properties(CLIENT_DOCUMENT))
def test_property_is_there(name):
    assert isinstance(getattr(ApiWorkflowClient, name), property)


def test_constructor_has_its_signature():
    text = CLIENT_SIGNATURES["api_workflow_client.ApiWorkflowClient"]

    check_signature(ApiWorkflowClient, text, n_same_place=1)


@pytest.mark.parametrize("name", sorted(FUNCTION_SIGNATURES))
def test_function_is_there_with_its_signature(name):
    module, _, function = name.rpartition(".")
    found = getattr(importlib.import_module(f"lightly.api.{module}"), function)

    check_signature(found, FUNCTION_SIGNATURES[name])


@pytest.mark.parametrize("name", re.findall(r"^exception (\S+)", CLIENT_DOCUMENT, re.MULTILINE))
def test_exception_is_there(name):
    module, _, error = name.rpartition(".")

    assert issubclass(getattr(importlib.import_module(module), error), Exception)


@pytest.mark.parametrize("name", sorted(METHODS))
def test_method_is_documented(name):
    method = getattr(ApiWorkflowClient, name)
    text = method.__doc__ or ""

    assert text.strip()
    parameters = [one for one, _ in read_parameters(METHODS[name])]
    assert {one for one in parameters if one not in text} <= UNUSED_PARAMETERS


def test_module_exports_exactly_its_documented_names():
    module = importlib.import_module("lightly.api")

    assert sorted(module.__all__) == module.__all__
    assert all(hasattr(module, name) for name in module.__all__)
    with pytest.raises(AttributeError):
        module.nothing  # noqa: B018  the access is what is tested


def list_dotted_names() -> list[str]:
    """Return everything of this package that the documents name with its full path."""
    found = set(re.findall(r"lightly\.\w+[\w.]*\w", f"{CLIENT_DOCUMENT}\n{FUNCTIONS_DOCUMENT}"))
    # These are parts of addresses of the web.
    return sorted(name for name in found if not name.startswith("lightly.ai"))


@pytest.mark.parametrize("name", list_dotted_names())
def test_everything_that_the_documents_name_is_there(name):
    try:
        found = importlib.import_module(name)
    except ModuleNotFoundError:
        module, _, attribute = name.rpartition(".")
        found = getattr(importlib.import_module(module), attribute)

    assert found is not None


def test_modules_can_be_used_after_importing_the_package_alone():
    code = (
        "import lightly; print(lightly.api.utils.getenv('X', 'default'), "
        "lightly.api.bitmask.BitMask(1), lightly.api.api_workflow_tags.TagDoesNotExistError)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.startswith("default BitMask(0x1) <class")


def test_calls_and_errors_can_be_used_after_importing_their_package_alone():
    code = (
        "import lightly.openapi_generated.swagger_client as client; "
        "print(client.rest.ApiException is client.ApiException, client.api.TagsApi is "
        "client.TagsApi, client.models.TagData is client.TagData)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "True True True\n"
