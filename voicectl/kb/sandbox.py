"""Reads files that may be hostile, in a process of its own that is bounded and expendable.

The child is this module, run by the same Python. It serves one file after the other over its pipes until it is no
longer needed, so that starting it is paid once. What bounds it:

- memory, processor time of each file, open files, no file written, no core left behind: its own limits, set before it
  reads anything (on systems that have them);
- the time on the clock and the size of its answer: the parent, who kills it;
- what it could tell anybody: it has no network where the system lets a process give that up, and no secrets, since
  its environment is empty. Its answer is JSON of a known form, and is checked to be that.

A child that dies or has to be killed costs the file it had in hand and nothing else: the next file gets a fresh one.

Both sides write frames: a length of eight bytes, and as many bytes. To the child, a file is two frames, its name and
the processor seconds it may take, and its contents. Its answer is one frame.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from io import BufferedReader, BufferedWriter
from pathlib import Path
from types import TracebackType
from typing import IO

import msgspec

from voicectl.kb.formats import Unreadable
from voicectl.kb.reading import MOST_TEXT, Reading, read

LARGEST = 50_000_000
"""Bytes of a file."""
MEMORY = 1_000_000_000
"""Bytes of address space of the child."""
CPU = 60
"""Seconds of processor time for one file."""
WALL = 120.0
"""Seconds on the clock for one file."""

LARGEST_ANSWER = 4 * MOST_TEXT
"""Bytes. Text grows by at most two when it is written as JSON, and passages have fields."""
OPEN_FILES = 64


class _Request(msgspec.Struct, frozen=True):
    name: str
    cpu: int


class _Answer(msgspec.Struct, frozen=True):
    reading: Reading | None = None
    refused: str = ""
    spent: bool = False
    """The child ends after this answer."""


class Sandbox:
    """Reads one file at a time, from any thread. Use it as a context manager; leaving it ends the child.

    `wall` and `cpu` are seconds for one file, `memory` is bytes for the child as a whole.
    """

    def __init__(self, *, wall: float = WALL, cpu: int = CPU, memory: int = MEMORY, largest: int = LARGEST) -> None:
        self._wall = wall
        self._cpu = cpu
        self._memory = memory
        self._largest = largest
        self._child: _Child | None = None
        self._closed = False

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the child. A file that another thread is reading becomes Unreadable."""
        self._closed = True
        self._discard()

    def read(self, data: bytes, name: str) -> Reading:
        """Read a file of the format its name ends in. Raises Unreadable, its message the reason."""
        if len(data) > self._largest:
            raise Unreadable(f"it is larger than {self._largest / 1e6:g} MB")
        if self._closed:
            raise Unreadable("reading has ended")
        child = self._child = self._child or _Child(self._memory)
        try:
            # A name that is no text has question marks where it is not.
            text = name.encode("utf-8", "replace").decode()
            answer = child.ask(_Request(text, self._cpu), data, self._wall)
        except _Lost as lost:
            self._discard()
            raise Unreadable(self._reason(lost)) from None
        except BaseException:
            self._discard()  # interrupted in the middle of a frame
            raise
        if answer.spent:
            self._discard()
        if answer.reading is None:
            raise Unreadable(answer.refused or "it made the reader crash")
        return answer.reading

    def _discard(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.end()

    def _reason(self, lost: _Lost) -> str:
        if lost.late:
            return f"reading it took more than {self._wall:g} s"
        if lost.code == -getattr(signal, "SIGXCPU", 0):
            return f"reading it took more than {self._cpu} s of processor time"
        if lost.code < 0:
            return f"it made the reader crash ({signal.Signals(-lost.code).name})"
        return "it made the reader crash"


@dataclass
class _Lost(Exception):
    """There will be no answer."""

    late: bool
    code: int


class _Child:
    def __init__(self, memory: int) -> None:
        self._late = False
        # -P: a module in the folder that voicectl is run in must not be taken for one of Python's.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", __name__, str(memory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            start_new_session=True,
        )

    def ask(self, request: _Request, data: bytes, wall: float) -> _Answer:
        """Raises _Lost when the child dies, is killed for the time it takes, or does not keep to the protocol."""
        assert self._process.stdin and self._process.stdout
        watch = threading.Timer(wall, self._overran)
        watch.daemon = True
        watch.start()
        try:
            _send(self._process.stdin, msgspec.json.encode(request))
            _send(self._process.stdin, data)
            answer = _receive(self._process.stdout, LARGEST_ANSWER)
            return msgspec.json.decode(answer, type=_Answer)
        except (OSError, EOFError, ValueError):  # msgspec's errors are ValueErrors
            self._kill()
            raise _Lost(self._late, self._process.wait()) from None
        finally:
            watch.cancel()
            watch.join()

    def end(self) -> None:
        """Kill the child and leave nothing of it."""
        self._kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe
            try:
                pipe.close()
            except OSError:  # what was not yet written to it
                pass

    def _overran(self) -> None:
        self._late = True
        self._kill()

    def _kill(self) -> None:
        """The child, and whatever it may have started in its session."""
        if self._process.poll() is not None:
            return
        try:
            if sys.platform == "win32":
                self._process.kill()
            else:
                os.killpg(self._process.pid, signal.SIGKILL)
        except OSError:  # it ended by itself
            pass


