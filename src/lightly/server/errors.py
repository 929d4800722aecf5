"""Errors that a request can end with. The codes are the contract's closed list.

ApiError
├── MalformedRequest 400   ├── NotAuthenticated 401   ├── Forbidden 403
├── NotFound 404 (DatasetUnknown, SampleUnknown, TagUnknown, EmbeddingUnknown, JobUnknown, ...)
├── TagInvalid, TagMissing, PrevTagNotInDataset, ... 400
├── Conflict 409 (names that exist, tags that cannot be deleted)
├── PayloadTooLarge 413    ├── TooManyRequests 429    └── Unavailable 503
├── HeadTooLarge 431       └── RequestTimedOut 408
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


class ImageUnknown(NotFound):
    """No image was stored for this sample: the dataset was uploaded without its pixels."""


class ThumbnailUnknown(NotFound):
    """Neither a thumbnail nor an image was stored for this sample."""

    code = "SAMPLE_THUMBNAME_UNKNOWN"


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


class TagNoScoresAvailable(NotFound):
    """No scores were uploaded for this tag. Upload them with `upload_scores` first."""

    code = "TAG_NO_SCORES_AVAILABLE"


class AccessControlUnknown(NotFound):
    """There is no access control of this name. Leave it out."""

    code = "ACCESS_CONTROL_UNKNOWN"


class TagInvalid(ApiError):
    """The samples that the tag would hold break a rule of its dataset."""

    code = "DATASET_TAG_INVALID"


class TagMissing(ApiError):
    """The dataset has no tag yet. Create its initial tag first."""

    code = "TAG_NO_TAG_IN_DATASET"


class PrevTagNotInDataset(ApiError):
    """The tag given as 'prevTagId' is not a tag of this dataset."""

    code = "TAG_PREVTAG_NOT_IN_DATASET"


class QueryTagNotInDataset(ApiError):
    """The tag given as 'queryTagId' is not a tag of this dataset."""

    code = "TAG_QUERYTAG_NOT_IN_DATASET"


class PreselectedTagNotInDataset(ApiError):
    """The tag given as 'preselectedTagId' is not a tag of this dataset."""

    code = "TAG_PRESELECTEDTAG_NOT_IN_DATASET"


class ScoresCannotBeSet(ApiError):
    """The scores do not fit the tag: it takes one per sample, in the order of the samples."""

    code = "SCORES_CANNOT_BE_SET"


class EmbeddingNotReady(ApiError):
    """The embedding has no CSV yet. Upload it to the URL of `writeCSVUrl` first."""

    code = "EMBEDDING_NOT_READY"


class EmbeddingInvalid(ApiError):
    """The CSV of the embedding breaks a rule. Upload a corrected one under another name."""

    code = "EMBEDDING_INVALID"


class EmbeddingRowCountInvalid(ApiError):
    """The number of rows is not that of the dataset's samples."""

    code = "EMBEDDING_ROW_COUNT_INVALID"


class Conflict(ApiError):
    """The request conflicts with what is stored."""

    code = "CONFLICT"
    status = 409


class DatasetNameExists(Conflict):
    """You already have a dataset with this name. Choose another name or use the existing one."""

    code = "DATASET_NAME_EXISTS"


class SampleNameExists(Conflict):
    """Another sample of the dataset has this file name. Choose another one."""


class TagNameExists(Conflict):
    """A tag with this name exists in the dataset. Choose another name or delete the old tag."""

    code = "TAG_NAME_EXISTS"


class TagInitialExists(Conflict):
    """The dataset already has its initial tag. Add new samples with an upsize instead."""

    code = "TAG_INITIAL_EXISTS"


class TagIsInitial(Conflict):
    """The initial tag holds every sample and cannot be deleted. Delete the dataset instead."""

    code = "TAG_UNDELETABLE_IS_INITIAL"


class TagNotALeaf(Conflict):
    """Other tags refer to this one. Delete those first."""

    code = "TAG_UNDELETABLE_NOT_A_LEAF"


class EmbeddingNameExists(Conflict):
    """An embedding with this name exists in the dataset. Choose another name."""

    code = "EMBEDDING_NAME_EXISTS"


class PayloadTooLarge(ApiError):
    """The request is larger than the server takes."""

    code = "PAYLOAD_TOO_LARGE"
    status = 413


class CustomMetadataAtMaxSize(PayloadTooLarge):
    """The custom metadata of a sample is larger than the server takes."""

    code = "CUSTOM_METADATA_AT_MAX_SIZE"


class DatasetAtMaxCapacity(ApiError):
    """The dataset cannot hold more samples. See `/v1/quota`."""

    code = "DATASET_AT_MAX_CAPACITY"
    status = 402


class HeadTooLarge(PayloadTooLarge):
    """Path and headers are longer than the server takes."""

    status = 431


class RequestTimedOut(ApiError):
    """The request did not arrive in time. Send it again."""

    status = 408


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
