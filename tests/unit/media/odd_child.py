"""A decoding child with operations that misbehave, started by the sandbox tests as a program."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from lightly.media.errors import CorruptMedia
from lightly.media.sandbox_child import OPERATIONS
from lightly.media.sandbox_loop import announce_long_step, serve
from lightly.media.sandbox_protocol import Message


def echo(request: Message) -> Iterator[Message]:
    yield Message({"kind": "echo", "value": request.header.get("value"), "pid": os.getpid()})


def sleep(request: Message) -> Iterator[Message]:
    time.sleep(600)
    yield Message({})


def spin(request: Message) -> Iterator[Message]:
    while True:
        pass
    yield Message({})


def abort(request: Message) -> Iterator[Message]:
    os.abort()
    yield Message({})


def crash(request: Message) -> Iterator[Message]:
    ctypes.string_at(0)
    yield Message({})


def leave(request: Message) -> Iterator[Message]:
    os._exit(3)
    yield Message({})


def allocate(request: Message) -> Iterator[Message]:
    blocks = [bytearray(64 * 2**20) for _ in range(request.header["n_blocks"])]
    yield Message({"kind": "echo", "value": len(blocks)})


def write_file(request: Message) -> Iterator[Message]:
    try:
        Path(request.header["value"]).write_bytes(b"x")
        outcome = "written"
    except OSError as error:
        outcome = type(error).__name__
    yield Message({"kind": "echo", "value": outcome})


def print_rubbish(request: Message) -> Iterator[Message]:
    os.write(1, b"a library prints to standard output\n" * 100)
    yield Message({"kind": "echo", "value": "still here"})


def answer_rubbish(request: Message) -> Iterator[Message]:
    # The protocol's own pipe is the highest descriptor that was open at the start.
    for descriptor in range(3, 12):
        try:
            os.write(descriptor, b"\xff" * 4096)
        except OSError:
            continue
    time.sleep(600)
    yield Message({})


def kill_once(request: Message) -> Iterator[Message]:
    """Die from outside at the first try and answer at the second."""
    mark = request.header["value"]
    if Path(mark).exists():
        yield Message({"kind": "echo", "value": "second try"})
    else:
        os.close(os.open(mark, os.O_CREAT))
        os.kill(os.getpid(), signal.SIGKILL)


def refuse(request: Message) -> Iterator[Message]:
    raise CorruptMedia("This is not what it should be.")
    yield Message({})


def fail(request: Message) -> Iterator[Message]:
    raise ZeroDivisionError("a decoder's own mistake")
    yield Message({})


def count_slowly(request: Message) -> Iterator[Message | None]:
    for _ in range(10):
        time.sleep(0.1)
        yield None
    yield Message({"kind": "echo", "value": "done"})


def stream(request: Message) -> Iterator[Message]:
    for index in range(request.header["first"], 1_000_000):
        yield Message({"kind": "frame", "index": index}, [bytes(150_000)])


def work_long(request: Message) -> Iterator[Message | None]:
    yield announce_long_step(20)
    time.sleep(1.5)
    yield Message({"kind": "echo", "value": "done"})


def hang_after_long_work(request: Message) -> Iterator[Message | None]:
    yield announce_long_step(20)
    time.sleep(0.7)
    yield announce_long_step(0.5)
    time.sleep(600)
    yield Message({})


def report_environment(request: Message) -> Iterator[Message]:
    yield Message({"kind": "echo", "value": sorted(os.environ)})


if __name__ == "__main__":
    serve(
        {
            **OPERATIONS,
            **{
                function.__name__: function
                for function in (
                    echo, sleep, spin, abort, crash, leave, allocate, write_file, print_rubbish,
                    answer_rubbish, kill_once, refuse, fail, stream, work_long,
                    hang_after_long_work, count_slowly, report_environment,
                )
            },
        },
        json.loads(sys.argv[1]),
    )  # fmt: skip
