"""Image metadata of old clients ends up as the contract's answers may have it."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightly.openapi_generated.swagger_client.models.sample_meta_data import SampleMetaData
from lightly.server.samples.normalisation import MEAN_TOLERANCE, normalise_metadata

ROUNDING = st.floats(-MEAN_TOLERANCE, 1 + MEAN_TOLERANCE)
POSITIVE = st.floats(0, 1e300)


@st.composite
def metadata_of_old_clients(draw):
    """What clients up to 1.2 measure, of images with any number of channels."""
    channels = draw(st.integers(1, 6))
    size = st.integers(0, 10**6)
    has_channel_axis = channels > 1 or draw(st.booleans())
    shape = [draw(size), draw(size)] + ([channels] if has_channel_axis else [])
    measured = {
        "mean": draw(st.lists(ROUNDING, min_size=channels, max_size=channels)),
        "shape": shape,
        "snr": draw(POSITIVE),
        "sharpness": draw(POSITIVE | st.none()),
        "sizeInBytes": draw(size),
        "is_corrupted": draw(st.booleans()),
        "corruption": draw(st.text()),
    }
    for name in ("std", "sumOfValues", "sumOfSquares"):
        measured[name] = draw(st.lists(POSITIVE, min_size=channels, max_size=channels))
    kept = draw(st.sets(st.sampled_from(sorted(measured))))
    return {name: measured[name] for name in kept}


@given(metadata_of_old_clients())
def test_whatever_old_clients_measure_fits_the_contract(metadata):
    SampleMetaData.from_dict(normalise_metadata(metadata))


@given(metadata_of_old_clients())
def test_normalising_twice_changes_nothing_more(metadata):
    once = normalise_metadata(metadata)

    assert normalise_metadata(once) == once


@given(metadata_of_old_clients())
def test_the_input_is_not_modified(metadata):
    before = copy.deepcopy(metadata)

    normalise_metadata(metadata)

    assert metadata == before


@pytest.mark.parametrize(
    "metadata",
    [
        {"mean": [1 + 2 * MEAN_TOLERANCE, 0.5, 0.5]},
        {"mean": [-2 * MEAN_TOLERANCE, 0.5, 0.5]},
        {"mean": ["0.5", 0.5, 0.5]},
        {"mean": 0.5},
        {"shape": [4]},
        {"shape": [4, 6, 3, 1]},
        {"std": {"r": 1}},
        {"unknown": 1},
    ],
)
def test_what_is_no_rounding_error_is_left_for_the_contract_to_refuse(metadata):
    assert normalise_metadata(metadata) == metadata
