"""What a run leaves behind: reports, logs, checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lightly._kit.atomic_files import open_atomic
from lightly._kit.errors import LightlyError
from lightly._kit.safe_paths import resolve_below
from lightly.api.answers import read_text
from lightly.api.blob_files import download_blob
from lightly.api.client_base import ClientBase, make_path

if TYPE_CHECKING:
    from lightly.openapi_generated.swagger_client.models.docker_run_artifact_data import (
        DockerRunArtifactData,
    )
    from lightly.openapi_generated.swagger_client.models.docker_run_data import DockerRunData

_TIMEOUT_S = 60


class ArtifactNotExist(LightlyError):
    """The run has no artifact of this kind, or it has not been uploaded yet."""

    code = "artifact_unknown"


class _ArtifactsMixin(ClientBase):
    """What a run leaves behind.

    Files are written as a whole or not at all. Where a download breaks off, it goes on from there.
    """

    def download_compute_worker_run_artifacts(
        self, run: DockerRunData, output_dir: str, timeout: int = _TIMEOUT_S
    ) -> None:
        """Download everything that a run has left.

        Args:
            run: The run, as from `get_compute_worker_run`.
            output_dir: Folder for the files. It is made if it is missing.
            timeout: Longest silence of the store in seconds.

        Raises:
            ValueError: If a file name leads outside of the folder.
            ApiException: If the server or the store refuses.

        Example:
            >>> run = client.get_compute_worker_run_from_scheduled_run(  # doctest: +SKIP
            ...     scheduled_run_id
            ... )
            >>> client.download_compute_worker_run_artifacts(run, "my_run")  # doctest: +SKIP
        """
        folder = Path(output_dir)
        # The names come from the server: all are looked at before anything is written.
        targets = [(one, resolve_below(folder, one.file_name)) for one in run.artifacts or []]
        for artifact, path in targets:
            self._download_artifact(run, artifact, path, timeout)

    def download_compute_worker_run_checkpoint(
        self, run: DockerRunData, output_path: str, timeout: int = _TIMEOUT_S
    ) -> None:
        """Download the last checkpoint of the model that a run has trained.

        Args:
            run: The run.
            output_path: The file to write.
            timeout: Longest silence of the store in seconds.

        Raises:
            ArtifactNotExist: If the run has none, or it has not been uploaded yet.
        """
        self._download_kind(run, "CHECKPOINT", output_path, timeout)

    def get_compute_worker_run_checkpoint_url(self, run: DockerRunData) -> str:
        """Return a URL to read the last checkpoint from. Whoever has it can read the checkpoint.

        Args:
            run: The run.

        Raises:
            ArtifactNotExist: If the run has none, or it has not been uploaded yet.
        """
        return self._find_artifact_url(run, _find_artifact(run, "CHECKPOINT"))

    def download_compute_worker_run_report_pdf(
        self, run: DockerRunData, output_path: str, timeout: int = _TIMEOUT_S
    ) -> None:
        """Download the report as PDF; arguments as for the checkpoint."""
        self._download_kind(run, "REPORT_PDF", output_path, timeout)

    def download_compute_worker_run_report_json(
        self, run: DockerRunData, output_path: str, timeout: int = _TIMEOUT_S
    ) -> None:
        """Download the report as JSON in its first form; arguments as for the checkpoint."""
        self._download_kind(run, "REPORT_JSON", output_path, timeout)

    def download_compute_worker_run_report_v2_json(
        self, run: DockerRunData, output_path: str, timeout: int = _TIMEOUT_S
    ) -> None:
        """Download the report as JSON in its second form; arguments as for the checkpoint."""
        self._download_kind(run, "REPORT_V2_JSON", output_path, timeout)

    def download_compute_worker_run_log(
        self, run: DockerRunData, output_path: str, timeout: int = _TIMEOUT_S
    ) -> None:
        """Download the log file; arguments as for the checkpoint."""
        self._download_kind(run, "LOG", output_path, timeout)

    def download_compute_worker_run_memory_log(
        self, run: DockerRunData, output_path: str, timeout: int = _TIMEOUT_S
    ) -> None:
        """Download the log of memory use; arguments as for the checkpoint."""
        self._download_kind(run, "MEMLOG", output_path, timeout)

    def download_compute_worker_run_corruptness_check_information(
        self, run: DockerRunData, output_path: str, timeout: int = _TIMEOUT_S
    ) -> None:
        """Download which files were found to be corrupt; arguments as for the checkpoint."""
        self._download_kind(run, "CORRUPTNESS_CHECK_INFORMATION", output_path, timeout)

    def download_compute_worker_run_sequence_information(
        self, run: DockerRunData, output_path: str, timeout: int = _TIMEOUT_S
    ) -> None:
        """Download which sequences of frames were selected; arguments as for the checkpoint."""
        self._download_kind(run, "SEQUENCE_INFORMATION", output_path, timeout)

    def _download_kind(self, run: DockerRunData, kind: str, path: str, timeout_s: int) -> None:
        self._download_artifact(run, _find_artifact(run, kind), Path(path), timeout_s)

    def _download_artifact(
        self, run: DockerRunData, artifact: DockerRunArtifactData, path: Path, timeout_s: int
    ) -> None:
        url = self._find_artifact_url(run, artifact)
        with open_atomic(path) as target:
            download_blob(self._transport, url, target, read_timeout_s=timeout_s)

    def _find_artifact_url(self, run: DockerRunData, artifact: DockerRunArtifactData) -> str:
        path = make_path("v1", "docker", "runs", run.id, "artifacts", artifact.id, "readurl")
        return read_text(self._transport.get(path))


def _find_artifact(run: DockerRunData, kind: str) -> DockerRunArtifactData:
    """Return the newest artifact of a kind: a run that was taken up again may have several."""
    found = [artifact for artifact in run.artifacts or [] if artifact.type.value == kind]
    if not found:
        have = sorted({artifact.type.value for artifact in run.artifacts or []})
        raise ArtifactNotExist(
            f"The run {run.id} in state {run.state.value} has no artifact {kind}. "
            f"It has: {', '.join(have) or 'none'}."
        )
    return max(found, key=lambda artifact: artifact.created_at or 0)
