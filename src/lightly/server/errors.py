"""Errors that a request can end with. The codes are the contract's closed list.

ApiError
├── MalformedRequest 400   ├── NotAuthenticated 401   ├── Forbidden 403
├── NotFound 404 (DatasetUnknown, SampleUnknown, TagUnknown, EmbeddingUnknown, JobUnknown, ...)
├── Conflict 409 (names that exist, tags that cannot be deleted)
├── PayloadTooLarge 413    ├── TooManyRequests 429    └── Unavailable 503
"""

from __future__ import annotations

from lightly._kit.errors import LightlyError


class ApiError(LightlyError):
    """The request cannot be answered."""

    code = "BAD_REQUEST"
    status = 400
    #: Seconds for a `Retry-After` header, where trying again later helps.
    retry_after_s: int | None = None


class MalformedRequest(ApiError):
    """The request does not have the form that the contract asks for."""

    code = "MALFORMED_REQUEST"


class BadRequest(ApiError):
    """The request cannot be carried out as it is."""


class NotAuthenticated(ApiError):
    """The token is missing or not valid. Pass a valid one, see `lightly admin token rotate`."""

    code = "UNAUTHORIZED"
    status = 401


class Forbidden(ApiError):
    """Your role does not allow this."""

    code = "FORBIDDEN"
    status = 403


class NotFound(ApiError):
    """There is nothing here."""

    code = "NOT_FOUND"
    status = 404


class DatasetUnknown(NotFound):
    """The dataset does not exist, or is not yours."""

    code = "DATASET_UNKNOWN"


class DatasourceUnknown(NotFound):
    """No datasource is configured for this dataset; its images are kept by the server."""

    code = "DATASET_DATASOURCE_UNKNOWN"


class SampleUnknown(NotFound):
    """The sample does not exist in this dataset."""

    code = "SAMPLE_UNKNOWN"


class TagUnknown(NotFound):
    """The tag does not exist in this dataset."""

    code = "TAG_UNKNOWN"


class ScoreUnknown(NotFound):
    """The score does not exist for this tag."""

    code = "SCORE_UNKNOWN"


class EmbeddingUnknown(NotFound):
    """The embedding does not exist in this dataset."""

    code = "EMBEDDING_UNKNOWN"


class Embedding2dUnknown(NotFound):
    """The 2-D embedding does not exist for this embedding."""

    code = "EMBEDDING_2D_UNKNOWN"


class JobUnknown(NotFound):
    """The job does not exist, or is not yours."""

    code = "JOB_UNKNOWN"


class MetadataConfigurationUnknown(NotFound):
    """The metadata configuration does not exist in this dataset."""

    code = "METADATA_CONFIGURATION_UNKNOWN"


class Conflict(ApiError):
    """The request conflicts with what is stored."""

    code = "CONFLICT"
    status = 409


class DatasetNameExists(Conflict):
    """You already have a dataset with this name. Choose another name or use the existing one."""

    code = "DATASET_NAME_EXISTS"


class TagNameExists(Conflict):
    """A tag with this name exists in the dataset. Choose another name or delete the old tag."""

    code = "TAG_NAME_EXISTS"


class TagInitialExists(Conflict):
    """The dataset already has its initial tag. Add new samples with an upsize instead."""

    code = "TAG_INITIAL_EXISTS"


class EmbeddingNameExists(Conflict):
    """An embedding with this name exists in the dataset. Choose another name."""

    code = "EMBEDDING_NAME_EXISTS"


class PayloadTooLarge(ApiError):
    """The request is larger than the server takes."""

    code = "PAYLOAD_TOO_LARGE"
    status = 413


class DatasetAtMaxCapacity(ApiError):
    """The dataset cannot hold more samples. See `/v1/quota`."""

    code = "DATASET_AT_MAX_CAPACITY"
    status = 402


class TooManyRequests(ApiError):
    """Too many failed attempts. Wait a minute."""

    code = "FORBIDDEN"
    status = 429
    retry_after_s = 60


class Unavailable(ApiError):
    """The server cannot do this right now. Try again in a few seconds."""

    code = "CONFLICT"
    status = 503
    retry_after_s = 2


class StorageFull(ApiError):
    """The server's disk is full. Nothing was stored; try again once there is space."""

    code = "CREATION_FAILED"
    status = 503
    retry_after_s = 30
