"""Decoded JSON in, a checked configuration in its wire form out."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from lightly.openapi_generated.swagger_client.models.docker_worker_config import DockerWorkerConfig
from lightly.openapi_generated.swagger_client.models.docker_worker_config_v2 import (
    DockerWorkerConfigV2,
)
from lightly.openapi_generated.swagger_client.models.docker_worker_config_v3 import (
    DockerWorkerConfigV3,
)
from lightly.openapi_generated.swagger_client.models.docker_worker_config_v4 import (
    DockerWorkerConfigV4,
)
from lightly.utils.run_configuration.errors import MalformedConfiguration
from lightly.utils.run_configuration.free_form import FreeFormDocker, FreeFormLightly
from lightly.utils.run_configuration.keys import translate_keys
from lightly.utils.run_configuration.option_rules import check_options
from lightly.utils.run_configuration.problems import describe_problem
from lightly.utils.run_configuration.selection_rules import check_selection

AnyConfig = DockerWorkerConfig | DockerWorkerConfigV2 | DockerWorkerConfigV3 | DockerWorkerConfigV4
ModelT = TypeVar("ModelT", bound=BaseModel)


def read_model(model: type[ModelT], content: object, place: str) -> ModelT:
    """Return decoded JSON, with keys in either spelling, as a wire model.

    Args:
        model: A wire model, or a union of them.
        content: Decoded JSON.
        place: Where it is, for errors, such as `config`.

    Raises:
        MalformedConfiguration: If a key is unknown or a value breaks a rule of its own.
    """
    translated = translate_keys(model, content, place)
    try:
        return model.model_validate(translated, by_alias=True, by_name=False)
    except ValidationError as error:
        problem = describe_problem(error.errors(include_url=False)[0], translated, place)
        raise MalformedConfiguration(problem) from error


def write_config(config: AnyConfig, place: str = "config") -> dict[str, Any]:
    """Return a configuration as it travels: what was given, without defaults.

    Raises:
        ContradictoryConfiguration: If values do not go together.
    """
    if config.selection is not None:
        check_selection(config.selection, f"{place}.selection")
    written: dict[str, Any] = {"workerType": config.worker_type.value}
    for name in ("docker", "lightly", "selection"):
        part = getattr(config, name)
        if isinstance(part, BaseModel):
            part = part.model_dump(mode="json", by_alias=True, exclude_unset=True)
        if part is not None:
            written[name] = part
    if not isinstance(config, DockerWorkerConfig):
        check_options(written, place)
    return written


def read_free_form(config: dict[str, Any], place: str = "config") -> dict[str, Any]:
    """Return a free-form configuration with its options checked and named as in later versions.

    Clients up to 1.2 send `docker` and `lightly` as their users wrote them, and the platform takes
    them as they are. This is what finds out, before a run, whether they can be used.

    Args:
        config: A configuration of V0 in its wire form.
        place: Where it is, for errors.

    Raises:
        InvalidConfiguration: With the first problem and its remedy.

    >>> config = {"workerType": "FULL", "docker": {"enable_training": True}}
    >>> read_free_form(config)["docker"]
    {'enableTraining': True}
    """
    read = dict(config)
    for name, model in (("docker", FreeFormDocker), ("lightly", FreeFormLightly)):
        if config.get(name) is not None:
            options = read_model(model, config[name], f"{place}.{name}")
            read[name] = options.model_dump(mode="json", by_alias=True, exclude_unset=True)
    check_options(read, place)
    return read
