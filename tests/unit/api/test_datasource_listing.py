"""Listing a datasource: in parts, page by page, without names that lead elsewhere."""

import threading
import time
import warnings
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lightly.api import ApiWorkflowClient
from lightly.api.errors import ApiException, IncompleteListingWarning, UnexpectedAnswer
from tests.support.sdk import make_client
from tests.support.wire_fakes import WireFake, make_refusal

DATASET = "0123456789abcdef01234567"
BELOW = f"/v1/datasets/{DATASET}/datasource"
SAMPLES = f"GET {BELOW}/list"
METADATA = f"GET {BELOW}/metadata/list"
PREDICTIONS = f"GET {BELOW}/predictions/list"
CLOCK = f"{BELOW}/processedUntilTimestamp"
RUN, ARTIFACT = "a" * 24, "b" * 24


class Bucket:
    """Files that are listed in parts, two to a page."""

    def __init__(self, names: list[str], *, page_size: int = 2) -> None:
        self.names = names
        self.page_size = page_size

    def cut(self, parameters: dict[str, str], _body: Any) -> Any:
        """Answer the operation that cuts a listing into parts."""
        count = max(1, min(int(parameters["dncShards"]), len(self.names)))
        step = -(-len(self.names) // count) or 1
        starts = range(0, max(1, len(self.names)), step)
        return {"cursors": [f"{start}-{min(start + step, len(self.names))}" for start in starts]}

    def read(self, parameters: dict[str, str], _body: Any) -> Any:
        """Answer the operation that lists."""
        cursor = parameters.get("cursor", f"0-{len(self.names)}")
        start, end = (int(number) for number in cursor.split("-"))
        reached = min(end, start + self.page_size)
        return {
            "hasMore": reached < end,
            "cursor": f"{reached}-{end}" if reached < end else "",
            "data": [
                {"fileName": name, "readUrl": f"http://store/{name}"}
                for name in self.names[start:reached]
            ],
        }


def make_bucket_client(
    names: list[str], operation: str = SAMPLES
) -> tuple[ApiWorkflowClient, WireFake]:
    bucket = Bucket(names)
    fake = WireFake({operation: bucket.read, f"{operation}/dnc": bucket.cut})
    return make_client(fake, dataset_id=DATASET), fake


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 25), st.integers(1, 8))
def test_every_file_is_listed_once_and_in_order_however_many_parts_there_are(count, n_shards):
    names = [f"{number:03}.jpg" for number in range(count)]
    client, _ = make_bucket_client(names)

    rows = client.download_raw_samples(divide_and_conquer_shards=n_shards)

    assert rows == [(name, f"http://store/{name}") for name in names]


def test_parts_are_listed_at_the_same_time():
    together = threading.Barrier(3, timeout=20)
    bucket = Bucket([f"{number}.jpg" for number in range(6)])

    def read(parameters, body):
        together.wait()
        return bucket.read(parameters, body)

    fake = WireFake({SAMPLES: read, f"{SAMPLES}/dnc": bucket.cut})

    rows = make_client(fake, dataset_id=DATASET).download_raw_samples(divide_and_conquer_shards=3)

    assert len(rows) == 6


def test_period_and_filters_are_sent():
    client, fake = make_bucket_client(["a.jpg", "b.jpg", "c.jpg"])

    client.download_raw_samples(5, 10, "relevant.txt", use_redirected_read_url=True)

    assert fake.read_parameters(f"{SAMPLES}/dnc") == [
        {"from": "5", "to": "10", "dncShards": "1", "relevantFilenamesFileName": "relevant.txt"}
    ]
    pages = fake.read_parameters(SAMPLES)
    assert [page.pop("cursor") for page in pages] == ["0-3", "2-3"]
    expected = {"useRedirectedReadUrl": "True", "relevantFilenamesFileName": "relevant.txt"}
    assert pages == [expected, expected]


def test_the_period_ends_now_unless_it_is_given():
    client, fake = make_bucket_client([])

    client.download_raw_samples()

    period = fake.read_parameters(f"{SAMPLES}/dnc")[0]
    assert period["from"] == "0"
    assert abs(int(period["to"]) - time.time()) < 60


