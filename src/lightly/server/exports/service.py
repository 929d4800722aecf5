"""Exports of a tag: its samples as tasks of labelling tools, as names, as URLs.

All formats go through the samples in index order, so their entries line up. URLs lead back to this
server and carry a public token, which is made once per request.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass

from lightly.openapi_generated.swagger_client.models.file_name_format import FileNameFormat
from lightly.server.auth.users import User
from lightly.server.datasets.access import load_dataset
from lightly.server.datasets.models import Action, Dataset
from lightly.server.datasources.models import find_side
from lightly.server.datasources.sample_files import Sources, find_sources, name_image
from lightly.server.errors import AccessControlUnknown
from lightly.server.exports.models import ExportOptions
from lightly.server.http.parameters import Page
from lightly.server.platform import PlatformState
from lightly.server.samples.models import Sample, SampleIdentity
from lightly.server.samples.public_tokens import make_public_token
from lightly.server.samples.urls import ReadType, redirected_read_url
from lightly.server.tags import repository
from lightly.server.tags.masks import IndexArray, read_indices
from lightly.server.tags.selected import SAMPLES_PER_PIECE, iterate_selected
from lightly.server.tags.service import load_tag

#: Longer than anyone plans; keeps the moment of the end a number of moderate length.
MAX_EXPIRES_IN_S = 100 * 365 * 24 * 3600
_PREVIEW_SIZE = 1


@dataclass(frozen=True)
class Export:
    """A tag that is about to be written out for somebody.

    Attributes:
        platform: The server.
        dataset: Loaded for the caller.
        indices: int64, growing: the samples on the page that was asked for.
        options: What was asked for.
        public_token: For the URLs of all entries.
        sources: Where images lie that the server does not keep.
    """

    platform: PlatformState
    dataset: Dataset
    indices: IndexArray
    options: ExportOptions
    public_token: str
    sources: Sources

    def iterate_identities(self) -> Iterator[list[SampleIdentity]]:
        """Yield what names the samples, piece by piece."""
        return iterate_selected(
            self.platform, self.dataset.key, self.indices, repository.read_identities_at
        )

    def iterate_samples(self) -> Iterator[list[Sample]]:
        """Yield the samples with all that is known of them, piece by piece."""
        return iterate_selected(
            self.platform,
            self.dataset.key,
            self.indices,
            repository.read_samples_at,
            per_piece=SAMPLES_PER_PIECE,
        )

    def make_url(self, sample_id: str) -> str:
        """Return where the image of a sample can be read."""
        type_: ReadType = "thumbnail" if self.dataset.img_type == "thumbnail" else "full"
        return redirected_read_url(
            self.platform.settings, self.dataset.id, sample_id, type_, self.public_token
        )

    def make_name(self, sample: Sample | SampleIdentity) -> str:
        """Return what stands for a sample's name.

        Images that the server keeps have no place in a datasource: their name is all there is.
        """
        if self.options.name_format is FileNameFormat.REDIRECTED_READ_URL:
            return self.make_url(sample.id)
        if self.options.name_format is FileNameFormat.DATASOURCE_FULL:
            name = name_image(sample)
            source = self.sources.get(find_side(name))
            if source is not None:
                return posixpath.join(source.full_path, name)
        return sample.file_name


def open_export(
    platform: PlatformState, caller: User, dataset_id: str, tag_id: str, options: ExportOptions
) -> Export:
    """Return an export that is ready to be read.

    Raises:
        AccessControlUnknown: If one is named: this server has none.
    """
    if options.access_control is not None:
        raise AccessControlUnknown
    end_s = None
    if options.expires_in_s is not None:
        end_s = platform.clock.now_ms() // 1000 + min(options.expires_in_s, MAX_EXPIRES_IN_S)
    with platform.database.read() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.READ)
        tag = load_tag(connection, dataset, tag_id)
        token = make_public_token(connection, platform.keys, caller, dataset.id, expires_at_s=end_s)
        sources = find_sources(connection, dataset)
    page = Page(0, _PREVIEW_SIZE) if options.is_preview else options.page
    stop = None if page.size is None else page.offset + page.size
    indices = read_indices(tag)[page.offset : stop]
    return Export(platform, dataset, indices, options, token, sources)
