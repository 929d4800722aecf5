"""Every command and every piece of Python in the documents runs, in a folder like a reader's.

The commands of a document run first, then its Python as one script. ```` ```sh no-run ```` marks
what needs machines that only the reader has; Python has no such mark.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.emulators import make_service_account
from tests.support.pictures import draw_folder, write_embeddings
from tests.support.platforms import ServerProcess, keep_running
from tests.support.tiny_onnx import write_mean_colour_model
from tests.unit.media.clips import write_clip

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/**/*.md")])
#: These need more around them: `test_reference_examples.py` and `test_sdk_reference.py` run them.
RUN_ELSEWHERE = {"active-learning.md", "commands.md", "sdk.md"}
N_IMAGES = 120
BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
MAKE = re.compile(r"^make ([a-z-]+)", re.MULTILINE)

#: What a document takes for granted: a client, a dataset with images, embeddings and a tag.
PRELUDE = """
from lightly.api import ApiWorkflowClient
client = ApiWorkflowClient()
client.set_dataset_id_by_name("street-scenes")
dataset_id = client.dataset_id
"""
PREPARATION = """
from lightly.api import ApiWorkflowClient
client = ApiWorkflowClient()
client.create_dataset("street-scenes")
client.upload_dataset("path/to/images", mode="full")
"""


@dataclass(frozen=True)
class Block:
    language: str
    notes: str
    text: str


def read_blocks(path: Path) -> list[Block]:
    return [Block(*match.groups()) for match in BLOCK.finditer(path.read_text())]


def is_runnable(block: Block) -> bool:
    return block.language in {"sh", "python"} and "no-run" not in block.notes


def has_runnable(path: Path) -> bool:
    return path.name not in RUN_ELSEWHERE and any(
        is_runnable(block) and not MAKE.search(block.text) for block in read_blocks(path)
    )


@dataclass
class Reader:
    """Somebody with a folder and a server."""

    folder: Path
    server: ServerProcess

    def run(self, *command: str) -> str:
        environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "LIGHTLY_SERVER_LOCATION": self.server.url,
            "LIGHTLY_TOKEN": self.server.token,
            "LIGHTLY_MODELS_DIR": str(self.folder / "models"),
            "PYTHONPATH": str(ROOT),
            "PYTHONWARNINGS": "ignore",
        }
        done = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, check=False, text=True
        )
        assert done.returncode == 0, f"{command[-1]}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
        return done.stdout


@pytest.fixture
def reader(tmp_path):
    names = draw_folder(tmp_path / "path/to/images", N_IMAGES)
    (tmp_path / "path/to/videos").mkdir()
    write_clip(tmp_path / "path/to/videos/street.mp4", 20)
    write_embeddings(tmp_path / "embeddings.csv", names)
    write_mean_colour_model(tmp_path / "dinov2_small.onnx", layout="float")
    for name in ("a.jpg", "b.png"):
        (tmp_path / name).write_bytes((tmp_path / "path/to/images" / names[0]).read_bytes())
    (tmp_path / "key.json").write_text(json.dumps(make_service_account()))
    for name in ("images", "videos"):
        (tmp_path / "results" / name).mkdir(parents=True)
    mounts = {
        "LIGHTLY_SERVER_INPUT_MOUNT": str(tmp_path / "path/to"),
        "LIGHTLY_SERVER_LIGHTLY_MOUNT": str(tmp_path / "results"),
    }
    # Documents schedule runs and watch them: `lightly server` as it stands does them.
    made = ServerProcess(tmp_path / "lightly-data", environment=mounts, has_worker=True)
    with keep_running(made) as server:
        someone = Reader(tmp_path, server)
        someone.run(sys.executable, "-c", PREPARATION)
        yield someone


@pytest.mark.parametrize(
    "path",
    [path for path in DOCUMENTS if has_runnable(path)],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_what_a_document_shows_runs_as_it_stands(path, reader):
    blocks = [block for block in read_blocks(path) if is_runnable(block)]

    for block in blocks:
        if block.language == "sh" and not MAKE.search(block.text):
            reader.run("bash", "-euo", "pipefail", "-c", block.text)
    python = [block.text for block in blocks if block.language == "python"]
    if python:
        reader.run(sys.executable, "-c", PRELUDE + "\n".join(python))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_make_target_that_a_document_names_exists(path):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    shown = "\n".join(block.text for block in read_blocks(path))

    assert set(MAKE.findall(shown)) <= targets


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_python_is_never_left_out(path):
    assert [b for b in read_blocks(path) if b.language == "python" and "no-run" in b.notes] == []
