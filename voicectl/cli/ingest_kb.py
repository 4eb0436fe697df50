"""`voicectl ingest-kb`: documents in, searchable knowledge out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from voicectl.cli._console import Config, Json, Output, command, safe

if TYPE_CHECKING:
    from voicectl.services.ingest_kb import IngestReport, Progress
    from voicectl.settings import Settings

LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
WATCH_SECONDS = 1.0
"""Between two looks at the files."""
_PHASES = {"reading": "reading", "meanings": "comparing meanings", "storing": "storing"}


def ingest_kb(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH|URL...",
            help="Files and folders (Markdown, text, HTML, PDF, DOCX, CSV); addresses of pages and sitemaps.",
        ),
    ],
    collection: Annotated[
        str,
        typer.Option(metavar="NAME", help="The part of the knowledge base they belong to. [default: the common one]"),
    ] = "",
    language: Annotated[
        str, typer.Option(metavar="TAG", help='Their language, e.g. "de", where they do not say it themselves.')
    ] = "",
    allow_private_host: Annotated[
        list[str] | None,
        typer.Option(metavar="HOST[:PORT]", help="A host of your own network that may be asked. May be repeated."),
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Go on, and ingest again whenever a file changes.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")] = False,
    database_url: Annotated[
        str | None,
        typer.Option(envvar="VOICECTL_DATABASE_URL", help="The database. [default: sqlite:///voicectl.db]"),
    ] = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Bring the knowledge base up to date with documents: what is new or changed is read, what is gone is removed.

    Callers see all of it or none. Exit code 1: some documents could not be read, the others were.
    """
    with command(json) as out:
        import asyncio

        from voicectl import settings as s
        from voicectl.errors import UsageError
        from voicectl.kb.web import is_web_address

        urls = [source for source in sources if is_web_address(source)]
        if language and not LANGUAGE.fullmatch(language):
            raise UsageError(f"{language!r} is no language", 'write it as a tag: "de", or "pt-BR"')
        if watch and (urls or json or dry_run):
            raise UsageError(
                "--watch follows files and folders, and prints as it goes",
                "leave out web addresses, --json and --dry-run",
            )
        job = _Job(
            s.load(flags={"database.url": database_url}, file=config),
            [Path(source) for source in sources if not is_web_address(source)],
            urls,
            tuple(allow_private_host or ()),
            collection.strip(),
            language.partition("-")[0].strip().lower(),
            dry_run,
        )
        seen = job.snapshot() if watch else frozenset()
        with _progress(out) as progress:
            report = asyncio.run(job.once(progress))
        _tell(out, report)
        if watch:
            asyncio.run(job.watch(out, seen))
        if report.failed:
            out.exit(1)


class _Job:
    """What was asked for on the command line."""

    def __init__(
        self,
        settings: Settings,
        paths: list[Path],
        urls: list[str],
        hosts: tuple[str, ...],
        collection: str,
        language: str,
        dry_run: bool,
    ) -> None:
        self._settings = settings
        self._paths = paths
        self._asked: dict[str, Any] = {
            "urls": urls,
            "allow_hosts": hosts,
            "collection": collection,
            "language": language,
            "dry_run": dry_run,
        }

    async def once(self, progress: Progress | None) -> IngestReport:
        from voicectl import bootstrap

        async with bootstrap.knowledge_base(self._settings) as base:
            return await self._ingest(base, progress)

    def snapshot(self) -> frozenset[tuple[str, int, int]]:
        from voicectl.services.document_files import snapshot

        return snapshot(self._paths)

    async def watch(self, out: Output, seen: frozenset[tuple[str, int, int]]) -> None:
        """Ingest whenever something is no longer as it was `seen`, until interrupted. What goes wrong is told, and
        tried again with the next change."""
        import asyncio
        from datetime import datetime

        from voicectl import bootstrap
        from voicectl.errors import VoicectlError

        out.note("watching; Ctrl-C ends it")
        async with bootstrap.knowledge_base(self._settings) as base:
            while True:
                await asyncio.sleep(WATCH_SECONDS)
                try:
                    now = await asyncio.to_thread(self.snapshot)
                    if now == seen:
                        continue
                    seen = now
                    out.note(f"{datetime.now():%H:%M:%S}")
                    _tell(out, await self._ingest(base, None))
                except VoicectlError as error:
                    out.warn(error.message)

    async def _ingest(self, base: Any, progress: Progress | None) -> IngestReport:
        from voicectl.services.ingest_kb import ingest

        return await ingest(
            self._paths,
            base.store,
            meanings=base.meanings,
            without_meaning=base.without_meaning,
            progress=progress,
            **self._asked,
        )


def _tell(out: Output, report: IngestReport) -> None:
    from voicectl.bootstrap import SAMPLE

    for warning in report.warnings:
        out.warn(f"{warning.source}: {warning.text}")
    for each in report.suspicious:
        out.warn(f"{each.source}: {each.text}; if that is not yours to say to callers, take it out")
    for failure in report.failed:
        out.warn(f"{failure.source} was not read: {failure.text}")
    if report.without_meaning and not report.dry_run:
        out.warn(f"passages are found by their words alone: {report.without_meaning}")
    sample = [source for source in report.others if source.startswith(SAMPLE)]
    if sample:
        out.warn(
            f"the sample company's {len(sample)} documents are still there; voicectl kb remove {SAMPLE.strip('/')}"
        )
    failure_of_all: dict[str, Any] = {}
    if report.failed:
        documents = "1 document" if len(report.failed) == 1 else f"{len(report.failed)} documents"
        failure_of_all = {
            "error": f"{documents} could not be read",
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
    calibration = report.calibration
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
            "suspicious": [{"source": each.source, "text": each.text} for each in report.suspicious],
            "ignored": report.ignored,
            "passages": report.passages,
            "threshold": calibration.threshold if calibration else None,
            "without_meaning": report.without_meaning,
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
    said = ", ".join(f"{count} {what}" for what, count in counts.items() if count) or "none"
    if report.ignored:
        said += f" ({report.ignored} of other kinds left alone)"
    passages = f"{report.passages} passage{'' if report.passages == 1 else 's'}"
    if report.dry_run:
        return f"documents: {said}; the knowledge base would hold {passages} (dry run, nothing was changed)"
    text = f"documents: {said}; the knowledge base holds {passages}"
    if report.calibration is not None and report.recalibrated:
        text += (
            f"\nthe agent answers from a confidence of {report.calibration.threshold:.2f} on, reckoned from these "
            "documents; knowledge.threshold sets another"
        )
    return text


@contextmanager
def _progress(out: Output) -> Iterator[Progress | None]:
    """A progress bar on stderr, where somebody is there to see it."""
    import sys

    if out.json or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(f"{task.speed:.0f}/s" if task.speed else "")

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[source]}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        tasks: dict[str, Any] = {}

        def progress(phase: str, done: int, total: int, source: str) -> None:
            if phase not in tasks:
                tasks[phase] = bar.add_task(_PHASES[phase], total=None, source="")
            bar.update(tasks[phase], completed=done, total=total or None, source=safe(source))

        yield progress
