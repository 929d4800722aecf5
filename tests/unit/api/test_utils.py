"""Functions around images and requests that older scripts use."""

import io
import struct
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from lightly.api import utils
from lightly.api.errors import ApiException
from tests.support.sdk import ScriptedAdapter, make_response

PIXELS = np.random.default_rng(3).integers(0, 256, (12, 16, 3), dtype=np.uint8)
SCALED = hnp.arrays(
    np.float64, hnp.array_shapes(min_dims=3, max_dims=3, max_side=6), elements=st.floats(0, 1)
)


@pytest.fixture
def network(monkeypatch) -> ScriptedAdapter:
    """A network that answers 200."""
    return plan_answers(monkeypatch, make_response(200, b"done"))


def plan_answers(monkeypatch, *outcomes) -> ScriptedAdapter:
    """Let requests have these outcomes; nobody waits between them."""
    adapter = ScriptedAdapter(outcomes)
    monkeypatch.setattr("lightly.api.sessions.open_adapter", lambda: adapter)
    monkeypatch.setattr("lightly._kit.retry.RetryPolicy.wait_s", lambda *_: 0.0)
    return adapter


def test_environment_variables_have_a_default(monkeypatch):
    monkeypatch.setenv("SOME_VARIABLE", "value")

    assert utils.getenv("SOME_VARIABLE", "default") == "value"
    assert utils.getenv("OTHER_VARIABLE", "default") == "default"


@pytest.mark.parametrize(
    ("extension", "quality", "expected"),
    [
        ("png", None, "PNG"),
        ("jpg", None, "JPEG"),
        ("jpeg", 50, "JPEG"),
        ("webp", 70, "WEBP"),
        ("bmp", None, "BMP"),
    ],
)
def test_images_become_byte_streams(extension, quality, expected):
    stream = utils.PIL_to_bytes(Image.fromarray(PIXELS), ext=extension, quality=quality)

    assert stream.tell() == 0
    assert Image.open(stream).format == expected


def test_png_streams_lose_nothing():
    stream = utils.PIL_to_bytes(Image.fromarray(PIXELS))

    assert np.array_equal(np.asarray(Image.open(stream)), PIXELS)


def test_file_names_have_a_longest_length():
    assert utils.check_filename("x" * 255)
    assert not utils.check_filename("x" * 256)


@given(SCALED)
def test_statistics_agree_with_their_definition(pixels):
    channels = [pixels[..., channel].ravel() for channel in range(pixels.shape[2])]

    assert np.allclose(utils.image_mean(pixels), [sum(one) / len(one) for one in channels])
    assert np.allclose(utils.sum_of_values(pixels), [sum(one) for one in channels])
    assert np.allclose(utils.sum_of_squares(pixels), [sum(one * one) for one in channels])
    assert np.allclose(utils.image_std(pixels), [np.sqrt(np.var(one)) for one in channels])
    assert utils.shape(pixels) == pixels.shape


def test_signal_to_noise_is_mean_over_deviation():
    assert utils.signal_to_noise_ratio(PIXELS) == pytest.approx(PIXELS.mean() / PIXELS.std())
    assert utils.signal_to_noise_ratio(PIXELS, axis=0, ddof=1).shape == (16, 3)


def test_signal_to_noise_of_a_flat_image_is_zero():
    assert utils.signal_to_noise_ratio(np.full((3, 3), 9)) == 0


def test_blurring_makes_an_image_less_sharp():
    from PIL import ImageFilter

    image = Image.fromarray(PIXELS)

    assert utils.sharpness(image.filter(ImageFilter.GaussianBlur(2))) < utils.sharpness(image)


def test_sharpness_of_a_flat_image_is_zero():
    assert utils.sharpness(Image.new("RGB", (8, 8))) == 0


def test_size_is_that_of_a_png():
    image = Image.fromarray(PIXELS)

    stream = io.BytesIO()
    image.save(stream, "PNG")
    assert utils.size_in_bytes(image) == len(stream.getvalue())


def test_metadata_has_all_fields_in_plain_types():
    metadata = utils.get_meta_from_img(Image.fromarray(PIXELS))

    assert metadata["shape"] == [12, 16, 3]
    assert metadata["mean"] == pytest.approx((PIXELS / 255).mean(axis=(0, 1)).tolist())
    kinds = {name: type(value) for name, value in metadata.items()}
    assert kinds == {
        "mean": list,
        "std": list,
        "snr": float,
        "sharpness": float,
        "sizeInBytes": int,
        "shape": list,
        "sumOfValues": list,
        "sumOfSquares": list,
    }


def test_a_good_image_is_not_corrupt():
    report = utils.check_image(Image.fromarray(PIXELS))

    assert (report["is_corrupted"], report["corruption"]) == (False, "")
    assert "mean" in report


