"""A command of the system ends in time, or is ended, and says why it failed."""

import sys
import time
from pathlib import Path

import pytest

from tools.demo.limited_process import CommandFailed, Deadline, find_reason, run_limited

LONG_S = 60.0


def test_the_output_of_a_command_is_returned(tmp_path):
    output = run_limited(["pwd"], tmp_path, Deadline.after(LONG_S))

    assert output.strip() == str(tmp_path)


def test_a_failing_command_names_the_line_that_says_why(tmp_path):
    script = "import sys; print('reading'); print('E: no such thing'); print('bye'); sys.exit(3)"

    with pytest.raises(CommandFailed, match="failed: E: no such thing"):
        run_limited([sys.executable, "-c", script], tmp_path, Deadline.after(LONG_S))


def test_a_command_that_takes_too_long_is_ended_with_its_children(tmp_path):
    script = "sleep 60 & echo $! > child.pid; wait"
    started = time.monotonic()

    with pytest.raises(CommandFailed, match="not done within the time limit"):
        run_limited(["sh", "-c", script], tmp_path, Deadline.after(0.3))

    wait_until_gone(int((tmp_path / "child.pid").read_text()))
    assert time.monotonic() - started < 10


def wait_until_gone(pid):
    """The kernel needs a moment between the signal and the end of a process."""
    give_up_at = time.monotonic() + 5
    while is_running(pid):
        assert time.monotonic() < give_up_at


def is_running(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def test_a_program_that_is_not_there_is_named(tmp_path):
    with pytest.raises(CommandFailed, match="no-such-program cannot be started"):
        run_limited(["no-such-program"], tmp_path, Deadline.after(LONG_S))


def test_progress_is_shown_while_the_command_runs(tmp_path):
    command = ["sh", "-c", "until [ -e seen ]; do :; done"]

    run_limited(command, tmp_path, Deadline.after(LONG_S), on_wait=(tmp_path / "seen").touch)

    assert (tmp_path / "seen").exists()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # the error line wins over what follows
        ("Get:1\nE: broken\nbye", "E: broken"),
        # and over lines about single attempts
        ("Err:1 first try\nE: no network", "E: no network"),
        # a proxy's password does not get out
        ("E: cannot reach http://me:secret@proxy:1/ now", "E: cannot reach (address) now"),
        # else the last line
        ("one\ntwo\n\n", "two"),
        ("", "it gave no reason"),
        # unbounded output is cut
        ("E: " + "x" * 500, "E: " + "x" * 157),
    ],
)
def test_the_reason_is_one_short_line(text, expected):
    assert find_reason(text) == expected
