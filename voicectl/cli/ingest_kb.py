"""`voicectl ingest-kb`: documents in, searchable knowledge out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from voicectl.cli._console import Config, Json, Output, command, safe

if TYPE_CHECKING:
    from voicectl.services.ingest_kb import IngestReport


def ingest_kb(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", help="Files and folders of documents: Markdown and plain text.")
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")] = False,
    database_url: Annotated[
        str | None,
        typer.Option(envvar="VOICECTL_DATABASE_URL", help="The database. [default: sqlite:///voicectl.db]"),
    ] = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Bring the knowledge base up to date with documents: what is new or changed is read, what is gone is removed.

    Callers see all of it or none. Exit code 1: some files could not be read, the others were.
    """
    with command(json) as out:
        import asyncio

        from voicectl import settings as s

        given = s.load(flags={"database.url": database_url}, file=config)
        with _progress(out) as progress:
            report = asyncio.run(_ingest(given, paths, dry_run, progress))
        _tell(out, report)
        if report.failed:
            out.exit(1)


async def _ingest(
    given: Any, paths: list[Path], dry_run: bool, progress: Callable[[int, int, str], None]
) -> IngestReport:
    from voicectl import bootstrap
    from voicectl.services.ingest_kb import ingest
    from voicectl.storage.knowledge import KnowledgeStore

    async with bootstrap.database(given) as opened:
        return await ingest(paths, KnowledgeStore(opened), dry_run=dry_run, progress=progress)


def _tell(out: Output, report: IngestReport) -> None:
    for warning in report.warnings:
        out.warn(f"{warning.source}: {warning.text}")
    for failure in report.failed:
        out.warn(f"{failure.source} was not read: {failure.text}")
    failure_of_all: dict[str, Any] = {}
    if report.failed:
        files = "1 file" if len(report.failed) == 1 else f"{len(report.failed)} files"
        failure_of_all = {
            "error": f"{files} could not be read",
            "hint": "mend or remove what `failed` names, and ingest again",
            "code": 1,
        }
    for what, sources in (
        ("added", report.added),
        ("changed", report.changed),
        ("renamed", [f"{each.before} -> {each.now}" for each in report.renamed]),
        ("removed", report.removed),
    ):
        for source in sources:
            out.line(f"{what:<8} {source}")
    out.result(
        {
            **failure_of_all,
            "added": report.added,
            "changed": report.changed,
            "renamed": [{"before": each.before, "now": each.now} for each in report.renamed],
            "removed": report.removed,
            "unchanged": report.unchanged,
            "failed": [{"source": each.source, "reason": each.text} for each in report.failed],
            "warnings": [{"source": each.source, "text": each.text} for each in report.warnings],
            "ignored": report.ignored,
            "passages": report.passages,
            "dry_run": report.dry_run,
        },
        _summary(report),
        ok=not report.failed,
    )


def _summary(report: IngestReport) -> str:
    counts = {
        "added": len(report.added),
        "changed": len(report.changed),
        "renamed": len(report.renamed),
        "removed": len(report.removed),
        "unchanged": len(report.unchanged),
        "not read": len(report.failed),
    }
    said = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    if report.ignored:
        said += f" ({report.ignored} of other kinds left alone)"
    passages = f"{report.passages} passage{'' if report.passages == 1 else 's'}"
    if report.dry_run:
        return f"documents: {said}; the knowledge base would hold {passages} (dry run, nothing was changed)"
    return f"documents: {said}; the knowledge base holds {passages}"


@contextmanager
def _progress(out: Output) -> Iterator[Callable[[int, int, str], None]]:
    """A progress bar on stderr, where somebody is there to see it."""
    import sys

    if out.json or not sys.stderr.isatty():
        yield lambda done, total, source: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.fields[source]}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None, source="")
        yield lambda done, total, source: bar.update(task, completed=done, total=total, source=safe(source))
