"""The loop of a child process that decodes: one request at a time, within limits.

It has no sockets, may not write files, and is bounded in memory and in CPU time per item. Whatever
happens to it, the parent notices, says so about the item and starts another one.
"""

from __future__ import annotations

import os
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

from lightly.media.errors import CorruptMedia
from lightly.media.sandbox_protocol import Message, read_message, write_message

#: Answers a request with any number of messages; None in between is a sign of life, and
#: `announce_long_step` one that asks for patience.
Operation: TypeAlias = Callable[[Message], Iterator[Message | None]]

# Far below every deadline.
_ALIVE_INTERVAL_S = 0.25


def serve(operations: Mapping[str, Operation], settings: Mapping[str, Any]) -> None:
    """Answer requests until the parent closes the pipe.

    Args:
        operations: What can be asked for, by name.
        settings: `memory_bytes` and `cpu_s`, see `lightly.media.limits`.
    """
    requests, replies = _claim_standard_streams()
    # A signal for the whole group (Ctrl-C, a service manager) is the parent's business: it closes
    # the pipe when it is done. Dying here would blame the image that is being decoded.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _make_warnings_errors()
    _limit_resources(int(settings["memory_bytes"]))
    write_message(replies, Message({"kind": "ready"}))
    _silence_errors()
    while (request := read_message(requests)) is not None:
        _limit_cpu_time(int(settings["cpu_s"]))
        if not _answer(operations[request.header["operation"]], request, replies, settings):
            return


def _answer(
    operation: Operation, request: Message, replies: BinaryIO, settings: Mapping[str, Any]
) -> bool:
    """Run one operation; return whether this process may be used again."""
    sent_at = time.monotonic()
    try:
        for reply in operation(request):
            # A message wakes the parent up, so signs of life are not sent more often than needed.
            if reply is not None or time.monotonic() - sent_at > _ALIVE_INTERVAL_S:
                write_message(replies, reply or Message({"kind": "alive"}))
                sent_at = time.monotonic()
            cpu_s = settings["cpu_s"] if reply is None else reply.header.get("cpu_s")
            _limit_cpu_time(int(cpu_s or settings["cpu_s"]))
    except CorruptMedia as error:
        write_message(replies, Message({"kind": "corrupt", "reason": str(error)}))
    except MemoryError:
        # The heap may be in pieces now; a fresh process is cheaper than finding out.
        write_message(replies, Message({"kind": "out_of_memory"}))
        return False
    except Exception as error:  # noqa: BLE001  the outermost loop: whatever a decoder comes up with
        reason = f"Decoding failed ({type(error).__name__})."
        write_message(replies, Message({"kind": "corrupt", "reason": reason}))
    write_message(replies, Message({"kind": "done"}))
    return True


def announce_long_step(seconds: float) -> Message:
    """Return the sign of life before a step that is ours and may take longer than a decode."""
    return Message({"kind": "alive", "deadline_s": seconds, "cpu_s": int(seconds)})


def _claim_standard_streams() -> tuple[BinaryIO, BinaryIO]:
    """Keep the two pipes for the protocol: a library that prints must not write into it."""
    requests = os.fdopen(os.dup(0), "rb")
    replies = os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(2, 1)
    os.close(null)
    return requests, replies


def _silence_errors() -> None:
    """Drop what decoders print about bad bytes; until now it explained a failed start."""
    null = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        os.dup2(null, descriptor)
    os.close(null)


def _make_warnings_errors() -> None:
    # What decoders say about bad bytes. Not among them: that Python or Pillow plan a change.
    warnings.simplefilter("error", UserWarning)
    warnings.simplefilter("error", RuntimeWarning)
    # About entries that say nothing of the pixels; honest scanners write such files.
    warnings.filterwarnings("ignore", message="Metadata Warning")
    warnings.filterwarnings("ignore", message=".*corrupt EXIF data")
    # Phones write these; the first picture in them is a plain JPEG.
    warnings.filterwarnings("ignore", message=".*malformed MPO file")


def _limit_resources(memory_bytes: int) -> None:
    try:
        import resource  # noqa: PLC0415  POSIX only
    except ImportError:
        return
    _lower_limit(resource.RLIMIT_CORE, 0)
    _lower_limit(resource.RLIMIT_FSIZE, 0)
    sys.dont_write_bytecode = True
    statm = Path("/proc/self/statm")
    if statm.exists():  # elsewhere the address space cannot be measured, so it is not bounded
        used = int(statm.read_text().split()[0]) * resource.getpagesize()
        _lower_limit(resource.RLIMIT_AS, used + memory_bytes)


def _lower_limit(kind: int, wanted: int) -> None:
    """Set a limit for good, but never above one that this process came with."""
    import resource  # noqa: PLC0415  POSIX only, checked by the caller

    hard = resource.getrlimit(kind)[1]
    limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(kind, (limit, limit))


def _limit_cpu_time(seconds: int) -> None:
    """Let this process use so much CPU time from now on; the kernel ends it after that."""
    try:
        import resource  # noqa: PLC0415  POSIX only
    except ImportError:
        return
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    wanted = int(time.process_time()) + 1 + seconds
    soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))
