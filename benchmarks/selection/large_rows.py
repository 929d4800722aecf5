"""Near-duplicates, representative picks, files larger than memory, and shards."""

from __future__ import annotations

import time
from functools import partial
from typing import cast

import numpy as np

from benchmarks.selection.data import make_embeddings
from benchmarks.selection.diversity_rows import load_loops
from benchmarks.selection.file_rows import read_file, select_ten_million
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
        _approximate(200_000, 64, 10_000),
        _approximate(1_000_000, 64, 10_000),
        read_file(200_000, 512, 5_000, 400_000_000),
        read_file(1_000_000, 512, 10_000, 800_000_000),
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
    return [*rows, select_ten_million()]


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


def _approximate(n: int, d: int, n_picks: int) -> Row:
    return Row(
        what="representative on an approximate graph vs on the exact one",
        data=f"clustered {n:,} x {d}, n = {n_picks:,}",
        at_least=2,
        aim=None,
        measure=partial(_measure_approximate, n, d, n_picks),
        rounds=1,
    )


def _measure_approximate(n: int, d: int, n_picks: int, _: int) -> Measured:
    from lightly.selection import Representative, RepresentativeReport, measure_coverage, select
    from lightly.selection.representative import GraphKind

    embeddings = make_embeddings("clustered", n, d)
    load_loops()

    def pick(graph: GraphKind) -> tuple[float, float, RepresentativeReport]:
        started = time.process_time()
        found = select(n_samples=n_picks, strategies=[Representative(embeddings, graph=graph)])
        spent_s = time.process_time() - started
        mean = measure_coverage(embeddings, found.indices).mean_distance
        return spent_s, mean, cast("RepresentativeReport", found.strategies[0])

    ours_s, mean, report = pick("approximate")
    peer_s, exact_mean, _exact = pick("exact")
    if mean > MOST_MEAN * exact_mean:
        raise AssertionError(f"Mean distances {mean} and {exact_mean} are too far apart.")
    note = (
        f"(recall {report.recall:.3f} of {report.n_recall_samples:,}, mean distance {mean:.4f}, "
        f"exact {exact_mean:.4f})"
    )
    return Measured(ours_s, peer_s, peer_s / ours_s, note)


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
