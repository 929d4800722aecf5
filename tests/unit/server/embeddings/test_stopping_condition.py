"""Numbers of a stopping condition as the server understands them."""

from __future__ import annotations

import orjson
import pytest

from lightly.openapi_generated.swagger_client.models.sampling_create_request import (
    SamplingCreateRequest,
)
from lightly.server.embeddings.sampling import read_stopping_condition


def read(n_samples: float) -> float | None:
    body = {
        "newTagName": "chosen",
        "method": "RANDOM",
        "config": {"stoppingCondition": {"nSamples": n_samples, "minDistance": -1}},
    }
    return read_stopping_condition(SamplingCreateRequest.from_dict(body))[0]


@pytest.mark.parametrize(
    ("n_samples", "expected"),
    [
        # not set
        (-1, None),
        # a count, whether or not it looks like one
        (4, 4),
        (4.0, 4),
        # a share
        (0.25, 0.25),
        # more than any dataset holds
        (1e308, 2**53),
    ],
)
def test_the_number_of_samples_is_read(n_samples, expected):
    assert read(n_samples) == expected


def test_the_largest_number_of_samples_can_be_written_as_json():
    assert orjson.dumps(int(read(1e308))) == b"9007199254740992"
