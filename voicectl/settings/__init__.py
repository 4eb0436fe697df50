"""Every setting there is: one table that feeds loading, checking, `--help` and the documentation's test.

Declared in process.py, carrier.py and agent.py; whole.py has them all, with what each agent has otherwise; loading.py
puts them together. Lies below everything else: it knows what values may be, and not what they are for.
"""

from __future__ import annotations

from voicectl.settings.agent import (
    AgentSettings,
    ConversationSettings,
    DestinationSettings,
    KeyFieldSettings,
    KnowledgeSettings,
    LlmSettings,
    MenuSettings,
    ToolSettings,
    ToolsSettings,
)
from voicectl.settings.carrier import LanguageSettings, RelaySettings, VoiceSettings
from voicectl.settings.loading import DEFAULT_FILE, load, load_again
from voicectl.settings.process import DatabaseSettings, ServerSettings, TelemetrySettings, TwilioSettings
from voicectl.settings.whole import (
    AGENT_GROUPS,
    DEFAULT_AGENT,
    GROUPS,
    SHARED,
    AgentOverlay,
    SettingInfo,
    Settings,
    Source,
    Words,
    shared,
    table,
)

__all__ = [
    "AGENT_GROUPS",
    "DEFAULT_AGENT",
    "DEFAULT_FILE",
    "GROUPS",
    "SHARED",
    "AgentOverlay",
    "AgentSettings",
    "ConversationSettings",
    "DatabaseSettings",
    "DestinationSettings",
    "KeyFieldSettings",
    "KnowledgeSettings",
    "LanguageSettings",
    "LlmSettings",
    "MenuSettings",
    "RelaySettings",
    "ServerSettings",
    "SettingInfo",
    "Settings",
    "Source",
    "TelemetrySettings",
    "ToolSettings",
    "ToolsSettings",
    "TwilioSettings",
    "VoiceSettings",
    "Words",
    "load",
    "load_again",
    "shared",
    "table",
]
