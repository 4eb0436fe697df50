"""All settings of a process, and what one agent has otherwise."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_type_hints

from voicectl.settings.agent import AgentSettings, ConversationSettings, KnowledgeSettings, LlmSettings, ToolsSettings
from voicectl.settings.carrier import RelaySettings, VoiceSettings
from voicectl.settings.process import DatabaseSettings, ServerSettings, TelemetrySettings, TwilioSettings

DEFAULT_AGENT = "default"
"""The agent that is made of the settings as they are; [agents.NAME] makes others."""

Words = Mapping[str, str | tuple[str, ...]]
"""The owner's own wordings in one language, by what they are for (conversation.phrases.Phrases)."""


@dataclass(frozen=True, slots=True)
class AgentOverlay:
    """One [agents.NAME]."""

    numbers: tuple[str, ...] = ()
    """Whoever calls one of these is answered by this agent."""
    values: Mapping[str, Any] = field(default_factory=dict)
    """Its own values, by the path of the setting: "agent.name"."""
    phrases: Mapping[str, Words] = field(default_factory=dict)
    """Its own wordings, by language."""


@dataclass(frozen=True, slots=True)
class Source:
    """What settings were put together from, so that they can be put together again."""

    file: Path
    named: bool
    """Somebody named the file; otherwise there need not be one."""
    flags: Mapping[str, Any]
    environ: Mapping[str, str]
    seen: tuple[int, int, int] | None = None
    """The file's stamp when it was read."""
    started: Mapping[str, Any] = field(default_factory=dict)
    """What was found there that is the same for all agents: groups, and the settings in SHARED, by path."""

    def stamp(self) -> tuple[int, int, int] | None:
        """Another one whenever the file may have changed; None while there is no file."""
        try:
            found = self.file.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino


@dataclass(frozen=True, slots=True)
class Settings:
    server: ServerSettings = field(default_factory=ServerSettings)
    database: DatabaseSettings = field(default_factory=DatabaseSettings)
    twilio: TwilioSettings = field(default_factory=TwilioSettings)
    llm: LlmSettings = field(default_factory=LlmSettings)
    voice: VoiceSettings = field(default_factory=VoiceSettings)
    relay: RelaySettings = field(default_factory=RelaySettings)
    agent: AgentSettings = field(default_factory=AgentSettings)
    conversation: ConversationSettings = field(default_factory=ConversationSettings)
    knowledge: KnowledgeSettings = field(default_factory=KnowledgeSettings)
    tools: ToolsSettings = field(default_factory=ToolsSettings)
    telemetry: TelemetrySettings = field(default_factory=TelemetrySettings)
    phrases: Mapping[str, Words] = field(default_factory=dict)
    """[phrases.LANG]: the owner's own wordings, by language."""
    agents: Mapping[str, AgentOverlay] = field(default_factory=dict)
    """[agents.NAME]: what the agents of these names have otherwise."""
    source: Source | None = field(default=None, compare=False, repr=False)

    def for_agent(self, name: str) -> Settings:
        """The settings of one agent, with its own values laid over. Raises KeyError when there is no such agent."""
        if name == DEFAULT_AGENT:
            return dataclasses.replace(self, agents={})
        overlay = self.agents[name]
        groups: dict[str, dict[str, Any]] = {}
        for path, value in overlay.values.items():
            group, _, key = path.partition(".")
            groups.setdefault(group, {})[key] = value
        changed = {group: dataclasses.replace(getattr(self, group), **given) for group, given in groups.items()}
        phrases = {language: dict(words) for language, words in self.phrases.items()}
        for language, words in overlay.phrases.items():
            phrases.setdefault(language, {}).update(words)
        return dataclasses.replace(self, **changed, phrases=phrases, agents={})


GROUPS = tuple(f.name for f in dataclasses.fields(Settings) if f.name not in ("phrases", "agents", "source"))
"""The sections of voicectl.toml that hold settings."""

AGENT_GROUPS = ("llm", "voice", "relay", "agent", "conversation", "knowledge", "tools")
"""Those that an agent may have otherwise, but for SHARED."""

SHARED = frozenset(
    f"knowledge.{name}"
    for name in (
        "paths",
        "embedder",
        "embedding_model",
        "embedding_dimensions",
        "embedding_base_url",
        "embedding_api_key",
        "record_gaps",
    )
)
"""There is one knowledge base, which compares meanings in one way."""


@dataclass(frozen=True, slots=True)
class SettingInfo:
    """One row of the settings table."""

    path: str
    """Key in voicectl.toml, e.g. "llm.model"."""
    kind: Any
    default: Any
    help: str
    env: str
    secret: bool
    choices: tuple[str, ...]
    low: float | None
    high: float | None


def table() -> Iterator[SettingInfo]:
    """Every setting, in the order they are declared."""
    classes = get_type_hints(Settings)
    for group in GROUPS:
        kinds = get_type_hints(classes[group])
        for f in dataclasses.fields(classes[group]):
            yield SettingInfo(f"{group}.{f.name}", kinds[f.name], f.default, **f.metadata)


def build(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values by path as the groups of Settings."""
    classes = get_type_hints(Settings)
    groups: dict[str, dict[str, Any]] = {}
    for path, value in values.items():
        group, _, key = path.partition(".")
        groups.setdefault(group, {})[key] = value
    return {group: classes[group](**given) for group, given in groups.items()}


def shared(settings: Settings) -> dict[str, Any]:
    """What is the same for all agents: groups, and the settings in SHARED, by path."""
    groups = {group: getattr(settings, group) for group in GROUPS if group not in AGENT_GROUPS}
    return groups | {path: getattr(settings.knowledge, path.partition(".")[2]) for path in sorted(SHARED)}
