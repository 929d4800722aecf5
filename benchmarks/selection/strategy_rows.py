"""The other strategies, alone and mixed with DIVERSITY, against lightly-mundig."""

from __future__ import annotations

from functools import partial
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from benchmarks.selection.data import make_embeddings
from benchmarks.selection.peers import Picks
from benchmarks.selection.rows import Contest, Row

N_NEIGHBOURS, TYPICALITY_TOLERANCE = 20, 1e-5
# Its sums are float32: near-ties part the picks, so sets are compared, not orders.
LEAST_OVERLAP, LEAST_BALANCE = 0.7, 0.999
MUNDIG = "vs lightly-mundig"


def list_rows() -> list[Row]:
    """Return the rows."""
    rows = [
        _mix(kind, 50_000, d, n, is_quick=(kind, d, n) == ("clustered", 128, 1_000))
        for kind in ("clustered", "uniform")
        for d in (128, 512)
        for n in (1_000, 5_000)
    ]
    rows += [_rate_typicality(kind) for kind in ("clustered", "uniform")]
    rows += [_balance_codes(), _balance_counts(), _balance_dense(), _sort_weights()]
    return rows


def _mix(kind: str, n: int, d: int, n_picks: int, *, is_quick: bool) -> Row:
    return Row(
        what=f"diversity x weights {MUNDIG}",
        data=f"{kind} {n:,} x {d}, n = {n_picks:,}",
        at_least=4,
        aim=12,
        prepare=partial(_prepare_mix, kind, n, d, n_picks),
        is_quick=is_quick,
        rounds=3 if n_picks < n // 10 else 1,
    )


def _prepare_mix(kind: str, n: int, d: int, n_picks: int) -> Contest:
    from lightly.selection import Diversity, Weights

    embeddings = make_embeddings(kind, n, d)
    weights = np.random.default_rng(1).random(n)
    _load(embeddings, weights)
    return Contest(
        ours=partial(_pick, n_picks, [Diversity(embeddings), Weights(weights)]),
        peer=partial(
            _pick_with_mundig,
            n,
            n_picks,
            ("add_diversifying_strategy", embeddings),
            ("add_weighting_strategy", weights.astype(np.float32)),
        ),
        agree=_check_overlap,
    )


def _rate_typicality(kind: str) -> Row:
    return Row(
        what=f"typicality K = {N_NEIGHBOURS} {MUNDIG}",
        data=f"{kind} 20,000 x 128",
        at_least=2.5,
        aim=8,
        prepare=partial(_prepare_typicality, kind),
        is_quick=kind == "clustered",
    )


def _prepare_typicality(kind: str) -> Contest:
    import lightly_mundig

    from lightly.selection import Typicality, select

    embeddings = make_embeddings(kind, 20_000, 128)

    def rate() -> NDArray[np.float64]:
        result = select(n_samples=None, strategies=[Typicality(embeddings)])
        values = np.empty(len(embeddings))
        values[result.indices] = result.gains[:, 0]
        return values

    rate()
    return Contest(
        ours=rate,
        peer=lambda: np.array(
            lightly_mundig.Typicality(embeddings).calculate_typicality(N_NEIGHBOURS)
        ),
        agree=_check_values,
    )


def _balance_codes() -> Row:
    return Row(
        what=f"balance of class numbers {MUNDIG}",
        data="100,000 x 50 classes, n = 500",
        at_least=100,
        aim=1_000,
        prepare=partial(_prepare_codes, 100_000, 50, 500),
        is_quick=True,
        most_s=0.1,
    )


def _prepare_codes(n: int, n_classes: int, n_picks: int) -> Contest:
    from lightly.selection import Balance

    rng = np.random.default_rng(1)
    codes = rng.integers(0, n_classes, size=n)
    target = rng.dirichlet(np.ones(n_classes))
    rows = np.eye(n_classes, dtype=np.float32)[codes]
    strategy = Balance(codes, target=dict(enumerate(target.tolist())), n_classes=n_classes)
    return _prepare_balance(strategy, rows, target, n_picks)


def _balance_counts() -> Row:
    return Row(
        what=f"balance of object counts {MUNDIG}",
        data="50,000 x 80 classes, 3 per sample, n = 300",
        at_least=4,
        aim=15,
        prepare=partial(_prepare_counts, 50_000, 80, 300),
        is_quick=True,
    )


