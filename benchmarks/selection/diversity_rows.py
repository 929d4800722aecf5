"""DIVERSITY against each peer."""

from __future__ import annotations

from functools import partial

from benchmarks.selection.data import make_embeddings
from benchmarks.selection.peers import (
    Embeddings,
    Picks,
    pick_with_apricot,
    pick_with_fpsample,
    pick_with_mundig,
    pick_with_numpy,
)
from benchmarks.selection.rows import Contest, Row

# Plain greedy costs the same for every pick: timing more of them tells nothing new.
_PLAIN_PICKS = 1_000


def list_rows() -> list[Row]:
    """Return the rows."""
    rows = []
    for kind in ("clustered", "uniform"):
        rows += [
            _against_mundig(kind, 50_000, 128, 5_000, 8, 25, is_quick=kind == "clustered"),
            _against_mundig(kind, 100_000, 128, 10_000, 8, 25),
            _against_mundig(kind, 50_000, 512, 5_000, 10, 30),
        ]
        rows += [
            _against_mundig(kind, n, d, n // 100, 4, 12, is_quick=(n, d) == (50_000, 32))
            for n in (50_000, 100_000)
            for d in (32, 128, 512)
        ]
    rows += [
        _against_numpy("clustered", n, d, n_picks, 0.9, None)
        for n, d, n_picks in (
            (1_000, 32, 100),
            (5_000, 128, 100),
            (10_000, 32, 100),
            (10_000, 128, 1_000),
            (50_000, 32, 500),
        )
    ]
    rows += [
        _against_peer("fpsample", "clustered", n, d, n_picks)
        for n, d, n_picks in ((10_000, 128, 1_000), (50_000, 128, 500))
    ]
    rows.append(_against_peer("apricot facility location", "clustered", 5_000, 128, 200))
    rows.append(_with_two_threads())
    rows.append(_against_numpy("clustered", 1_000_000, 128, 10_000, 15, None, most_s=30))
    return rows


def _against_mundig(
    kind: str, n: int, d: int, n_picks: int, at_least: float, aim: float, *, is_quick: bool = False
) -> Row:
    return Row(
        what="diversity vs lightly-mundig",
        data=f"{kind} {n:,} x {d}, n = {n_picks:,}",
        at_least=at_least,
        aim=aim,
        prepare=partial(_prepare_mundig, kind, n, d, n_picks),
        is_quick=is_quick,
    )


def _prepare_mundig(kind: str, n: int, d: int, n_picks: int) -> Contest:
    embeddings = make_embeddings(kind, n, d)
    load_loops()
    return Contest(
        ours=lambda: select_diverse(embeddings, n_picks),
        peer=lambda: pick_with_mundig(embeddings, n_picks),
    )


def _against_numpy(
    kind: str,
    n: int,
    d: int,
    n_picks: int,
    at_least: float,
    aim: float | None,
    most_s: float | None = None,
) -> Row:
    return Row(
        what="diversity vs numpy greedy",
        data=f"{kind} {n:,} x {d}, n = {n_picks:,}",
        at_least=at_least,
        aim=aim,
        prepare=partial(_prepare_numpy, kind, n, d, n_picks),
        most_s=most_s,
        rounds=1 if n >= 1_000_000 else 3,
    )


_PEERS = {"fpsample": pick_with_fpsample, "apricot facility location": pick_with_apricot}


def _against_peer(peer: str, kind: str, n: int, d: int, n_picks: int) -> Row:
    return Row(
        what=f"diversity vs {peer}",
        data=f"{kind} {n:,} x {d}, n = {n_picks:,}",
        at_least=None,
        aim=None,
        prepare=partial(_prepare_peer, peer, kind, n, d, n_picks),
    )


def _prepare_peer(peer: str, kind: str, n: int, d: int, n_picks: int) -> Contest:
    embeddings = make_embeddings(kind, n, d)
    load_loops()
    _PEERS[peer](embeddings[:300], 5)
    return Contest(
        ours=lambda: select_diverse(embeddings, n_picks),
        peer=lambda: _PEERS[peer](embeddings, n_picks),
    )


def _prepare_numpy(kind: str, n: int, d: int, n_picks: int) -> Contest:
    embeddings = make_embeddings(kind, n, d)
    load_loops()
    n_plain = min(n_picks, _PLAIN_PICKS)
    # Short runs are repeated, or else the clock is too coarse.
    repeats = 1 + 20_000_000 // (n * n_picks)
    return Contest(
        ours=lambda: [select_diverse(embeddings, n_picks) for _ in range(repeats)],
        peer=lambda: [pick_with_numpy(embeddings, n_plain) for _ in range(repeats)],
        peer_share=n_plain / n_picks,
    )


def _with_two_threads() -> Row:
    return Row(
        what="two threads vs one",
        data="clustered 50,000 x 512, n = 5,000",
        at_least=1.5,
        aim=1.85,
        prepare=_prepare_threads,
        by_wall=True,
        rounds=5,
    )


def _prepare_threads() -> Contest:
    from lightly.selection import Diversity, select

    embeddings = make_embeddings("clustered", 50_000, 512)
    load_loops()
    strategies = [Diversity(embeddings)]
    return Contest(
        ours=lambda: select(n_samples=5_000, strategies=strategies, threads=2),
        peer=lambda: select(n_samples=5_000, strategies=strategies, threads=1),
    )


def load_loops() -> None:
    """Load the compiled loops, which takes half a second once per process."""
    from lightly.selection.kernels.loading import load_kernels, load_more_kernels

    if load_kernels() is not None:
        load_more_kernels("dense")


def select_diverse(embeddings: Embeddings, n_picks: int) -> Picks:
    """Pick with this engine."""
    from lightly.selection import Diversity, select

    return select(n_samples=n_picks, strategies=[Diversity(embeddings)]).indices
