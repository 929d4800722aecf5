"""Workers that are killed, cut off, robbed of their files or their rights (F1, F5-F7, F11, F15)."""

from __future__ import annotations

import json
import threading
import time

import pytest
from PIL import Image

from tests.support.fault_disks import mount_small_disk
from tests.support.fault_stores import Fault, FaultStore
from tests.support.worker_runs import run_local_place

N_PICTURES, N_SELECTED = 12, 4
STATES = (
    "INITIALIZING", "LOADING_DATASET", "LOADING_METADATA", "LOADING_PREDICTION",
    "CHECKING_CORRUPTNESS", "COMPUTING_METADATA", "EMBEDDING", "SAMPLING", "SAVING_RESULTS",
    "UPLOADING_DATASET", "GENERATING_REPORT", "UPLOADING_REPORT", "UPLOADED_REPORT",
    "UPLOADING_ARTIFACTS", "UPLOADED_ARTIFACTS",
)  # fmt: skip
#: One that loses nothing, and the one where samples are there and their tag is not.
SHORT = ("EMBEDDING", "UPLOADING_ARTIFACTS")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    with run_local_place(tmp_path_factory.mktemp("place")) as running:
        running.draw("pictures", N_PICTURES)
        yield running


@pytest.fixture
def proxy(place):
    """The server, as a worker sees it."""
    between = FaultStore(place.server.url)
    yield between
    between.stop()


@pytest.fixture(scope="module")
def expected(place):
    """What a run that nothing disturbs leaves behind."""
    run = place.schedule("undisturbed", "pictures", n_samples=N_SELECTED)
    place.make_worker().finish_runs()
    assert run.state[0] == "COMPLETED"
    return run.names


def reports_state(request, state):
    """Return whether a worker says with this request that its run has come to a state."""
    if not request.path.endswith("/heartbeat"):
        return False
    return json.loads(request.body).get("state") == state


def kill_at(worker, is_moment, fault):
    """Return a plan that kills a worker at the first request of a kind."""
    killed = threading.Event()

    def plan(_number, request):
        if killed.is_set() or not is_moment(request):
            return None
        killed.set()
        worker.kill()
        return fault

    return plan, killed


def check_whole(run, expected):
    state, message = run.state
    assert state == "COMPLETED", message
    assert run.names == expected
    assert run.tags == {"initial-tag": N_SELECTED}


@pytest.mark.parametrize(
    "state", [one if one in SHORT else pytest.param(one, marks=pytest.mark.long) for one in STATES]
)
def test_a_worker_that_is_killed_in_any_stage_leaves_a_run_that_ends_whole(
    place, proxy, expected, state
):
    run = place.schedule(f"killed in {state}", "pictures", n_samples=N_SELECTED)
    worker = place.make_worker(proxy.endpoint)
    proxy.plan, killed = kill_at(
        worker, lambda request: reports_state(request, state), Fault(loses_answer=True)
    )
    worker.start()
    assert killed.wait(120), worker.read_log()[-3000:]
    assert run.tags in ({}, {"initial-tag": N_SELECTED})

    place.make_worker().finish_runs()
    check_whole(run, expected)


