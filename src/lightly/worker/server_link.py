"""What a worker says to the server about itself and about its runs."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, Any

from lightly import __version__
from lightly.api.answers import read_count, read_id, read_text, read_texts
from lightly.api.client_base import make_path
from lightly.api.errors import ApiException, UnexpectedAnswer
from lightly.api.sending import TransportSettings
from lightly.api.transport import Transport
from lightly.worker.errors import RunLost
from lightly.worker.settings import WorkerSettings
from lightly.worker.sources.store_transport import open_store_transport

LEASE_HEADER = "Lightly-Lease"
_NOT_FOUND = 404
#: The lease is over, or whoever the worker works for may not do this any more.
_LOST = frozenset({401, 403, 404, 409})


@dataclass(frozen=True)
class Session:
    """This process under the name of a worker.

    Attributes:
        worker_id: The worker.
        session_id: This process of it.
        poll_interval_s: How often to ask for a run.
    """

    worker_id: str
    session_id: str
    poll_interval_s: float


@dataclass(frozen=True)
class ClaimedRun:
    """A run that this process may work on.

    Attributes:
        run_id: The run.
        dataset_id: What it is about.
        config_id: What it does.
        attempt: How often it was begun, this time included.
        lease: The right to work on it; goes with everything that is written. A secret.
        heartbeat_s: How often to show a sign of life.
        server_url: What URLs that the server hands out begin with; empty if it does not say.
    """

    run_id: str
    dataset_id: str
    config_id: str
    attempt: int
    lease: str
    heartbeat_s: float
    server_url: str = ""


class WorkerLink:
    """Calls of a worker that belong to no run.

    Args:
        settings: Where the server is, and as whom to call.
    """

    def __init__(self, settings: WorkerSettings) -> None:
        self._settings = settings
        # A worker waits for a server that is not there yet as for one that is away.
        patience = TransportSettings(first_contact_s=300.0)
        self.transport = Transport(settings.server_url, settings.token, settings=patience)

    def begin_session(self) -> Session:
        """Register the worker unless it is, and let this process run under its name."""
        worker_id = self._settings.worker_id or self._register()
        body = {"dockerVersion": __version__, "takesOver": self._settings.takes_over}
        answer = self.transport.post(
            make_path("ext", "v1", "workers", worker_id, "sessions"), body, is_repeatable=True
        )
        interval_s = float(answer["pollIntervalSeconds"])
        return Session(worker_id, read_id(answer, "sessionId"), interval_s)

    def end_session(self, session: Session) -> None:
        """Say that this process ends; the server hands back what it has."""
        path = make_path("ext", "v1", "workers", session.worker_id, "sessions", session.session_id)
        self.transport.delete(path)

    def claim_run(self, session: Session) -> ClaimedRun | None:
        """Return the most urgent run that this worker may take; None when there is none."""
        body = {
            "workerId": session.worker_id,
            "sessionId": session.session_id,
            "dockerVersion": __version__,
        }
        answer = self.transport.post(make_path("ext", "v1", "runs", "claim"), body)
        if answer is None:
            return None
        return ClaimedRun(
            run_id=read_id(answer, "runId"),
            dataset_id=read_id(answer, "datasetId"),
            config_id=read_id(answer, "configId"),
            attempt=read_count(answer, "attempt"),
            lease=read_id(answer, "lease"),
            heartbeat_s=float(answer["heartbeatSeconds"]),
            server_url=str(answer.get("serverUrl", "")),
        )

    def _register(self) -> str:
        body = {
            "name": self._settings.name,
            "workerType": "FULL",
            "labels": list(self._settings.labels),
            "creator": "USER_WORKER",
        }
        answer = self.transport.post(make_path("v1", "docker", "worker"), body, is_repeatable=True)
        return read_id(answer)


class RunLink:
    """Calls of a worker about one run, under its lease.

    Args:
        settings: Where the server is, and as whom to call.
        claim: The run.

    Attributes:
        transport: Calls the server.
        stores: Opens URLs of the datasource.
    """

    def __init__(self, settings: WorkerSettings, claim: ClaimedRun) -> None:
        self.claim = claim
        self.transport = Transport(settings.server_url, settings.token)
        self.transport.headers[LEASE_HEADER] = claim.lease
        #: Names of artifacts; the server takes each from an attempt once.
        self._sent: set[str] = set()
        self.stores = open_store_transport(
            settings.server_url,
            settings.token,
            server_urls=[claim.server_url],
            egress=settings.egress,
        )

    def show_life(
        self,
        *,
        state: str | None = None,
        message: str | None = None,
        progress: tuple[int, int] | None = None,
    ) -> bool:
        """Extend the lease, with news if there are any; return whether the run shall stop.

        Raises:
            RunLost: If the run is not this worker's any more.
        """
        body: dict[str, Any] = {}
        if state is not None:
            body["state"] = state
        if message is not None:
            body["message"] = message
        if progress is not None:
            body["progress"] = {"processed": progress[0], "total": progress[1]}
        return bool(self._put("heartbeat", body)["isStopRequested"])

    def append_log(self, entries: Sequence[dict[str, Any]]) -> None:
        """Append entries to the log that users see."""
        path = make_path("v1", "docker", "runs", self.claim.run_id, "logs")
        try:
            self.transport.put(path, list(entries))
        except ApiException as error:
            _raise_if_lost(error)
            raise

    def release(self, message: str) -> None:
        """Hand the run back; the next worker may take it at once."""
        self._put("release", {"message": message})

    def finish(self, state: str, message: str) -> None:
        """End the run as COMPLETED, FAILED or ABORTED."""
        self._put("finish", {"state": state, "message": message})

    def read_config(self) -> dict[str, Any]:
        """Return the configuration as the server keeps it: `version` and `config`."""
        path = make_path("v1", "docker", "worker", "config", "vX", self.claim.config_id)
        answer = self.transport.get(path)
        if not isinstance(answer, dict) or not isinstance(answer.get("config"), dict):
            raise UnexpectedAnswer("The server gave a configuration of another form.")
        return answer

    def read_datasource(self, purpose: str) -> dict[str, Any] | None:
        """Return the datasource of the dataset for a purpose, secrets masked; None without one."""
        path = make_path("v1", "datasets", self.claim.dataset_id, "datasource")
        try:
            answer = self.transport.get(path, {"purpose": purpose})
        except ApiException as error:
            if error.status != _NOT_FOUND:
                raise
            return None
        return answer if isinstance(answer, dict) else None

    def make_read_url(self, kind: str, name: str) -> str:
        """Return a URL to read a file below `.lightly/` from, whether it exists or not.

        Args:
            kind: `predictions`, `metadata` or `embeddings`.
            name: Of the file below that folder.
        """
        path = make_path("v1", "datasets", self.claim.dataset_id, "datasource", kind, "file")
        return read_text(self.transport.get(path, {"fileName": name}))

    def make_datasource_write_urls(self, names: Sequence[str]) -> tuple[list[str], dict[str, str]]:
        """Return where files below `.lightly/` of the datasource go, in the order of `names`.

        Returns:
            The URLs, and the headers that the store wants with each file.
        """
        path = make_path("ext", "v1", "datasets", self.claim.dataset_id, "datasource", "writeUrls")
        answer = self.transport.post(path, {"fileNames": list(names)}, is_repeatable=True)
        content = answer if isinstance(answer, dict) else {}
        return read_texts(content.get("urls")), dict(content.get("headers") or {})

    def post_tag(self, operation: str, body: dict[str, Any], dataset_id: str | None = None) -> None:
        """Make a tag of the dataset, or of another one.

        Args:
            operation: Last part of the path.
            body: What to send.
            dataset_id: The other one.
        """
        path = make_path("v1", "datasets", dataset_id or self.claim.dataset_id, "tags", operation)
        self.transport.post(path, body)

    def put_scores(self, task: str, kind: str, values: Sequence[float]) -> None:
        """Store an active-learning score of all samples of the dataset, in their order."""
        path = make_path("v1", "datasets", self.claim.dataset_id, "predictions", "scores")
        body = {"scoreType": kind, "scores": list(values)}
        self.transport.post(
            path, body, {"taskName": task, "predictionUUIDTimestamp": 0}, is_repeatable=True
        )

    def add_metadata_config(self, name: str, entries: Sequence[dict[str, Any]]) -> None:
        """Say what people see of custom metadata, unless the dataset knows it already."""
        path = make_path("v1", "datasets", self.claim.dataset_id, "configuration", "metadata")
        known = self.transport.get(path)
        configs = [one.get("configs") for one in known or [] if one.get("name") == name]
        if list(entries) not in configs:
            self.transport.post(path, {"name": name, "configs": list(entries)})

    def send_artifact(self, name: str, kind: str, source: IO[bytes]) -> None:
        """Upload a file as an artifact of the run, unless this attempt has done so already.

        Args:
            name: Of the file.
            kind: The contract's type.
            source: Its content, which does not change meanwhile.
        """
        if name in self._sent:
            return
        digest, size = hashlib.sha256(), 0
        while piece := source.read(1 << 20):
            digest.update(piece)
            size += len(piece)
        body = {"fileName": name, "type": kind, "sizeBytes": size, "sha256": digest.hexdigest()}
        runs = ("docker", "runs", self.claim.run_id, "artifacts")
        made = self.transport.post(make_path("ext", "v1", *runs[1:]), body)
        source.seek(0)
        self.transport.put_blob(read_id(made, "signedWriteUrl"), source)
        artifact_id = read_id(made, "artifactId")
        self.transport.put(make_path("v1", *runs, artifact_id, "confirmUpload"))
        self._sent.add(name)

    def _put(self, action: str, body: dict[str, Any]) -> Any:
        path = make_path("ext", "v1", "runs", self.claim.run_id, action)
        try:
            return self.transport.put(path, body)
        except ApiException as error:
            _raise_if_lost(error)
            raise


def _raise_if_lost(error: ApiException) -> None:
    """Tell a lost lease, a run that is gone and a token that was taken back from other refusals."""
    if error.status in _LOST:
        raise RunLost(f"The run is not this worker's any more: {error}") from error