def test_a_server_that_cannot_cut_a_listing_into_parts_is_listed_as_a_whole():
    bucket = Bucket(["a.jpg", "b.jpg", "c.jpg"])
    fake = WireFake({SAMPLES: bucket.read})

    rows = make_client(fake, dataset_id=DATASET).download_raw_samples(1, 2)

    assert [name for name, _ in rows] == bucket.names
    assert fake.read_parameters(SAMPLES)[0]["from"] == "1"


@pytest.mark.parametrize("code", ["DATASET_UNKNOWN", "DATASET_DATASOURCE_UNKNOWN"])
def test_other_refusals_are_not_taken_for_a_server_that_cannot_cut(code):
    fake = WireFake({f"{SAMPLES}/dnc": lambda *_: make_refusal(404, code)})

    with pytest.raises(ApiException) as caught:
        make_client(fake, dataset_id=DATASET).download_raw_samples()

    assert caught.value.code == code
    assert len(fake.calls) == 1


def test_a_part_that_fails_fails_the_listing():
    bucket = Bucket([f"{number}.jpg" for number in range(8)])

    def read(parameters, body):
        is_late = parameters["cursor"].startswith("4")
        return make_refusal(403) if is_late else bucket.read(parameters, body)

    fake = WireFake({PREDICTIONS: read, f"{PREDICTIONS}/dnc": bucket.cut})
    client = make_client(fake, dataset_id=DATASET)

    with pytest.raises(ApiException, match="403"):
        client.download_raw_predictions("task", divide_and_conquer_shards=2)
    with pytest.raises(ApiException, match="403"):
        list(client.download_raw_predictions_iter("task", divide_and_conquer_shards=2))


def test_names_that_are_no_relative_paths_are_left_out_with_one_warning():
    client, _ = make_bucket_client(["/etc/a", "../b", "good.jpg", "./c", "x/../../d", "also.jpg"])

    with pytest.warns(IncompleteListingWarning, match=r"4 listed files.*'/etc/a'") as caught:
        rows = client.download_raw_samples()

    assert [name for name, _ in rows] == ["good.jpg", "also.jpg"]
    assert len(caught) == 1


def test_repeated_names_are_listed_once_across_parts():
    client, _ = make_bucket_client(["a.jpg", "b.jpg", "a.jpg", "c.jpg"])

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rows = client.download_raw_samples(divide_and_conquer_shards=2)

    assert [name for name, _ in rows] == ["a.jpg", "b.jpg", "c.jpg"]


def test_a_server_that_gives_the_same_page_for_ever_is_an_error():
    page = {"hasMore": True, "cursor": "same", "data": []}
    fake = WireFake({f"{SAMPLES}/dnc": {"cursors": ["same"]}, SAMPLES: page})

    with pytest.raises(UnexpectedAnswer, match="again and again"):
        make_client(fake, dataset_id=DATASET).download_raw_samples()


def test_a_listing_without_any_cursor_is_an_error():
    fake = WireFake({f"{SAMPLES}/dnc": {"cursors": [""]}})

    with pytest.raises(UnexpectedAnswer, match="cursor"):
        make_client(fake, dataset_id=DATASET).download_raw_samples()


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"from_": -1}, "0 or more"),
        ({"from_": 5, "to": 4}, "must not be before"),
        ({"divide_and_conquer_shards": 0}, "1 to 64"),
        ({"divide_and_conquer_shards": 1000}, "1 to 64"),
    ],
)
def test_numbers_out_of_range_are_refused_before_anything_is_sent(arguments, problem):
    client, fake = make_bucket_client(["a.jpg"])

    with pytest.raises(ValueError, match=problem):
        client.download_raw_samples(**arguments)

    assert fake.calls == []


