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


class FileUnknown(NotFound):
    """There is no such file in the datasource."""


class DatasourceUnreachable(ApiError):
    """The server cannot reach the files of this datasource."""

    # Clients ask again for half a minute after a 400, and it would not help.
    code = "DATASET_DATASOURCE_INVALID"
    status = 422


class DatasourceUnavailable(ApiError):
    """The store of this datasource does not answer as it should. Try again shortly."""

    code = "DATASET_DATASOURCE_INVALID"
    status = 503
    retry_after_s = 5


class DatasourceNotWritable(ApiError):
    """The server cannot write to this datasource."""

    code = "DATASET_DATASOURCE_ILLEGAL_ACTION"
    status = 422


class RoleTaken(ApiError):
    """This role and external id are in use by somebody else. Make a new external id."""

    code = "DATASET_DATASOURCE_INVALID"
    status = 422

    def __init__(self) -> None:
        super().__init__(
            "s3ExternalId (body): This role with this external id is configured for a dataset of "
            "another user or team. If the role is yours, make a new external id (for instance "
            "with `openssl rand -hex 16`), put it into the role's trust policy, and try again."
        )


class RelevantFilenamesInvalid(ApiError):
    """The file with the relevant filenames cannot be used."""

    code = "DATASET_DATASOURCE_RELEVANT_FILENAMES_INVALID"
    status = 422


class FilterInvalid(ApiError):
    """Nothing can be found by this filter: it breaks the pattern of the parameter."""

    # Not 400: the newest clients repeat lists for half a minute on that, to no avail.
    code = "MALFORMED_REQUEST"
    status = 422


class CursorInvalid(ApiError):
    """The cursor is not one of this listing. Begin again without it."""

    code = "MALFORMED_REQUEST"
    status = 422


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


class WorkerUnknown(NotFound):
    """The compute worker does not exist, or is not yours."""

    code = "DOCKER_WORKER_UNKNOWN"


class WorkerConfigUnknown(NotFound):
    """The worker configuration does not exist, or is not yours."""

    code = "DOCKER_WORKER_CONFIG_UNKNOWN"


class PredictionTaskUnknown(NotFound):
    """The dataset has no prediction task of this name. Post its schema first."""

    code = "PREDICTION_TASK_SCHEMA_UNKNOWN"


class TagNoScoresAvailable(NotFound):
    """No scores were uploaded for this tag. Upload them with `upload_scores` first."""

    code = "TAG_NO_SCORES_AVAILABLE"


class TeamUnknown(NotFound):
    """The team does not exist, or you are not in it."""

    code = "TEAM_UNKNOWN"


class MemberUnknown(NotFound):
    """The team has no such member."""


class ServiceAccountUnknown(NotFound):
    """The team has no such service account."""


class ApiTokenUnknown(NotFound):
    """You have no such API token."""


class AccessConfigUnknown(NotFound):
    """The dataset has no such access configuration."""

    code = "ACCESS_CONTROL_UNKNOWN"


class AccessControlUnknown(NotFound):
    """There is no access control of this name. Leave it out."""

    code = "ACCESS_CONTROL_UNKNOWN"


class RunUnknown(NotFound):
    """The run does not exist, or is not yours."""

    code = "DOCKER_RUN_UNKNOWN"


class ScheduleUnknown(NotFound):
    """The scheduled run does not exist, or is not yours."""

    code = "DOCKER_WORKER_SCHEDULE_UNKNOWN"


class ArtifactUnknown(NotFound):
    """The artifact does not exist in this run."""

    code = "DOCKER_RUN_ARTIFACT_UNKNOWN"


class ArtifactUnavailable(NotFound):
    """The artifact was announced, but its upload was never confirmed."""

    code = "DOCKER_RUN_ARTIFACT_UNAVAILABLE"


class ReportUnavailable(NotFound):
    """No report was uploaded for this run."""

    code = "DOCKER_RUN_REPORT_UNAVAILABLE"


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


class PredictionCategoriesNotUnique(ApiError):
    """Two categories of the prediction task have the same id."""

    code = "PREDICTION_TASK_SCHEMA_CATEGORIES_NOT_UNIQUE"


class CropDataInvalid(ApiError):
    """The crop does not come from a sample of the dataset that this one was cut from."""

    code = "SAMPLE_CREATE_REQUEST_INVALID_CROP_DATA"


class EmbeddingNotReady(ApiError):
    """The embedding has no CSV yet. Upload it to the URL of `writeCSVUrl` first."""

    code = "EMBEDDING_NOT_READY"


class EmbeddingInvalid(ApiError):
    """The CSV of the embedding breaks a rule. Upload a corrected one under another name."""

    code = "EMBEDDING_INVALID"


class EmbeddingRowCountInvalid(ApiError):
    """The number of rows is not that of the dataset's samples."""

    code = "EMBEDDING_ROW_COUNT_INVALID"


class WorkerConfigInvalid(ApiError):
    """Two values of the worker configuration do not fit together."""

    code = "DOCKER_WORKER_CONFIG_INVALID"


class ConfigReferencesInvalidFiles(ApiError):
    """The worker configuration refers to files that are missing or not valid."""

    code = "DOCKER_WORKER_CONFIG_REFERENCES_INVALID_FILES"
    status = 422


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


class TagChanged(Conflict):
    """Somebody else has changed the tag meanwhile. Look at it as it is now, then change it."""


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


class WorkerConfigInUse(Conflict):
    """Runs were scheduled with this worker configuration. Create another one instead."""

    code = "DOCKER_WORKER_CONFIG_IN_USE"


class ScheduleUpdateFailed(Conflict):
    """The scheduled run is in a state that does not allow this."""

    code = "DOCKER_WORKER_SCHEDULE_UPDATE_FAILED"


class JobEnded(Conflict):
    """The job has ended and cannot be cancelled any more."""


class RunStateRefused(Conflict):
    """The run is in a state that does not allow this."""


class LeaseLost(Conflict):
    """Another worker may have this run by now: the lease is over. Stop working on it."""


class SessionLost(Conflict):
    """Another process runs under the name of this worker by now. Stop this one."""


class WorkerOnline(Conflict):
    """A process runs under the name of this worker. Stop it, or let the new one take over."""


class ArtifactExists(Conflict):
    """The run has an artifact of this file name. Choose another one."""

    code = "DOCKER_RUN_ARTIFACT_EXISTS"


class ArtifactNotUploaded(Conflict):
    """The bytes of the artifact are not there as they were announced. Upload them first."""

    code = "DOCKER_RUN_ARTIFACT_UNAVAILABLE"


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


class TooManyAtOnce(TooManyRequests):
    """You have too many requests under way at once. Wait for answers before sending more."""

    retry_after_s = 10


class Unavailable(ApiError):
    """The server cannot do this right now. Try again in a few seconds."""

    code = "CONFLICT"
    status = 503
    retry_after_s = 2


class StorageUnavailable(ApiError):
    """The object store does not answer as it should. Nothing was stored; try again shortly."""

    code = "CREATION_FAILED"
    status = 503
    retry_after_s = 2


class StorageFull(ApiError):
    """The server's disk is full. Nothing was stored; try again once there is space."""

    code = "CREATION_FAILED"
    status = 503
    retry_after_s = 30
