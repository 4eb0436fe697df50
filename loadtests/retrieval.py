"""What a question costs the knowledge base, while calls are talking on the same event loop.

    python -m loadtests.retrieval --passages 10000 --talkers 50 --seconds 20

One process, as a worker is one: its event loop, its embedder's thread, its shelf. The talkers are live calls of the
real service with a scripted model that streams 60 tokens, one every 20 ms, and callers who speak for three seconds;
each of their turns is looked up, and so is a probe's question ten times a second. No two questions are alike, so
nothing is remembered. Passages are made up of words as English has them (Zipf), with meanings at random: what a search
costs does not depend on what they say. `--core 0` keeps all threads on one processor.

    query     the question asked until its passages are there, embedding included, without the time budget
    late      the share of questions that the default budget would have answered by words alone
    lag       how late the event loop comes back to a timer, against the same talkers without a knowledge base
    memory    resident, per 10,000 passages

Absolute figures depend on the machine; nothing here passes or fails.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as `voicectl` does
import numpy as np

from voicectl.conversation import events as ev
from voicectl.conversation.manners import Manners
from voicectl.conversation.turns import Closing, Line, Passage
from voicectl.kb.embedding import LocalEmbedder
from voicectl.kb.index import BUDGET_SECONDS, KnowledgeIndex
from voicectl.kb.shelf import digest, meant, packed
from voicectl.llm.scripted import ScriptedModel
from voicectl.ports import Calibration, CallInfo, Contents, Inquiry, Retrieval, Scope, ShelvedPassage
from voicectl.services.agents import Agent
from voicectl.services.voice_agent import AgentLimits, VoiceAgentService
from voicectl.settings import Settings
from voicectl.storage.memory import MemoryCalls

WORDS_OF_ENGLISH = 30_000
WORDS_OF_A_PASSAGE = 100
SPEAKS = 3.0
FINAL_AFTER = 0.5
"""Seconds from the last word to the final transcript (observed: 0.35 to 0.8)."""
PROBES_A_SECOND = 10
ASKED = (
    "how much is {a} with {b}", "do you have {a} for the {b}", "can i bring {a} on the {b}",
    "when does the {a} {b} start", "is there a {a} on {b}", "how long does {a} {b} take",
    "i need to change my {a} to {b}", "what about {a} and {b}",
)  # fmt: skip
REPLY = " ".join(["So", *(f"word{at}" for at in range(58)), "done."])


class Made:
    """A knowledge base of made-up passages: the two stores of an index."""

    def __init__(self, passages: int) -> None:
        rng = random.Random(1)
        ranks = np.arange(1, WORDS_OF_ENGLISH + 1)
        words = [_word(rank) for rank in ranks]
        draw = np.random.default_rng(1)
        shares = (1 / ranks) / (1 / ranks).sum()
        self.shelved = []
        self.vectors: dict[str, bytes] = {}
        for number in range(1, passages + 1):
            drawn = [words[at] for at in draw.choice(WORDS_OF_ENGLISH, WORDS_OF_A_PASSAGE, p=shares)]
            passage = Passage(number, " ".join(drawn[:4]), " ".join(drawn), "made.md")
            self.shelved.append(ShelvedPassage(passage, 1 + number // 100, " ".join(sorted(set(drawn)))))
            for text in meant(passage):
                vector = draw.standard_normal(384).astype(np.float32)
                self.vectors[digest(text)] = packed(vector / np.linalg.norm(vector))
        self.scopes = tuple(Scope(1 + at, 1, "made.md") for at in range(1 + passages // 100))
        self.words = rng.sample(words[50:5000], 2000)

    async def version(self) -> int:
        return 1

    async def count(self) -> int:
        return len(self.shelved)

    async def contents(self, known: Mapping[int, int] | None) -> Contents:
        return Contents(1, self.scopes, tuple(self.shelved), {LocalEmbedder.name: Calibration(0.3)})

    async def load(self, embedder: str, digests: Sequence[str] | None = None) -> dict[str, bytes]:
        return self.vectors

    def question(self, rng: random.Random) -> str:
        return rng.choice(ASKED).format(a=rng.choice(self.words), b=rng.choice(self.words))


def _word(rank: int) -> str:
    """A pronounceable word for each rank, the common ones short."""
    syllables = ("ba", "do", "ke", "li", "mu", "na", "po", "ra", "se", "ti", "vo", "zu", "fe", "go", "hi", "ja")
    text = ""
    while rank:
        rank, at = divmod(rank, len(syllables))
        text += syllables[at]
    return text


class Nothing:
    """A knowledge base that costs nothing."""

    async def search(self, inquiry: Inquiry, *, limit: int = 4) -> Retrieval:
        return Retrieval("unknown")


class Socket:
    """A caller's socket that takes everything."""

    async def say(self, text: str, *, last: bool, preemptible: bool = False) -> None:
        pass

    async def end(self, closing: Closing, destination: str = "") -> None:
        pass

    async def close(self) -> None:
        pass


