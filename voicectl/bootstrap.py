"""Settings in, wired services out: the only file that knows everybody. Opens nothing until asked."""

from __future__ import annotations

import logging
import secrets
import tempfile
from collections.abc import AsyncIterator, Callable, Hashable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voicectl.errors import ConfigError, ReplyError
from voicectl.settings import AgentSettings, KnowledgeSettings, Settings

if TYPE_CHECKING:
    from voicectl.carriers.signature import SignatureCheck
    from voicectl.kb.index import KnowledgeIndex
    from voicectl.llm.offline import OfflineModel
    from voicectl.ports import (
        Embedder,
        GapStore,
        Knowledge,
        KnowledgeStore,
        NewDocument,
        ReplyEnd,
        ReplyModel,
        ReplyRequest,
        Rewriter,
        Tools,
    )
    from voicectl.services.agents import Agents, Part
    from voicectl.services.ingest_kb import IngestReport
    from voicectl.services.meanings import Meanings
    from voicectl.services.voice_agent import AgentLimits, VoiceAgentService
    from voicectl.storage.calls import Calls
    from voicectl.storage.database import Database

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 10.0
SAMPLE = "_sample/"
"""How the sources of the sample company's documents begin, where they come with the package."""


@dataclass(slots=True)
class Services:
    """Everything a command may need, wired."""

    settings: Settings
    database: Database
    calls: Calls
    base: KnowledgeBase
    agents: Agents
    agent: VoiceAgentService
    signatures: SignatureCheck

    @property
    def model(self) -> ReplyModel:
        """Of the default agent."""
        return self.agents.default.model


def local(settings: Settings, port: int) -> Settings:
    """Settings that work on this machine with nothing configured: a made-up auth token, which only our own simulator
    knows, and a public URL of our own."""
    server, twilio = settings.server, settings.twilio
    return replace(
        settings,
        server=replace(
            server,
            host=server.host or ("0.0.0.0" if twilio.auth_token else "127.0.0.1"),
            public_url=server.public_url or f"https://127.0.0.1:{port}",
        ),
        twilio=replace(twilio, auth_token=twilio.auth_token or secrets.token_urlsafe(24)),
    )


@dataclass(slots=True)
class KnowledgeBase:
    """A knowledge base, ready to be asked and filled."""

    store: KnowledgeStore
    gaps: GapStore
    embedder: Embedder | None
    knowledge: KnowledgeIndex
    by_words: KnowledgeIndex
    """The same without meanings."""
    meanings: Meanings | None
    rewriter: Rewriter | None
    without_meaning: str
    """Why words alone are compared, where they are."""
    another: Callable[[Settings], tuple[KnowledgeIndex, Rewriter | None]]
    """`knowledge` and `rewriter` anew, for an agent that looks things up in another way."""


@asynccontextmanager
async def running(settings: Settings, *, sample: bool = False, watch: bool = False) -> AsyncIterator[Services]:
    """Services with the database open and migrated and the models warm. `sample`: an empty knowledge base is filled
    with the documents at hand. `watch`: agents change when the settings file does. Raises ConfigError or StoreError
    when that is not possible."""
    from voicectl.services.agent_checks import faults
    from voicectl.services.agents import Agents
    from voicectl.services.voice_agent import VoiceAgentService
    from voicectl.storage.calls import Calls

    wrong = faults(settings)
    if wrong:
        raise ConfigError("the configuration cannot work:\n  " + "\n  ".join(wrong), "mend the settings named above")
    signatures = signature_check(settings)
    async with database(settings) as opened, knowledge_of(settings, opened) as base:
        calls = Calls(opened)
        agents = Agents(settings, _Workshop(settings, base), watch=watch)
        try:
            if sample and await base.store.count() == 0:
                await ingest_at_hand(settings, base)
            gaps = base.gaps if settings.knowledge.record_gaps else None
            agent = VoiceAgentService(agent=agents.default, store=calls, gaps=gaps)
            await agents.warm_up()
            yield Services(settings, opened, calls, base, agents, agent, signatures)
        finally:
            await agents.close()


