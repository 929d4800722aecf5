"""Near-duplicates, representative picks, files larger than memory, and shards."""

from __future__ import annotations

import resource
import statistics
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from benchmarks.selection.data import make_embeddings
from benchmarks.selection.diversity_rows import load_loops
from benchmarks.selection.peers import Picks
from benchmarks.selection.rows import Contest, Measured, Row

# The peer searches on a part of the samples among all of them: every sample costs the same.
SEARCHED_SHARE = 0.1
# The largest that fits beside it in 16 GB: it keeps all pairs in float64, several times.
APRICOT_SAMPLES = 20_000
MOST_MEAN = 1.02
SHARD_RADIUS = 1.15


def list_rows() -> list[Row]:
    """Return the rows."""
    rows = [
        _group("clustered", 100_000, 0.6, is_quick=True),
        _group("uniform", 100_000, 0.5),
        _group("clustered", 1_000_000, 0.6),
        Row(
            what="representative vs apricot-select",
            data=f"clustered {APRICOT_SAMPLES:,} x 128, n = {APRICOT_SAMPLES // 10:,}",
            at_least=20,
            aim=None,
            prepare=_prepare_representative,
            rounds=1,
        ),
        _read_file(200_000, 512, 5_000, 400_000_000),
        _read_file(1_000_000, 512, 10_000, 800_000_000),
    ]
    rows += [
        Row(
            what=f"radius of one run over that of {shards} shards",
            data=f"{kind} 100,000 x 128, n = 1,000",
            at_least=round(1 / SHARD_RADIUS, 3),
            aim=None,
            measure=partial(_measure_shards, kind, shards),
        )
        for kind in ("clustered", "uniform")
        for shards in (4, 16, 64)
    ]
    return [*rows, _select_ten_million()]


def _group(kind: str, n: int, distance: float, *, is_quick: bool = False) -> Row:
    return Row(
        what="near-duplicate groups vs faiss range search",
        data=f"{kind} {n:,} x 128, within {distance}",
        at_least=0.667,
        aim=5,
        prepare=partial(_prepare_groups, kind, n, distance),
        is_quick=is_quick,
        rounds=3 if n <= 100_000 else 1,
    )


def _prepare_groups(kind: str, n: int, distance: float) -> Contest:
    import faiss

    from lightly.selection import find_near_duplicates

    embeddings = make_embeddings(kind, n, 128)
    load_loops()
    find_near_duplicates(embeddings[:2_000], distance)
    faiss.omp_set_num_threads(1)
    index = faiss.IndexFlatL2(128)
    index.add(embeddings)
    n_searched = int(n * SEARCHED_SHARE)
    return Contest(
        ours=lambda: find_near_duplicates(embeddings, distance),
        peer=lambda: index.range_search(embeddings[:n_searched], distance**2),
        peer_share=SEARCHED_SHARE,
    )


def _prepare_representative() -> Contest:
    from apricot import FacilityLocationSelection

    from lightly.selection import Representative, measure_coverage, select

    embeddings = make_embeddings("clustered", APRICOT_SAMPLES, 128)
    n_picks = APRICOT_SAMPLES // 10
    load_loops()

    def pick() -> Picks:
        return select(n_samples=n_picks, strategies=[Representative(embeddings)]).indices

    def pick_with_apricot() -> Picks:
        model = FacilityLocationSelection(n_picks, metric="euclidean", optimizer="lazy")
        return np.asarray(model.fit(embeddings).ranking)

    def check(ours: object, theirs: object) -> None:
        own, other = (
            measure_coverage(embeddings, cast("Picks", picks)).mean_distance
            for picks in (ours, theirs)
        )
        if own > MOST_MEAN * other:
            raise AssertionError(f"Mean distances {own} and {other} are too far apart.")

    select(n_samples=10, strategies=[Representative(embeddings[:2_000])])
    return Contest(ours=pick, peer=pick_with_apricot, agree=check)


def _read_file(n: int, d: int, n_picks: int, memory_bytes: int) -> Row:
    return Row(
        what=f"diversity from a file, in {memory_bytes // 1_000_000} MB, vs in memory",
        data=f"clustered {n:,} x {d}, n = {n_picks:,}",
        at_least=0.667,
        aim=None,
        measure=partial(_measure_file, n, d, n_picks, memory_bytes),
        rounds=1,
    )


def _measure_file(n: int, d: int, n_picks: int, memory_bytes: int, rounds: int) -> Measured:
    from lightly.data.large_selection import EmbeddingFile, select_from_file
    from lightly.selection import Diversity, select

    load_loops()
    # A map must be on a real disk: memory is what is to be saved.
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        path = Path(folder, "embeddings.npy")
        np.save(path, make_embeddings("clustered", n, d))
        ours, peers, picks = [], [], []
        for _ in range(rounds):
            started = time.process_time()
            found = select_from_file(
                EmbeddingFile(path), n_picks, memory_bytes=memory_bytes, threads=1
            )
            ours.append(time.process_time() - started)
            rows: NDArray[np.float32] = np.load(path)
            started = time.process_time()
            whole = select(n_samples=n_picks, strategies=[Diversity(rows)], threads=1)
            peers.append(time.process_time() - started)
            picks.append(np.array_equal(found.result.indices, whole.indices))
    if not all(picks):
        raise AssertionError("Picks from the file are not those in memory.")
    ratios = [peer / own for own, peer in zip(ours, peers, strict=True)]
    return Measured(statistics.median(ours), statistics.median(peers), statistics.median(ratios))


def _measure_shards(kind: str, shards: int, _: int) -> Measured:
    from lightly.selection import Diversity, measure_coverage, select, select_in_shards

    embeddings = make_embeddings(kind, 100_000, 128)
    load_loops()
    started = time.process_time()
    found = select_in_shards(embeddings, 1_000, shards=shards)
    ours_s = time.process_time() - started
    started = time.process_time()
    whole = select(n_samples=1_000, strategies=[Diversity(embeddings)], threads=1)
    peer_s = time.process_time() - started
    radius = measure_coverage(embeddings, found.indices).radius
    single = measure_coverage(embeddings, whole.indices).radius
    return Measured(ours_s, peer_s, single / radius, f"({found.n_kept:,} kept)")


def _select_ten_million() -> Row:
    return Row(
        what="diversity from a file in 3 GB",
        data="clustered 10,000,000 x 64, n = 10,000",
        at_least=None,
        aim=None,
        measure=_measure_ten_million,
        rounds=1,
    )


def _measure_ten_million(_: int) -> Measured:
    from lightly.data.large_selection import EmbeddingFile, select_from_file

    load_loops()
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        path = Path(folder, "embeddings.f32")
        with path.open("wb") as file:
            for part in range(10):
                file.write(make_embeddings("clustered", 1_000_000, 64, seed=part).tobytes())
        started = time.process_time()
        select_from_file(
            EmbeddingFile(path, n_dims=64), 10_000, memory_bytes=3_000_000_000, threads=2
        )
        spent_s = time.process_time() - started
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Measured(spent_s, 0.0, 0.0, f"(peak {peak_mb:,.0f} MB)")
