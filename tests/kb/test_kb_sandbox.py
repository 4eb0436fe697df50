"""The bounds of the reader's process. They are short here; with VOICECTL_TEST_PROFILE=long bombs meet the real ones."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from document_rig import docx, paragraph, pdf, pdf_file, zipped

from voicectl.kb import sandbox
from voicectl.kb.formats import Unreadable
from voicectl.kb.reading import read
from voicectl.kb.sandbox import Sandbox

LONG = os.environ.get("VOICECTL_TEST_PROFILE") == "long"
LINUX = sys.platform == "linux"
HELLO = b"# Hours\n\nWe are open daily.\n"


@pytest.fixture
def bounds() -> Iterator[Sandbox]:
    with Sandbox() if LONG else Sandbox(wall=10, cpu=1, memory=400_000_000) as made:
        yield made


def child(box: Sandbox) -> int:
    assert box._child is not None
    return box._child._process.pid


# --- the bombs ---------------------------------------------------------------------------------------------


def many_entries() -> bytes:
    return docx(paragraph("x"), more=((f"word/{at}.xml", b"<x/>") for at in range(10_001)))


def laughs() -> bytes:
    entities = "".join(f'<!ENTITY e{at} "{f"&e{at - 1};" * 10}">' for at in range(1, 10))
    return docx(paragraph("&e9;"), prolog=f'<!DOCTYPE w [<!ENTITY e0 "laugh">{entities}]>')


def quadratic() -> bytes:
    prolog = f'<!DOCTYPE w [<!ENTITY a "{"a" * 50_000}">]>'
    return docx(paragraph("&a;" * 50_000), prolog=prolog, method=zipfile.ZIP_STORED)


def inflating_pdf() -> bytes:
    stream = zlib.compress(zlib.compress(b" " * 200_000_000, 9), 9)
    return pdf_file(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R >>",
            b"<< /Length %d /Filter [/FlateDecode /FlateDecode] >>\nstream\n%s\nendstream" % (len(stream), stream),
        ]
    )


def endless_pdf() -> bytes:
    return pdf_file(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Count 100000000 /Kids [3 0 R 2 0 R] >>",
            b"<< /Type /Pages /Parent 2 0 R /Count 100000000 /Kids [2 0 R 3 0 R] >>",
        ]
    )


def stress() -> bytes:
    return b"[" * 20_000 + b"\n\n" + b"*a **b " * 4_000 + b"\n\n" + b"<!--" * 20_000 + b"\n\n" + b"> - " * 20_000 + b"x"


BOMBS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "a zip of zeros": ("x.docx", lambda: docx(paragraph("x"), more=[("word/zeros.xml", bytes(60_000_000))])),
    "a zip of too many files": ("x.docx", many_entries),
    "a zip in a zip": ("x.docx", lambda: docx(paragraph("x"), more=[("a.zip", zipped([("b", bytes(1000))]))])),
    "entities of entities": ("x.docx", laughs),
    "one entity many times": ("x.docx", quadratic),
    "a stream that inflates": ("x.pdf", inflating_pdf),
    "pages inside themselves": ("x.pdf", endless_pdf),
    "elements in elements": ("x.html", lambda: b"<div>" * 1_000_000 + b"x"),
    "one line of 50 MB": ("x.csv", lambda: b"a," * 25_000_000),
    "rows of nothing": ("x.csv", lambda: b",\n" * 10_000_000),
    "marks in marks": ("x.md", stress),
    "one word of 40 MB": ("x.txt", lambda: b"a" * 40_000_000),
}


@pytest.mark.parametrize("what", BOMBS)
def test_a_bomb_is_refused_or_read_within_its_bounds_and_the_next_file_is_read(what: str, bounds: Sandbox) -> None:
    name, made = BOMBS[what]
    data = made()
    assert len(data) <= sandbox.LARGEST
    before = _resident()
    start = time.monotonic()
    try:
        assert bounds.read(data, name).chunks
    except Unreadable as why:
        assert str(why)
    took = time.monotonic() - start
    grown = _resident() - before
    assert took < (sandbox.WALL if LONG else 10) + 5
    assert grown < 50_000_000, f"{grown:,} bytes"
    assert bounds.read(HELLO, "hours.md") == read(HELLO, "hours.md")


def test_the_bombs_that_have_a_rule_are_refused_by_it() -> None:
    with Sandbox() as box:
        for what, reason in {
            "a zip of zeros": "times its size",
            "a zip of too many files": "more than 10,000 files",
            "a zip in a zip": "archive inside",
            "entities of entities": "entities",
            "one entity many times": "entities",
        }.items():
            name, made = BOMBS[what]
            with pytest.raises(Unreadable, match=reason):
                box.read(made(), name)


def _resident() -> int:
    """Bytes of memory in use; 0 where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
    except OSError:
        return 0


