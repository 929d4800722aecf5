"""The snippets of the SDK's reference run as they stand, one after another."""

import re
from pathlib import Path
from typing import Any

import pytest

from lightly.api import ApiWorkflowClient
from lightly.api.dataset_samples import DatasetSamples
from tests.support.platforms import run_process

REFERENCE = Path(__file__).parents[2] / "docs/reference/sdk.md"


def test_snippets_of_the_reference_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "in/streets/sub").mkdir(parents=True)
    (tmp_path / "out/streets").mkdir(parents=True)
    (tmp_path / "in/streets/sub/a.jpg").write_bytes(b"image")
    snippets = re.findall(r"```python\n(.*?)```", REFERENCE.read_text("utf-8"), re.DOTALL)
    mounts = {
        "LIGHTLY_SERVER_INPUT_MOUNT": str(tmp_path / "in"),
        "LIGHTLY_SERVER_LIGHTLY_MOUNT": str(tmp_path / "out"),
    }
    with run_process(tmp_path / "data", **mounts) as server:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("LIGHTLY_SERVER_LOCATION", server.url)
        client = ApiWorkflowClient(token=server.token)
        known: dict[str, Any] = {"client": client}
        for snippet in snippets:
            exec(snippet, known)
            samples = DatasetSamples(client._transport, client.dataset_id)
            known["sample_ids"] = samples.register([{"fileName": "a.jpg"}])

    assert len(snippets) >= 5
    assert (tmp_path / "local copy/sub/a.jpg").read_bytes() == b"image"
    assert known["scheduled_run_id"]
