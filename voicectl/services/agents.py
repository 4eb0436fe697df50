"""The agents of this process: who answers which call."""

from __future__ import annotations

from dataclasses import dataclass

from voicectl.conversation.manners import Manners
from voicectl.ports import Knowledge, ReplyModel, Tools
from voicectl.services.voice_agent import AgentLimits
from voicectl.settings import Settings


@dataclass(frozen=True, slots=True)
class Agent:
    """Who answers a call, ready to do it."""

    name: str
    """ "default", or the key in [agents.NAME]."""
    settings: Settings
    """With the agent's own values laid over."""
    manners: Manners
    limits: AgentLimits
    model: ReplyModel
    tools: Tools | None
    knowledge: Knowledge


__all__ = ["Agent"]
