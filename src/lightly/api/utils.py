"""Functions around images and requests that older scripts use.

Importing this module loads neither numpy nor PIL.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

from lightly._kit.retry import RetryPolicy
from lightly.api.configuration import (
    make_user_agent,
    read_ca_certificates,
    read_server_location,
)
from lightly.api.errors import ApiException
from lightly.api.failures import describe_url
from lightly.api.sending import Call, Sender, TransportSettings
from lightly.api.sessions import Secret, SessionPool

if TYPE_CHECKING:
    import numpy as np
    import requests
    from numpy.typing import ArrayLike, NDArray
    from PIL.Image import Image

#: Longest file name in characters that servers of all generations take.
MAXIMUM_FILENAME_LENGTH = 255

ReturnT = TypeVar("ReturnT")

_RETRY = RetryPolicy(attempts=5, base_s=1.0)
_BEST_QUALITY = 100
_KEEP_SUBSAMPLING = -1
_NO_SUBSAMPLING = 0
_LAPLACIAN = (-1, -1, -1, -1, 8, -1, -1, -1, -1)
_PAYMENT_REQUIRED = 402


def getenv(key: str, default: str) -> str:
    """Return the value of the environment variable key if it exists, or default if it doesn't."""
    return os.environ.get(key, default)


def get_lightly_server_location_from_env() -> str:
    """Return the address of the server: LIGHTLY_SERVER_LOCATION without blanks and a slash."""
    return read_server_location()


def paginate_endpoint(
    fn: Callable[..., list[Any]], page_size: int = 5000, *args: Any, **kwargs: Any
) -> Iterator[Any]:
    """Yield the entries of all pages of a call of `lightly.openapi_generated.swagger_client.api`.

    Args:
        fn: The call, such as `client._samples_api.get_samples_by_dataset_id`.
        page_size: Most entries that are asked for at once.
        args: Passed on.
        kwargs: Passed on.
    """
    offset = 0
    while page := fn(*args, page_size=page_size, page_offset=offset, **kwargs):
        yield from page
        offset += page_size


def retry(func: Callable[..., ReturnT], *args: Any, **kwargs: Any) -> ReturnT:
    """Call a function until it succeeds, up to 5 times.

    Not needed around this package's own calls: those are tried again by themselves.

    Args:
        func: What is called.
        args: Passed on.
        kwargs: Passed on.

    Returns:
        What the function returns.

    Raises:
        RuntimeError: If it failed every time; the last error is the cause.
    """
    for attempt in range(1, _RETRY.attempts + 1):
        try:
            return func(*args, **kwargs)
        except Exception as error:
            if attempt == _RETRY.attempts:
                raise RuntimeError(f"Failed {attempt} times, last with {error!r}.") from error
            _RETRY.sleep(_RETRY.wait_s(attempt))
    raise AssertionError("There is at least one attempt.")


def PIL_to_bytes(img: Image, ext: str = "png", quality: int | None = None) -> io.BytesIO:
    """Return the PIL image as byte stream. Useful to send image via requests.

    Args:
        img: The image.
        ext: File extension of the format.
        quality: 1 to 100 where the format has it; the best if left out.
    """
    is_jpeg = ext.lower() in {"jpg", "jpeg"}
    options: dict[str, int] = {}
    if quality is None:
        options["subsampling"] = _KEEP_SUBSAMPLING if is_jpeg else _NO_SUBSAMPLING
    stream = io.BytesIO()
    img.save(
        stream,
        format="jpeg" if is_jpeg else ext,
        quality=_BEST_QUALITY if quality is None else quality,
        **options,
    )
    stream.seek(0)
    return stream


def check_filename(basename: str) -> bool:
    """Check the length of the filename.

    Args:
        basename: Basename of the file.

    Returns:
        Whether it has at most `MAXIMUM_FILENAME_LENGTH` characters.
    """
    return len(basename) <= MAXIMUM_FILENAME_LENGTH


