"""Logs that never slow a call down.

A line is written by a thread of its own. Whoever logs only puts a record into a queue; when nobody reads our output
and the queue is full, records are dropped and counted, and the next line that does get out says how many. (A server
that writes to a pipe which nobody reads stands still after 64 lines otherwise.)

Messages are static. What belongs to one case stands in the fields named in FIELDS, and no field holds what a caller
said or keyed, a number, or a secret. On a terminal a line is for people, elsewhere it is one JSON object.
"""

from __future__ import annotations

import json
import logging
import queue
import sys
import threading
from datetime import UTC, datetime
from typing import TextIO

FIELDS = ("part", "kind", "action", "status", "why", "seconds", "count")
"""Extra fields of a record that are written; all others are left out."""
CAPACITY = 2_000


class LogWriter(logging.Handler):
    """Handler, queue and thread in one. `stop` writes what is waiting, within a second."""

    def __init__(self, stream: TextIO, *, as_json: bool) -> None:
        super().__init__()
        self.level_before = logging.WARNING
        """The root logger's, to be restored."""
        self.dropped = 0
        """Records lost so far because the queue was full."""
        self._told = 0
        self._stream = stream
        self._as_json = as_json
        self._queue: queue.Queue[logging.LogRecord | None] = queue.Queue(CAPACITY)
        self._thread = threading.Thread(target=self._write, name="log-writer", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._queue.put_nowait(record)
        except queue.Full:
            self.dropped += 1

    def stop(self) -> None:
        try:
            self._queue.put(None, timeout=0.5)
        except queue.Full:
            return  # nobody reads: what waits is lost with the process
        self._thread.join(1.0)

    def line(self, record: logging.LogRecord) -> str:
        """One record as it is written, without the line end."""
        fields = {name: getattr(record, name) for name in FIELDS if hasattr(record, name)}
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        trace = logging.Formatter().formatException(record.exc_info) if record.exc_info else ""
        if self._as_json:
            data = {"at": at, "level": record.levelname.lower(), "from": record.name, "message": record.getMessage()}
            return json.dumps({**data, **fields, **({"trace": trace} if trace else {})}, default=str)
        shown = "".join(f" {name}={value}" for name, value in fields.items())
        return f"{at[11:23]} {record.levelname.lower():7} {record.getMessage()}{shown}" + (
            f"\n{trace}" if trace else ""
        )

    def _write(self) -> None:
        while True:
            record = self._queue.get()
            if record is None:
                return
            try:
                if self.dropped > self._told:
                    lost = logging.LogRecord("voicectl", logging.WARNING, "", 0, "log records were dropped", (), None)
                    lost.count = self.dropped - self._told
                    self._told = self.dropped
                    self._stream.write(self.line(lost) + "\n")
                self._stream.write(self.line(record) + "\n")
                self._stream.flush()
            except Exception:
                self.dropped += 1  # the disk is full, the stream closed, the record broken: speech goes on


def start(level: str, stream: TextIO | None = None) -> LogWriter:
    """Send the logs of this process to `stream` (default: stderr). Whoever starts it stops it."""
    out = stream or sys.stderr
    writer = LogWriter(out, as_json=not out.isatty())
    root = logging.getLogger()
    root.addHandler(writer)
    writer.level_before = root.level
    root.setLevel(level.upper())
    for chatty in ("uvicorn", "openai", "httpx2", "httpcore2", "aiohttp", "alembic", "asyncio"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    return writer


def stop(writer: LogWriter) -> None:
    """Write what waits, and leave logging as it was found."""
    root = logging.getLogger()
    root.removeHandler(writer)
    root.setLevel(writer.level_before)
    writer.stop()
