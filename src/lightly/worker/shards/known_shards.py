"""Shards for processes of a cluster: what is known from earlier runs is not given to them.

The file that knows images is SQLite on the worker's machine, which processes elsewhere cannot use.
So the worker takes out of each shard what it knows by its version, gives away the rest, puts both
together and keeps what is new.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from lightly.worker.shards.kernel import KnownRecords, ShardSpec, ShardSummary, name_shard
from lightly.worker.shards.records import FileRecord, iterate_records, write_records


class KnownShards:
    """Parts of shards that are known, and those that are still to be done.

    Args:
        known: What earlier runs have found out.
        purpose: As of `name_shard`.
    """

    def __init__(self, known: KnownRecords, *, purpose: str) -> None:
        self._known = known
        self._purpose = purpose
        #: What was given away, by its output: the whole shard and what is known of it.
        self._given: dict[Path, tuple[ShardSpec, Mapping[str, FileRecord]]] = {}

    def reduce(self, spec: ShardSpec) -> ShardSpec | None:
        """Return what of a shard is left to do; None if all of it is known, and written."""
        if spec.output.exists():
            # By an attempt that may have ended before it kept anything.
            self._given[spec.output] = spec, {}
            return spec
        old = self._known.find_versions(spec.files)
        new = [file for file in spec.files if file.name not in old]
        if not new:
            write_records(spec.output, [old[file.name] for file in spec.files])
            return None
        left = spec
        if old:
            left = ShardSpec(new, spec.output.with_name(name_shard(new, purpose=self._purpose)))
        self._given[left.output] = spec, old
        return left

    def complete(self, summary: ShardSummary) -> ShardSummary:
        """Return the summary of the whole shard whose rest was done, and keep what is new."""
        given = self._given.pop(summary.output, None)
        if given is None:
            return summary
        spec, old = given
        done = {record.name: record for record in iterate_records(summary.output)}
        if summary.has_same_libraries:
            self._known.keep((file, done[file.name]) for file in spec.files if file.name in done)
        if not old:
            return summary
        records = [{**old, **done}[file.name] for file in spec.files]
        write_records(spec.output, records)
        summary.output.unlink(missing_ok=True)
        return replace(
            summary,
            output=spec.output,
            counts=Counter(record.outcome for record in records),
            n_known=len(old) + summary.n_known,
        )