class _Workshop:
    """services.agents.Workshop: what the agents of this process are made of."""

    def __init__(self, settings: Settings, base: KnowledgeBase) -> None:
        self._base = base
        self._own = self.looks_up(settings)

    def model(self, settings: Settings) -> Part[ReplyModel]:
        from voicectl.services.agents import Part

        model = reply_model(settings)
        return Part(model, model.warm_up, model.close)

    def looks_up(self, settings: Settings) -> Hashable:
        known = settings.knowledge
        rewriting = (known.rewrite_seconds, settings.llm) if rewrites(settings) else None
        return known.threshold, known.clarify, known.budget_seconds, rewriting

    def knowledge(self, settings: Settings) -> Part[Knowledge]:
        from voicectl.services.agents import Part

        base = self._base
        own = self.looks_up(settings) == self._own
        index, rewriter = (base.knowledge, base.rewriter) if own else base.another(settings)

        async def warm_up() -> None:
            await index.warm_up()
            if rewriter is not None:
                await rewriter.warm_up()

        async def close() -> None:
            if not own:  # that of the base goes with it
                await index.close()
                if rewriter is not None:
                    await rewriter.close()

        return Part(index, warm_up, close)

    def tools(self, name: str, settings: Settings, knowledge: Knowledge) -> Part[Tools]:
        from voicectl.services.agents import Part
        from voicectl.services.manners import languages
        from voicectl.tools.build import tools_for

        collections = settings.knowledge.collections
        toolbox = tools_for(
            settings, name, knowledge=knowledge, languages=languages(settings.relay), collections=collections
        )
        return Part(toolbox, close=toolbox.aclose)

    def limits(self, settings: Settings) -> AgentLimits:
        from voicectl.services.voice_agent import AgentLimits

        known, talk = settings.knowledge, settings.conversation
        return AgentLimits(
            call_seconds=talk.max_call_seconds,
            passages=known.limit,
            # A question that a model makes whole has the time of that call besides.
            search_seconds=known.search_seconds + (known.rewrite_seconds if rewrites(settings) else 0.0),
            collections=known.collections,
            prefetch=known.prefetch,
            guess_waste=talk.speculation_waste,
        )


@asynccontextmanager
async def knowledge_base(settings: Settings) -> AsyncIterator[KnowledgeBase]:
    """The knowledge base of the configured database. Raises ConfigError and StoreError."""
    async with database(settings) as opened, knowledge_of(settings, opened, patient=True) as base:
        yield base


@asynccontextmanager
async def temporary_knowledge_base(
    settings: Settings, documents: Sequence[NewDocument]
) -> AsyncIterator[KnowledgeBase]:
    """A knowledge base of these documents, in a directory that is gone afterwards; the owner's is not touched."""
    with tempfile.TemporaryDirectory(prefix="voicectl-") as folder:
        url = f"sqlite:///{Path(folder) / 'knowledge.db'}"
        elsewhere = replace(settings, database=replace(settings.database, url=url))
        async with knowledge_base(elsewhere) as base:
            if base.meanings is not None:
                from voicectl.services.ingest_kb import texts_of

                await base.meanings.reckon(texts_of(documents))
            await base.store.replace(documents, [])
            if base.meanings is not None:
                await base.meanings.settle(base.store)
            yield base


@asynccontextmanager
async def knowledge_of(settings: Settings, opened: Database, *, patient: bool = False) -> AsyncIterator[KnowledgeBase]:
    """The knowledge base in an open database. `patient`: nobody is on the line, so the embedder has the time it
    takes."""
    from voicectl.kb.index import BUDGET_SECONDS, SERVICE_BUDGET, KnowledgeIndex
    from voicectl.services.meanings import Meanings
    from voicectl.storage.gaps import GapStore
    from voicectl.storage.knowledge import KnowledgeStore
    from voicectl.storage.vectors import VectorStore

    store, vectors = KnowledgeStore(opened), VectorStore(opened)
    embedder, without = _embedder(settings)

    def manner(known: KnowledgeSettings, rewriter: Rewriter | None) -> dict[str, Any]:
        return {
            "rewriter": rewriter,
            "today": lambda: datetime.now().astimezone().date(),
            "clarify": known.clarify,
        }

    def made(settings: Settings) -> tuple[KnowledgeIndex, Rewriter | None]:
        known = settings.knowledge
        rewriter: Rewriter | None = None
        if rewrites(settings):
            from voicectl.llm.rewriting import ModelRewriter

            rewriter = ModelRewriter(settings.llm, known.rewrite_seconds)
        budget = known.budget_seconds or (SERVICE_BUDGET if known.embedder == "openai" else BUDGET_SECONDS)
        if patient:
            budget = PATIENCE_SECONDS
        how = manner(known, rewriter)
        threshold = known.threshold
        index = KnowledgeIndex(store, vectors=vectors, embedder=embedder, budget=budget, threshold=threshold, **how)
        return index, rewriter

    index, rewriter = made(settings)
    by_words = KnowledgeIndex(store, **manner(settings.knowledge, rewriter))
    meanings = Meanings(embedder, vectors) if embedder is not None else None
    try:
        yield KnowledgeBase(store, GapStore(opened), embedder, index, by_words, meanings, rewriter, without, made)
    finally:
        await index.close()
        await by_words.close()
        for each in (embedder, rewriter):
            if each is not None:
                await each.close()