def test_a_cut_image_is_corrupt_with_a_reason():
    data = utils.PIL_to_bytes(Image.fromarray(PIXELS), ext="jpg").getvalue()
    image = Image.open(io.BytesIO(data[: len(data) - 100]))

    report = utils.check_image(image)

    assert set(report) == {"is_corrupted", "corruption"}
    assert report["is_corrupted"] is True
    assert isinstance(report["corruption"], str)
    assert report["corruption"]


def test_an_image_with_a_broken_chunk_is_corrupt():
    data = bytearray(utils.PIL_to_bytes(Image.fromarray(PIXELS)).getvalue())
    place = data.index(b"IDAT")
    data[place - 4 : place] = struct.pack(">I", 1)

    assert utils.check_image(Image.open(io.BytesIO(bytes(data))))["is_corrupted"]


def test_thumbnails_keep_the_shape_and_leave_the_image_alone():
    image = Image.new("RGB", (400, 200))

    thumbnail = utils.get_thumbnail_from_img(image)

    assert (thumbnail.size, image.size) == ((80, 40), (400, 200))


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        # fits already
        ((100, 50), (100, 50)),
        ((200, 100), (200, 100)),
        # too wide, too high
        ((400, 100), (200, 50)),
        ((100, 400), (25, 100)),
    ],
)
def test_images_that_are_too_large_are_resized(size, expected):
    image = Image.new("RGB", size)

    resized = utils.resize_image(image, 200, 100)

    assert resized.size == expected
    assert resized is not image


@pytest.mark.parametrize("function", ["get_request", "post_request", "put_request"])
def test_requests_return_the_answer(network, function):
    response = getattr(utils, function)("http://server/users/quota")

    assert response.content == b"done"
    assert network.requests[0].method == function.partition("_")[0].upper()


def test_requests_pass_everything_on(network):
    utils.put_request("http://server/x", params={"token": "SECRET"}, json={"a": 1})

    assert network.requests[0].url == "http://server/x?token=SECRET"
    assert network.bodies == [b'{"a": 1}']


@pytest.mark.parametrize("status", [500, 502])
def test_failing_servers_are_asked_again(monkeypatch, status):
    network = plan_answers(monkeypatch, make_response(status), make_response(200, b"done"))

    assert utils.post_request("http://server/x", json={"a": 1}).content == b"done"
    assert network.bodies == [b'{"a": 1}'] * 2


def test_requests_are_made_as_often_as_asked(monkeypatch):
    network = plan_answers(monkeypatch, make_response(500))

    with pytest.raises(RuntimeError):
        utils.get_request("http://server/x", max_retries=3)

    assert len(network.requests) == 3


def test_a_refused_request_is_a_runtime_error_without_secrets(monkeypatch):
    plan_answers(monkeypatch, make_response(404))

    with pytest.raises(RuntimeError) as caught:
        utils.get_request("http://server/x", params={"token": "SECRET"})

    assert isinstance(caught.value, ApiException)
    assert "SECRET" not in str(caught.value)


def test_a_full_dataset_is_a_refused_connection(monkeypatch):
    plan_answers(monkeypatch, make_response(402))

    with pytest.raises(ConnectionRefusedError):
        utils.post_request("http://server/x")


def test_a_missing_payment_on_a_get_is_a_runtime_error(monkeypatch):
    plan_answers(monkeypatch, make_response(402))

    with pytest.raises(RuntimeError):
        utils.get_request("http://server/x")


def test_pages_are_asked_for_until_one_is_empty():
    asked = []

    def list_numbers(name: str, *, page_size: int, page_offset: int) -> list[int]:
        asked.append((name, page_offset))
        return list(range(5))[page_offset : page_offset + page_size]

    found = list(utils.paginate_endpoint(list_numbers, 2, name="mine"))

    assert found == [0, 1, 2, 3, 4]
    assert asked == [("mine", offset) for offset in (0, 2, 4, 6)]


@pytest.fixture
def waits(monkeypatch) -> list[float]:
    """The waits between attempts; nobody really waits."""
    found: list[float] = []
    monkeypatch.setattr(utils, "_RETRY", replace(utils._RETRY, sleep=found.append))
    return found


def test_a_function_is_called_until_it_succeeds(waits):
    outcomes = iter([OSError("away"), OSError("away"), None])

    def call(answer: str, *, suffix: str) -> str:
        if error := next(outcomes):
            raise error
        return answer + suffix

    assert utils.retry(call, "yes", suffix="!") == "yes!"
    assert len(waits) == 2


def test_a_function_that_never_succeeds_is_an_error_with_its_cause(waits):
    with pytest.raises(RuntimeError, match="5 times, last with ZeroDivisionError") as caught:
        utils.retry(divmod, 1, 0)

    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert len(waits) == 4
