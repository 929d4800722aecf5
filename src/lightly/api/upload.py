"""The upload functions that older scripts use. New ones are better served by `ApiWorkflowClient`.

They need a dataset that exists; its id stands in its address in the web app.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO, TYPE_CHECKING, Any

from lightly.api.api_workflow_client import ApiWorkflowClient
from lightly.api.dataset_upload import DatasetUpload
from lightly.api.sending import make_repeatable
from lightly.api.utils import put_request

if TYPE_CHECKING:
    from PIL.Image import Image

    from lightly.api.upload_sources import LocalDataset
    from lightly.data.dataset import LightlyDataset


def upload_dataset(
    dataset: LightlyDataset,
    dataset_id: str,
    token: str,
    max_workers: int = 8,
    mode: str = "thumbnails",
    verbose: bool = True,
) -> None:
    """Upload a dataset to a server.

    Starting an interrupted upload again sends what is missing only.

    Args:
        dataset: The dataset to upload. If it has a transform, what that makes of the images.
        dataset_id: The unique identifier for the dataset.
        token: Token for authentication.
        max_workers: Maximum number of workers uploading images in parallel.
        mode: One of [full, thumbnails, metadata]. Whether to upload thumbnails, full images, or
            metadata only.
        verbose: Whether to show a progress bar.

    Raises:
        ValueError: If dataset is too large.
        RuntimeError: If the connection to the server failed.
        RuntimeError: If dataset already has an initial tag.
    """
    client = ApiWorkflowClient(token=token, dataset_id=dataset_id)
    tag_names = [tag.name for tag in client.get_all_tags()]
    if tag_names:
        raise RuntimeError(
            f"The dataset has tags already, such as {tag_names[0]}. Add images to it with "
            "ApiWorkflowClient.upload_dataset()."
        )
    is_transformed = getattr(dataset, "transform", None) is not None
    upload = DatasetUpload(
        client._transport,  # noqa: SLF001  the same package
        dataset_id,
        mode=mode,
        max_workers=max_workers,
        is_verbose=verbose,
    )
    upload.run(ShownImages(dataset) if is_transformed else dataset)


def upload_images_from_folder(
    path_to_folder: str,
    dataset_id: str,
    token: str,
    max_workers: int = 8,
    mode: str = "thumbnails",
    size: int | Sequence[int] = -1,
    verbose: bool = True,
) -> None:
    """Upload images from a directory to a server.

    Args:
        path_to_folder: Path to the folder which holds the input images.
        dataset_id: The unique identifier for the dataset.
        token: Token for authentication.
        max_workers: Maximum number of workers uploading images in parallel.
        mode: One of [full, thumbnails, metadata]. Whether to upload thumbnails, full images, or
            metadata only.
        size: Desired output size. If negative, images keep their size. If size is a sequence like
            (h, w), output size will be matched to this. If size is an int, smaller edge of the
            image will be matched to this number, i.e, if height > width, then image will be
            rescaled to (size * height / width, size).
        verbose: Whether to show a progress bar.

    Raises:
        ValueError: If dataset is too large.
        RuntimeError: If the connection to the server failed.
        RuntimeError: If dataset already has an initial tag.
    """
    from lightly.data.dataset import LightlyDataset

    keeps_size = isinstance(size, int) and size <= 0
    dataset = LightlyDataset(
        input_dir=path_to_folder, transform=None if keeps_size else Resize(size)
    )
    upload_dataset(dataset, dataset_id, token, max_workers, mode, verbose)


def upload_embeddings_from_csv(
    path_to_embeddings: str,
    dataset_id: str,
    token: str,
    max_upload: int = 32,  # noqa: ARG001  the file is streamed, in no batches
    embedding_name: str = "default",
    verbose: bool = True,
) -> None:
    """Upload embeddings from a csv file to a server.

    The csv file should be in the format specified by lightly. See the documentation on
    lightly.utils.io for more information.

    Args:
        path_to_embeddings: Path to csv file containing embeddings.
        dataset_id: The unique identifier for the dataset.
        token: Token for authentication.
        max_upload: Kept for older scripts, without effect: the file is streamed.
        embedding_name: Name the embedding will have on the server.
        verbose: Whether to show a progress bar.

    Raises:
        RuntimeError: If the dataset has no tags, the name is taken, or the upload fails.
        ValueError: If file and dataset do not hold the same file names.
    """
    client = ApiWorkflowClient(token=token, dataset_id=dataset_id)
    if not client.get_all_tags():
        raise RuntimeError("The dataset has no tags: upload its images first.")
    if any(known.name == embedding_name for known in client.get_all_embedding_data()):
        raise RuntimeError(f"There is an embedding named {ascii(embedding_name)[:80]} already.")
    client._upload_new_embedding(path_to_embeddings, embedding_name, is_verbose=verbose)  # noqa: SLF001  the same package


def upload_file_with_signed_url(file: IO[bytes], url: str) -> bool:
    """Upload a file to the cloud storage using a signed URL.

    Args:
        file: The file, opened for reading bytes. It is closed afterwards.
        url: Signed url for push.

    Returns:
        A boolean value indicating successful upload.

    Raises:
        RuntimeError: If put request failed.
    """
    with file:
        put_request(url, data=make_repeatable(file))
    return True


class ShownImages:
    """A dataset whose images count as it shows them, not as they are in their files."""

    def __init__(self, dataset: LocalDataset) -> None:
        self._dataset = dataset

    def __len__(self) -> int:
        return len(self._dataset)

    def __getitem__(self, index: int) -> tuple[Any, Any, str]:
        return self._dataset[index]

    def get_filenames(self) -> list[str]:
        """Return the file names of all samples, in order."""
        return self._dataset.get_filenames()


class Resize:
    """Resizes images: to (height, width), or the smaller edge to a number of pixels."""

    def __init__(self, size: int | Sequence[int]) -> None:
        self._size = size

    def __call__(self, image: Image) -> Image:
        """Return an image of the size."""
        from PIL.Image import Resampling

        if isinstance(self._size, int):
            scale = self._size / min(image.size)
            width, height = (max(1, int(scale * side)) for side in image.size)
        else:
            height, width = self._size
        return image.resize((width, height), Resampling.BILINEAR)
