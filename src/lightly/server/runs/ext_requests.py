"""What workers of ours send: bodies of the operations in `openapi/ext-v1.json`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictStr, StringConstraints

from lightly.openapi_generated.swagger_client.models.docker_run_artifact_type import (
    DockerRunArtifactType,
)
from lightly.openapi_generated.swagger_client.models.docker_run_state import DockerRunState
from lightly.openapi_generated.wire.model import WireModel

_Id = Annotated[str, StringConstraints(strict=True, pattern="^[a-f0-9]{24}$")]
_Count = Annotated[int, Field(strict=True, ge=0, le=2**53)]
ConfigVersionName = Literal["V0", "V2", "V3", "V4"]
EndState = Literal["COMPLETED", "FAILED", "CRASHED", "ABORTED"]


class SessionCreateRequest(WireModel):
    """A process of a worker starts."""

    docker_version: StrictStr | None = Field(alias="dockerVersion", default=None)
    takes_over: StrictBool = Field(alias="takesOver", default=True)


class RunClaimRequest(WireModel):
    """A process of a worker asks for a run."""

    worker_id: _Id = Field(alias="workerId")
    session_id: _Id = Field(alias="sessionId")
    docker_version: StrictStr = Field(alias="dockerVersion")
    versions: Annotated[list[ConfigVersionName], Field(max_length=10)] | None = None


class RunProgress(WireModel):
    """How much of the present state of a run is done."""

    processed: _Count
    total: _Count | None = None


class RunHeartbeatRequest(WireModel):
    """A sign of life, with news if there are any."""

    state: DockerRunState | None = None
    message: StrictStr | None = None
    progress: RunProgress | None = None


class RunReleaseRequest(WireModel):
    """A worker hands its run back."""

    message: StrictStr | None = None


class RunFinishRequest(WireModel):
    """A worker has ended its run."""

    state: EndState
    message: StrictStr | None = None


class RunArchiveRequest(WireModel):
    """Whether lists leave a run out."""

    is_archived: StrictBool = Field(alias="isArchived")


class ArtifactCreateRequest(WireModel):
    """A file that a run has made, with what its bytes must be."""

    file_name: StrictStr = Field(alias="fileName")
    type: DockerRunArtifactType
    size_bytes: _Count = Field(alias="sizeBytes")
    sha256: Annotated[str, StringConstraints(strict=True, pattern="^[a-f0-9]{64}$")] | None = None
