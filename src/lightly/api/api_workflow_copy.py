"""Copying the images of a tag to a place of the user's choice."""

from __future__ import annotations

import warnings

from lightly._kit.bitmask import iterate_indices, parse_bitmask
from lightly._kit.errors import BadInput
from lightly.api.answers import read_text
from lightly.api.api_workflow_tags import INITIAL_TAG, _TagsMixin
from lightly.api.client_base import make_path
from lightly.api.copy_targets import open_copy_target
from lightly.api.dataset_samples import DatasetSamples
from lightly.api.errors import IncompleteCopyWarning
from lightly.api.progress import show_progress
from lightly.api.selection_copies import CopyReport, SelectionCopy

_SHOWN_FAILURES = 10
_MAX_WORKERS = 256


class _CopySelectionMixin(_TagsMixin):
    """Copying the images of a tag to a place of the user's choice."""

    def copy_selection(
        self,
        destination: str,
        *,
        tag_name: str = INITIAL_TAG,
        exclude_parent_tag: bool = False,
        overwrite: bool = False,
        max_workers: int = 8,
        verbose: bool = True,
    ) -> CopyReport:
        """Copy the images of a tag to a folder or a bucket.

        Bytes go from the datasource, or the server's storage, through this machine to the
        destination; nothing is written to the datasource. Call it again to go on where a copy was
        interrupted: files that are there are compared with their source, not transferred. Each
        file is there as a whole or not at all. What could not be copied is listed in an
        `IncompleteCopyWarning` and in the report.

        Args:
            destination: A folder, or `s3://BUCKET/PREFIX`, `gs://BUCKET/PREFIX`,
                `az://CONTAINER/PREFIX`. Credentials come from the provider's usual variables.
            tag_name: Name of the tag.
            exclude_parent_tag: Leave out what is in the parent tag. A tag without parent keeps
                all.
            overwrite: Replace files of the same name that differ, which are else left alone and
                reported.
            max_workers: Most files that are copied at the same time.
            verbose: Whether to show a progress bar.

        Returns:
            How many files were copied, how many were there already, and what failed.

        Raises:
            ValueError: If the tag does not exist, or the destination is none.
            CopyTargetFailed: If the destination cannot be used.
            ConnectionFailed: If the server or the store is away for too long.

        Example:
            >>> client.copy_selection("s3://labels/round-1", tag_name="round-1")  # doctest: +SKIP
            CopyReport(n_copied=500, n_present=0, n_bytes=81264640, failures=[])
        """
        if not 1 <= max_workers <= _MAX_WORKERS:
            raise BadInput(f"'max_workers' must be 1 to {_MAX_WORKERS}, got {int(max_workers)}.")
        target = open_copy_target(str(destination))
        dataset_id = self.dataset_id
        tag = self.get_tag_by_name(tag_name)
        bit_mask_data = tag.bit_mask_data
        if exclude_parent_tag and tag.prev_tag_id is not None:
            bit_mask_data = self._subtract_tags(tag.id, tag.prev_tag_id)
        mask = parse_bitmask(bit_mask_data, tag.tot_size)
        n_files = sum(1 for _ in iterate_indices(mask))

        def find_url(sample_id: str) -> str:
            path = make_path("v1", "datasets", dataset_id, "samples", sample_id, "readurl")
            return read_text(self._transport.get(path, {"type": "full"}))

        copy = SelectionCopy(self._transport, target, find_url, is_overwriting=overwrite)
        samples = DatasetSamples(self._transport, dataset_id)
        with show_progress("Copying", unit="files", total=n_files, is_shown=verbose) as bar:
            for _ in copy.run(samples.iterate_selected(mask), max_workers=max_workers):
                bar.update(1)
        if copy.report.failures:
            warnings.warn(
                describe_failures(copy.report, n_files), IncompleteCopyWarning, stacklevel=2
            )
        return copy.report


def describe_failures(report: CopyReport, n_files: int) -> str:
    """Return what could not be copied, the first files by name."""
    shown = report.failures[:_SHOWN_FAILURES]
    listed = "".join(f"\n  {name}: {reason}" for name, reason in shown)
    more = len(report.failures) - len(shown)
    listed += f"\n  and {more} more" if more else ""
    return f"{len(report.failures)} of {n_files} files could not be copied:{listed}"