# --- the bounds, one by one --------------------------------------------------------------------------------


SLOW = b"<div>" * 1_000_000


def test_reading_is_the_same_inside_and_one_child_serves_many_files() -> None:
    files = {
        "x.md": HELLO,
        "x.html": b"<h1>Hours</h1><p>Valid until 31 December 2026<p>Daily.",
        "x.csv": "Question;Answer\nWo ist es?;Köln\n".encode(),
        "x.docx": docx(paragraph("Open daily.")),
        "x.pdf": pdf([[(10, 72, 700, "Open daily.")]]),
    }
    with Sandbox() as box:
        box.read(HELLO, "x.md")
        first = child(box)
        for name, data in files.items():
            assert box.read(data, name) == read(data, name)
        assert box.read(b"Daily.", "caf\udce9.md").title == "Caf?"
        with pytest.raises(Unreadable, match="not a PDF"):
            box.read(b"hello", "x.pdf")
        with pytest.raises(Unreadable, match="voicectl reads"):
            box.read(b"hello", "x.exe")
        assert child(box) == first


@pytest.mark.skipif(sys.platform == "win32", reason="only the clock bounds a reader there")
def test_processor_time_is_bounded() -> None:
    with Sandbox(cpu=1, wall=60) as box, pytest.raises(Unreadable, match="more than 1 s of processor time"):
        box.read(SLOW, "x.html")


@pytest.mark.skipif(sys.platform == "win32", reason="only the clock bounds a reader there")
def test_each_file_has_processor_time_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    import resource

    allowed: list[tuple[int, int]] = []
    used = resource.struct_rusage((500.0, 20.5, *[0] * 14))
    monkeypatch.setattr(resource, "getrusage", lambda who: used)
    monkeypatch.setattr(resource, "setrlimit", lambda limit, most: allowed.append(most))
    for hard, soft in ((resource.RLIM_INFINITY, 581), (550, 550)):
        monkeypatch.setattr(resource, "getrlimit", lambda limit, hard=hard: (7, hard))
        sandbox._allow(60)
        assert allowed.pop() == (soft, hard)


def test_time_on_the_clock_is_bounded() -> None:
    with Sandbox(wall=0.6) as box:
        box.read(HELLO, "x.md")
        start = time.monotonic()
        with pytest.raises(Unreadable, match=r"more than 0\.6 s"):
            box.read(SLOW, "x.html")
        assert 0.5 < time.monotonic() - start < 5


@pytest.mark.skipif(not LINUX, reason="address space is not limited everywhere")
def test_memory_is_bounded() -> None:
    with Sandbox(memory=200_000_000) as box:
        with pytest.raises(Unreadable, match="more memory than 200 MB"):
            box.read(b"a b\n" * 5_000_000, "x.txt")
        assert box.read(HELLO, "x.md").title == "Hours"


def test_a_file_is_bounded() -> None:
    with Sandbox(largest=20) as box:
        with pytest.raises(Unreadable, match="larger than"):
            box.read(HELLO, "x.md")
        assert box._child is None


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_child_that_crashes_costs_one_file() -> None:
    with Sandbox() as box:
        box.read(HELLO, "x.md")
        watch = threading.Timer(0.3, os.kill, (child(box), signal.SIGSEGV))
        watch.start()
        with pytest.raises(Unreadable, match=r"crash \(SIGSEGV\)"):
            box.read(SLOW, "x.html")
        watch.join()
        assert box.read(HELLO, "x.md").title == "Hours"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("(2**60).to_bytes(8, 'big')", "a frame without end"),
        ("(5).to_bytes(8, 'big') + b'hello'", "no JSON"),
        ("(22).to_bytes(8, 'big') + b'{\"reading\": {\"title\":1}'", "JSON of another form"),
        ("b'1234'", "half a frame"),
        ("b''", "nothing"),
    ],
)
def test_a_child_that_was_taken_over_is_not_believed(monkeypatch: pytest.MonkeyPatch, answer: str, said: str) -> None:
    real = subprocess.Popen

    def taken_over(command: list[str], **options: object) -> subprocess.Popen[bytes]:
        code = f"import sys; sys.stdout.buffer.write({answer}); sys.stdout.flush(); sys.stdin.buffer.read(40)"
        return real([sys.executable, "-c", code], **options)  # type: ignore[call-overload,no-any-return]

    monkeypatch.setattr(sandbox.subprocess, "Popen", taken_over)
    with Sandbox(wall=10) as box, pytest.raises(Unreadable, match="crash"):
        box.read(HELLO, "x.md")


