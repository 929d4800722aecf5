"""What is sent to register a sample."""

import pytest

from lightly.api.upload_requests import make_sample_request, name_thumbnail
from lightly.api.upload_sources import InspectedImage
from lightly.media.inspection import inspect_image
from lightly.media.reports import ImageReport
from lightly.openapi_generated.swagger_client.models.sample_create_request import (
    SampleCreateRequest,
)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.jpg", "a_thumb.webp"),
        ("sub/a.b.png", "sub/a.b_thumb.webp"),
        ("sub.d/a", "sub.d/a_thumb.webp"),
        (".hidden", ".hidden_thumb.webp"),
    ],
)
def test_thumbnails_are_named_after_the_image(name, expected):
    assert name_thumbnail(name) == expected


def test_requests_fit_the_contract():
    from PIL import Image

    from lightly.api.upload_sources import encode_png

    png = encode_png(Image.new("RGB", (8, 6), (10, 20, 30)))
    image = InspectedImage("a.png", png, inspect_image(png))

    request = SampleCreateRequest.from_dict(
        make_sample_request(image, {"k": 1}, has_thumbnail=True)
    )

    assert request.meta_data is not None
    assert (request.meta_data.shape, request.custom_meta_data) == ([6, 8, 3], {"k": 1})


def test_frames_of_videos_say_where_they_come_from():
    report = ImageReport({"size_in_bytes": 8}, b"thumb")
    place = {"sourceVideo": "v.mp4", "sourceVideoFrameIndex": 3}

    request = make_sample_request(
        InspectedImage("v-3-mp4.png", b"", report, place), None, has_thumbnail=False
    )

    assert SampleCreateRequest.from_dict(request).video_frame_data is not None
    assert "thumbName" not in request
