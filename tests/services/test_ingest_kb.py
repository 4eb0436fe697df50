from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from voicectl.errors import NotFoundError, StoreError
from voicectl.ports import NewDocument
from voicectl.services.ingest_kb import LARGEST, IngestReport, Progress, Renamed, ingest
from voicectl.storage.database import Database
from voicectl.storage.knowledge import KnowledgeStore


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("ingest") / "empty.db"

    async def run() -> None:
        database = Database.open(f"sqlite:///{file}")
        await database.migrate()
        await database.close()

    asyncio.run(run())
    return file


class Desk:
    """A database, and a folder of documents to put into it."""

    def __init__(self, file: Path, folder: Path) -> None:
        self.url = f"sqlite:///{file}"
        self.folder = folder
        folder.mkdir()

    def write(self, name: str, text: str | bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def ingest(self, *paths: Path, dry_run: bool = False, progress: Progress | None = None) -> IngestReport:
        async def work(store: KnowledgeStore) -> IngestReport:
            return await ingest(paths or (self.folder,), store, dry_run=dry_run, progress=progress)

        return self._with_store(work)

    def sources(self) -> list[str]:
        async def work(store: KnowledgeStore) -> list[str]:
            return [document.source for document in await store.documents()]

        return self._with_store(work)

    def finds(self, word: str) -> list[str]:
        async def work(store: KnowledgeStore) -> list[str]:
            return [passage.source for passage in await store.search([word], limit=9)]

        return self._with_store(work)

    def _with_store(self, work):  # type: ignore[no-untyped-def]
        async def run():  # type: ignore[no-untyped-def]
            database = Database.open(self.url)
            try:
                return await work(KnowledgeStore(database))
            finally:
                await database.close()

        return asyncio.run(run())


@pytest.fixture
def desk(migrated: Path, tmp_path: Path) -> Desk:
    file = tmp_path / "voicectl.db"
    shutil.copy(migrated, file)
    return Desk(file, tmp_path / "kb")


HOURS = "# Hours\n\nWe open at nine.\n"
PRICES = "# Prices\n\nA bell costs ten dollars.\n"


def test_a_folder_is_read_with_all_its_folders(desk: Desk) -> None:
    desk.write("hours.md", HOURS)
    desk.write("more/prices.TXT", "Prices\n\nA bell costs ten dollars.\n")
    desk.write("conversations/demo.yaml", "say: hello")
    report = desk.ingest()
    assert report.added == ("kb/hours.md", "kb/more/prices.TXT")
    assert (report.failed, report.ignored, report.passages, report.dry_run) == ((), 1, 2, False)
    assert desk.finds("bell") == ["kb/more/prices.TXT"]


def test_only_what_changed_is_read_again(desk: Desk) -> None:
    desk.write("hours.md", HOURS)
    desk.write("prices.md", PRICES)
    desk.ingest()
    desk.write("prices.md", PRICES.replace("ten", "twelve"))
    report = desk.ingest()
    assert (report.added, report.changed, report.unchanged) == ((), ("kb/prices.md",), ("kb/hours.md",))
    assert desk.finds("twelve") == ["kb/prices.md"] and desk.finds("ten") == []
    again = desk.ingest()
    assert (again.changed, again.unchanged) == ((), ("kb/hours.md", "kb/prices.md"))


def test_what_is_gone_is_removed(desk: Desk) -> None:
    desk.write("hours.md", HOURS)
    desk.write("prices.md", PRICES).unlink()
    desk.write("prices.md", PRICES)
    desk.ingest()
    (desk.folder / "prices.md").unlink()
    report = desk.ingest()
    assert report.removed == ("kb/prices.md",)
    assert report.passages == 1 and desk.finds("bell") == []


def test_a_renamed_file_is_recognised(desk: Desk) -> None:
    desk.write("hours.md", HOURS)
    desk.write("prices.md", PRICES)
    desk.ingest()
    (desk.folder / "prices.md").rename(desk.folder / "price-list.md")
    report = desk.ingest()
    assert report.renamed == (Renamed("kb/prices.md", "kb/price-list.md"),)
    assert (report.added, report.removed) == ((), ())
    assert desk.sources() == ["kb/hours.md", "kb/price-list.md"]


def test_other_folders_are_left_alone(desk: Desk, tmp_path: Path) -> None:
    desk.write("hours.md", HOURS)
    desk.ingest()
    other = tmp_path / "other"
    other.mkdir()
    (other / "prices.md").write_text(PRICES)
    report = desk.ingest(other)
    assert report.added == ("other/prices.md",) and report.removed == ()
    assert desk.sources() == ["kb/hours.md", "other/prices.md"]
    assert report.passages == 2


def test_a_folder_that_moved_stays_the_same(desk: Desk, tmp_path: Path) -> None:
    desk.write("hours.md", HOURS)
    desk.write("prices.md", PRICES)
    desk.ingest()
    moved = tmp_path / "elsewhere" / "kb"
    moved.parent.mkdir()
    desk.folder.rename(moved)
    (moved / "prices.md").unlink()
    report = desk.ingest(moved)
    assert (report.unchanged, report.removed, report.added) == (("kb/hours.md",), ("kb/prices.md",), ())


def test_one_file_of_a_folder_keeps_its_name(desk: Desk) -> None:
    desk.write("policies/returns.md", HOURS)
    desk.write("prices.md", PRICES)
    desk.ingest()
    file = desk.write("policies/returns.md", HOURS.replace("nine", "ten"))
    report = desk.ingest(file)
    assert (report.changed, report.added, report.removed) == (("kb/policies/returns.md",), (), ())
    inner = desk.ingest(file.parent)
    assert (inner.unchanged, inner.removed) == (("kb/policies/returns.md",), ())
    file.unlink()
    desk.write("policies/new.md", PRICES + "And more.")
    inner = desk.ingest(file.parent)
    assert inner.removed == ("kb/policies/returns.md",)
    assert "kb/prices.md" in desk.sources()


def test_two_folders_of_one_name_are_told_apart(desk: Desk, tmp_path: Path) -> None:
    folders = [tmp_path / side / "docs" for side in ("left", "right")]
    for folder in folders:
        folder.mkdir(parents=True)
        (folder / "hours.md").write_text(HOURS + folder.parent.name)
    assert desk.ingest(*folders).added == ("left/docs/hours.md", "right/docs/hours.md")
    again = desk.ingest(*folders)
    assert len(again.unchanged) == 2 and not again.removed


def test_a_broken_file_does_not_stop_the_others(desk: Desk) -> None:
    desk.write("a-picture.md", b"\x89PNG\x00\x00")
    desk.write("empty.md", "\n\n")
    desk.write("hours.md", HOURS)
    desk.write("latin.txt", "Caf\xe9 open at nine.".encode("latin-1"))
    desk.write("huge.txt", b"a " * (LARGEST // 2 + 1))
    report = desk.ingest()
    assert report.added == ("kb/hours.md", "kb/latin.txt")
    assert {note.source: note.text for note in report.failed} == {
        "kb/a-picture.md": "it is not text (it holds NUL bytes)",
        "kb/empty.md": "there is nothing to read in it",
        "kb/huge.txt": "it is larger than 50 MB",
    }
    assert [note.source for note in report.warnings] == ["kb/latin.txt"]


def test_a_file_that_breaks_keeps_its_earlier_version(desk: Desk) -> None:
    desk.write("hours.md", HOURS)
    desk.write("prices.md", PRICES)
    desk.ingest()
    desk.write("prices.md", b"\x00")
    report = desk.ingest()
    assert report.removed == () and "earlier version stays" in report.failed[0].text
    assert desk.finds("bell") == ["kb/prices.md"]


def test_hidden_files_and_links_out_of_the_folder_are_passed_over(desk: Desk, tmp_path: Path) -> None:
    desk.write("hours.md", HOURS)
    desk.write(".secret.md", PRICES)
    desk.write(".git/readme.md", PRICES)
    (tmp_path / "outside.md").write_text(PRICES)
    (desk.folder / "outside.md").symlink_to(tmp_path / "outside.md")
    (desk.folder / "etc").symlink_to("/etc")
    (desk.folder / "round").symlink_to(desk.folder)
    assert desk.ingest().added == ("kb/hours.md",)


def test_links_inside_the_folder_are_followed_once(desk: Desk) -> None:
    # As Kubernetes mounts a ConfigMap: every file is a link into a hidden folder beside it.
    desk.write("..2026_11/hours.md", HOURS)
    (desk.folder / "..data").symlink_to("..2026_11")
    (desk.folder / "hours.md").symlink_to("..data/hours.md")
    (desk.folder / "same.md").symlink_to("hours.md")
    assert desk.ingest().added == ("kb/hours.md",)


def test_a_folder_that_cannot_be_listed_loses_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = desk.write("inner/prices.md", PRICES).parent
    desk.write("hours.md", HOURS)
    desk.ingest()
    listed = Path.iterdir

    def refuse(folder: Path) -> Iterator[Path]:
        if folder == inner:
            raise PermissionError(13, "Permission denied")
        return listed(folder)

    monkeypatch.setattr(Path, "iterdir", refuse)
    report = desk.ingest()
    assert report.removed == () and desk.finds("bell") == ["kb/inner/prices.md"]
    assert [(note.source, note.text) for note in report.failed] == [("kb/inner", "Permission denied")]


def test_a_dry_run_tells_and_changes_nothing(desk: Desk) -> None:
    desk.write("hours.md", HOURS)
    report = desk.ingest(dry_run=True)
    assert (report.added, report.passages, report.dry_run) == (("kb/hours.md",), 1, True)
    assert desk.sources() == []


def test_all_or_nothing(desk: Desk) -> None:
    desk.write("hours.md", HOURS)
    desk.write("prices.md", PRICES)
    desk.ingest()
    desk.write("hours.md", HOURS.replace("nine", "ten"))
    (desk.folder / "prices.md").unlink()

    class Full(KnowledgeStore):
        async def replace(self, put: list[NewDocument], remove: list[str]) -> None:  # type: ignore[override]
            raise StoreError("the disk is full")

    async def run() -> None:
        database = Database.open(desk.url)
        try:
            with pytest.raises(StoreError):
                await ingest([desk.folder], Full(database))
        finally:
            await database.close()

    asyncio.run(run())
    assert desk.finds("nine") == ["kb/hours.md"] and desk.finds("bell") == ["kb/prices.md"]


def test_progress_is_told_file_by_file(desk: Desk) -> None:
    desk.write("hours.md", HOURS)
    desk.write("prices.md", PRICES)
    told: list[tuple[str, int, int, str]] = []
    desk.ingest(progress=lambda *each: told.append(each))
    assert told == [
        ("reading", 0, 2, "kb/hours.md"),
        ("reading", 1, 2, "kb/prices.md"),
        ("reading", 2, 2, ""),
        ("storing", 0, 0, ""),
    ]


def test_what_does_not_exist_is_an_error_that_changes_nothing(desk: Desk) -> None:
    desk.write("hours.md", HOURS)
    with pytest.raises(NotFoundError, match="no file or folder"):
        desk.ingest(desk.folder, desk.folder / "nowhere")
    assert desk.sources() == []
    (desk.folder / "hours.md").unlink()
    desk.write("photo.jpg", b"x")
    with pytest.raises(NotFoundError, match="no documents"):
        desk.ingest()


def test_a_file_of_an_unknown_kind_named_outright_is_reported(desk: Desk) -> None:
    report = desk.ingest(desk.write("prices.xyz", "x"), desk.write("hours.md", HOURS))
    assert report.failed[0].source == "prices.xyz" and ".md" in report.failed[0].text
    assert report.added == ("kb/hours.md",)


def test_a_fifo_does_not_hang_it(desk: Desk) -> None:
    desk.write("hours.md", HOURS)
    os.mkfifo(desk.folder / "pipe.md")
    assert desk.ingest().added == ("kb/hours.md",)
    assert desk.ingest(desk.folder / "pipe.md").failed[0].text == "it is not a file"


def test_a_name_that_is_no_text_is_stored_all_the_same(desk: Desk) -> None:
    name = os.fsdecode(b"caf\xe9.md")
    try:
        desk.write(name, HOURS)
    except OSError:
        pytest.skip("this file system takes only UTF-8 names")
    assert desk.ingest().added == ("kb/caf?.md",)
    assert desk.ingest().unchanged == ("kb/caf?.md",)