@pytest.mark.long
@pytest.mark.parametrize("is_answered", [True, False])
def test_a_worker_that_is_killed_at_any_request_leaves_a_run_that_ends_whole(
    place, proxy, expected, is_answered
):
    whole = place.schedule(f"counted {is_answered}", "pictures", n_samples=N_SELECTED)
    place.make_worker(proxy.endpoint).finish_runs()
    assert whole.names == expected
    n_requests = len(proxy.requests)
    assert n_requests > 20
    # Some three requests come before the run: the worker registers and claims it.
    for number in range(4, n_requests, max(1, n_requests // 12)):
        run = place.schedule(f"killed at {number} {is_answered}", "pictures", n_samples=N_SELECTED)
        worker = place.make_worker(proxy.endpoint)
        proxy.requests.clear()
        fault = Fault(loses_answer=True) if is_answered else Fault(resets=True)
        proxy.plan, killed = kill_at(
            worker, lambda _request, at=number: len(proxy.requests) >= at, fault
        )
        worker.start()
        killed.wait(60)
        worker.kill()
        place.make_worker().finish_runs()
        check_whole(run, expected)


@pytest.mark.parametrize("away_s", [5, pytest.param(60, marks=pytest.mark.long)])
def test_a_run_goes_on_when_the_server_comes_back(place, proxy, expected, away_s):
    run = place.schedule(f"server away for {away_s} s", "pictures", n_samples=N_SELECTED)
    worker = place.make_worker(proxy.endpoint)
    away_until_s = None

    def plan(_number, request):
        nonlocal away_until_s
        if away_until_s is None and reports_state(request, "EMBEDDING"):
            away_until_s = time.monotonic() + away_s
        is_away = away_until_s is not None and time.monotonic() < away_until_s
        return Fault(resets=True) if is_away else None

    proxy.plan = plan
    worker.finish_runs()
    assert away_until_s is not None
    check_whole(run, expected)


def test_files_that_go_or_change_after_the_listing_are_left_out_or_read_as_they_are(place, proxy):
    names = place.draw("moving", N_PICTURES)
    folder = place.root / "input" / "moving"
    run = place.schedule("moving", "moving", n_samples=N_SELECTED)

    def plan(_number, request):
        if reports_state(request, "EMBEDDING"):
            (folder / names[0]).unlink()
            Image.new("RGB", (60, 40), (9, 200, 90)).save(folder / names[1])

    proxy.plan = plan
    place.make_worker(proxy.endpoint).finish_runs()
    state, message = run.state
    assert state == "COMPLETED", message
    assert message.startswith(f"Selected {N_SELECTED} of {N_PICTURES - 1} images")
    assert names[0] not in run.names
    (table,) = (place.root / "lightly" / "moving").rglob("excluded.csv")
    assert f'"{names[0]}","gone",' in table.read_text()


def test_odd_media_change_nothing_about_the_good_ones(place, expected):
    names = place.draw("odd", N_PICTURES)
    folder = place.root / "input" / "odd"
    good = (folder / names[0]).read_bytes()
    odd = {
        "empty.jpg": b"",
        "cut off.jpg": good[: len(good) // 2],
        "text.png": b"<svg onload='alert(1)'/>",
        "bomb.png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + b"\x7f\xff\xff\xff" * 2 + b"\x08\2\0\0\0",
        "😀\u202egnp.jpg": b"no picture",
        "trailing .jpg": b"no picture",
        f"{'x' * 240}.jpg": b"no picture",
        "caf\u00e9.jpg": b"one form",
        "cafe\u0301.jpg": b"the other form",
        "-i.jpg": b"no option",
    }
    for name, content in {**odd, "new\nline.jpg": good}.items():
        (folder / name).write_bytes(content)
    run = place.schedule("odd", "odd", n_samples=N_SELECTED)
    place.make_worker().finish_runs()
    check_whole(run, expected)
    assert f"{N_PICTURES + len(odd) + 1} listed, {len(odd)} corrupt" in run.state[1]
    run.download_artifacts(place.root / "artifacts of odd")
    information = place.root / "artifacts of odd" / "corruptness_check_information.json"
    assert set(json.loads(information.read_text())["corrupt_samples"]) == set(odd)


def test_a_full_disk_fails_the_run_with_that_reason_and_the_next_run_works(place, expected):
    root = place.root / "small"
    root.mkdir()
    with mount_small_disk(root / "work", size_bytes=2_000_000) as disk:
        run = place.schedule("full disk", "pictures", n_samples=N_SELECTED)
        disk.fill(leave_bytes=50_000)
        place.make_worker("", "--work-dir", str(root / "work")).finish_runs()
        state, message = run.state
        assert state == "FAILED"
        assert "No space left" in message
        assert run.tags == {}
        disk.free()
        again = place.schedule("room again", "pictures", n_samples=N_SELECTED)
        place.make_worker("", "--work-dir", str(root / "work")).finish_runs()
        check_whole(again, expected)


def test_a_worker_whose_token_is_taken_back_reads_nothing_more(place, proxy):
    place.draw("private", N_PICTURES)
    run = place.schedule("private", "private", n_samples=N_SELECTED)
    worker = place.make_worker(proxy.endpoint)
    asked = []

    def plan(_number, request):
        if asked or reports_state(request, "EMBEDDING"):
            asked.append(request)
            return Fault(status=401, body=b'{"code": "UNAUTHORIZED", "error": "rotated"}')
        return None

    proxy.plan = plan
    worker.start()
    assert worker.wait(60) != 0
    assert "rotated" in worker.read_log()
    assert not [one for one in asked if "/samples" in one.path or "/tags" in one.path]
    assert run.tags == {}
    proxy.plan = lambda _number, _request: None
    place.make_worker().finish_runs()
    assert run.state[0] == "COMPLETED"
