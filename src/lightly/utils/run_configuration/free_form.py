"""Options that only free-form configurations have: those of the worker of clients up to 1.2.

Source: the platform reference, table "worker_config, 1.2 era". Everything that later versions have
may be given as well.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field, StrictBool, StrictInt, StrictStr
from pydantic.alias_generators import to_camel

from lightly.openapi_generated.swagger_client.models.docker_worker_config_v3_docker_datasource import (  # noqa: E501  a name of the contract
    DockerWorkerConfigV3DockerDatasource,
)
from lightly.openapi_generated.swagger_client.models.docker_worker_config_v3_lightly import (
    DockerWorkerConfigV3Lightly,
)
from lightly.openapi_generated.swagger_client.models.docker_worker_config_v4_docker import (
    DockerWorkerConfigV4Docker,
)
from lightly.openapi_generated.wire.model import WireModel
from lightly.openapi_generated.wire.values import Number

_Share = Annotated[float, Number(ge=0, le=1)]
_Id = Annotated[str, Field(strict=True, pattern=r"^([a-f0-9]{24})?$")]
_CAMEL = ConfigDict(alias_generator=to_camel)


class FreeFormWorker(WireModel):
    """Which worker runs."""

    model_config: ClassVar[ConfigDict] = _CAMEL
    worker_id: _Id | None = None
    force_start: StrictBool | None = None


class FreeFormScorer(WireModel):
    """How the old scorer of pretagging counts."""

    model_config: ClassVar[ConfigDict] = _CAMEL
    frequency_penalty: _Share | None = None
    min_score: _Share | None = None


class FreeFormStoppingCondition(WireModel):
    """How much is selected without a selection configuration; -1 is no limit."""

    model_config: ClassVar[ConfigDict] = _CAMEL
    n_samples: Annotated[float, Number(ge=-1)] | None = None
    min_distance: Annotated[float, Number(ge=-1)] | None = None


class FreeFormDatapool(WireModel):
    """The local datapool of old workers."""

    model_config: ClassVar[ConfigDict] = _CAMEL
    name: StrictStr | None = None
    keep_history: StrictBool | None = None
    dataset_id: _Id | None = None


class FreeFormDatasource(DockerWorkerConfigV3DockerDatasource):
    """Where images come from."""

    model_config: ClassVar[ConfigDict] = _CAMEL
    dataset_id: _Id | None = None
    use_frame_count_metadata: StrictBool | None = None
    use_redirected_read_url: StrictBool | None = None


class FreeFormActiveLearning(WireModel):
    """Scores for the method coral."""

    model_config: ClassVar[ConfigDict] = _CAMEL
    task_name: StrictStr | None = None
    score_name: StrictStr | None = None


class FreeFormObjectLevel(WireModel):
    """Selection of crops."""

    model_config: ClassVar[ConfigDict] = _CAMEL
    task_name: StrictStr | None = None
    crop_dataset_name: StrictStr | None = None
    padding: Annotated[float, Number(ge=0)] | None = None


class FreeFormDocker(DockerWorkerConfigV4Docker):
    """`docker` of a free-form configuration."""

    model_config: ClassVar[ConfigDict] = _CAMEL
    token: Literal[""] | None = None
    worker: FreeFormWorker | None = None
    sanity_check: StrictBool | None = None
    enable_corruptness_check: StrictBool | None = None
    remove_exact_duplicates: StrictBool | None = None
    dump_dataset: StrictBool | None = None
    dump_sampled_embeddings: StrictBool | None = None
    output_image_size: (
        StrictInt | Annotated[list[StrictInt], Field(min_length=2, max_length=2)] | None
    ) = None
    upload_dataset: StrictBool | None = None
    pretagging_debug: StrictBool | None = None
    pretagging_config: StrictStr | None = None
    append_weak_labels: StrictBool | None = None
    scorer: StrictStr | None = None
    scorer_config: FreeFormScorer | None = None
    method: Literal["coreset", "random", "coral"] | None = None
    stopping_condition: FreeFormStoppingCondition | None = None
    datapool: FreeFormDatapool | None = None
    datasource: FreeFormDatasource | None = None
    active_learning: FreeFormActiveLearning | None = None
    object_level: FreeFormObjectLevel | None = None
    n_example_images: Annotated[int, Field(strict=True, ge=0)] | None = None
    memory_requirement_in_GB: Annotated[float, Number(ge=0)] | None = None  # noqa: N815  its name
    show_video_sampling_timeline: StrictBool | None = None
    run_directory: StrictStr | None = None
    active_learning_score_column_name: StrictStr | None = None


class FreeFormLightly(DockerWorkerConfigV3Lightly):
    """`lightly` of a free-form configuration: nothing that later versions do not have."""
