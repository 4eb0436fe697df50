"""Settings in, wired services out: the only file that knows everybody. Opens nothing until asked."""

from __future__ import annotations

import logging
import secrets
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voicectl.errors import ConfigError, ReplyError
from voicectl.settings import Settings

if TYPE_CHECKING:
    from voicectl.carriers.signature import SignatureCheck
    from voicectl.conversation.manners import Manners
    from voicectl.kb.index import KnowledgeIndex
    from voicectl.llm.offline import OfflineModel
    from voicectl.ports import Embedder, GapStore, KnowledgeStore, NewDocument, ReplyModel, Rewriter
    from voicectl.services.ingest_kb import IngestReport
    from voicectl.services.meanings import Meanings
    from voicectl.services.voice_agent import VoiceAgentService
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
    model: ReplyModel
    agent: VoiceAgentService
    signatures: SignatureCheck

    def greeting(self) -> str:
        return greeting(self.settings)


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


@asynccontextmanager
async def running(settings: Settings, *, sample: bool = False) -> AsyncIterator[Services]:
    """Services with the database open and migrated and the model warm. `sample`: an empty knowledge base is filled
    with the documents at hand. Raises ConfigError or StoreError when that is not possible."""
    from voicectl.services.voice_agent import AgentLimits, VoiceAgentService
    from voicectl.storage.calls import Calls

    signatures = signature_check(settings)
    model = reply_model(settings)
    async with database(settings) as opened, knowledge_of(settings, opened) as base:
        calls = Calls(opened)
        if sample and await base.store.count() == 0:
            await ingest_at_hand(settings, base)
        known = settings.knowledge
        agent = VoiceAgentService(
            model=model,
            knowledge=base.knowledge,
            store=calls,
            gaps=base.gaps if known.record_gaps else None,
            manners=manners(settings),
            limits=AgentLimits(
                call_seconds=settings.conversation.max_call_seconds,
                passages=known.limit,
                # A question that a model makes whole has the time of that call besides.
                search_seconds=known.search_seconds + (known.rewrite_seconds if base.rewriter else 0.0),
                collections=known.collections,
                prefetch=known.prefetch,
            ),
        )
        services = Services(settings, opened, calls, base, model, agent, signatures)
        try:
            await base.knowledge.warm_up()
            if base.rewriter is not None:
                await base.rewriter.warm_up()
            await model.warm_up()
            yield services
        finally:
            await model.close()


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

    known = settings.knowledge
    store, vectors = KnowledgeStore(opened), VectorStore(opened)
    embedder, without = _embedder(settings)
    rewriter: Rewriter | None = None
    if known.rewrite == "model" and model_kind(settings) == "openai":
        from voicectl.llm.rewriting import ModelRewriter

        rewriter = ModelRewriter(settings.llm, known.rewrite_seconds)
    manner: dict[str, Any] = {
        "rewriter": rewriter,
        "today": lambda: datetime.now().astimezone().date(),
        "clarify": known.clarify,
    }
    budget = known.budget_seconds or (SERVICE_BUDGET if known.embedder == "openai" else BUDGET_SECONDS)
    if patient:
        budget = PATIENCE_SECONDS
    index = KnowledgeIndex(
        store, vectors=vectors, embedder=embedder, budget=budget, threshold=known.threshold, **manner
    )
    by_words = KnowledgeIndex(store, **manner)
    meanings = Meanings(embedder, vectors) if embedder is not None else None
    try:
        yield KnowledgeBase(store, GapStore(opened), embedder, index, by_words, meanings, rewriter, without)
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
    """The configured model, with the offline one as its last rung."""
    llm, agent = settings.llm, settings.agent
    offline = offline_model(settings)
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


def offline_model(settings: Settings) -> OfflineModel:
    """The model that quotes the documents."""
    from voicectl.llm.offline import OfflineModel

    agent = settings.agent
    return OfflineModel(agent.name, agent.company, bool(agent.transfer_number))


def _tell_owner(model: str, error: ReplyError) -> None:
    log.warning("a reply model failed, the next one answers", extra={"kind": error.kind})


def model_kind(settings: Settings) -> str:
    """Which reply model answers first: openai, offline or scripted."""
    llm = settings.llm
    if llm.kind != "auto":
        return llm.kind
    return "openai" if llm.api_key or llm.base_url else "offline"


def manners(settings: Settings) -> Manners:
    from voicectl.conversation.manners import Manners

    agent, talk, llm = settings.agent, settings.conversation, settings.llm
    return Manners(
        # The conversation's own bounds lie behind those of the models, with room for a second model to answer.
        first_token=2 * llm.first_token_seconds,
        gap=llm.gap_seconds + 0.5,
        reply=llm.total_seconds + 0.5,
        silence=talk.silence_seconds,
        reprompts=talk.reprompts,
        max_words=agent.max_words,
        goodbye=agent.goodbye,
        can_transfer=bool(agent.transfer_number),
        reported={"speaker-events", "tokens-played"} <= set(settings.relay.events.split()),
        key_timeout=talk.key_timeout_seconds,
        key_terminator=talk.key_terminator,
        key_length=talk.key_length,
    )


def signature_check(settings: Settings) -> SignatureCheck:
    from voicectl.carriers.signature import SignatureCheck

    twilio = settings.twilio
    tokens = [token for token in (twilio.auth_token, twilio.previous_auth_token) if token]
    return SignatureCheck(settings.server.public_url, tokens, account_sid=twilio.account_sid)


def greeting(settings: Settings) -> str:
    agent = settings.agent
    return agent.greeting.replace("{name}", agent.name).replace("{company}", agent.company)


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
