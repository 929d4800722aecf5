"""One line per record, as text or as JSON."""

from __future__ import annotations

import io
import json
import logging

import pytest

from lightly._kit.errors import BadInput
from lightly.server.log_records import (
    JsonFormatter,
    RequestIdFilter,
    TextFormatter,
    request_id,
)
from lightly.server.settings import Settings


@pytest.fixture
def write():
    """Log through a formatter and return the lines."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(RequestIdFilter())
    log = logging.getLogger("test.records")
    log.setLevel(logging.INFO)
    log.propagate = False
    log.addHandler(handler)

    def run(formatter, act):
        handler.setFormatter(formatter)
        act(log)
        return stream.getvalue().rstrip("\n").split("\n")

    yield run
    log.removeHandler(handler)


def test_a_json_line_holds_what_is_known_of_an_answer(write):
    fields = {"method": "GET", "path": "/v1/jobs", "status": 200, "duration_ms": 1.5}
    token = request_id.set("abc")

    (line,) = write(JsonFormatter(), lambda log: log.info("%s done", "it is", extra=fields))

    request_id.reset(token)
    entry = json.loads(line)
    assert entry.pop("time").endswith("+00:00")
    assert entry == {
        "level": "INFO",
        "logger": "test.records",
        "message": "it is done",
        "request_id": "abc",
        **fields,
    }


def test_a_json_line_stays_one_line_with_line_breaks_and_a_traceback(write):
    def fail(log):
        log.error("a\nb\u2028c", exc_info=ValueError("two\nlines"))

    (line,) = write(JsonFormatter(), fail)

    entry = json.loads(line)
    assert entry["message"] == "a\nb\u2028c"
    assert "ValueError: two\nlines" in entry["exception"]


def test_outside_requests_there_is_no_request_id(write):
    (line,) = write(JsonFormatter(), lambda log: log.info("started"))

    assert "request_id" not in json.loads(line)


def test_a_text_line_ends_with_the_request_id(write):
    token = request_id.set("abc")

    (line,) = write(TextFormatter(), lambda log: log.info("GET /v1/jobs 200"))

    request_id.reset(token)
    assert line.endswith("INFO test.records GET /v1/jobs 200 abc")


def test_other_formats_are_refused_by_name():
    with pytest.raises(BadInput, match="LOG_FORMAT must be text or json, got 'xml'"):
        Settings(log_format="xml")