def _environment() -> dict[str, str]:
    """What Python needs to start and to find voicectl, and nothing else."""
    kept = ("PYTHONPATH", "PYTHONHOME", "SYSTEMROOT", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
    return {name: os.environ[name] for name in kept if name in os.environ} | {
        "PYTHONUTF8": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _send(pipe: IO[bytes], frame: bytes) -> None:
    pipe.write(len(frame).to_bytes(8, "big"))
    pipe.write(frame)
    pipe.flush()


def _receive(pipe: IO[bytes], largest: int) -> bytes:
    """Raises EOFError when the other side is gone, ValueError when it would send too much."""
    length = int.from_bytes(_exactly(pipe, 8), "big")
    if length > largest:
        raise ValueError("the frame is too large")
    return _exactly(pipe, length)


def _exactly(pipe: IO[bytes], length: int) -> bytes:
    found = pipe.read(length)
    if len(found) < length:
        raise EOFError
    return found


# --- the child ---------------------------------------------------------------------------------------------


def serve(source: IO[bytes], sink: IO[bytes], memory: int) -> None:
    """Read files until there are no more."""
    while True:
        try:
            request = msgspec.json.decode(_receive(source, 10_000_000), type=_Request)
            data = _receive(source, sys.maxsize)
        except EOFError:
            return
        _allow(request.cpu)
        try:
            answer = _Answer(read(data, request.name), spent=_is_large(memory))
        except Unreadable as why:
            answer = _Answer(refused=str(why), spent=_is_large(memory))
        except MemoryError:
            answer = _Answer(refused=f"reading it needed more memory than {memory // 1_000_000} MB", spent=True)
        del data
        _send(sink, msgspec.json.encode(answer))
        if answer.spent:
            return


def confine(memory: int) -> None:
    """Give up what reading does not need, as far as the system can take it: for good, in this process."""
    try:
        import resource
    except ImportError:  # Windows: the parent's clock is what is left
        return
    for name, most in (
        ("RLIMIT_AS", memory),
        ("RLIMIT_CORE", 0),
        ("RLIMIT_FSIZE", 0),
        ("RLIMIT_NOFILE", OPEN_FILES),
        ("RLIMIT_NPROC", 0),
    ):
        limit = getattr(resource, name, None)
        if limit is None:
            continue
        try:
            resource.setrlimit(limit, (most, most))
        except (ValueError, OSError):  # macOS does not limit address space
            pass
    if sys.platform == "linux":
        _leave_network()


def _leave_network() -> None:
    """Into a network without interfaces; one without rights needs a user namespace for it, where that is allowed."""
    import ctypes

    new_network, new_user, no_new_privileges = 0x40000000, 0x10000000, 38
    library = ctypes.CDLL(None)
    if library.unshare(new_network) != 0:
        library.unshare(new_network | new_user)
    library.prctl(no_new_privileges, 1, 0, 0, 0)


def _allow(seconds: int) -> None:
    """So much more processor time from now on; who takes more dies of SIGXCPU."""
    try:
        import resource
    except ImportError:
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    wanted = int(used.ru_utime + used.ru_stime) + 1 + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))


def _is_large(memory: int) -> bool:
    """Whether this process has ever held more than half of `memory` bytes, and may not give it back.

    Linux counts what the parent held at the fork into ru_maxrss, and a server holds a lot: its own figure is in /proc.
    """
    try:
        status = Path("/proc/self/status").read_text("ascii", "replace")
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024 > memory // 2
    except (OSError, IndexError, ValueError):
        pass
    try:
        import resource
    except ImportError:
        return False
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit > memory // 2


def _main() -> None:
    # Whatever a library prints must not get between the frames.
    source: BufferedReader = os.fdopen(os.dup(0), "rb")
    sink: BufferedWriter = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    memory = int(sys.argv[1])
    confine(memory)
    serve(source, sink, memory)


if __name__ == "__main__":
    _main()
