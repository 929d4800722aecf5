"""Artifacts of runs: each kind by its method, all at once, and none where it does not belong."""

import pytest

from lightly.api import ArtifactNotExist
from lightly.api.api_workflow_artifacts import _ArtifactsMixin
from lightly.api.errors import BlobTransferFailed
from lightly.openapi_generated.swagger_client.models.docker_run_artifact_type import (
    DockerRunArtifactType,
)
from lightly.openapi_generated.swagger_client.models.docker_run_data import DockerRunData
from tests.support.sdk import make_client, make_response
from tests.support.wire_fakes import WireFake, make_refusal

RUN = "a" * 24
METHODS = {
    "CHECKPOINT": "checkpoint",
    "REPORT_PDF": "report_pdf",
    "REPORT_JSON": "report_json",
    "REPORT_V2_JSON": "report_v2_json",
    "LOG": "log",
    "MEMLOG": "memory_log",
    "CORRUPTNESS_CHECK_INFORMATION": "corruptness_check_information",
    "SEQUENCE_INFORMATION": "sequence_information",
}
KINDS = [*METHODS, "RELEVANT_FILENAMES"]


def make_artifact(number: int, kind: str, name: str | None = None, created_at: int = 1):
    return {
        "id": f"{number:024x}",
        "type": kind,
        "fileName": name or f"{kind.lower()}.bin",
        "createdAt": created_at,
    }


def make_run(artifacts) -> DockerRunData:
    values = {
        "id": RUN,
        "userId": "someone",
        "dockerVersion": "1.0",
        "state": "COMPLETED",
        "createdAt": 1,
        "lastModifiedAt": 1,
    }
    if artifacts is not None:
        values["artifacts"] = artifacts
    return DockerRunData.from_dict(values)


def make_store(numbers) -> WireFake:
    """Return a server with artifacts; artifact 7 holds `content of 7`."""
    below = f"GET /v1/docker/runs/{RUN}/artifacts"
    urls = {f"{below}/{n:024x}/readurl": f"http://testserver/blob/{n}?signature=x" for n in numbers}
    blobs = {
        f"GET /blob/{n}": lambda *_, n=n: make_response(200, f"content of {n}".encode())
        for n in numbers
    }
    return WireFake({**urls, **blobs})


RUN_WITH_ALL = make_run([make_artifact(number, kind) for number, kind in enumerate(KINDS)])


def test_every_kind_of_the_contract_is_known_here():
    assert set(KINDS) == {kind.value for kind in DockerRunArtifactType}
    methods = {f"download_compute_worker_run_{name}" for name in METHODS.values()}
    assert all(hasattr(_ArtifactsMixin, method) for method in methods)


@pytest.mark.parametrize(("kind", "name"), METHODS.items())
def test_each_kind_is_downloaded_by_its_method(kind, name, tmp_path):
    client = make_client(make_store(range(len(KINDS))))
    target = tmp_path / "folder" / "file"

    getattr(client, f"download_compute_worker_run_{name}")(RUN_WITH_ALL, str(target))

    assert target.read_text() == f"content of {KINDS.index(kind)}"


@pytest.mark.parametrize("artifacts", [None, [], [make_artifact(1, "LOG")]])
def test_an_artifact_that_the_run_does_not_have_is_an_error_that_says_what_it_has(
    artifacts, tmp_path
):
    client = make_client(make_store([]))

    with pytest.raises(ArtifactNotExist, match=rf"CHECKPOINT.*has: {'LOG' if artifacts else 'no'}"):
        client.download_compute_worker_run_checkpoint(make_run(artifacts), str(tmp_path / "file"))

    assert list(tmp_path.iterdir()) == []


def test_all_artifacts_are_downloaded_under_their_names(tmp_path):
    run = make_run([make_artifact(1, "LOG", "log.txt"), make_artifact(2, "CHECKPOINT", "a/b.ckpt")])

    make_client(make_store([1, 2])).download_compute_worker_run_artifacts(run, str(tmp_path / "x"))

    assert (tmp_path / "x/log.txt").read_text() == "content of 1"
    assert (tmp_path / "x/a/b.ckpt").read_text() == "content of 2"


@pytest.mark.parametrize(
    "name", ["../evil", "/etc/evil", "a/../../evil", "C:\\evil", "a\\..\\..\\b"]
)
def test_a_name_that_leads_outside_is_refused_before_anything_is_written(name, tmp_path):
    folder = tmp_path / "deep" / "folder"
    run = make_run([make_artifact(1, "LOG", "good.txt"), make_artifact(2, "CHECKPOINT", name)])
    fake = make_store([1, 2])

    with pytest.raises(ValueError, match="file name"):
        make_client(fake).download_compute_worker_run_artifacts(run, str(folder))

    assert fake.calls == []
    assert list(tmp_path.iterdir()) == []


def test_a_link_in_the_folder_leads_nowhere_else(tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/link").symlink_to(tmp_path / "outside")
    run = make_run([make_artifact(1, "LOG", "link/log.txt")])

    with pytest.raises(ValueError, match="outside"):
        make_client(make_store([1])).download_compute_worker_run_artifacts(
            run, str(tmp_path / "folder")
        )


def test_of_several_artifacts_of_a_kind_the_newest_is_taken(tmp_path):
    run = make_run([make_artifact(n, "LOG", created_at=n % 3) for n in (1, 2, 3)])

    make_client(make_store([1, 2, 3])).download_compute_worker_run_log(run, str(tmp_path / "log"))

    assert (tmp_path / "log").read_text() == "content of 2"


def test_the_url_of_a_checkpoint_can_be_had():
    url = make_client(make_store([0])).get_compute_worker_run_checkpoint_url(RUN_WITH_ALL)

    assert url == "http://testserver/blob/0?signature=x"


def test_a_download_that_fails_leaves_the_older_file(tmp_path):
    fake = make_store([0])
    fake._operations["GET /blob/0"] = lambda *_: make_refusal(403)
    target = tmp_path / "file"
    target.write_text("older")

    with pytest.raises(BlobTransferFailed) as caught:
        make_client(fake).download_compute_worker_run_checkpoint(RUN_WITH_ALL, str(target))

    assert target.read_text() == "older"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert "signature" not in str(caught.value)
