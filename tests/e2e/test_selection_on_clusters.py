"""Selections in shards on real clusters of Ray and Dask: the picks of threads, whatever is lost."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pytest

from tests.support.engine_clusters import Cluster, run_dask, run_ray

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("clusters")]

ENGINES: dict[str, Callable[[Path], AbstractContextManager[Cluster]]] = {
    "ray": run_ray,
    "dask": run_dask,
}
MODULES = {"ray": "ray", "dask": "distributed"}
TIMEOUT_S = 600

#: In a process of its own: that of the tests shall not belong to any cluster.
SCRIPT = """
import json, sys
from functools import partial
from pathlib import Path

from lightly.data.large_selection import EmbeddingFile
from lightly.selection import select_in_shards
from lightly.worker.settings import WorkerSettings
from lightly.worker.shards.executing import run_shards
from lightly.worker.shards.executors import open_executor

if __name__ == "__main__":
    path, executor, address = sys.argv[1:]
    settings = WorkerSettings(
        server_url="", token="", name="test", work_dir=Path(path).parent,
        executor=executor, executor_address=address or None,
    )
    with open_executor(settings) as place:
        runner = partial(run_shards, place=place, check=lambda: None)
        found = select_in_shards(
            EmbeddingFile(path), 400, shards=24, preselected=[7, 3], runner=runner,
            progress=lambda *done: print(*done, flush=True),
        )
    numbers = [found.n_kept, found.common_radius, found.radius_bound]
    print(json.dumps([found.indices.tolist(), found.distances.tolist(), numbers]))
"""


@pytest.fixture(scope="module")
def embeddings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of embeddings, in clusters and with copies."""
    generator = np.random.default_rng(3)
    centres = generator.normal(size=(50, 64))
    rows = centres[generator.integers(0, 50, 60_000)] + 0.2 * generator.normal(size=(60_000, 64))
    rows[30_000:31_000] = rows[:1_000]
    path = tmp_path_factory.mktemp("selection") / "embeddings.npy"
    np.save(path, rows.astype(np.float32))
    return path


@pytest.fixture(scope="module")
def expected(embeddings: Path) -> str:
    """What threads of this machine pick."""
    return _start(embeddings, "threads", "")[-1]


@pytest.mark.parametrize("engine", list(ENGINES))
def test_a_selection_that_loses_a_node_ends_as_on_threads(
    embeddings: Path, expected: str, engine: str, tmp_path: Path
) -> None:
    if importlib.util.find_spec(MODULES[engine]) is None:
        pytest.skip(f"{engine} is not installed: `make test-long` does that")
    with ENGINES[engine](tmp_path) as cluster:
        whole = _start(embeddings, engine, cluster.address)
        torn = _start(embeddings, engine, cluster.address, after_two_shards=cluster.kill_node)
    assert len(json.loads(expected)[0]) == 400
    assert whole[-1] == expected
    assert torn[-1] == expected
    # The engine may have words of its own about a node that is lost.
    assert [len([line for line in run if line.endswith(" 24")]) for run in (whole, torn)] == [
        25
    ] * 2


def _start(
    embeddings: Path,
    engine: str,
    address: str,
    after_two_shards: Callable[[], None] | None = None,
) -> list[str]:
    """Run a selection; return what it prints."""
    command = [sys.executable, "-c", SCRIPT, str(embeddings), engine, address]
    lines = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line.strip())
            if after_two_shards is not None and lines[-1] == "2 24":
                after_two_shards()
        assert process.wait(TIMEOUT_S) == 0
    return lines
