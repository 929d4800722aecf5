"""A selection from a file whose process is killed goes on where it was, to the same picks."""

from __future__ import annotations

import subprocess
import sys

import numpy as np

from lightly.data.large_selection import EmbeddingFile, select_from_file
from lightly.selection import Diversity, select

N_PICKS = 2_000
SCRIPT = """
import sys
from lightly.data.large_selection import EmbeddingFile, select_from_file
select_from_file(
    EmbeddingFile(sys.argv[1]), 2000, threads=1, checkpoint=sys.argv[2],
    checkpoint_interval_s=0.0, progress=lambda at: print(at.n_picked, flush=True),
)
print("done", flush=True)
"""


def run_until(folder, n_picked):
    """Start a selection and kill it once it has so many picks; return whether it was under way."""
    command = [sys.executable, "-c", SCRIPT, str(folder / "rows.npy"), str(folder / "point")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if line.strip() == "done" or int(line) >= n_picked:
                break
        process.kill()
    return line.strip() != "done"


def test_a_selection_that_is_killed_again_and_again_ends_with_the_same_picks(tmp_path):
    rows = np.random.default_rng(2).normal(size=(20_000, 24)).astype(np.float32)
    np.save(tmp_path / "rows.npy", rows)

    was_under_way = [run_until(tmp_path, n_picked) for n_picked in (0, 300, 900, 1_400)]
    found = select_from_file(
        EmbeddingFile(tmp_path / "rows.npy"), N_PICKS, checkpoint=tmp_path / "point"
    )

    whole = select(n_samples=N_PICKS, strategies=[Diversity(rows)])
    assert all(was_under_way)
    assert 300 <= found.n_resumed < N_PICKS
    assert found.result.indices.tolist() == whole.indices.tolist()
    assert found.result.distances.tolist() == whole.distances.tolist()