def check_image(image: Image) -> dict[str, Any]:
    """Check whether an image is corrupted or not.

    The function reports the metadata, and opens the file to check whether it is corrupt or not.

    Args:
        image: PIL image from which metadata will be computed.

    Returns:
        A dictionary of metadata of the image, as from `get_meta_from_img`, with `is_corrupted` and
        the reason as text in `corruption`. A corrupt image has these two only.
    """
    try:
        image.load()
    except (OSError, SyntaxError) as error:
        return {"corruption": str(error), "is_corrupted": True}
    return {**get_meta_from_img(image), "corruption": "", "is_corrupted": False}


def get_meta_from_img(img: Image) -> dict[str, Any]:
    """Calculate metadata from PIL image.

    Mean, standard deviation, sum of values and of squares are per channel, with pixel values from
    0 to 1.

    Args:
        img: PIL Image.

    Returns:
        A dictionary with `mean`, `std`, `snr`, `sharpness`, `sizeInBytes`, `shape`, `sumOfValues`
        and `sumOfSquares`.
    """
    import numpy as np

    pixels = np.asarray(img) / 255.0
    return {
        "mean": image_mean(pixels).tolist(),
        "std": image_std(pixels).tolist(),
        "snr": float(signal_to_noise_ratio(img)),
        "sharpness": float(sharpness(img)),
        "sizeInBytes": size_in_bytes(img),
        "shape": list(shape(pixels)),
        "sumOfValues": sum_of_values(pixels).tolist(),
        "sumOfSquares": sum_of_squares(pixels).tolist(),
    }


def get_thumbnail_from_img(img: Image, size: int = 80) -> Image:
    """Compute the thumbnail of the image.

    Args:
        img: PIL Image. It is not changed.
        size: Longest side of the thumbnail in pixels.

    Returns:
        Thumbnail as PIL Image.
    """
    from PIL.Image import Resampling

    thumbnail = img.copy()
    thumbnail.thumbnail((size, size), Resampling.BILINEAR)
    return thumbnail


def resize_image(image: Image, max_width: int, max_height: int) -> Image:
    """Resize the image if it is too large for the web-app.

    Args:
        image: PIL Image. It is not changed.
        max_width: In pixels.
        max_height: In pixels.

    Returns:
        A copy with the same aspect ratio that fits; one of the same size if the image fits.
    """
    factor = min(1.0, max_width / image.width, max_height / image.height)
    size = (max(1, int(factor * image.width)), max(1, int(factor * image.height)))
    resized = image.resize(size) if size != image.size else image.copy()
    resized.format = image.format
    return resized


def image_mean(np_img: NDArray[Any]) -> Any:
    """Return mean of each channel."""
    return np_img.mean(axis=(0, 1))


def image_std(np_img: NDArray[Any]) -> Any:
    """Return standard deviation of each channel."""
    return np_img.std(axis=(0, 1))


def sum_of_values(np_img: NDArray[Any]) -> Any:
    """Return the sum of the pixel values of each channel."""
    return np_img.sum(axis=(0, 1))


def sum_of_squares(np_img: NDArray[Any]) -> Any:
    """Return the sum of the squared pixel values of each channel."""
    return (np_img**2).sum(axis=(0, 1))


def shape(np_img: NDArray[Any]) -> tuple[int, ...]:
    """Shape of the image as np.ndarray."""
    return np_img.shape


def signal_to_noise_ratio(
    img: Image | ArrayLike, axis: int | None = None, ddof: int = 0
) -> NDArray[np.float64]:
    """Calculate the signal to noise ratio of the image.

    Args:
        img: PIL image or array.
        axis: Axis along which it is computed; all values if left out.
        ddof: Delta degrees of freedom of the standard deviation.

    Returns:
        Mean over standard deviation; 0 where that is 0.
    """
    import numpy as np

    pixels = np.asanyarray(img)
    mean, std = pixels.mean(axis=axis), pixels.std(axis=axis, ddof=ddof)
    ratio: NDArray[np.float64] = np.divide(mean, std, out=np.zeros_like(std), where=std != 0)
    return ratio


