"""Configurations of runs, put into the form that servers take.

Two forms travel. The newer one, version 4, is typed: the server knows every option. The older one
has the options of earlier workers too; it is used when one of them is given.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from lightly._kit.errors import BadInput

if TYPE_CHECKING:
    from pydantic import BaseModel

    from lightly.openapi_generated.swagger_client.models.auto_task import AutoTask
    from lightly.openapi_generated.swagger_client.models.selection_config_v4 import (
        SelectionConfigV4,
    )
    from lightly.openapi_generated.swagger_client.models.selection_config_v4_entry import (
        SelectionConfigV4Entry,
    )
    from lightly.openapi_generated.wire.model import WireModel

Options = Mapping[str, Any]
ModelT = TypeVar("ModelT", bound="BaseModel")

_VERSION = "V4"
_WORKER_TYPE = "FULL"
_PATH = "/v1/docker/worker/config"


class InvalidConfigurationError(BadInput, RuntimeError):
    """A configuration of a run has an option that does not exist, or a value that is not valid."""

    code = "configuration_invalid"


def make_config_request(
    worker_config: Options | None,
    lightly_config: Options | None,
    selection_config: Options | WireModel | None,
    *,
    creator: str,
) -> tuple[str, dict[str, Any]]:
    """Return path and body of the request that stores a configuration.

    Raises:
        InvalidConfigurationError: If an option does not exist or has a value that is not valid.
    """
    worker = None if worker_config is None else _read_options(worker_config, "worker_config")
    lightly = None if lightly_config is None else _read_options(lightly_config, "lightly_config")
    selection = (
        None if selection_config is None else _read_options(selection_config, "selection_config")
    )
    if worker is not None and _has_old_options(worker):
        config = _make_old_config(worker, lightly, selection)
        return _PATH, {"config": config, "creator": creator}
    config = _make_config(worker, lightly, selection)
    return f"{_PATH}/vX", {"version": _VERSION, "config": config, "creator": creator}


def check_options(model: type[ModelT], options: Options | WireModel, place: str) -> ModelT:
    """Return options as a wire model.

    Args:
        model: The model.
        options: Values by name, spelled with underscores or as on the wire; or a wire model. Those
            that are None count as not given.
        place: What the options are part of, for messages.

    Raises:
        InvalidConfigurationError: If a name does not exist or a value is not valid.
    """
    from lightly.utils.run_configuration.errors import InvalidConfiguration
    from lightly.utils.run_configuration.reading import read_model

    try:
        return read_model(model, _read_options(options, place), place)
    except InvalidConfiguration as error:
        raise InvalidConfigurationError(str(error)) from None


def selection_config_from_dict(cfg: Options) -> SelectionConfigV4:
    """Return the configuration of a selection as a wire model.

    Args:
        cfg: Options by name, with underscores.

    Raises:
        InvalidConfigurationError: If an option does not exist or has a value that is not valid.

    Example:
        >>> selection_config_from_dict({
        ...     "n_samples": 10,
        ...     "strategies": [
        ...         {"input": {"type": "EMBEDDINGS"}, "strategy": {"type": "DIVERSITY"}}
        ...     ],
        ... }).n_samples
        10
    """
    from lightly.openapi_generated.swagger_client.models.selection_config_v4 import (
        SelectionConfigV4,
    )

    return check_options(SelectionConfigV4, cfg, "selection_config")


def selection_config_entry_from_dict(entry: Options) -> SelectionConfigV4Entry:
    """Return one strategy of a selection as a wire model; see `selection_config_from_dict`."""
    from lightly.openapi_generated.swagger_client.models.selection_config_v4_entry import (
        SelectionConfigV4Entry,
    )

    return check_options(SelectionConfigV4Entry, entry, "strategies")


def auto_task_from_dict(entry: Options) -> AutoTask:
    """Return a task that makes its own predictions, such as tiling, as a wire model.

    Raises:
        InvalidConfigurationError: If an option does not exist or has a value that is not valid.
    """
    from lightly.openapi_generated.swagger_client.models.auto_task import AutoTask

    return check_options(AutoTask, entry, "auto_tasks")


def _make_config(
    worker: Options | None, lightly: Options | None, selection: Options | None
) -> dict[str, Any]:
    from lightly.openapi_generated.swagger_client import models

    config: dict[str, Any] = {"workerType": _WORKER_TYPE}
    if worker is not None:
        config["docker"] = _write(models.DockerWorkerConfigV4Docker, worker, "worker_config")
    if lightly is not None:
        config["lightly"] = _write(models.DockerWorkerConfigV3Lightly, lightly, "lightly_config")
    if selection is not None:
        config["selection"] = _write(models.SelectionConfigV4, selection, "selection_config")
    return config


def _make_old_config(
    worker: Options, lightly: Options | None, selection: Options | None
) -> dict[str, Any]:
    """Return the older form: options of worker and training keep the names they were given."""
    from lightly.openapi_generated.swagger_client import models
    from lightly.utils.run_configuration.free_form import FreeFormDocker, FreeFormLightly

    check_options(FreeFormDocker, worker, "worker_config")
    config: dict[str, Any] = {"workerType": _WORKER_TYPE, "docker": dict(worker)}
    if lightly is not None:
        check_options(FreeFormLightly, lightly, "lightly_config")
        config["lightly"] = dict(lightly)
    if selection is not None:
        config["selection"] = _write(models.SelectionConfig, selection, "selection_config")
    return config


def _has_old_options(worker: Options) -> bool:
    """Tell whether an option is given that the newer form does not have."""
    from lightly.openapi_generated.swagger_client import models
    from lightly.utils.run_configuration.free_form import FreeFormDatasource, FreeFormDocker

    datasource = worker.get("datasource")
    inner = datasource if isinstance(datasource, Mapping) else {}
    return _has_own_field(
        worker, FreeFormDocker, models.DockerWorkerConfigV4Docker
    ) or _has_own_field(inner, FreeFormDatasource, models.DockerWorkerConfigV3DockerDatasource)


def _has_own_field(options: Options, old: type[BaseModel], new: type[BaseModel]) -> bool:
    own = set(old.model_fields).difference(new.model_fields)
    spellings = own.union(old.model_fields[name].alias or name for name in own)
    return not spellings.isdisjoint(options)


def _write(model: type[WireModel], options: Options, place: str) -> dict[str, Any]:
    # What was not given stays away: the server has the defaults.
    return check_options(model, options, place).model_dump(
        mode="json", by_alias=True, exclude_unset=True
    )


def _read_options(options: object, place: str) -> dict[str, Any]:
    """Return options given as a dictionary or as a wire model as a dictionary without Nones."""
    to_dict = getattr(options, "to_dict", None)
    content = to_dict(by_alias=True) if to_dict is not None else options
    if not isinstance(content, Mapping):
        raise InvalidConfigurationError(
            f"{place}: must be a dictionary of options, got {type(options).__name__}."
        )
    return {key: _drop_nones(value) for key, value in content.items() if value is not None}


def _drop_nones(value: object) -> Any:
    """Return a value without the dictionary entries that are None, at every depth."""
    to_dict = getattr(value, "to_dict", None)
    value = value if to_dict is None else to_dict(by_alias=True)
    if isinstance(value, Mapping):
        return {key: _drop_nones(one) for key, one in value.items() if one is not None}
    if isinstance(value, list | tuple):
        return [_drop_nones(one) for one in value]
    return getattr(value, "value", value)
