"""Importing the SDK costs next to nothing."""

import subprocess
import sys

import pytest

#: Packages that an import must not load: big, or of the server, or of later steps.
HEAVY = {
    "PIL",
    "av",
    "cv2",
    "fastapi",
    "numpy",
    "onnxruntime",
    "pandas",
    "pyarrow",
    "pydantic",
    "sklearn",
    "sqlalchemy",
    "torch",
    "tqdm",
}
MODELS = "lightly.openapi_generated.swagger_client.models."
STATEMENTS = [
    "import lightly.api",
    "from lightly.api import ApiWorkflowClient",
    "from lightly.api import ApiWorkflowClient; ApiWorkflowClient(token='TOKEN')",
    "from lightly.active_learning.config.selection_config import SelectionConfig",
    "from lightly.api import upload, download, utils",
    "from lightly.api.api_workflow_upload_embeddings import EmbeddingDoesNotExistError",
    "from lightly.api.api_workflow_upload_metadata import InvalidCustomMetadataWarning",
]


def run_fresh(code: str) -> str:
    """Run code in an interpreter of its own and return what it prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout


@pytest.mark.parametrize("statement", STATEMENTS)
def test_import_loads_no_heavy_package(statement):
    loaded = set(run_fresh(f"{statement}\nimport sys; print(*sys.modules)").split())

    assert {name for name in loaded if name.partition(".")[0] in HEAVY} == set()


@pytest.mark.parametrize("statement", STATEMENTS)
def test_import_loads_few_wire_models(statement):
    loaded = run_fresh(f"{statement}\nimport sys; print(*sys.modules)").split()

    assert len([name for name in loaded if name.startswith(MODELS)]) <= 3


def test_import_is_fast():
    measure = (
        "import time; start = time.process_time(); from lightly.api import ApiWorkflowClient; "
        "print(time.process_time() - start)"
    )

    # Processor time of the best of three: the other work of this machine must not count.
    assert min(float(run_fresh(measure)) for _ in range(3)) <= 0.6


def test_import_of_the_sdk_loads_no_server_code():
    loaded = run_fresh("from lightly.api import ApiWorkflowClient\nimport sys; print(*sys.modules)")

    assert not [
        name for name in loaded.split() if name.startswith(("lightly.server", "lightly.worker"))
    ]
