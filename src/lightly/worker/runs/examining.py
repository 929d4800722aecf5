"""Every file is decoded, measured and embedded, shard by shard."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

from lightly.embedding.pool import EmbeddingPool, ExaminedImage, count_cores, count_processes
from lightly.embedding.registry import EmbeddingModel
from lightly.media.sandbox import DecodePool
from lightly.worker.runs.context import RunContext
from lightly.worker.shards.executing import run_shards
from lightly.worker.shards.executors import ShardExecutor, open_executor
from lightly.worker.shards.kernel import (
    KERNEL_VERSION,
    Examiner,
    ShardSpec,
    ShardSummary,
    name_shard,
    run_shard,
)
from lightly.worker.shards.known_shards import KnownShards
from lightly.worker.shards.record_cache import RecordCache
from lightly.worker.shards.remote import RemoteWork, run_shard_remotely
from lightly.worker.sources.file_list import FileList
from lightly.worker.sources.reading import FileReader

log = logging.getLogger("lightly.worker")

_NO_MODEL = "no model"
RunShard = Callable[[ShardSpec], ShardSummary]

#: Files of a shard: a second or two of work, so little is lost when a worker is.
SHARD_FILES = 200


def examine_input(
    context: RunContext, files: FileList, model: EmbeddingModel, *, embeds: bool = True
) -> list[Path]:
    """Examine all files; return the files with records, in the order of the names in them.

    Args:
        context: Of the run.
        files: What to examine.
        model: What to embed with.
        embeds: Whether to; without, records have no vectors, at least not on this machine.
    """
    purpose = model.digest if embeds else _NO_MODEL
    n_total = len(files)
    planned: list[Path] = []
    n_done = n_kept = 0

    def plan(shards: KnownShards | None) -> Iterator[ShardSpec]:
        nonlocal n_done, n_kept
        for batch in files.split(SHARD_FILES):
            planned.append(context.folder.shards / name_shard(batch, purpose=purpose))
            spec = ShardSpec(batch, planned[-1])
            left = spec if shards is None else shards.reduce(spec)
            if left is not None:
                yield left
                continue
            n_done += len(batch)
            n_kept += len(batch)
            context.lease.check()
            context.lease.report_progress(n_done, n_total)

    with (
        open_executor(context.settings) as place,
        _open_cache(context, purpose) as known,
        _prepare(context, model, place, known, embeds=embeds) as run,
    ):
        shards = KnownShards(known, purpose=purpose) if known and place.is_remote else None
        for done in run_shards(plan(shards), run, place, check=context.lease.check):
            summary = done if shards is None else shards.complete(done)
            n_done += sum(summary.counts.values())
            n_kept += summary.n_known
            context.lease.report_progress(n_done, n_total)
    log.info("Examined %d files; %d of them were known from before.", n_done, n_kept)
    return planned


@contextmanager
def _prepare(
    context: RunContext,
    model: EmbeddingModel,
    place: ShardExecutor,
    known: RecordCache | None,
    *,
    embeds: bool,
) -> Iterator[RunShard]:
    """Yield what does one shard: here with one pool for all, elsewhere by itself."""
    if place.is_remote:
        work = RemoteWork.of_run(context.settings, context.claim, model)
        yield partial(run_shard_remotely, work=work)
        return
    reader = FileReader(context.link.stores, check=context.lease.check)
    with _open_examiner(context, model, embeds=embeds) as examiner:
        yield partial(run_shard, reader=reader, examiner=examiner, known=known)


@contextmanager
def _open_examiner(
    context: RunContext, model: EmbeddingModel, *, embeds: bool
) -> Iterator[Examiner]:
    n_processes = context.settings.n_processes or context.options.n_processes
    if embeds:
        with EmbeddingPool(model, n_processes=n_processes or count_processes(model)) as pool:
            yield pool
    else:
        with DecodePool(n_processes or count_cores()) as pool:
            yield _Inspector(pool)


class _Inspector:
    """Looks into images without a model."""

    def __init__(self, pool: DecodePool) -> None:
        self._pool = pool

    def examine(self, sources: Iterable[bytes], /) -> Iterator[ExaminedImage]:
        """Yield the report of every image, in input order."""
        return (ExaminedImage(report, None) for report in self._pool.inspect_images(sources))


@contextmanager
def _open_cache(context: RunContext, purpose: str) -> Iterator[RecordCache | None]:
    """Yield what earlier runs have found out, unless the run wants nothing of it."""
    limits = (context.settings.cache_bytes, context.options.cache_bytes)
    limit_bytes = min(limit for limit in limits if limit is not None)
    if limit_bytes <= 0:
        yield None
        return
    path = context.settings.work_dir / "cache" / "records.sqlite"
    everything = f"{KERNEL_VERSION}\0{purpose}"
    with closing(RecordCache(path, purpose=everything, limit_bytes=limit_bytes)) as known:
        yield known
