"""Bit masks that mean harm, in every field that takes one: T34."""

from __future__ import annotations

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lightly._kit.bitmask import is_bitmask
from tests.support.platforms import run_in_process
from tests.support.tagged_datasets import add_dataset, pretend_size

N_SAMPLES = 10
#: Twenty million bits; the largest body that is taken has some five hundred million.
N_DIGITS = 5_000_000
#: One pass over the digits takes hundredths of a second, and there are several. Anything quadratic
#: takes hours.
LIMIT_S = 10.0

FIELDS = ["create", "update"]
ABUSES = {
    "megabytes of digits": "0x" + "f" * N_DIGITS,
    "megabytes of zeros, then a sample that is not there": "0x" + "0" * N_DIGITS + "f" * 10,
    "a sample far away": "0x1" + "0" * N_DIGITS,
    "the first sample that is not there": "0x400",
    "negative": "-0x1",
    "binary": "0b1",
    "octal": "0o17",
    "decimal": "1" * 5000,
    "no digits": "0x",
    "upper case": "0xDEADBEEF",
    "upper case in front": "0X1",
    "upper case after megabytes": "0x" + "0" * N_DIGITS + "A",
    "nothing": "",
    "white space": "0x1 ",
    "a newline at the end": "0x1\n",
    "an underscore": "0x1_1",
    "another script": "0x\u0661",
    "a NUL": "0x1\0",
    "two of them": "0x10x1",
    "an expression": "0x1|0x400",
    "a number": 1,
    "a large number": 2**63,
    "a float": 1e300,
    "a list": ["0x1"],
    "an object": {"mask": "0x1"},
    "true": True,
}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """Ten samples, the initial tag and the tag `victim` over two of them."""
    with run_in_process(tmp_path_factory.mktemp("server") / "data") as server:
        made = add_dataset(server)
        made.add_samples([f"{number}.jpg" for number in range(N_SAMPLES)])
        made.add_tag("victim", "0x3", made.add_initial_tag(), N_SAMPLES)
        yield made


def send(dataset, field: str, mask: object):
    initial, victim = dataset.list_tags()
    if field == "create":
        return dataset.post_tag("another", mask, initial["id"], N_SAMPLES)
    body = {"name": "victim", "bitMaskData": mask}
    return dataset.client.put(f"{dataset.url}/tags/{victim['id']}", json=body)


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("abuse", ABUSES)
def test_it_is_refused_soon_and_without_a_trace(dataset, field, abuse):
    before = dataset.list_tags()
    started = time.perf_counter()

    response = send(dataset, field, ABUSES[abuse])

    assert time.perf_counter() - started <= LIMIT_S
    assert response.status_code == 400
    assert response.json()["code"] in {"MALFORMED_REQUEST", "DATASET_TAG_INVALID"}
    assert dataset.list_tags() == before


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize(
    "mask",
    ["0x" + "dead" * 1000, "dead" * 1000, "0xDEAD" + "dead" * 10, "0x" + "dead" * 1000 + "!"],
)
def test_the_answer_does_not_repeat_the_digits(dataset, field, mask):
    response = send(dataset, field, mask)

    assert response.status_code == 400
    assert "dead" not in response.text.lower()
    assert len(response.text) < 500


@pytest.mark.parametrize("field", FIELDS)
def test_the_log_does_not_repeat_the_digits(dataset, field, caplog):
    with caplog.at_level(0):
        send(dataset, field, "0x" + "dead" * 1000)

    assert "dead" not in caplog.text.replace("test_bitmask_abuse", "")


@pytest.mark.parametrize("field", FIELDS)
def test_a_body_without_end_is_cut_off(tmp_path, field):
    with run_in_process(tmp_path / "data", max_body_bytes=100_000) as server:
        dataset = add_dataset(server)
        dataset.add_samples(["a.jpg"])
        dataset.add_tag("victim", "0x1", dataset.add_initial_tag(), 1)

        response = send(dataset, field, "0x" + "0" * 100_000)

    assert (response.status_code, response.json()["code"]) == (413, "PAYLOAD_TOO_LARGE")


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    mask=st.text("0123456789abcdefxX-+_ \n", max_size=12)
    | st.text(st.characters(codec="utf-8"), max_size=12)
    | st.from_regex(r"0x[0-9a-f]{1,6}", fullmatch=True)
)
def test_a_mask_is_stored_exactly_if_it_is_one_and_fits(dataset, mask):
    response = send(dataset, "update", mask)

    is_good = is_bitmask(mask) and int(mask, 16) < 2**N_SAMPLES
    stored = dataset.list_tags()[1]["bitMaskData"]
    assert response.status_code == (204 if is_good else 400)
    if is_good:
        assert stored == hex(int(mask, 16))


def test_ten_million_samples_stay_within_the_budget(tmp_path):
    n_samples = 10_000_000
    with run_in_process(tmp_path / "data") as server:
        dataset = add_dataset(server)
        pretend_size(dataset, n_samples)
        initial_id = dataset.add_initial_tag()
        mask = "0x" + "9" * (n_samples // 4)
        started = time.perf_counter()

        response = dataset.post_tag("large", mask, initial_id, n_samples)
        body = {"tagId1": initial_id, "tagId2": response.json()["id"], "operation": "DIFFERENCE"}
        combined = dataset.client.post(f"{dataset.url}/tags/arithmetics", json=body)

        assert time.perf_counter() - started <= LIMIT_S
        assert combined.json()["bitMaskData"] == mask.replace("9", "6")


@pytest.mark.parametrize("tot_size", [-1, 2**62, 2**63, 2**64, 10**400, "10", 10.5, None, True])
def test_a_false_size_is_refused(dataset, tot_size):
    initial = dataset.list_tags()[0]

    response = dataset.post_tag("another", "0x1", initial["id"], tot_size)

    assert response.status_code == 400
