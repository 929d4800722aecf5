"""The examples of the references of commands and active learning, run in the order of the pages."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.support.pictures import draw_folder
from tests.support.platforms import run_process

ROOT = Path(__file__).parents[2]
COMMANDS = ROOT / "docs/reference/commands.md"
ACTIVE_LEARNING = ROOT / "docs/reference/active-learning.md"


def read_blocks(page: Path, language: str) -> list[str]:
    """Return the examples of a page in one language."""
    return re.findall(
        rf"^```{language}\n(.*?)^```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE
    )


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """Variables of a user with a server."""
    with run_process(tmp_path_factory.mktemp("server") / "data") as server:
        yield {
            **os.environ,
            "LIGHTLY_SERVER_LOCATION": server.url,
            "LIGHTLY_TOKEN": server.token,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with images, a label file for each, and a place for results."""
    folder = tmp_path_factory.mktemp("user")
    for name in draw_folder(folder / "images", 8):
        label = folder / "labels" / Path(name).with_suffix(".txt")
        label.parent.mkdir(parents=True, exist_ok=True)
        label.write_text("0 .5 .5 .4 .4\n")
    (folder / "results").mkdir()
    return folder


def run_shell(command, folder, environment):
    done = subprocess.run(
        ["bash", "-eu", "-c", command], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, (command, done.stderr)


def run_python(source, folder, environment):
    done = subprocess.run(
        [sys.executable, "-"],
        cwd=folder, env=environment, capture_output=True, text=True, input=source,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def commands_run(folder, environment):
    """All commands of the page, but the one that serves until it is stopped."""
    for block in read_blocks(COMMANDS, "sh"):
        if block.startswith("lightly-serve"):
            continue
        run_shell(block, folder, environment)
        if "DATASET_ID" not in environment:
            environment["DATASET_ID"] = find_dataset(environment)
    return folder


def find_dataset(environment):
    headers = {"Authorization": f"Bearer {environment['LIGHTLY_TOKEN']}"}
    url = f"{environment['LIGHTLY_SERVER_LOCATION']}/v1/datasets"
    (dataset,) = requests.get(url, headers=headers, timeout=30).json()
    return dataset["id"]


def test_the_commands_do_what_the_page_says(commands_run):
    lists = list(commands_run.glob("lightly_outputs/*/*/initial-tag.txt"))
    folders = [commands_run / name for name in ("downloaded", "copied", "crops")]

    assert lists
    assert [sum(path.is_file() for path in made.rglob("*")) for made in folders] == [8, 8, 8]


def test_the_python_example_of_the_commands_runs(folder, environment):
    (source,) = read_blocks(COMMANDS, "python")

    run_python(source + "\nassert len(files) == 8", folder, environment)


def test_the_active_learning_examples_run(commands_run, environment):
    run_python("\n".join(read_blocks(ACTIVE_LEARNING, "python")), commands_run, environment)
