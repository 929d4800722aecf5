"""Running shards: some at a time, each result as it comes, ended early when asked to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait

from lightly.worker.shards.kernel import ShardSpec, ShardSummary

#: How often to look whether to go on while no shard ends.
_LOOK_INTERVAL_S = 0.5


def run_shards(
    specs: Iterable[ShardSpec],
    run: Callable[[ShardSpec], ShardSummary],
    executor: Executor,
    *,
    n_parallel: int,
    check: Callable[[], None],
) -> Iterator[ShardSummary]:
    """Yield the summary of every shard, in the order in which they end.

    Args:
        specs: The shards; taken as they are needed.
        run: Does one.
        executor: Where; any `concurrent.futures.Executor`.
        n_parallel: How many are under way at the same time.
        check: Raises if the run shall not go on.
    """
    remaining = iter(specs)
    running: set[Future[ShardSummary]] = set()
    try:
        while True:
            while len(running) < n_parallel and (spec := next(remaining, None)) is not None:
                running.add(executor.submit(run, spec))
            if not running:
                return
            done, running = wait(running, _LOOK_INTERVAL_S, return_when=FIRST_COMPLETED)
            check()
            for future in done:
                yield future.result()
    finally:
        for future in running:
            future.cancel()
