"""A program that uses one wire model does not pay for all."""

import subprocess
import sys

import pytest

ROOT = "lightly.openapi_generated"


def run_python(source: str) -> str:
    command = [sys.executable, "-W", "error", "-c", source]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def list_loaded_models(statement: str) -> list[str]:
    return run_python(
        f"{statement}\n"
        "import sys\n"
        f"prefix = '{ROOT}.swagger_client.models.'\n"
        "print(*(name.removeprefix(prefix) for name in sys.modules if name.startswith(prefix)))"
    ).split()


@pytest.mark.parametrize(
    "package",
    ["swagger_client", "swagger_client.models", "swagger_codegen", "swagger_codegen.models"],
)
def test_importing_a_package_loads_neither_models_nor_pydantic(package):
    loaded = run_python(f"import sys, {ROOT}.{package}; print('pydantic' in sys.modules)")

    assert loaded == "False"
    assert list_loaded_models(f"import {ROOT}.{package}") == []


@pytest.mark.parametrize(
    "statement",
    [
        f"from {ROOT}.swagger_client.models.dataset_data import DatasetData",
        f"from {ROOT}.swagger_client.models import DatasetData",
        f"from {ROOT}.swagger_client import DatasetData",
        f"from {ROOT}.swagger_codegen.models.dataset_data import DatasetData",
    ],
)
def test_importing_a_model_loads_what_it_refers_to_and_nothing_else(statement):
    assert sorted(list_loaded_models(statement)) == [
        "dataset_data",
        "dataset_type",
        "image_type",
        "shared_access_type",
    ]


def test_older_documented_path_gives_the_same_class():
    from lightly.openapi_generated.swagger_client.models.configuration_entry import (
        ConfigurationEntry,
    )
    from lightly.openapi_generated.swagger_codegen.models import configuration_entry

    assert configuration_entry.ConfigurationEntry is ConfigurationEntry


def test_star_import_gives_every_model():
    count = run_python(
        f"from {ROOT}.swagger_client.models import *\n"
        f"from {ROOT}.swagger_client import models\n"
        "print(sum(name in globals() for name in models.__all__), len(models.__all__))"
    )

    assert count == "269 269"


def test_listing_a_package_shows_every_model():
    from lightly.openapi_generated import swagger_client

    assert set(swagger_client.models.__all__) <= set(dir(swagger_client))


def test_unknown_name_is_an_attribute_error():
    from lightly.openapi_generated.swagger_client import models

    with pytest.raises(AttributeError, match="has no attribute 'TagDatum'"):
        _ = models.TagDatum


def test_first_use_may_come_from_many_threads_at_once():
    """Validators are built at first use; a half-built one must not be seen."""
    answered = run_python(
        "import sys, threading\n"
        f"from {ROOT}.swagger_client.models import DatasetData, SampleCreateRequest\n"
        "sys.setswitchinterval(1e-6)\n"
        "gate = threading.Barrier(16)\n"
        "seen = []\n"
        "def use():\n"
        "    gate.wait()\n"
        "    obj = {'fileName': 'a.jpg', 'metaData': {'mean': [0, 0, 1]}}\n"
        "    seen.append(SampleCreateRequest.from_dict(obj).to_dict(by_alias=True) == obj)\n"
        "threads = [threading.Thread(target=use) for _ in range(16)]\n"
        "for thread in threads: thread.start()\n"
        "for thread in threads: thread.join()\n"
        "print(seen.count(True))"
    )

    assert answered == "16"
