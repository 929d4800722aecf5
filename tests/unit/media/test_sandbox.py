"""A child that sleeps, crashes or eats memory costs one item; the others get their results."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from lightly._kit.errors import BadInput
from lightly.media.errors import CorruptVideo, SandboxFailed
from lightly.media.inspection import inspect_image
from lightly.media.sandbox import DecodePool, make_request
from lightly.media.sandbox_process import ChildSettings
from lightly.media.sandbox_protocol import Message
from tests.unit.media import odd_images as odd
from tests.unit.media.clips import write_clip

ODD_CHILD = [sys.executable, "-P", str(Path(__file__).with_name("odd_child.py"))]


def odd_pool(n_processes: int = 1, **options) -> DecodePool:
    settings = ChildSettings(**{"deadline_s": 20.0, "cpu_s": 20, **options})
    return DecodePool(n_processes, settings=settings, command=ODD_CHILD)


def ask(pool: DecodePool, *operations: str | tuple[str, object], **extra: object) -> list[object]:
    """Ask for operations in order; return the values and reasons that come back."""
    requests = []
    for operation in operations:
        name, value = operation if isinstance(operation, tuple) else (operation, None)
        requests.append(Message({"operation": name, "value": value, **extra}))
    answers = pool.ask(requests)
    return [a if isinstance(a, str) else a.header["value"] for a in answers]


def test_reports_come_in_input_order():
    images = [odd.encode(odd.photo(20 + n % 7 * 150, 20), "PNG") for n in range(40)]

    with DecodePool(n_processes=2) as pool:
        widths = [report.metadata["shape"][1] for report in pool.inspect_images(images)]

    assert widths == [20 + n % 7 * 150 for n in range(40)]


def test_paths_and_bytes_give_the_same_report(tmp_path):
    path = tmp_path / "ä b.jpg"
    path.write_bytes(odd.oriented_jpeg(6))

    with DecodePool(n_processes=1) as pool:
        reports = list(pool.inspect_images([path, str(path), path.read_bytes()]))

    assert reports == [inspect_image(path)] * 3


def test_a_name_that_is_not_unicode_is_read(tmp_path):
    path = os.fsdecode(os.fsencode(tmp_path) + b"/\xff.png")
    Path(path).write_bytes(odd.encode(odd.flat(), "PNG"))

    with DecodePool(n_processes=1) as pool:
        (report,) = pool.inspect_images([path])

    assert report.corruption is None


@pytest.mark.parametrize("kind", ["missing", "folder", "pipe"])
def test_what_is_no_file_is_reported(tmp_path, kind):
    path = tmp_path / "x.jpg"
    {"missing": lambda: None, "folder": path.mkdir, "pipe": lambda: os.mkfifo(path)}[kind]()

    with DecodePool(n_processes=1) as pool:
        (report,) = pool.inspect_images([path])

    assert report.corruption in {
        "The file is missing or cannot be reached.",
        "This is not a regular file.",
    }


@pytest.mark.parametrize(
    ("operation", "reason"),
    [
        ("abort", "Decoding crashed (SIGABRT)."),
        ("crash", "Decoding crashed (SIGSEGV)."),
        ("leave", "Decoding ended unexpectedly (exit code 3)."),
        ("refuse", "This is not what it should be."),
        ("fail", "Decoding failed (ZeroDivisionError)."),
    ],
)
def test_a_child_that_dies_costs_one_item_and_is_replaced(operation, reason):
    with odd_pool() as pool:
        answers = ask(pool, ("echo", 1), operation, ("echo", 2))

    assert answers == [1, reason, 2]


def test_a_child_that_hangs_is_ended_at_the_deadline():
    with odd_pool(deadline_s=0.5) as pool:
        answers = ask(pool, ("echo", 1), "sleep", ("echo", 2))

    assert answers == [1, "Decoding took longer than 0.5 s.", 2]


def test_a_child_that_spins_is_ended_by_its_cpu_limit():
    with odd_pool(cpu_s=1) as pool:
        answers = ask(pool, "spin", ("echo", 2))

    assert answers == ["Decoding used more than 1 s of CPU time.", 2]


def test_a_child_that_eats_memory_is_stopped_before_the_machine_suffers():
    with odd_pool(memory_bytes=512 * 2**20) as pool:
        answers = ask(pool, "allocate", ("echo", 2), n_blocks=1_000)

    assert answers == ["Decoding needed more than 512 MiB of memory.", 2]


def test_memory_within_the_limit_is_no_problem():
    with odd_pool(memory_bytes=512 * 2**20) as pool:
        assert ask(pool, "allocate", n_blocks=4) == [4]


def test_the_memory_limit_covers_the_largest_image_that_is_accepted():
    widest = odd.encode(odd.flat((1, 2, 3, 200), (9_400, 9_400), "RGBA"), "PNG", compress_level=1)

    with DecodePool(n_processes=1) as pool:
        (report,) = pool.inspect_images([widest])

    assert report.corruption is None
    assert report.metadata["shape"] == [9_400, 9_400, 3]


def test_a_process_that_somebody_else_killed_gets_a_second_try(tmp_path):
    with odd_pool() as pool:
        answers = ask(pool, ("kill_once", str(tmp_path / "mark")))

    assert answers == ["second try"]


def test_a_child_that_answers_rubbish_is_replaced():
    with odd_pool(deadline_s=5.0) as pool:
        answers = ask(pool, "answer_rubbish", ("echo", 2))

    assert answers == ["Decoding ended with an answer that makes no sense.", 2]


def test_what_a_library_prints_does_not_disturb_the_answers():
    with odd_pool() as pool:
        assert ask(pool, "print_rubbish", ("echo", 2)) == ["still here", 2]


def test_a_child_cannot_write_files(tmp_path):
    with odd_pool() as pool:
        assert ask(pool, ("write_file", str(tmp_path / "x"))) == ["OSError"]

    assert not (tmp_path / "x").exists() or (tmp_path / "x").stat().st_size == 0


def test_a_pool_works_below_limits_that_somebody_else_has_set():
    script = (
        "import resource\n"
        "for kind, limit in ((resource.RLIMIT_CPU, 15), (resource.RLIMIT_AS, 3 * 2**30),"
        " (resource.RLIMIT_FSIZE, 2**20)):\n"
        "    resource.setrlimit(kind, (limit, limit))\n"
        "from lightly.media.sandbox import DecodePool\n"
        "with DecodePool(n_processes=1) as pool:\n"
        "    print([report.corruption for report in pool.inspect_images([b''])])\n"
    )

    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)

    assert answer.stdout == "['The file is empty.']\n"


def test_a_child_does_not_know_tokens(monkeypatch):
    monkeypatch.setenv("LIGHTLY_TOKEN", "secret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")

    with odd_pool() as pool:
        (names,) = ask(pool, "report_environment")

    assert not {"LIGHTLY_TOKEN", "AWS_SECRET_ACCESS_KEY"} & set(names)


def test_signs_of_life_extend_the_deadline():
    with odd_pool(deadline_s=0.8) as pool:
        assert ask(pool, "count_slowly") == ["done"]


def test_an_interrupt_for_the_whole_group_blames_no_image():
    with odd_pool() as pool:
        (first,) = pool.ask([Message({"operation": "echo"})])
        for number in (signal.SIGINT, signal.SIGTERM):
            os.kill(first.header["pid"], number)
        (second,) = pool.ask([Message({"operation": "echo"})])

    assert second.header["pid"] == first.header["pid"]


def test_a_child_that_cannot_start_is_an_error_and_not_a_corrupt_image():
    command = [sys.executable, "-c", "raise SystemExit('numpy is broken')"]

    with DecodePool(1, command=command) as pool, pytest.raises(SandboxFailed, match="broken"):
        list(pool.inspect_images([b"x"]))


def test_children_end_with_the_pool():
    with odd_pool() as pool:
        (answer,) = pool.ask([Message({"operation": "echo"})])

    with pytest.raises(ProcessLookupError):
        os.kill(answer.header["pid"], 0)


def test_leaving_the_pool_does_not_wait_for_a_child_that_hangs():
    timer = threading.Timer(60, os._exit, [1])
    timer.start()

    with odd_pool(2) as pool:
        next(pool.ask([Message({"operation": "echo"})] + [Message({"operation": "sleep"})] * 4))

    timer.cancel()


def test_a_pool_that_is_not_open_says_so():
    pool = DecodePool(n_processes=1)

    with pytest.raises(SandboxFailed, match="with"):
        next(pool.inspect_images([b""]))


def test_a_pool_needs_a_process():
    with pytest.raises(BadInput, match="at least 1, got 0"):
        DecodePool(n_processes=0)


def test_sources_are_taken_with_a_bounded_look_ahead():
    taken = []

    def sources():
        for number in itertools.count():
            taken.append(number)
            yield b""

    with DecodePool(n_processes=1, look_ahead=5) as pool:
        reports = pool.inspect_images(sources())
        next(reports)
        next(reports)
        reports.close()

    assert len(taken) <= 8


def test_several_threads_may_share_a_pool():
    outcomes = {}

    def work(number: int) -> None:
        image = odd.encode(odd.flat(size=(number + 1, 1)), "PNG")
        shapes = [r.metadata["shape"][1] for r in pool.inspect_images([image] * 20)]
        outcomes[number] = shapes

    with DecodePool(n_processes=2) as pool:
        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert outcomes == {number: [number + 1] * 20 for number in range(4)}


def test_frames_are_counted_and_inspected(tmp_path):
    clip = write_clip(tmp_path / "clip.mp4", 12)

    with DecodePool(n_processes=1) as pool:
        (good, bad) = pool.count_frames([clip, tmp_path / "none.mp4"])
        reports = list(pool.inspect_frames(clip, first=10))

    assert good.n_frames == 12
    assert bad.corruption == "The file is missing or cannot be reached."
    assert [report.index for report in reports] == [10, 11]
    assert reports[0].timestamp_s == pytest.approx(1.0)
    assert inspect_image(reports[0].png).metadata == reports[0].metadata


def test_answers_are_streamed_request_by_request(tmp_path):
    clips = [write_clip(tmp_path / f"{n}.mp4", n) for n in (3, 5)]

    with DecodePool(n_processes=2) as pool:
        streams = pool.stream(make_request("inspect_frames", clip, first=0) for clip in clips)
        indices = [[answer.header["index"] for answer in answers] for answers in streams]

    assert indices == [[0, 1, 2], [0, 1, 2, 3, 4]]


def test_a_corrupt_video_raises_and_the_next_one_works(tmp_path):
    (tmp_path / "bad.mp4").write_bytes(b"<html>")
    clip = write_clip(tmp_path / "clip.mp4", 3)

    with DecodePool(n_processes=1) as pool:
        with pytest.raises(CorruptVideo, match="not a video of a supported type"):
            next(pool.inspect_frames(tmp_path / "bad.mp4"))
        assert len(list(pool.inspect_frames(clip))) == 3


def test_a_stream_can_be_left_in_the_middle():
    requests = [Message({"operation": "stream", "first": first}) for first in (0, 7)]

    with odd_pool() as pool:
        streams = pool.stream(requests)
        first = next(next(streams))
        second = next(next(streams))

    assert (first.header["index"], second.header["index"]) == (0, 7)


def test_a_step_that_asks_for_patience_gets_it():
    with odd_pool(deadline_s=0.5) as pool:
        assert ask(pool, "work_long", ("echo", 2)) == ["done", 2]


def test_patience_ends_with_the_step():
    with odd_pool(deadline_s=0.5) as pool:
        answers = ask(pool, "hang_after_long_work", ("echo", 2))

    assert answers == ["Decoding took longer than 0.5 s.", 2]


def test_the_pool_loads_no_image_library_into_the_calling_process():
    code = (
        "import sys, lightly.media.sandbox;"
        "print({'numpy', 'PIL', 'cv2', 'av', 'simplejpeg'} & set(sys.modules))"
    )

    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert answer.stdout.strip() == "set()"


def test_a_script_without_a_main_guard_can_use_a_pool(tmp_path):
    script = tmp_path / "job.py"
    script.write_text(
        "from lightly.media.sandbox import DecodePool\n"
        "with DecodePool(n_processes=1) as pool:\n"
        "    print([report.corruption for report in pool.inspect_images([b''])])\n"
    )

    answer = subprocess.run([sys.executable, str(script)], capture_output=True, text=True)

    assert answer.stdout == "['The file is empty.']\n"


@pytest.mark.parametrize(("image_format", "magic"), [("png", b"\x89PNG"), ("jpg", b"\xff\xd8\xff")])
def test_frames_are_handed_over_as_files(tmp_path, image_format, magic):
    clip = write_clip(tmp_path / "clip.mp4", 12)

    with DecodePool(1) as pool:
        (frames,) = map(list, pool.read_frames([(clip, [7, 2])], image_format=image_format))

    assert [frame.index for frame in frames] == [2, 7]
    assert all(frame.content.startswith(magic) for frame in frames)
    assert [frame.timestamp_s for frame in frames] == pytest.approx([0.2, 0.7])


def test_frames_are_handed_over_as_pixels(tmp_path):
    clip = write_clip(tmp_path / "clip.mp4", 3)

    with DecodePool(1) as pool:
        (frames,) = map(list, pool.read_frames([(clip, [1])]))

    assert (frames[0].width, frames[0].height) == (64, 48)
    assert len(frames[0].content) == 64 * 48 * 3


def test_frames_that_a_video_does_not_have_are_left_out(tmp_path):
    clip = write_clip(tmp_path / "clip.mp4", 3)

    with DecodePool(1) as pool:
        answers = pool.read_frames([(clip, [2, 3, -1, 2**62]), (clip, [])])

        assert [[frame.index for frame in frames] for frames in answers] == [[2], []]


def test_a_video_that_is_none_costs_only_itself(tmp_path):
    clip = write_clip(tmp_path / "clip.mp4", 3)
    (tmp_path / "bad.mp4").write_bytes(b"nothing of the kind")

    with DecodePool(1) as pool:
        answers = pool.read_frames([(tmp_path / "bad.mp4", [0]), (clip, [0])])
        with pytest.raises(CorruptVideo, match="not a video"):
            list(next(answers))

        assert [frame.index for frame in next(answers)] == [0]


def test_an_unknown_form_of_frames_is_refused(tmp_path):
    with DecodePool(1) as pool, pytest.raises(BadInput, match="png, jpg or rgb"):
        next(pool.read_frames([(tmp_path / "a.mp4", [0])], image_format="gif"))
