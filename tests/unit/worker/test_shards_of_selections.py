"""What runs a worker's stages runs the shards of a selection."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np

from lightly.selection import select_in_shards
from lightly.worker.shards.executing import run_shards
from lightly.worker.shards.executors import ShardExecutor


def test_a_selection_in_shards_runs_where_stages_run():
    rows = np.random.default_rng(6).normal(size=(300, 5)).astype(np.float32)
    looks = []

    with ThreadPoolExecutor(2) as threads:
        place = ShardExecutor(threads, 2, is_remote=False)
        runner = partial(run_shards, place=place, check=lambda: looks.append(1))
        found = select_in_shards(rows, 20, shards=6, runner=runner)

    assert found.indices.tolist() == select_in_shards(rows, 20, shards=6).indices.tolist()
    assert looks