def sharpness(img: Image) -> float:
    """Calculate the sharpness of the image using a Laplacian Kernel.

    Returns:
        Standard deviation of the response on the grey image.
    """
    import numpy as np
    from PIL import ImageFilter

    response = img.convert("L").filter(ImageFilter.Kernel((3, 3), _LAPLACIAN, 1, 0))
    return float(np.std(np.asarray(response)))


def size_in_bytes(img: Image) -> int:
    """Return the size of the image in bytes, as PNG."""
    stream = io.BytesIO()
    img.save(stream, format="png")
    return stream.tell()


def get_request(
    dst_url: str, params: Any = None, max_backoff: float = 32, max_retries: int = 5
) -> requests.Response:
    """Make a GET request with random offset retries.

    Args:
        dst_url: Url the GET request is made to.
        params: GET parameters.
        max_backoff: Longest wait between two attempts in seconds.
        max_retries: Maximum number of attempts.

    Returns:
        The server response.

    Raises:
        RuntimeError: If the request fails.
    """
    return _request("GET", dst_url, max_backoff, max_retries, params=params)


def post_request(
    dst_url: str,
    data: Any = None,
    json: Any = None,
    max_backoff: float = 32,
    max_retries: int = 5,
) -> requests.Response:
    """Make a POST request with random offset retries.

    Args:
        dst_url: Url the POST request is made to.
        data: POST data.
        json: POST json.
        max_backoff: Longest wait between two attempts in seconds.
        max_retries: Maximum number of attempts. Pass 1 if doing it twice would do harm.

    Returns:
        The server response.

    Raises:
        ConnectionRefusedError: If the server answers that the dataset is full (402).
        RuntimeError: If the request fails.
    """
    try:
        return _request("POST", dst_url, max_backoff, max_retries, data=data, json=json)
    except ApiException as error:
        if error.status != _PAYMENT_REQUIRED:
            raise
    raise ConnectionRefusedError("The dataset is at its limit: the server takes no more samples.")


def put_request(
    dst_url: str,
    data: Any = None,
    params: Any = None,
    json: Any = None,
    max_backoff: float = 32,
    max_retries: int = 5,
) -> requests.Response:
    """Make a PUT request with random offset retries.

    Args:
        dst_url: Url the PUT request is made to.
        data: PUT data.
        params: PUT parameters.
        json: PUT json.
        max_backoff: Longest wait between two attempts in seconds.
        max_retries: Maximum number of attempts.

    Returns:
        The server response.

    Raises:
        RuntimeError: If the request fails.
    """
    options = {"data": data, "params": params, "json": json}
    return _request("PUT", dst_url, max_backoff, max_retries, **options)


def _request(
    method: str, url: str, max_backoff: float, max_retries: int, **options: Any
) -> requests.Response:
    """Make one call to any address; errors name it without its query."""
    policy = RetryPolicy(attempts=max_retries, base_s=1.0, cap_s=max_backoff)
    settings = TransportSettings(policy, outage_s=None, first_contact_s=None)
    sessions = SessionPool(verify=read_ca_certificates(), user_agent=make_user_agent())
    call = Call(
        operation=f"{method} {describe_url(url)}",
        method=method,
        url=url,
        is_repeatable=True,
        error_kind=ApiException,
        options=options,
    )
    try:
        with Sender(sessions, settings, _find_token(url, options)).send(call) as response:
            return response
    finally:
        sessions.close()


def _find_token(url: str, options: dict[str, Any]) -> Secret:
    """Return the token of a request, wherever the caller has put it."""
    places = [dict(parse_qsl(urlsplit(url).query)), *options.values()]
    tokens = [place["token"] for place in places if isinstance(place, dict) and "token" in place]
    return Secret(str(tokens[0]) if tokens else "")
