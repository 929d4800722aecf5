"""A compute worker of the contract in a few plain HTTP calls."""

from __future__ import annotations

from battery.world import PlainHttp, put_bytes

IMAGE_VERSION = "2.12.1"
#: Type of every artifact that clients know a method for, and the name of its file.
ARTIFACTS = {
    "CHECKPOINT": "checkpoints/last.ckpt",
    "REPORT_PDF": "report.pdf",
    "REPORT_JSON": "report.json",
    "REPORT_V2_JSON": "report_v2.json",
    "LOG": "log.txt",
    "MEMLOG": "memlog.txt",
    "CORRUPTNESS_CHECK_INFORMATION": "corruptness.json",
    "SEQUENCE_INFORMATION": "sequences.json",
}


class PlainWorker:
    """Does what the published worker images do, without looking at a single image.

    Args:
        http: Calls as the user whose runs are worked on.
        name: Of the worker.
        labels: What kinds of runs it takes.
    """

    def __init__(self, http: PlainHttp, name: str, labels: list[str]) -> None:
        self._http = http
        body = {"name": name, "workerType": "FULL", "labels": labels}
        self.id: str = http.post("/v1/docker/worker", body)["id"]

    def claim(self, scheduled_id: str) -> dict[str, str]:
        """Lock a scheduled run that the server offers to this worker."""
        offered = self._http.get(f"/v1/docker/worker/{self.id}/schedule", state="OPEN")
        [schedule] = [entry for entry in offered if entry["id"] == scheduled_id]
        self._set_schedule_state(schedule, "LOCKED")
        return dict(schedule)

    def begin(self, schedule: dict[str, str]) -> str:
        """Create the run of a scheduled run and return its id."""
        body = {
            "dockerVersion": IMAGE_VERSION,
            "datasetId": schedule["datasetId"],
            "configId": schedule["configId"],
            "scheduledId": schedule["id"],
        }
        run_id: str = self._http.post("/v1/docker/runs", body)["id"]
        return run_id

    def report(self, run_id: str, state: str, message: str) -> None:
        """Tell how far the run is."""
        self._http.put(f"/v1/docker/runs/{run_id}", {"state": state, "message": message})

    def upload_artifacts(self, run_id: str) -> None:
        """Upload one artifact of each kind; its content is its file name."""
        for kind, file_name in ARTIFACTS.items():
            path = f"/v1/docker/runs/{run_id}/artifacts"
            made = self._http.post(path, {"fileName": file_name, "type": kind})
            put_bytes(made["signedWriteUrl"], file_name.encode())
            self._http.put(f"{path}/{made['artifactId']}/confirmUpload")

    def finish(self, schedule: dict[str, str], run_id: str) -> None:
        """End the run well."""
        self.report(run_id, "COMPLETED", "all done")
        found = self._http.get(f"/v1/datasets/{schedule['datasetId']}/docker/worker/schedule")
        if any(entry["id"] == schedule["id"] for entry in found):
            self._set_schedule_state(schedule, "DONE")

    def _set_schedule_state(self, schedule: dict[str, str], state: str) -> None:
        path = (
            f"/v1/datasets/{schedule['datasetId']}/docker/worker/{self.id}/schedule/"
            f"{schedule['id']}"
        )
        self._http.put(path, {"state": state})