INSIDE = """
import os, socket, sys
from voicectl.kb.sandbox import confine
confine(1_000_000_000)
def tries(what):
    try:
        what()
        return "can"
    except (OSError, MemoryError) as bad:
        return type(bad).__name__
def write():
    with open(sys.argv[2], "w") as file:
        file.write("x")
print(tries(lambda: socket.create_connection(("127.0.0.1", int(sys.argv[1])), 2).close()))
print(tries(write))
print(tries(lambda: [os.dup(1) for _ in range(100)]))
"""


@pytest.mark.skipif(not LINUX, reason="what a process can give up differs")
def test_what_reads_hostile_files_can_do_nothing_else(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        command = [sys.executable, "-c", INSIDE, str(server.getsockname()[1]), str(tmp_path / "x")]
        said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.split()
    may_leave = subprocess.run(["unshare", "-rn", "true"], capture_output=True, check=False).returncode == 0
    assert said[0] == "OSError" if may_leave else said[0] in ("can", "OSError")
    assert said[1:] == ["OSError", "OSError"]
    assert (tmp_path / "x").read_bytes() == b""


@pytest.mark.skipif(not LINUX, reason="reads /proc")
def test_a_child_knows_no_secrets_and_has_no_files_of_ours(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "canary")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "msgspec.py").write_text("raise SystemExit")  # a module in the folder is not taken for the library
    with (tmp_path / "open").open("w"), Sandbox() as box:
        box.read(HELLO, "x.md")
        proc = Path(f"/proc/{child(box)}")
        assert b"canary" not in (proc / "environ").read_bytes()
        assert not any(fd.readlink().is_relative_to(tmp_path) for fd in (proc / "fd").iterdir())


# --- nothing is left ---------------------------------------------------------------------------------------


@pytest.mark.skipif(not LINUX, reason="reads /proc")
def test_nothing_is_left_behind() -> None:
    def open_files() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    before, threads = open_files(), threading.active_count()
    pids = []
    with Sandbox(wall=0.5) as box:
        for data, name in ((HELLO, "x.md"), (SLOW, "x.html"), (HELLO, "x.md"), (b"\x00", "x.md")):
            try:
                box.read(data, name)
            except Unreadable:
                pass
            if box._child:
                pids.append(child(box))
    assert (open_files(), threading.active_count()) == (before, threads)
    assert len(set(pids)) == 2
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    with pytest.raises(Unreadable, match="ended"):
        box.read(HELLO, "x.md")


def test_closing_from_another_thread_ends_a_reading() -> None:
    with Sandbox(wall=30) as box:
        box.read(HELLO, "x.md")
        watch = threading.Timer(0.3, box.close)
        watch.start()
        with pytest.raises(Unreadable):
            box.read(SLOW, "x.html")
        watch.join()
        assert box._child is None


@pytest.mark.skipif(not LINUX, reason="reads /proc")
def test_a_child_ends_when_its_parent_is_gone() -> None:
    code = (
        "import os; from voicectl.kb.sandbox import Sandbox; box = Sandbox(); box.read(b'x', 'x.md');"
        "print(box._child._process.pid, flush=True); os.kill(os.getpid(), 9)"
    )
    pid = int(subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, timeout=60).stdout)
    try:
        gone = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    ended, _, _ = select.select([gone], [], [], 10)
    os.close(gone)
    assert ended


def test_a_large_parent_does_not_make_its_child_look_large() -> None:
    """Linux counts what the parent held at the fork into the child's ru_maxrss."""
    held = bytearray(250_000_000)
    held[::4096] = b"x" * len(held[::4096])
    with Sandbox(memory=400_000_000) as box:
        box.read(b"One.", "a.txt")
        first = child(box)
        box.read(b"Two.", "b.txt")
        assert child(box) == first