def _prepare_counts(n: int, n_classes: int, n_picks: int) -> Contest:
    from lightly.selection import Balance

    rng = np.random.default_rng(1)
    rows = np.zeros((n, n_classes), dtype=np.float32)
    for _ in range(3):
        rows[np.arange(n), rng.integers(0, n_classes, size=n)] += rng.integers(0, 4, size=n)
    target = rng.dirichlet(np.ones(n_classes))
    strategy = Balance(rows, target=dict(enumerate(target.tolist())))
    return _prepare_balance(strategy, rows, target, n_picks)


def _balance_dense() -> Row:
    return Row(
        what=f"balance of probabilities {MUNDIG}",
        data="50,000 x 50 classes, n = 200",
        at_least=None,
        aim=None,
        prepare=partial(_prepare_dense, 50_000, 50, 200),
    )


def _prepare_dense(n: int, n_classes: int, n_picks: int) -> Contest:
    from lightly.selection import Balance

    rng = np.random.default_rng(1)
    rows = rng.dirichlet(np.full(n_classes, 0.3), size=n).astype(np.float32)
    target = rng.dirichlet(np.ones(n_classes))
    strategy = Balance(rows, target=dict(enumerate(target.tolist())))
    return _prepare_balance(strategy, rows, target, n_picks)


def _prepare_balance(
    strategy: Any, rows: NDArray[np.float32], target: NDArray[np.float64], n_picks: int
) -> Contest:
    def check(ours: object, theirs: object) -> None:
        mixes = [rows[np.asarray(picks)].sum(axis=0) for picks in (ours, theirs)]
        own, other = (-(target * np.log(mix / mix.sum() + 1e-10)).sum() for mix in mixes)
        if own > other / LEAST_BALANCE:
            raise AssertionError(f"Cross-entropies {own} and {other} are too far apart.")

    return Contest(
        ours=partial(_pick, n_picks, [strategy]),
        peer=partial(
            _pick_with_mundig, len(rows), n_picks, ("add_balancing_strategy", rows, target.tolist())
        ),
        agree=check,
    )


def _sort_weights() -> Row:
    return Row(
        what=f"weights {MUNDIG}",
        data="100,000, n = 1,000",
        at_least=10,
        aim=None,
        prepare=_prepare_weights,
        is_quick=True,
    )


def _prepare_weights() -> Contest:
    from lightly.selection import Weights

    weights = np.random.default_rng(1).random(100_000).astype(np.float32)
    return Contest(
        ours=partial(_pick, 1_000, [Weights(weights)]),
        peer=partial(_pick_with_mundig, 100_000, 1_000, ("add_weighting_strategy", weights)),
        agree=_check_overlap,
    )


def _pick(n_picks: int, strategies: list[Any]) -> Picks:
    from lightly.selection import select

    return select(n_samples=n_picks, strategies=strategies).indices


def _load(embeddings: NDArray[np.float32], weights: NDArray[np.float64]) -> None:
    """Load compiled loops, which a process does once."""
    from lightly.selection.kernels.loading import load_kernels, load_more_kernels

    if load_kernels() is not None:
        load_more_kernels("mixing")
    from lightly.selection import Diversity, Weights

    _pick(10, [Diversity(embeddings[:300]), Weights(weights[:300])])


def _pick_with_mundig(n: int, n_picks: int, *additions: tuple[Any, ...]) -> Picks:
    from lightly_mundig import Selection

    selection = Selection()
    for method, *arguments in additions:
        getattr(selection, method)(*arguments, 1.0)
    return np.asarray(selection.run_selection([], n, n_picks))


def _check_overlap(ours: object, theirs: object) -> None:
    own, other = cast("Picks", ours), cast("Picks", theirs)
    overlap = len(np.intersect1d(own, other)) / len(own)
    if overlap < LEAST_OVERLAP:
        raise AssertionError(f"Only {overlap:.0%} of the picks are the same.")


def _check_values(ours: object, theirs: object) -> None:
    off = np.abs(np.asarray(ours) - np.asarray(theirs)).max()
    if off > TYPICALITY_TOLERANCE:
        raise AssertionError(f"Typicalities differ by up to {off}.")
