"""What a kill -9 may cost an ingest: time, and nothing else.

A folder of mixed files is ingested over and over by processes that are killed: while they read, while they reckon
meanings, while they store. Whoever reads the database meanwhile finds what was there before, whole, until all of the
new is there; the ingest that comes to its end leaves the same knowledge base as one that nobody disturbed.

With VOICECTL_TEST_PROFILE=long there are 1,000 files, and the rates are printed.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import re
import select
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "kb"))

from document_rig import docx, paragraph, pdf, styles

from voicectl.kb.reading import read
from voicectl.services.meanings import AT_ONCE
from voicectl.storage.database import Database
from voicectl.storage.knowledge import KnowledgeStore

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="finds processes in /proc")
RIGS = Path(__file__).parents[1] / "kb"
LONG = os.environ.get("VOICECTL_TEST_PROFILE") == "long"
FILES = 1000 if LONG else 120
FEW = 1000 if LONG else 12
"""Files whose meanings are reckoned by the real model."""
CLEAN = {name: value for name, value in os.environ.items() if not re.match("VOICECTL|TWILIO|OPENAI", name)}

# Forks before any thread exists, so that the imports are paid for once. Each round is one ingest, killed at a moment
# of its progress, or not at all. Prints a JSON object for each.
FARM = """
import asyncio, json, os, signal, sys, time
from pathlib import Path

sys.path.insert(0, sys.argv[1])
from knowledge_rig import TopicEmbedder
from voicectl.kb import embedding, sandbox
from voicectl.services.ingest_kb import ingest
from voicectl.kb.reading import read
from voicectl.services.meanings import Meanings
from voicectl.storage.database import Database
from voicectl.storage.knowledge import KnowledgeStore
from voicectl.storage.vectors import VectorStore

kind = sys.argv[2]

async def work(pipe, url, folder):
    def tell(*words):
        os.write(pipe, (" ".join(map(str, words)) + "\\n").encode())
    embedder = embedding.LocalEmbedder() if kind == "local" else TopicEmbedder("bell", "tyre", "hours")
    reckon = embedder.texts
    async def texts(given):
        tell("texts", len(given))
        return await reckon(given)
    embedder.texts = texts
    database = Database.open(url)
    began = time.perf_counter()
    report = await ingest(
        [Path(folder)], KnowledgeStore(database), meanings=Meanings(embedder, VectorStore(database)),
        progress=lambda phase, done, total, source: tell(phase, done, total),
    )
    seconds = time.perf_counter() - began
    await embedder.close()
    await database.close()
    assert not report.failed and not report.without_meaning, report
    tell("end", report.reckoned, report.passages, seconds)

