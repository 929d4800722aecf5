"""Every file is decoded, measured and embedded, shard by shard."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from lightly.embedding.pool import EmbeddingPool, count_processes
from lightly.embedding.registry import EmbeddingModel
from lightly.worker.runs.context import RunContext
from lightly.worker.shards.executing import run_shards
from lightly.worker.shards.executors import ShardExecutor, open_executor
from lightly.worker.shards.kernel import ShardSpec, ShardSummary, name_shard, run_shard
from lightly.worker.shards.remote import RemoteWork, run_shard_remotely
from lightly.worker.sources.file_list import FileList
from lightly.worker.sources.reading import FileReader

log = logging.getLogger("lightly.worker")

RunShard = Callable[[ShardSpec], ShardSummary]

#: Files of a shard: a second or two of work, so little is lost when a worker is.
SHARD_FILES = 200


def examine_input(context: RunContext, files: FileList, model: EmbeddingModel) -> list[Path]:
    """Examine all files; return the files with records, in the order of the names in them."""
    n_total = len(files)
    planned: list[Path] = []

    def plan() -> Iterator[ShardSpec]:
        for batch in files.split(SHARD_FILES):
            name = name_shard(batch, purpose=model.digest)
            planned.append(context.folder.shards / name)
            yield ShardSpec(batch, planned[-1])

    n_done = n_kept = 0
    with open_executor(context.settings) as place, _prepare(context, model, place) as run:
        for summary in run_shards(
            plan(), run, place.executor, n_parallel=place.n_parallel, check=context.lease.check
        ):
            count = sum(summary.counts.values())
            n_done += count
            n_kept += count if summary.was_done else 0
            context.lease.report_progress(n_done, n_total)
    log.info("Examined %d files; %d of them were known from before.", n_done, n_kept)
    return planned


@contextmanager
def _prepare(
    context: RunContext, model: EmbeddingModel, place: ShardExecutor
) -> Iterator[RunShard]:
    """Yield what does one shard: here with one pool for all, elsewhere by itself."""
    settings = context.settings
    if place.is_remote:
        work = RemoteWork(
            settings.server_url, context.claim.server_url, model, settings.egress, settings.token
        )
        yield partial(run_shard_remotely, work=work)
        return
    reader = FileReader(context.link.stores, check=context.lease.check)
    n_processes = settings.n_processes or context.options.n_processes or count_processes(model)
    with EmbeddingPool(model, n_processes=n_processes) as pool:
        yield partial(run_shard, reader=reader, examiner=pool)
