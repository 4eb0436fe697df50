"""`voicectl kb`: what the business knows, looked at: list, show, search, check, eval, gaps, remove."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from voicectl.cli._console import Config, Json, command

kb = typer.Typer(
    name="kb",
    help="Look into the knowledge base: what is in it, what a question finds, what is wrong with it.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        "--database-url", envvar="VOICECTL_DATABASE_URL", help="The database. [default: sqlite:///voicectl.db]"
    ),
]
Collection = Annotated[list[str] | None, typer.Option("--collection", help="Look in this collection too. Repeatable.")]
Share = typer.Option(min=0.0, max=1.0, help="Exit 1 where it is below this, in any way of asking.")


@kb.command("list")
def list_(database_url: DatabaseUrl = None, config: Config = None, json: Json = False) -> None:
    """The documents of the knowledge base."""
    with command(json) as out:
        from voicectl.cli import _kb

        _kb.list_documents(out, _kb.Given(config, database_url))


@kb.command()
def show(
    name: Annotated[str, typer.Argument(metavar="SOURCE|ID", help="A document, or the number of a passage.")],
    database_url: DatabaseUrl = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """A document's passages as callers may hear of them, or one passage, and where they stand."""
    with command(json) as out:
        from voicectl.cli import _kb

        _kb.show(out, _kb.Given(config, database_url), name)


@kb.command()
def search(
    question: Annotated[list[str], typer.Argument(metavar="QUESTION...", help="What a caller would say.")],
    history: Annotated[
        list[str] | None,
        typer.Option("--history", help="A line said before, caller and agent in turn, the agent's last. Repeatable."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=50, help="Passages at most.")] = 4,
    collection: Collection = None,
    language: Annotated[str, typer.Option(help="Language of the call, e.g. en-US; default: any.")] = "",
    database_url: DatabaseUrl = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """What a caller's question finds, with scores and why."""
    with command(json) as out:
        from voicectl.cli import _kb
        from voicectl.services.knowledge_desk import inquiry

        asked = inquiry(" ".join(question), history=history or (), language=language, collections=collection or ())
        _kb.search(out, _kb.Given(config, database_url), asked, limit)


@kb.command()
def check(
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 on warnings too.")] = False,
    database_url: DatabaseUrl = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Contradictions, copies, what is out of date, unreadable, too long to listen to, or an order to the model.

    Exit 1: documents contradict each other or have expired.
    """
    with command(json) as out:
        from voicectl.cli import _kb

        _kb.check(out, _kb.Given(config, database_url), strict=strict)


@kb.command("eval")
def evaluate(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Questions and what should be found: YAML or JSON.")],
    against: Annotated[Path | None, typer.Option(help="Another such file: its questions have no answer here.")] = None,
    sample: Annotated[
        int | None, typer.Option(min=1, help="Ask so many of each kind, evenly spread; default: all.")
    ] = None,
    words_only: Annotated[bool, typer.Option("--words-only", help="Compare words only, no meanings.")] = False,
    min_r1: Annotated[float | None, Share] = None,
    min_r3: Annotated[float | None, Share] = None,
    min_mrr: Annotated[float | None, Share] = None,
    min_right: Annotated[float | None, Share] = None,
    min_refused: Annotated[float | None, Share] = None,
    min_auc: Annotated[float | None, Share] = None,
    min_kept: Annotated[float | None, Share] = None,
    database_url: DatabaseUrl = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """How well a set of questions is answered, as written and as spoken. Exit 1: a limit was missed.

    A set that brings its documents along is asked in a database of its own, which is gone afterwards. The limits hold
    for the best index there is, hybrid where an embedder is installed.
    """
    with command(json) as out:
        from voicectl.cli import _kb_eval
        from voicectl.cli._kb import Given

        limits = {
            "r1": min_r1,
            "r3": min_r3,
            "mrr": min_mrr,
            "right": min_right,
            "refused": min_refused,
            "auc": min_auc,
            "kept": min_kept,
        }
        wanted = {name: limit for name, limit in limits.items() if limit is not None}
        _kb_eval.evaluate(
            out, Given(config, database_url), file, against, sample=sample, words_only=words_only, limits=wanted
        )


@kb.command()
def gaps(
    since: Annotated[str | None, typer.Option(help="A day (2026-11-01) or a span until now (12h, 7d, 4w).")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Groups at most.")] = 20,
    clear: Annotated[bool, typer.Option("--clear", help="Forget all of them, after asking.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    database_url: DatabaseUrl = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """What callers asked and nothing answered, put together by what they asked, the most frequent first."""
    with command(json) as out:
        from voicectl.cli import _kb

        given = _kb.Given(config, database_url)
        if clear:
            _kb.clear_gaps(out, given, yes=yes)
        else:
            _kb.gaps(out, given, since=since, limit=limit)


@kb.command()
def remove(
    sources: Annotated[
        list[str] | None, typer.Argument(metavar="SOURCE...", help="Documents, or the folders they were in.")
    ] = None,
    collection: Annotated[str, typer.Option(metavar="NAME", help="All documents of this collection.")] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and remove nothing.")] = False,
    database_url: DatabaseUrl = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Take documents out of the knowledge base, after asking; the files they came from stay."""
    with command(json) as out:
        from voicectl.cli import _kb

        _kb.remove(out, _kb.Given(config, database_url), sources or [], collection, yes=yes, dry_run=dry_run)