def children_of(parent):
    found = []
    for each in Path("/proc").iterdir():
        try:
            if each.name.isdigit() and int((each / "stat").read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(int(each.name))
        except OSError:
            pass
    return found

for url, folder, phase, share, pause in json.loads(sys.argv[3]):
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        asyncio.run(work(write, url, folder))
        os._exit(0)
    os.close(write)
    round = {"phase": phase, "reckoned": 0, "end": None, "orphans": []}
    for line in os.fdopen(read):
        what, *figures = line.split()
        if what == "texts":
            round["reckoned"] += int(figures[0])
        elif what == "end":
            round["end"] = [int(figures[0]), int(figures[1]), float(figures[2])]
        elif what == phase and int(figures[0]) >= share * int(figures[1]):
            time.sleep(pause)
            os.kill(child, signal.SIGSTOP)
            round["orphans"] = children_of(child)
            os.kill(child, signal.SIGKILL)
            break
    round["status"] = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(json.dumps(round), flush=True)
"""

Kill = tuple[str, float, float]
"""The phase and the share of it after which an ingest is killed, and how many seconds later."""
NEVER: Kill = ("", 0.0, 0.0)


def document(number: int, said: str = "") -> tuple[str, bytes]:
    """A file of the kind that its number stands for: its name and what is in it."""
    facts = [f"Bell {number}-{each} costs {number + each} dollars{said}." for each in range(3)]
    name = f"{'abc'[number % 3]}/{number:04}"
    match number % 6:
        case 0:
            text = f"# Article {number}\n\n" + "\n\n".join(f"## Part {at}\n\n{each}" for at, each in enumerate(facts))
            return f"{name}.md", text.encode()
        case 1:
            return f"{name}.txt", f"Notes {number}\n\n{' '.join(facts)}\n".encode()
        case 2:
            body = "".join(f"<h2>Part {at}</h2><p>{each}</p>" for at, each in enumerate(facts))
            return f"{name}.html", f'<html lang="en"><body><h1>Page {number}</h1>{body}</body></html>'.encode()
        case 3:
            rows = "".join(f"What of bell {number}-{at}?,{each}\n" for at, each in enumerate(facts))
            return f"{name}.csv", f"question,answer\n{rows}".encode()
        case 4:
            lines = [(-18.0, 72.0, 700.0, f"Leaflet {number}")]
            lines += [(11.0, 72.0, 660.0 - 20 * at, each) for at, each in enumerate(facts)]
            return f"{name}.pdf", pdf([lines])
        case _:
            body = paragraph(f"Letter {number}", "heading1") + "".join(map(paragraph, facts))
            return f"{name}.docx", docx(body, more=[styles(heading1="heading 1")])


def write(folder: Path, numbers: range, said: str = "") -> None:
    for number in numbers:
        name, data = document(number, said)
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


def farm(embedder: str, plan: Sequence[tuple[str, Path, Kill]]) -> list[dict[str, Any]]:
    """Ingests into these databases from these folders, one after the other, and what became of each."""
    rounds = json.dumps([(url, str(folder), *kill) for url, folder, kill in plan])
    done = subprocess.run(
        [sys.executable, "-c", FARM, str(RIGS), embedder, rounds],
        env=CLEAN,
        capture_output=True,
        text=True,
        timeout=60 + FILES,
    )
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) == len(plan)
    for each in found:
        assert each["status"] == (-signal.SIGKILL if each["phase"] else 0), done.stderr
        assert all(ends(pid) for pid in each["orphans"])
    return found


def ends(pid: int) -> bool:
    """Whether a process whose parent is gone comes to its end by itself, within 20 seconds."""
    try:
        watched = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([watched], [], [], 20)[0])
    finally:
        os.close(watched)


PASSAGES = (
    "SELECT source, chunk_order, chunk.title, text, page, stems FROM knowledge_chunk AS chunk"
    " JOIN knowledge_document AS document ON document.id = document_id"
)
VECTORS = "SELECT embedder, digest, vector FROM knowledge_vector"
STATE = "SELECT version, calibrations FROM knowledge_state"


def everything(file: Path) -> dict[str, list[tuple[Any, ...]]]:
    """What a knowledge base holds, ids and times apart."""
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.execute("INSERT INTO fulltext (fulltext, rank) VALUES ('integrity-check', 1)")
        return {
            query: sorted(connection.execute(query), key=repr)
            for query in (
                "SELECT source, digest, title, version, collection, language, valid_from, valid_until"
                " FROM knowledge_document",
                PASSAGES,
                VECTORS,
                STATE,
            )
        }


Texts = frozenset[tuple[str, str]]
"""Of passages, with their sources."""


def texts_in(folder: Path) -> Texts:
    """What there is to be found when a folder has been ingested."""
    return frozenset(
        (f"kb/{file.relative_to(folder).as_posix()}", chunk.text)
        for file in folder.rglob("*.*")
        for chunk in read(file.read_bytes(), file.name).chunks
    )


async def look(store: KnowledgeStore) -> Texts:
    """By a word that all passages hold."""
    return frozenset((passage.source, passage.text) for passage in await store.search(["bell"], limit=10_000))


@dataclass
class Onlooker:
    """Reads the database while others write to it."""

    url: str

    def __post_init__(self) -> None:
        self.seen: set[Texts] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._watch()))

    def __enter__(self) -> Onlooker:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    async def _watch(self) -> None:
        database = Database.open(self.url)
        store = KnowledgeStore(database)
        try:
            while not self._stop.is_set():
                self.seen.add(await look(store))
                passages = (await store.contents({})).passages
                self.seen.add(frozenset((each.passage.source, each.passage.text) for each in passages))
                await asyncio.to_thread(self._stop.wait, 0.05)
        finally:
            await database.close()


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("resumed") / "empty.db"

    async def run() -> None:
        database = Database.open(f"sqlite:///{file}")
        await database.migrate()
        await database.close()

    asyncio.run(run())
    return file


def rates(what: str, undisturbed: dict[str, Any], files: int, capsys: pytest.CaptureFixture[str]) -> None:
    if LONG:
        _, passages, seconds = undisturbed["end"]
        with capsys.disabled():
            print(f"\n{what}: {files / seconds:.0f} files/s, {passages / seconds:.0f} passages/s ({seconds:.1f} s)")


@pytest.mark.parametrize(
    ("embedder", "files", "there", "phases"),
    [
        ("topics", FILES, FILES // 4, ("reading", "meanings", "storing", "storing")),
        ("local", FEW, 0, ("meanings",)),
    ],
)
def test_an_ingest_that_is_killed_goes_on_where_it_was(
    embedder: str,
    files: int,
    there: int,
    phases: tuple[str, ...],
    empty: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    calm, killed = (f"sqlite:///{shutil.copy(empty, tmp_path / name)}" for name in ("calm.db", "killed.db"))
    before, now = tmp_path / "before" / "kb", tmp_path / "now" / "kb"
    write(before, range(there))
    # Much is new now, something has changed, something is gone.
    write(now, range(files))
    write(now, range(6), " and fifty cents")
    (now / document(7)[0]).unlink()
    old, new = texts_in(before), texts_in(now)

    chance = random.Random(3)
    kills: list[Kill] = [
        # What is stored may be just before its commit or just after it.
        (phase, 0.0, chance.uniform(0.0, 0.05)) if phase == "storing" else (phase, chance.uniform(0.1, 0.9), 0.0)
        for phase in phases
    ]
    steps = [(killed, before, NEVER), (calm, before, NEVER)] if there else []
    steps += [(calm, now, NEVER), *((killed, now, each) for each in [*kills, NEVER])]
    with Onlooker(killed) as onlooker:
        rounds = farm(embedder, steps)[-len(kills) - 2 :]
    undisturbed, *rounds = rounds
    rates(f"{files} files, {embedder}", undisturbed, files, capsys)
    whole = everything(tmp_path / "calm.db")
    assert len(whole[PASSAGES]) == len(new) < len(whole[VECTORS]) and '"threshold"' in str(whole[STATE])
    assert everything(tmp_path / "killed.db") == whole
    nothing: Texts = frozenset()
    assert old in onlooker.seen and onlooker.seen <= {nothing, old, new}
    # Each kill costs the meanings between two commits, and no more.
    assert sum(each["reckoned"] for each in rounds) <= undisturbed["reckoned"] + len(kills) * AT_ONCE
    assert any(each["reckoned"] for each in rounds[:-1]) and rounds[-1]["reckoned"] < undisturbed["reckoned"]


def command(url: str) -> list[str]:
    return [sys.executable, "-m", "voicectl", "ingest-kb", "kb", "--database-url", url]


def test_the_command_killed_at_any_moment(tmp_path: Path) -> None:
    """From the first breath on, when there is no database yet."""
    (tmp_path / "voicectl.toml").write_text('[knowledge]\nembedder = "none"\n')
    write(tmp_path / "kb", range(60))
    calm, killed = tmp_path / "calm.db", tmp_path / "killed.db"
    whole = subprocess.run(
        command(f"sqlite:///{calm}"), cwd=tmp_path, env=CLEAN, capture_output=True, text=True, timeout=60, check=True
    )
    assert "60 added" in whole.stdout

    chance = random.Random(5)
    for moment in ("made", "reading"):
        process = subprocess.Popen(
            command(f"sqlite:///{killed}"),
            cwd=tmp_path,
            env=CLEAN,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        reached(process, killed, moment)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(chance.uniform(0.0, 0.2))
        process.send_signal(signal.SIGSTOP)
        orphans = children_of(process.pid)
        process.kill()
        assert process.wait(20) == -signal.SIGKILL
        assert all(ends(pid) for pid in orphans)
    last = subprocess.run(
        command(f"sqlite:///{killed}"), cwd=tmp_path, env=CLEAN, capture_output=True, text=True, timeout=60, check=True
    )
    assert "the knowledge base holds" in last.stdout
    assert everything(killed) == everything(calm)


def reached(process: subprocess.Popen[bytes], database: Path, moment: str) -> None:
    """Return when the process has got so far: to the database's file, or to its reader of documents."""
    while process.poll() is None:
        if moment == "made" and database.exists():
            return
        if moment == "reading" and children_of(process.pid):
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.005)


def children_of(parent: int) -> list[int]:
    found = []
    for each in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if each.name.isdigit() and int((each / "stat").read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(int(each.name))
    return found
