"""Running shards: some at a time, each result as it comes, ended early when asked to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import TypeVar

from lightly.worker.shards.executors import ShardExecutor

Spec = TypeVar("Spec")
Summary = TypeVar("Summary")

#: How often to look whether to go on while no shard ends.
_LOOK_INTERVAL_S = 0.5


def run_shards(
    specs: Iterable[Spec],
    run: Callable[[Spec], Summary],
    place: ShardExecutor,
    *,
    check: Callable[[], None],
) -> Iterator[Summary]:
    """Yield the summary of every shard, in the order in which they end.

    Args:
        specs: The shards; taken as they are needed.
        run: Does one.
        place: Where, and how many are under way at the same time.
        check: Raises if the run shall not go on.

    Raises:
        RunFailed: If the place is lost.
    """
    remaining = iter(specs)
    running: set[Future[Summary]] = set()
    try:
        while True:
            while len(running) < place.n_parallel and (spec := next(remaining, None)) is not None:
                running.add(place.executor.submit(run, spec))
            if not running:
                return
            done, running = wait(running, _LOOK_INTERVAL_S, return_when=FIRST_COMPLETED)
            check()
            place.check()
            for future in done:
                yield _take(future, place.explain)
    finally:
        for future in running:
            future.cancel()


def _take(future: Future[Summary], explain: Callable[[Exception], Exception]) -> Summary:
    try:
        return future.result()
    except Exception as error:
        reason = explain(error)
        if reason is error:
            raise
        raise reason from error
