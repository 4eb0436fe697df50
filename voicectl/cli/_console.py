"""What every command shares: results on stdout, everything else on stderr, `--json`, exit codes.

    @app.command("ingest-kb")
    def ingest_kb(json: Json = False) -> None:
        with command(json) as out:
            out.note("reading …")                        # stderr, for people
            out.result({"passages": 12}, "12 passages")  # stdout: one JSON object, or the text
            out.exit(1)                                  # found what it was asked to look for

A VoicectlError inside the block becomes one message with its hint and exit code, Ctrl-C becomes exit 130.
"""

from __future__ import annotations

import json as jsonlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, NoReturn

import typer

from voicectl.errors import UsageError, VoicectlError

Json = Annotated[bool, typer.Option("--json", help="Print exactly one JSON object on stdout.")]
Config = Annotated[
    str | None,
    typer.Option("--config", help="Settings file; default: voicectl.toml in the working directory, if there is one."),
]

INTERRUPTED = 130
_latest: list[Output] = []
"""The command that runs, or has run."""
_UNSAFE = {
    code: None
    for code in (
        *range(0x09),
        *range(0x0B, 0x20),
        *range(0x7F, 0xA0),
        *range(0x202A, 0x202F),
        *range(0x2066, 0x206A),
        0x200E,
        0x200F,
        0x061C,
    )
}


class Output:
    """One command's way of speaking."""

    def __init__(self, json: bool) -> None:
        self.json = json
        self.printed = False
        """The one JSON object is out."""

    def note(self, text: str = "") -> None:
        """A line for people, on stderr; nothing under --json but what goes wrong."""
        if not self.json:
            print(safe(text), file=sys.stderr, flush=True)

    def warn(self, text: str) -> None:
        print(f"warning: {safe(text)}", file=sys.stderr, flush=True)

    def line(self, text: str = "") -> None:
        """A line of the result, on stdout; not under --json."""
        if not self.json:
            print(safe(text), flush=True)

    def result(self, data: dict[str, Any], text: str = "", *, ok: bool = True) -> None:
        """The result: `data` under --json, else `text`."""
        if self.json:
            self._object({"ok": ok, **data})
        elif text:
            self.line(text)

    def failure(self, error: VoicectlError, code: int | None = None) -> None:
        if self.json:
            code = error.code if code is None else code
            self._object({"ok": False, "error": error.message, "hint": error.hint, "code": code})
            return
        print(f"error: {safe(error.message)}", file=sys.stderr)
        if error.hint:
            print(f"  try: {safe(error.hint)}", file=sys.stderr)

    def exit(self, code: int = 0) -> NoReturn:
        raise typer.Exit(code)

    def _object(self, data: dict[str, Any]) -> None:
        if not self.printed:
            self.printed = True
            print(jsonlib.dumps(data, ensure_ascii=False, default=str), flush=True)


def wrong_usage() -> None:
    """The object of a command line that made no sense, if no command has printed one; stderr says what was wrong."""
    if not (_latest and _latest[0].printed):
        Output(json=True).failure(
            UsageError("the command line makes no sense", "see --help; stderr says what is wrong")
        )


@contextmanager
def command(json: bool = False) -> Iterator[Output]:
    """Run a command's body; see the top of this file."""
    out = Output(json)
    _latest[:] = [out]
    try:
        yield out
    except VoicectlError as error:
        out.failure(error)
        raise typer.Exit(error.code) from None
    except KeyboardInterrupt:
        if json:
            out.failure(VoicectlError("interrupted"), INTERRUPTED)
        else:
            out.note("interrupted")
        raise typer.Exit(INTERRUPTED) from None
    except BrokenPipeError:
        # Whoever read our output has left; the interpreter must not try to flush again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(INTERRUPTED) from None
    except typer.Exit:
        raise
    except Exception as error:
        if json:
            out.failure(VoicectlError(f"a bug of voicectl: {type(error).__name__}", "the trace is on stderr"))
        raise


def safe(text: str) -> str:
    """Text without the control characters by which a transcript could steer somebody's terminal."""
    return text.translate(_UNSAFE)
