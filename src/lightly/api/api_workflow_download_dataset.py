"""Downloading the images of a tag."""

from __future__ import annotations

from pathlib import Path

from lightly._kit.bitmask import iterate_indices, parse_bitmask
from lightly.api.api_workflow_tags import INITIAL_TAG, _TagsMixin
from lightly.api.client_base import log
from lightly.api.dataset_samples import DatasetSamples
from lightly.api.file_downloads import make_image_downloads, warn_of_failures
from lightly.api.progress import show_progress

_HAS_IMAGES = "full"


class _DownloadDatasetMixin(_TagsMixin):
    """Downloading the images of a tag."""

    def download_dataset(
        self,
        output_dir: str,
        tag_name: str = INITIAL_TAG,
        verbose: bool = True,
        *,
        max_workers: int = 8,
        exclude_parent_tag: bool = False,
    ) -> None:
        """Download the images of a tag, as the files that were uploaded.

        Files that are in the folder already with the right size are not transferred again, so an
        interrupted download goes on where it stopped. A file is there as a whole or not at all.
        Names that would lead outside of the folder are refused. What could not be downloaded is
        listed in an `IncompleteDownloadWarning`.

        Args:
            output_dir: Where to store the images. Sub-folders are made as the names have them.
            tag_name: Name of the tag which should be downloaded.
            verbose: Whether or not to show the progress bar.
            max_workers: Most images that are downloaded at the same time.
            exclude_parent_tag: Leave out what is in the parent tag. A tag without parent keeps
                all.

        Raises:
            ValueError: If the specified tag does not exist on the dataset, or the dataset has no
                images, only thumbnails or metadata.
            RuntimeError: If the connection to the server failed.
        """
        dataset = self._read_dataset(self.dataset_id)
        if dataset.img_type != _HAS_IMAGES:
            raise ValueError(
                f"The dataset {dataset.id} has no images to download: they were not uploaded. "
                "Upload with mode='full' to have them on the server."
            )
        tag = self.get_tag_by_name(tag_name)
        bit_mask_data = tag.bit_mask_data
        if exclude_parent_tag and tag.prev_tag_id is not None:
            bit_mask_data = self._subtract_tags(tag.id, tag.prev_tag_id)
        mask = parse_bitmask(bit_mask_data, tag.tot_size)
        n_images = sum(1 for _ in iterate_indices(mask))
        downloads = make_image_downloads(self._transport, dataset.id, Path(output_dir))
        samples = DatasetSamples(self._transport, dataset.id)
        with show_progress("Downloading", unit="imgs", total=n_images, is_shown=verbose) as bar:
            for _ in downloads.run(samples.iterate_selected(mask), max_workers=max_workers):
                bar.update(1)
        log.info("Downloaded %d of %d images.", n_images - len(downloads.failures), n_images)
        warn_of_failures(downloads.failures, n_images)
