"""Logs that never slow a call down, and that hold nothing private."""

from __future__ import annotations

import io
import json
import logging
import threading
from collections.abc import Callable

from voicectl.telemetry.logging import CAPACITY, LogWriter, start, stop


class Blocked(io.StringIO):
    """A pipe that nobody reads, until somebody does."""

    def __init__(self) -> None:
        super().__init__()
        self.entered = threading.Event()
        self.open = threading.Event()

    def write(self, text: str) -> int:
        self.entered.set()
        assert self.open.wait(30)
        return super().write(text)


def logged(act: Callable[[logging.Logger], None], *, as_json: bool = True) -> list[str]:
    stream = io.StringIO()
    writer = LogWriter(stream, as_json=as_json)
    logger = logging.Logger("voicectl.test")
    logger.addHandler(writer)
    act(logger)
    writer.stop()
    return stream.getvalue().splitlines()


def test_a_line_is_one_json_object_with_the_known_fields_alone() -> None:
    (line,) = logged(lambda log: log.warning("incident", extra={"kind": "auth", "words": "my card is 4111"}))
    data = json.loads(line)
    assert data["message"] == "incident" and data["kind"] == "auth" and data["level"] == "warning"
    assert "4111" not in line


def test_on_a_terminal_it_is_for_people() -> None:
    (line,) = logged(lambda log: log.error("a reply model broke", extra={"kind": "internal"}), as_json=False)
    assert line.endswith("a reply model broke kind=internal")


def test_a_trace_shows_where_and_no_values() -> None:
    def act(log: logging.Logger) -> None:
        secret = "canary-secret"  # noqa: F841
        try:
            raise ZeroDivisionError
        except ZeroDivisionError:
            log.exception("broken")

    lines = logged(act, as_json=True)
    assert "ZeroDivisionError" in lines[0]


def test_nobody_waits_for_a_pipe_that_is_not_read_and_losses_are_counted() -> None:
    stream = Blocked()
    writer = LogWriter(stream, as_json=True)
    logger = logging.Logger("voicectl.test")
    logger.addHandler(writer)
    logger.warning("first")
    assert stream.entered.wait(10)
    for _ in range(CAPACITY + 500):
        logger.warning("more")
    assert writer.dropped == 500
    stream.open.set()
    writer.stop()
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["count"] for line in lines if line["message"] == "log records were dropped"] == [500]


def test_a_full_disk_is_survived() -> None:
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(28, "No space left on device")

    writer = LogWriter(Full(), as_json=True)
    logger = logging.Logger("voicectl.test")
    logger.addHandler(writer)
    logger.warning("lost")
    writer.stop()
    assert writer.dropped == 1


def test_logging_is_left_as_it_was_found() -> None:
    root = logging.getLogger()
    before = root.level, list(root.handlers)
    stop(start("error"))
    assert (root.level, list(root.handlers)) == before
