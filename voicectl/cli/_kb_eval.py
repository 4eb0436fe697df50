"""The work of `voicectl kb eval`: questions asked of a knowledge base, the figures, and what went wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voicectl.cli._console import Output
from voicectl.cli._kb import Given, table
from voicectl.errors import UsageError

if TYPE_CHECKING:
    from voicectl.kb.evaluation import Outcome, QuestionSet
    from voicectl.services.knowledge_desk import Evaluated

COLUMNS = {
    "r1": "R@1",
    "r3": "R@3",
    "mrr": "MRR",
    "right": "right",
    "refused": "refused",
    "auc": "AUC",
    "kept": "kept at 5 %",
}
_WORST = 20
"""Questions that went wrong are listed up to so many for each way of asking."""


def evaluate(
    out: Output,
    given: Given,
    file: Path,
    against: Path | None,
    *,
    sample: int | None,
    words_only: bool,
    limits: Mapping[str, float],
) -> None:
    from voicectl.services.knowledge_desk import read_questions

    questions = read_questions(file, against=against, most=sample)
    with _progress(out) as progress:
        found = asyncio.run(_evaluated(out, given, questions, words_only, progress))
    best = found[0].index
    table(
        out,
        ("index", "asked", *COLUMNS.values(), "median", "p95"),
        [
            (
                each.index,
                each.asked,
                *(_share(getattr(each.figures, name)) for name in COLUMNS),
                _ms(each.figures.median_ms),
                _ms(each.figures.p95_ms),
            )
            for each in found
        ],
    )
    missed = _missed([each for each in found if each.index == best], limits)
    wrong = {each.asked: _wrong(each) for each in found if each.index == best}
    told: set[str] = set()
    for asked, outcomes in wrong.items():
        new = [each for each in outcomes if each[0].asked.question not in told]
        told.update(outcome.asked.question for outcome, _ in outcomes)
        if new:
            out.line()
            out.line(f"wrong{' only' if asked == 'spoken' else ''} as {asked} ({best}): {len(new)}")
        for outcome, why in new[:_WORST]:
            out.line(f"  {outcome.asked.question}  ->  {why}")
        if len(new) > _WORST:
            out.line(f"  … and {len(new) - _WORST} more: --json lists them all")
    for each in missed:
        out.warn(each)
    failure = {"error": "; ".join(missed), "hint": "`wrong` lists the questions", "code": 1} if missed else {}
    first = found[0].figures
    out.result(
        {
            **failure,
            "questions": first.questions,
            "unknown": first.unknown,
            "documents": len(questions.documents) or None,
            "figures": [{"index": each.index, "asked": each.asked, **asdict(each.figures)} for each in found],
            "wrong": {
                asked: [{"question": outcome.asked.question, "why": why} for outcome, why in outcomes]
                for asked, outcomes in wrong.items()
            },
        },
        f"\n{first.questions} questions with an answer, {first.unknown} without",
        ok=not missed,
    )
    if missed:
        out.exit(1)


async def _evaluated(
    out: Output, given: Given, questions: QuestionSet, words_only: bool, progress: Callable[[int, int], None]
) -> list[Evaluated]:
    from voicectl import bootstrap
    from voicectl.llm.offline import OfflineModel
    from voicectl.services.knowledge_desk import documents_of, evaluate

    settings = given.settings()
    if words_only:
        settings = replace(settings, knowledge=replace(settings.knowledge, embedder="none"))
    documents = documents_of(questions)
    opened = (
        bootstrap.temporary_knowledge_base(settings, documents) if documents else bootstrap.knowledge_base(settings)
    )
    async with opened as base:
        if not documents and not await base.store.count():
            raise UsageError("the knowledge base is empty", "voicectl ingest-kb PATH")
        indexes = {"words": base.by_words}
        if base.embedder is None and not words_only:
            out.warn(f"words are all that is compared: {base.without_meaning}")
        if base.embedder is not None:
            await base.knowledge.warm_up()
            indexes = {"hybrid": base.knowledge, **indexes}
        await base.by_words.warm_up()
        agent = settings.agent
        model = OfflineModel(agent.name, agent.company, bool(agent.transfer_number))
        return await evaluate(indexes, questions, limit=settings.knowledge.limit, model=model, progress=progress)


def _missed(found: list[Evaluated], limits: Mapping[str, float]) -> list[str]:
    """The limits that some way of asking did not keep."""
    missed = []
    for each in found:
        for name, limit in limits.items():
            reached = getattr(each.figures, name)
            if reached is None:
                raise UsageError(f"there is nothing to reckon {COLUMNS[name]} from", "the set has no such questions")
            if reached < limit:
                missed.append(f"{COLUMNS[name]} as {each.asked} is {reached:.3f}, below {limit:g}")
    return missed


def _wrong(evaluated: Evaluated) -> list[tuple[Outcome, str]]:
    return [
        *((each, _why(each)) for each in evaluated.known if not each.right),
        *(
            (each, f"answered from {each.retrieval.passages[0].source}: {each.retrieval.passages[0].title}")
            for each in evaluated.unknown
            if not each.refused and each.retrieval.passages
        ),
    ]


def _why(outcome: Outcome) -> str:
    """What became of a question with an answer that was not answered right."""
    rank, retrieval = outcome.rank, outcome.retrieval
    place = f"what was expected comes {_ordinal(rank)}" if rank else "what was expected is not found"
    if outcome.refused:
        return f"refused at confidence {retrieval.confidence:.2f}; {place}"
    if outcome.said is not None and rank is not None and rank <= len(retrieval.passages):
        return f"said: {outcome.said}"
    return f"found {retrieval.passages[0].source} first; {place}" if retrieval.passages else place


def _ordinal(number: int) -> str:
    return {1: "1st", 2: "2nd", 3: "3rd"}.get(number, f"{number}th")


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f} ms"


@contextmanager
def _progress(out: Output) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on stderr, where somebody is there to see it."""
    import sys

    if out.json or not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task: Any = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
