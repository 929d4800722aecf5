"""Tags: named subsets of a dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lightly._kit.bitmask import build_bitmask, format_bitmask, iterate_indices, parse_bitmask
from lightly._kit.errors import LightlyError
from lightly.api.answers import read_id, read_model, read_models
from lightly.api.client_base import ClientBase
from lightly.api.dataset_samples import DatasetSamples
from lightly.api.errors import ApiException

if TYPE_CHECKING:
    from lightly.openapi_generated.swagger_client.models.tag_data import TagData

#: Name of the tag that holds all samples of a first upload.
INITIAL_TAG = "initial-tag"
_NAME_TAKEN = "TAG_NAME_EXISTS"


class TagDoesNotExistError(LightlyError, ValueError):
    """The dataset has no tag with this name."""

    code = "tag_unknown"


class _TagsMixin(ClientBase):
    """Tags: named subsets of a dataset."""

    def get_filenames(self) -> list[str]:
        """Return the names of all samples; position in the list is the sample's bit in tags.

        Expensive for large datasets: all names are downloaded.
        """
        samples = DatasetSamples(self._transport, self.dataset_id)
        return [name for page in samples.iterate_names() for name in page]

    def get_all_tags(self) -> list[TagData]:
        """Get all tags on the server.

        Returns:
            One TagData entry for each tag on the server.
        """
        from lightly.openapi_generated.swagger_client.models.tag_data import TagData

        return read_models(TagData, self._transport.get(self._below_dataset("tags")))

    #: Names of clients up to 1.1.
    _get_all_tags = get_all_tags

    @property
    def filenames_on_server(self) -> list[str]:
        """The names of all samples; the name of `get_filenames` up to client 1.1."""
        return self.get_filenames()

    def get_tag_by_id(self, tag_id: str) -> TagData:
        """Return a tag of the current dataset.

        Raises:
            ApiException: With status 404 if it does not exist.
        """
        from lightly.openapi_generated.swagger_client.models.tag_data import TagData

        return read_model(TagData, self._transport.get(self._below_dataset("tags", tag_id)))

    def get_tag_by_name(self, tag_name: str) -> TagData:
        """Return a tag of the current dataset.

        Raises:
            TagDoesNotExistError: If there is none with exactly this name.
        """
        for tag in self.get_all_tags():
            if tag.name == tag_name:
                return tag
        raise TagDoesNotExistError(
            f"The dataset {self.dataset_id} has no tag named {ascii(tag_name)[:80]}."
        )

    def get_filenames_in_tag(
        self,
        tag_data: TagData,
        filenames_on_server: list[str] | None = None,
        exclude_parent_tag: bool = False,
    ) -> list[str]:
        """Get the filenames of a tag.

        Args:
            tag_data: The data of the tag.
            filenames_on_server: All filenames on the server, as from `get_filenames`. If they are
                not given, they need to be downloaded, which is expensive.
            exclude_parent_tag: Leave out what is in the parent tag. A tag without parent keeps
                all.

        Returns:
            The filenames of all samples in the tag, in the server's order.

        Raises:
            ValueError: If the tag holds more samples than there are filenames.
        """
        bit_mask_data = tag_data.bit_mask_data
        if exclude_parent_tag and tag_data.prev_tag_id is not None:
            bit_mask_data = self._subtract_tags(tag_data.id, tag_data.prev_tag_id)
        names = filenames_on_server or self.get_filenames()
        return [names[index] for index in iterate_indices(parse_bitmask(bit_mask_data, len(names)))]

    def create_tag_from_filenames(
        self,
        fnames_new_tag: list[str],
        new_tag_name: str,
        parent_tag_id: str | None = None,
    ) -> TagData:
        """Create a new tag from a list of filenames.

        Args:
            fnames_new_tag: The filenames to be included in the new tag.
            new_tag_name: The name of the new tag.
            parent_tag_id: The tag that the new one is a part of; the initial tag if left out.

        Returns:
            The newly created tag.

        Raises:
            RuntimeError: If the name is taken, the dataset has no tags yet, or a filename is not
                on the server.
        """
        tags = self._check_tag_name(new_tag_name)
        if parent_tag_id is None:
            parent_tag_id = next((tag for tag in tags if tag.name == INITIAL_TAG), tags[0]).id
        names = self.get_filenames()
        mask = format_bitmask(build_bitmask(_find_indices(names, fnames_new_tag), len(names)))
        body = {
            "name": new_tag_name,
            "prevTagId": parent_tag_id,
            "bitMaskData": mask,
            "totSize": len(names),
            "creator": self._creator,
        }
        try:
            answer = self._transport.post(self._below_dataset("tags"), body, is_repeatable=True)
        except ApiException as error:
            # The answer to an earlier attempt got lost: the tag in the way is the new one.
            if error.code == _NAME_TAKEN and error.attempts > 1:
                tag = self.get_tag_by_name(new_tag_name)
                if (tag.bit_mask_data, tag.prev_tag_id) == (mask, parent_tag_id):
                    return tag
            raise
        return self.get_tag_by_id(read_id(answer))

    def delete_tag_by_id(self, tag_id: str) -> None:
        """Delete a tag on the server.

        Args:
            tag_id: The id of the tag to be deleted. Only tags on which no other tag rests can be
                deleted, and never the initial one.
        """
        try:
            self._transport.delete(self._below_dataset("tags", tag_id))
        except ApiException as error:
            is_gone = error.status == 404 and error.attempts > 1
            if not is_gone:
                raise

    def delete_tag_by_name(self, tag_name: str) -> None:
        """Delete a tag on the server; see `delete_tag_by_id`.

        Raises:
            TagDoesNotExistError: If there is none with exactly this name.
        """
        self.delete_tag_by_id(self.get_tag_by_name(tag_name).id)

    def _check_tag_name(self, name: str) -> list[TagData]:
        """Return all tags, or raise if there are none or the name is taken."""
        tags = self.get_all_tags()
        if not tags:
            raise RuntimeError("The dataset has no initial tag: upload images first.")
        if any(tag.name == name for tag in tags):
            raise RuntimeError(f"There is a tag named {ascii(name)[:80]} already.")
        return tags

    def _subtract_tags(self, tag_id: str, other_tag_id: str) -> str:
        """Return the bit mask of what is in the first tag and not in the second."""
        from lightly.openapi_generated.swagger_client.models.tag_bit_mask_response import (
            TagBitMaskResponse,
        )

        body = {"tagId1": tag_id, "tagId2": other_tag_id, "operation": "DIFFERENCE"}
        path = self._below_dataset("tags", "arithmetics", "bitmask")
        answer = self._transport.post(path, body, is_repeatable=True)
        return read_model(TagBitMaskResponse, answer).bit_mask_data


def _find_indices(names: list[str], wanted_names: list[str]) -> list[int]:
    """Return where the wanted names stand."""
    wanted = set(wanted_names)
    indices = [index for index, name in enumerate(names) if name in wanted]
    if len(indices) == len(wanted):
        return indices
    missing = wanted.difference(names)
    example = f" A valid one is {ascii(names[0])[:80]}." if names else ""
    raise RuntimeError(
        f"{len(missing)} of {len(wanted)} filenames are not in the dataset, such as "
        f"{ascii(min(missing))[:80]}.{example}"
    )
