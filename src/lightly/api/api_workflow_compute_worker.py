"""Compute workers: register them, schedule runs, watch them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lightly._kit.errors import BadInput
from lightly.api.answers import iterate_pages, read_id, read_model, read_models
from lightly.api.api_workflow_artifacts import ArtifactNotExist
from lightly.api.client_base import ClientBase, make_path
from lightly.api.errors import ApiException
from lightly.api.worker_configs import (
    InvalidConfigurationError,
    auto_task_from_dict,
    make_config_request,
    selection_config_entry_from_dict,
    selection_config_from_dict,
)

if TYPE_CHECKING:
    from lightly.openapi_generated.swagger_client.models.docker_run_data import DockerRunData
    from lightly.openapi_generated.swagger_client.models.docker_run_scheduled_data import (
        DockerRunScheduledData,
    )
    from lightly.openapi_generated.swagger_client.models.docker_worker_registry_entry_data import (
        DockerWorkerRegistryEntryData,
    )
    from lightly.openapi_generated.swagger_client.models.selection_config_v4 import (
        SelectionConfigV4,
    )
    from lightly.openapi_generated.swagger_client.models.tag_data import TagData

__all__ = [
    "STATE_SCHEDULED_ID_NOT_FOUND",
    "ArtifactNotExist",
    "ComputeWorkerRunInfo",
    "InvalidConfigurationError",
    "auto_task_from_dict",
    "selection_config_entry_from_dict",
    "selection_config_from_dict",
]

#: State of a run that is neither scheduled nor known.
STATE_SCHEDULED_ID_NOT_FOUND = "CANCELED_OR_NOT_EXISTING"

_WORKER_TYPE = "FULL"
_PRIORITIES = ("LOW", "MID", "HIGH", "CRITICAL")
_DEFAULT_PRIORITY = "MID"
_WAITING = "OPEN"
_COMPLETED = "COMPLETED"
_END_STATES = frozenset({_COMPLETED, "FAILED", "CRASHED", "ABORTED", STATE_SCHEDULED_ID_NOT_FOUND})
#: How often a run is looked at.
_POLL_INTERVAL_S = 5.0
_NOT_FOUND = 404


@dataclass
class ComputeWorkerRunInfo:
    """How a run is getting on.

    Attributes:
        state: State of the run; `OPEN` while it waits for a worker, and
            `CANCELED_OR_NOT_EXISTING` if there is no such run.
        message: The last message of the run.
    """

    state: str
    message: str

    def in_end_state(self) -> bool:
        """Tell whether the run is over."""
        return self.state in _END_STATES

    def ended_successfully(self) -> bool:
        """Tell whether the run has completed.

        Raises:
            ValueError: If it is not over yet.
        """
        if not self.in_end_state():
            raise BadInput(f"The run is not over yet: it is in state {self.state}.")
        return self.state == _COMPLETED


class _ComputeWorkerMixin(ClientBase):
    """Compute workers and their runs."""

    def register_compute_worker(
        self, name: str = "Default", labels: list[str] | None = None
    ) -> str:
        """Register a compute worker. The same name again gives the same worker.

        Args:
            name: 3 or more letters, digits, blanks, `_` and `-`.
            labels: What the worker offers. Runs that ask for labels go to workers that have all
                of them.

        Returns:
            The id of the worker.

        Raises:
            ApiException: If the server refuses, for example because of the name.
        """
        body = {
            "name": name,
            "workerType": _WORKER_TYPE,
            "labels": list(labels or []),
            "creator": self._creator,
        }
        return read_id(self._transport.post("/v1/docker/worker", body, is_repeatable=True))

    def get_compute_worker_ids(self) -> list[str]:
        """Return the ids of all registered compute workers."""
        return [worker.id for worker in self.get_compute_workers()]

    def get_compute_workers(self) -> list[DockerWorkerRegistryEntryData]:
        """Return all registered compute workers."""
        from lightly.openapi_generated.swagger_client.models.docker_worker_registry_entry_data import (  # noqa: E501  the name of a module
            DockerWorkerRegistryEntryData,
        )

        return read_models(DockerWorkerRegistryEntryData, self._transport.get("/v1/docker/worker"))

    def delete_compute_worker(self, worker_id: str) -> None:
        """Remove a compute worker.

        Args:
            worker_id: The id of the worker to remove.

        Raises:
            ApiException: With status 404 if it does not exist.
        """
        try:
            self._transport.delete(make_path("v1", "docker", "worker", worker_id))
        except ApiException as error:
            is_gone = error.status == _NOT_FOUND and error.attempts > 1
            if not is_gone:
                raise

    def create_compute_worker_config(
        self,
        worker_config: dict[str, Any] | None = None,
        lightly_config: dict[str, Any] | None = None,
        selection_config: dict[str, Any] | SelectionConfigV4 | None = None,
    ) -> str:
        """Store a configuration for runs.

        Options that only workers of older programs know, such as `remove_exact_duplicates` or
        `stopping_condition`, are sent in the form that these programs used.

        Args:
            worker_config: What the worker does, such as `{"use_datapool": True}`.
            lightly_config: How it trains and embeds, such as `{"loader": {"batch_size": 16}}`.
            selection_config: What it selects.

        Returns:
            The id of the new configuration.

        Raises:
            InvalidConfigurationError: If an option does not exist or has a value that is not
                valid.
            ApiException: If the server refuses.
        """
        path, body = make_config_request(
            worker_config, lightly_config, selection_config, creator=self._creator
        )
        return read_id(self._transport.post(path, body, is_repeatable=True))

    def schedule_compute_worker_run(
        self,
        worker_config: dict[str, Any] | None = None,
        lightly_config: dict[str, Any] | None = None,
        priority: str | dict[str, Any] | SelectionConfigV4 = _DEFAULT_PRIORITY,
        *,
        selection_config: dict[str, Any] | SelectionConfigV4 | None = None,
        runs_on: list[str] | None = None,
    ) -> str:
        """Schedule a run for the current dataset; a worker takes it as soon as one is free.

        Args:
            worker_config: As in `create_compute_worker_config`.
            lightly_config: As in `create_compute_worker_config`.
            priority: One of LOW, MID, HIGH, CRITICAL. In this place newer programs pass the
                selection; it is taken as `selection_config`.
            selection_config: As in `create_compute_worker_config`.
            runs_on: Labels that the worker must have.

        Returns:
            The id of the scheduled run.

        Raises:
            InvalidConfigurationError: If a configuration is not valid.
            ValueError: If there is no such priority.
            ApiException: If the server refuses; with status 422 if a file that the configuration
                names is missing in the datasource.

        Example:
            >>> client.schedule_compute_worker_run(  # doctest: +SKIP
            ...     selection_config={
            ...         "n_samples": 50,
            ...         "strategies": [
            ...             {"input": {"type": "EMBEDDINGS"}, "strategy": {"type": "DIVERSITY"}}
            ...         ],
            ...     },
            ...     runs_on=["gpu"],
            ... )
        """
        if selection_config is None and not isinstance(priority, str):
            selection_config, priority = priority, _DEFAULT_PRIORITY
        checked_priority = _check_priority(priority)
        config_id = self.create_compute_worker_config(
            worker_config, lightly_config, selection_config=selection_config
        )
        body = {
            "configId": config_id,
            "priority": checked_priority,
            "runsOn": list(runs_on or []),
            "creator": self._creator,
        }
        return read_id(self._transport.post(self._schedule_path(), body))

    def get_compute_worker_runs_iter(
        self, dataset_id: str | None = None
    ) -> Iterator[DockerRunData]:
        """Yield the runs of the user one by one.

        Args:
            dataset_id: Only runs for this dataset.
        """
        from lightly.openapi_generated.swagger_client.models.docker_run_data import DockerRunData

        path = "/v1/docker/runs"
        if dataset_id is not None:
            path = make_path("v1", "docker", "runs", "query", "datasetId", dataset_id)
        for page in iterate_pages(self._transport, path):
            for row in page:
                yield read_model(DockerRunData, row)

    def get_compute_worker_runs(self, dataset_id: str | None = None) -> list[DockerRunData]:
        """Return the runs of the user, oldest first.

        Args:
            dataset_id: Only runs for this dataset.
        """
        runs = self.get_compute_worker_runs_iter(dataset_id)
        return sorted(runs, key=lambda run: run.created_at)

    def get_compute_worker_run(self, run_id: str) -> DockerRunData:
        """Return a run.

        Raises:
            ApiException: With status 404 if it does not exist.
        """
        return self._read_run(make_path("v1", "docker", "runs", run_id))

    def get_compute_worker_run_from_scheduled_run(self, scheduled_run_id: str) -> DockerRunData:
        """Return the run that a worker made of a scheduled run.

        Raises:
            ApiException: With status 404 if no worker has taken it yet.
        """
        return self._read_run(make_path("v1", "docker", "runs", "schedule", scheduled_run_id))

    def get_scheduled_compute_worker_runs(
        self, state: str | None = None
    ) -> list[DockerRunScheduledData]:
        """Return the scheduled runs of the current dataset.

        Args:
            state: One of OPEN, LOCKED, DONE and CANCELED. If left out, those that are neither
                done nor canceled.
        """
        from lightly.openapi_generated.swagger_client.models.docker_run_scheduled_data import (
            DockerRunScheduledData,
        )

        answer = self._transport.get(self._schedule_path(), {"state": state})
        return read_models(DockerRunScheduledData, answer)

    def get_compute_worker_run_info(self, scheduled_run_id: str) -> ComputeWorkerRunInfo:
        """Return how a scheduled run of the current dataset is getting on.

        Args:
            scheduled_run_id: What `schedule_compute_worker_run` returned.

        Raises:
            ApiException: If the server does not answer the question.
        """
        try:
            run = self.get_compute_worker_run_from_scheduled_run(scheduled_run_id)
        except ApiException as error:
            if error.status != _NOT_FOUND:
                raise
        else:
            return ComputeWorkerRunInfo(state=run.state.value, message=run.message or "")
        if any(one.id == scheduled_run_id for one in self.get_scheduled_compute_worker_runs()):
            return ComputeWorkerRunInfo(
                state=_WAITING,
                message="Waiting to be picked up by a worker. Is one running, with all the labels "
                "that the run asks for?",
            )
        return ComputeWorkerRunInfo(
            state=STATE_SCHEDULED_ID_NOT_FOUND,
            message=f"The scheduled run {ascii(scheduled_run_id)[:60]} was canceled or does not "
            f"exist for the dataset {self.dataset_id}.",
        )

    def compute_worker_run_info_generator(
        self, scheduled_run_id: str
    ) -> Iterator[ComputeWorkerRunInfo]:
        """Yield how a scheduled run is getting on, each time that changes, until it is over.

        Args:
            scheduled_run_id: What `schedule_compute_worker_run` returned.

        Example:
            >>> for info in client.compute_worker_run_info_generator(run_id):  # doctest: +SKIP
            ...     print(info.state, info.message)
        """
        last: ComputeWorkerRunInfo | None = None
        while last is None or not last.in_end_state():
            if last is not None:
                self._transport.policy.sleep(_POLL_INTERVAL_S)
            info = self.get_compute_worker_run_info(scheduled_run_id)
            if info != last:
                yield info
            last = info

    def get_compute_worker_run_tags(self, run_id: str) -> list[TagData]:
        """Return the tags of the current dataset that a run has made, newest first.

        Args:
            run_id: The run.
        """
        from lightly.openapi_generated.swagger_client.models.tag_data import TagData

        answer = self._transport.get(make_path("v1", "docker", "runs", run_id, "tags"))
        dataset_id = self.dataset_id
        return [tag for tag in read_models(TagData, answer) if tag.dataset_id == dataset_id]

    def _read_run(self, path: str) -> DockerRunData:
        from lightly.openapi_generated.swagger_client.models.docker_run_data import DockerRunData

        return read_model(DockerRunData, self._transport.get(path))

    def _schedule_path(self) -> str:
        return self._below_dataset("docker", "worker", "schedule")


def _check_priority(priority: object) -> str:
    value = getattr(priority, "value", priority)
    if not isinstance(value, str) or value not in _PRIORITIES:
        raise BadInput(
            f"'priority' must be one of {', '.join(_PRIORITIES)}, got {ascii(value)[:60]}."
        )
    return str(value)
