"""Settings in, wired services out: the only file that knows everybody. Opens nothing until asked."""

from __future__ import annotations

import logging
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from voicectl.errors import ConfigError, ReplyError
from voicectl.settings import Settings

if TYPE_CHECKING:
    from voicectl.carriers.signature import SignatureCheck
    from voicectl.conversation.manners import Manners
    from voicectl.ports import Knowledge, ReplyModel
    from voicectl.services.ingest_kb import IngestReport
    from voicectl.services.voice_agent import VoiceAgentService
    from voicectl.storage.calls import Calls
    from voicectl.storage.database import Database
    from voicectl.storage.knowledge import KnowledgeStore

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Services:
    """Everything a command may need, wired."""

    settings: Settings
    database: Database
    calls: Calls
    knowledge_store: KnowledgeStore
    knowledge: Knowledge
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


@asynccontextmanager
async def running(settings: Settings, *, sample: bool = False) -> AsyncIterator[Services]:
    """Services with the database open and migrated and the model warm. `sample`: an empty knowledge base is filled
    with the documents at hand. Raises ConfigError or StoreError when that is not possible."""
    from voicectl.kb.index import KnowledgeIndex
    from voicectl.services.voice_agent import AgentLimits, VoiceAgentService
    from voicectl.storage.calls import Calls

    signatures = signature_check(settings)
    model = reply_model(settings)
    async with database(settings) as opened:
        from voicectl.storage.knowledge import KnowledgeStore

        store = KnowledgeStore(opened)
        knowledge = KnowledgeIndex(store)
        calls = Calls(opened)
        if sample and await store.count() == 0:
            await ingest_at_hand(settings, store)
        agent = VoiceAgentService(
            model=model,
            knowledge=knowledge,
            store=calls,
            manners=manners(settings),
            limits=AgentLimits(
                call_seconds=settings.conversation.max_call_seconds,
                passages=settings.knowledge.limit,
                search_seconds=settings.knowledge.search_seconds,
            ),
        )
        services = Services(settings, opened, calls, store, knowledge, model, agent, signatures)
        try:
            await knowledge.warm_up()
            await model.warm_up()
            yield services
        finally:
            await knowledge.close()
            await model.close()


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
    from voicectl.llm.offline import OfflineModel

    llm, agent = settings.llm, settings.agent
    offline = OfflineModel(agent.name, agent.company, bool(agent.transfer_number))
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


async def ingest_at_hand(settings: Settings, store: KnowledgeStore) -> IngestReport:
    """Fill an empty knowledge base with the configured documents, ./knowledge, or the sample company's."""
    from voicectl.services.ingest_kb import ingest

    paths = [Path(path) for path in settings.knowledge.paths]
    if not paths:
        here = Path("knowledge")
        paths = [here if here.is_dir() else sample_documents()]
    return await ingest(paths, store)


def sample_documents() -> Path:
    """The sample company's folder: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).parent
    for folder in (package / "_sample", package.parent / "knowledge"):
        if folder.is_dir():
            return folder
    raise ConfigError(
        "the sample company's documents are not installed", "name a folder of your own in knowledge.paths"
    )
