"""The download function that older scripts use."""

from __future__ import annotations

from collections.abc import Sequence

from lightly._kit.errors import BadInput
from lightly.api.api_workflow_client import ApiWorkflowClient
from lightly.api.api_workflow_tags import TagDoesNotExistError

_MODES = ("list", "mask", "indices")


class TagMissing(TagDoesNotExistError, RuntimeError):
    """The dataset has no tag with this name."""


def get_samples_by_tag(
    tag_name: str,
    dataset_id: str,
    token: str,
    mode: str = "list",
    filenames: Sequence[str] | None = None,
) -> list[str] | list[int]:
    """Get the files associated with a given tag and dataset.

    Asks the servers for all samples in a given tag and dataset. If mode is mask or indices, the
    list of all filenames must be specified.

    Args:
        tag_name: Name of the tag to query.
        dataset_id: The unique identifier of the dataset.
        token: Token for authentication.
        mode: Return type, must be in ["list", "mask", "indices"].
        filenames: List of all filenames.

    Returns:
        Either list of filenames, binary mask (a 1 or 0 for each of `filenames`), or list of indices
        specifying the samples in the requested tag.

    Raises:
        ValueError: If the mode does not exist, lacks `filenames`, or the tag does not exist (this
            one is a RuntimeError too).
        AssertionError: If samples of the tag are not in `filenames`.
    """
    if mode not in _MODES:
        raise BadInput(f"'mode' must be one of {', '.join(_MODES)}, got {ascii(mode)[:60]}.")
    if mode != "list" and filenames is None:
        raise BadInput(f"With mode {mode!r} the argument 'filenames' must be given.")
    in_tag = _read_tag(ApiWorkflowClient(token=token, dataset_id=dataset_id), tag_name)
    if mode == "list" or filenames is None:
        return in_tag
    wanted = set(in_tag)
    mask = [int(name in wanted) for name in filenames]
    if sum(mask) != len(in_tag):
        raise AssertionError(
            f"{len(in_tag)} samples are in the tag, {sum(mask)} of 'filenames' belong to it."
        )
    return mask if mode == "mask" else [index for index, bit in enumerate(mask) if bit]


def _read_tag(client: ApiWorkflowClient, tag_name: str) -> list[str]:
    try:
        tag = client.get_tag_by_name(tag_name)
    except TagDoesNotExistError as error:
        raise TagMissing(str(error)) from None
    return client.get_filenames_in_tag(tag)