def test_predictions_and_metadata_of_a_run_are_listed_by_its_artifact():
    for method, operation, arguments in (
        ("download_raw_predictions", PREDICTIONS, ("cars",)),
        ("download_raw_metadata", METADATA, ()),
    ):
        for suffix in ("", "_iter"):
            client, fake = make_bucket_client(["x.json"], operation)
            rows = getattr(client, method + suffix)(
                *arguments, run_id=RUN, relevant_filenames_artifact_id=ARTIFACT
            )
            assert [name for name, _ in rows] == ["x.json"]
            for sent in (operation, f"{operation}/dnc"):
                parameters = fake.read_parameters(sent)[0]
                assert parameters["relevantFilenamesRunId"] == RUN
                assert parameters["relevantFilenamesArtifactId"] == ARTIFACT
                assert parameters.get("taskName") == (arguments[0] if arguments else None)


def test_run_and_artifact_belong_together():
    client, _ = make_bucket_client([], METADATA)

    with pytest.raises(ValueError, match="belong together"):
        client.download_raw_metadata(run_id=RUN)


class CountingBar:
    """Counts what it is told."""

    def __init__(self) -> None:
        self.count = 0.0

    def update(self, n: float = 1) -> None:
        """Count."""
        self.count += n


def test_progress_counts_files():
    client, _ = make_bucket_client([f"{number}.jpg" for number in range(7)])
    bar = CountingBar()

    client.download_raw_samples(divide_and_conquer_shards=3, progress_bar=bar)

    assert bar.count == 7


def test_an_iterator_yields_before_everything_is_listed():
    client, fake = make_bucket_client([f"{number}.json" for number in range(100)], METADATA)

    first = next(client.download_raw_metadata_iter())

    assert first == ("0.json", "http://store/0.json")
    assert len(fake.read_parameters(METADATA)) == 1


def test_an_iterator_that_is_dropped_leaves_no_thread_behind():
    client, _ = make_bucket_client([f"{number}.json" for number in range(400)], METADATA)
    rows = client.download_raw_metadata_iter(divide_and_conquer_shards=4)
    next(rows)

    rows.close()

    deadline = time.monotonic() + 10
    while any(thread.name == "list" for thread in threading.enumerate()):
        assert time.monotonic() < deadline
        threading.Event().wait(0.02)


def test_new_files_are_those_after_the_last_call():
    state = {"processedUntilTimestamp": 0}

    def remember(_parameters, body):
        state.update(body)

    bucket = Bucket(["a.jpg"])
    fake = WireFake(
        {
            f"GET {CLOCK}": lambda *_: state,
            f"PUT {CLOCK}": remember,
            SAMPLES: bucket.read,
            f"{SAMPLES}/dnc": bucket.cut,
        }
    )
    client = make_client(fake, dataset_id=DATASET)

    assert client.download_new_raw_samples() == [("a.jpg", "http://store/a.jpg")]
    seen_until = state["processedUntilTimestamp"]
    state["processedUntilTimestamp"] = seen_until - 100
    client.download_new_raw_samples()

    periods = fake.read_parameters(f"{SAMPLES}/dnc")
    assert [period["from"] for period in periods] == ["0", str(seen_until - 99)]
    assert state["processedUntilTimestamp"] == int(periods[1]["to"]) >= seen_until


def test_files_stay_new_when_listing_them_fails():
    fake = WireFake(
        {
            f"GET {CLOCK}": {"processedUntilTimestamp": 0},
            f"{SAMPLES}/dnc": lambda *_: make_refusal(403),
        }
    )

    with pytest.raises(ApiException):
        make_client(fake, dataset_id=DATASET).download_new_raw_samples()

    assert fake.read_bodies(f"PUT {CLOCK}") == []


def test_a_second_call_within_the_same_second_lists_nothing():
    fake = WireFake({f"GET {CLOCK}": {"processedUntilTimestamp": int(time.time()) + 5}})

    assert make_client(fake, dataset_id=DATASET).download_new_raw_samples() == []


@pytest.mark.parametrize(
    ("method", "folder"),
    [
        ("get_prediction_read_url", "predictions"),
        ("get_metadata_read_url", "metadata"),
        ("get_custom_embedding_read_url", "embeddings"),
    ],
)
def test_read_urls_are_asked_for_by_name(method, folder):
    fake = WireFake({f"GET {BELOW}/{folder}/file": lambda parameters, _: parameters["fileName"]})

    url = getattr(make_client(fake, dataset_id=DATASET), method)("task/a b.json")

    assert url == "task/a b.json"
