"""How a call is answered: the words that the carrier speaks by itself before anybody else does.

They are chosen once, when the call comes in, and travel with it to its socket: who asked again a second later, when the
clock has struck twelve, would not get the same ones.
"""

from __future__ import annotations

import asyncio
import logging
import re
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from voicectl.services.manners import phrases_of
from voicectl.settings import AgentSettings, Settings

log = logging.getLogger(__name__)

KNOWN_SECONDS = 0.15
"""So long an incoming call waits to hear whether its caller is known."""
_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")
# What carriers put in the place of a withheld number: the words on a telephone's keys.
_WITHHELD = ("+7378742833", "+2562533", "+8566696", "+8656696", "+266696687", "+86282452253")


class Acquaintances(Protocol):
    """Remembers who has called."""

    async def known_caller(self, number: str) -> bool:
        """Whether a call from this number has been answered before. Raises StoreError."""


def greeting(settings: Settings, language: str, *, local_hour: int, known_caller: bool) -> str:
    """The words that an agent answers a call with. `local_hour` is 0 to 23."""
    agent = settings.agent
    words = (known_caller and agent.greeting_returning) or agent.greeting
    morning, afternoon, evening = phrases_of(settings, language).dayparts
    daypart = morning if 5 <= local_hour < 12 else afternoon if 12 <= local_hour < 18 else evening
    filled = {"name": agent.name, "company": agent.company, "daypart": daypart}
    return re.sub(r"\{(name|company|daypart)\}", lambda found: filled[found[1]], words)


def local_hour(agent: AgentSettings, now: datetime) -> int:
    """The hour of the day where the agent is. `now` is aware."""
    return now.astimezone(ZoneInfo(agent.timezone) if agent.timezone else None).hour


async def is_known(agent: AgentSettings, caller: str, acquaintances: Acquaintances) -> bool:
    """Whether the agent would greet this caller as one who has called before. Does not take long: who cannot be told
    in KNOWN_SECONDS is not known, and nobody is who withholds their number."""
    if not agent.greeting_returning or not _NUMBER.fullmatch(caller) or caller in _WITHHELD:
        return False
    try:
        async with asyncio.timeout(KNOWN_SECONDS):
            return await acquaintances.known_caller(caller)
    except TimeoutError:
        log.warning("whether a caller is known could not be told in time")
    except Exception:
        log.exception("whether a caller is known could not be told")
    return False


__all__ = ["KNOWN_SECONDS", "Acquaintances", "greeting", "is_known", "local_hour"]
