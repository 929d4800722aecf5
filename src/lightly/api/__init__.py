"""Access to a Lightly server from Python.

`ApiWorkflowClient` is what most programs need. The modules `upload`, `download` and `utils` hold
the functions that older scripts use. Names load when they are first used: importing stays fast.
"""

from typing import TYPE_CHECKING

from lightly.openapi_generated.wire.exports import export_lazily

_MODULES = {
    "ApiException": "lightly.api.errors",
    "ApiWorkflowClient": "lightly.api.api_workflow_client",
    "ArtifactNotExist": "lightly.api.api_workflow_artifacts",
    "get_samples_by_tag": "lightly.api.download",
    "upload_dataset": "lightly.api.upload",
    "upload_embeddings_from_csv": "lightly.api.upload",
    "upload_file_with_signed_url": "lightly.api.upload",
    "upload_images_from_folder": "lightly.api.upload",
}

#: Scripts write `import lightly` and then `lightly.api.utils.getenv(...)`.
_SUBMODULES = frozenset(
    {
        "api_workflow_artifacts",
        "api_workflow_client",
        "api_workflow_collaboration",
        "api_workflow_compute_worker",
        "api_workflow_datasets",
        "api_workflow_datasource_listing",
        "api_workflow_datasources",
        "api_workflow_download_dataset",
        "api_workflow_export",
        "api_workflow_predictions",
        "api_workflow_selection",
        "api_workflow_tags",
        "api_workflow_upload_dataset",
        "api_workflow_upload_embeddings",
        "api_workflow_upload_metadata",
        "bitmask",
        "download",
        "retry_utils",
        "upload",
        "utils",
    }
)

if TYPE_CHECKING:
    from lightly.api.api_workflow_artifacts import ArtifactNotExist
    from lightly.api.api_workflow_client import ApiWorkflowClient
    from lightly.api.download import get_samples_by_tag
    from lightly.api.errors import ApiException
    from lightly.api.upload import (
        upload_dataset,
        upload_embeddings_from_csv,
        upload_file_with_signed_url,
        upload_images_from_folder,
    )
else:
    __getattr__, __dir__ = export_lazily(__name__, _MODULES, _SUBMODULES)

__all__ = [
    "ApiException",
    "ApiWorkflowClient",
    "ArtifactNotExist",
    "get_samples_by_tag",
    "upload_dataset",
    "upload_embeddings_from_csv",
    "upload_file_with_signed_url",
    "upload_images_from_folder",
]