async def talk(service: VoiceAgentService, number: int, ask: Made, until: float) -> None:
    """One caller: speaks, is answered, speaks again."""
    loop = asyncio.get_running_loop()
    rng = random.Random(number)
    call = service.answer(CallInfo(f"CA{number}", f"VX{number}", "+15550100", "+15550142"), Socket(), "")
    await asyncio.sleep(rng.random() * SPEAKS)
    while loop.time() < until:
        text = ask.question(rng)
        words = text.split()
        for at in range(1, len(words)):
            call.post(ev.CallerSpoke(call.now, " ".join(words[:at]), final=False))
            await asyncio.sleep(SPEAKS / len(words))
        call.post(ev.CallerSpoke(call.now, f"{text}?", final=False))
        await asyncio.sleep(FINAL_AFTER)
        call.post(ev.CallerSpoke(call.now, f"{text}?"))
        await asyncio.sleep(60 * 0.02 + 0.4)
    await call.finish("hung_up")


async def lag(found: list[float], until: float) -> None:
    """How late the loop comes back, in ms."""
    loop = asyncio.get_running_loop()
    while loop.time() < until:
        before = time.perf_counter()
        await asyncio.sleep(0.005)
        found.append((time.perf_counter() - before - 0.005) * 1000)


async def measured(
    made: Made, index: KnowledgeIndex | None, talkers: int, seconds: float
) -> tuple[list[float], list[float]]:
    """Milliseconds of each probe's query, and of the loop's lag."""
    loop = asyncio.get_running_loop()
    agent = Agent(
        "default",
        Settings(),
        Manners(silence=1000),
        AgentLimits(search_seconds=5),
        ScriptedModel([REPLY], per_token=0.02),
        None,
        index or Nothing(),
    )
    service = VoiceAgentService(agent=agent, store=MemoryCalls())
    until = loop.time() + seconds
    lags: list[float] = []
    queries: list[float] = []
    callers = [loop.create_task(talk(service, number, made, until)) for number in range(talkers)]
    watch = loop.create_task(lag(lags, until))
    rng = random.Random(-1)
    while loop.time() < until:
        await asyncio.sleep(1 / PROBES_A_SECOND)
        if index is not None:
            question = Inquiry((Line("caller", made.question(rng)),))
            before = time.perf_counter()
            await index.search(question)
            queries.append((time.perf_counter() - before) * 1000)
    await asyncio.gather(watch, *callers)
    return queries, lags


def resident() -> float:
    """MB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def at(figures: Sequence[float], share: float) -> float:
    ordered = sorted(figures)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--passages", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--talkers", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--core", type=int, help="keep everything on this processor")
    given = parser.parse_args()
    sys.setswitchinterval(0.0005)  # as `serve` does
    if given.core is not None:
        os.sched_setaffinity(0, {given.core})
    where = "one processor" if given.core is not None else "free"
    print(f"{given.talkers} talkers, {given.seconds:g} s each, {where}; milliseconds")
    print(
        "passages   query p50     p95     p99   late   lag p99     max | without p99     max |  MB/10k  ready s",
    )
    for count in given.passages:
        made = Made(count)
        _, bare = await measured(made, None, given.talkers, min(given.seconds, 10))
        embedder = LocalEmbedder()
        await embedder.warm_up()
        held = resident()
        begun = time.perf_counter()
        index = KnowledgeIndex(made, vectors=made, embedder=embedder, budget=5.0)  # type: ignore[arg-type]
        await index.warm_up()
        ready = time.perf_counter() - begun
        grown = (resident() - held) / count * 10_000
        queries, lags = await measured(made, index, given.talkers, given.seconds)
        late = sum(query > BUDGET_SECONDS * 1000 for query in queries) / len(queries)
        print(
            f"{count:>8,} {statistics.median(queries):>11.1f} {at(queries, 0.95):>7.1f} {at(queries, 0.99):>7.1f} "
            f"{late:>6.1%} {at(lags, 0.99):>9.1f} {max(lags):>7.1f} | {at(bare, 0.99):>11.1f} {max(bare):>7.1f} | "
            f"{grown:>7.1f} {ready:>8.1f}",
            flush=True,
        )
        await index.close()
        await embedder.close()


if __name__ == "__main__":
    asyncio.run(main())