def _embedder(settings: Settings) -> tuple[Embedder | None, str]:
    """What compares meanings, or why nothing does."""
    from voicectl.kb.embedding import EmbeddingService, LocalEmbedder, missing

    known, llm = settings.knowledge, settings.llm
    if known.embedder == "openai":
        return EmbeddingService(
            known.embedding_model,
            api_key=known.embedding_api_key or llm.api_key,
            base_url=known.embedding_base_url or llm.base_url,
            dimensions=known.embedding_dimensions,
        ), ""
    if known.embedder == "none":
        return None, "knowledge.embedder is none"
    lacking = missing()
    if not lacking:
        return LocalEmbedder(), ""
    if known.embedder == "local":
        raise ConfigError(
            f"knowledge.embedder is local, but {', '.join(lacking)} cannot be imported",
            f"pip install {' '.join(lacking)}",
        )
    return None, f"{', '.join(lacking)} cannot be imported"


@asynccontextmanager
async def database(settings: Settings) -> AsyncIterator[Database]:
    """The database, open and migrated. SQLite is migrated here; for any other the owner types the command."""
    from voicectl.storage.database import Database

    opened = Database.open(settings.database.url)
    try:
        await opened.check(quick=True)
        await opened.prepare()
        yield opened
    finally:
        await opened.close()


def reply_model(settings: Settings) -> ReplyModel:
    """The configured model, with the offline one as its last rung. It speaks for whichever agent a request is of."""
    llm, agent = settings.llm, settings.agent
    offline = _Offline(settings.agent)
    kind = model_kind(settings)
    if kind == "offline":
        return offline
    if kind == "scripted":
        from voicectl.llm.scripted import ScriptedModel

        if not llm.script:
            raise ConfigError(
                "llm.kind is scripted, but there is no llm.script", "name the file of replies in llm.script"
            )
        return ScriptedModel.load(llm.script)
    from voicectl.llm.chain import Chain
    from voicectl.llm.openai import OpenAIModel

    if not (llm.api_key or llm.base_url):
        raise ConfigError(
            "the reply model is openai, but there is no key",
            "set OPENAI_API_KEY, or OPENAI_BASE_URL for a server without keys",
        )
    online = OpenAIModel(llm, agent, now=lambda: datetime.now().astimezone())
    return Chain([online, offline], first_token_seconds=llm.first_token_seconds, on_failure=_tell_owner)


def _offline(agent: AgentSettings) -> OfflineModel:
    from voicectl.llm.offline import OfflineModel
    from voicectl.services.manners import usual_person

    return OfflineModel(agent.name, agent.company, bool(usual_person(agent)))


class _Offline:
    """The model that quotes the documents, in the name of the agent that a request is of."""

    def __init__(self, agent: AgentSettings) -> None:
        self.name = "offline"
        self._agent = agent

    def reply(self, request: ReplyRequest) -> AsyncIterator[str | ReplyEnd]:
        return _offline(request.agent or self._agent).reply(request)

    async def warm_up(self) -> None:
        await _offline(self._agent).warm_up()

    async def close(self) -> None:
        """There is nothing to close."""


def _tell_owner(model: str, error: ReplyError) -> None:
    log.warning("a reply model failed, the next one answers", extra={"kind": error.kind})


def model_kind(settings: Settings) -> str:
    """Which reply model answers first: openai, offline or scripted."""
    llm = settings.llm
    if llm.kind != "auto":
        return llm.kind
    return "openai" if llm.api_key or llm.base_url else "offline"


def rewrites(settings: Settings) -> bool:
    """Questions that lean on the conversation are made whole by a call to a model."""
    return settings.knowledge.rewrite == "model" and model_kind(settings) == "openai"


def signature_check(settings: Settings) -> SignatureCheck:
    from voicectl.carriers.signature import SignatureCheck

    twilio = settings.twilio
    tokens = [token for token in (twilio.auth_token, twilio.previous_auth_token) if token]
    return SignatureCheck(settings.server.public_url, tokens, account_sid=twilio.account_sid)


async def ingest_at_hand(settings: Settings, base: KnowledgeBase) -> IngestReport:
    """Fill an empty knowledge base with the configured documents, ./knowledge, or the sample company's."""
    from voicectl.services.ingest_kb import ingest

    paths = [Path(path) for path in settings.knowledge.paths]
    if not paths:
        here = Path("knowledge")
        paths = [here if here.is_dir() else sample_documents()]
    return await ingest(paths, base.store, meanings=base.meanings, without_meaning=base.without_meaning)


def sample_documents() -> Path:
    """The sample company's folder: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).parent
    for folder in (package / "_sample", package.parent / "knowledge"):
        if folder.is_dir():
            return folder
    raise ConfigError(
        "the sample company's documents are not installed", "name a folder of your own in knowledge.paths"
    )
