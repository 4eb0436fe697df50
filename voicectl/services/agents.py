"""The agents of this process: who answers which call.

An agent is one set of settings with all that follows from it. A call keeps the agent that it began with; what the owner
writes into the settings file is there for the next call:

- Whoever asks for an agent makes us look at the file's date and size, once per LOOK_SECONDS at most. Only if they have
  changed is it read, and only if nothing in it is wrong do the agents change. A fault is logged, and the old ones stay.
- An agent whose settings are as they were is the same one as before. Models are shared by agents that talk to them in
  the same way, knowledge by those that look things up in the same way.
- What no agent uses any more is closed when the last call that may still be using it must be over.
- What belongs to the process (its listeners, its database, its account) stays as it was when it started.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import re
from collections.abc import Awaitable, Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from voicectl.conversation.manners import Manners
from voicectl.errors import ConfigError
from voicectl.ports import Knowledge, ReplyModel, Tools
from voicectl.services.agent_checks import faults
from voicectl.services.manners import manners
from voicectl.services.voice_agent import AgentLimits
from voicectl.settings import AGENT_GROUPS, DEFAULT_AGENT, SHARED, LlmSettings, Settings, load_again, shared

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
RETIRED_GRACE = 120.0
"""Seconds beyond the longest call for which what is no longer used stays open."""

T = TypeVar("T", covariant=True)
_NAME = re.compile(r"[a-z0-9-]{1,31}")


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


async def _nothing() -> None:
    return None


@dataclass(frozen=True, slots=True)
class Part(Generic[T]):
    """Something that agents are made of, and how it is made ready and put away."""

    thing: T
    warm_up: Callable[[], Awaitable[None]] = _nothing
    close: Callable[[], Awaitable[None]] = _nothing


class Workshop(Protocol):
    """Makes what agents are made of. `settings` are those of one agent. Raises ConfigError."""

    def model(self, settings: Settings) -> Part[ReplyModel]: ...

    def knowledge(self, settings: Settings) -> Part[Knowledge]: ...

    def looks_up(self, settings: Settings) -> Hashable:
        """Equal for settings that can share their knowledge."""

    def tools(self, name: str, settings: Settings, knowledge: Knowledge) -> Part[Tools] | None: ...

    def limits(self, settings: Settings) -> AgentLimits: ...


class Agents:
    """The agents of the settings. `watch`: their file may change. Raises ConfigError when an agent cannot be made."""

    def __init__(self, settings: Settings, workshop: Workshop, *, watch: bool = False) -> None:
        self._settings = settings
        self._workshop = workshop
        self._source = settings.source if watch else None
        self._stamp = self._source.seen if self._source else None
        self._started = dict(self._source.started) if self._source else {}
        self._busy_until = 0.0
        """Until when, on the loop's clock, a call may use what has been retired."""
        self._look_at = 0.0
        self._parts: dict[int, Part[object]] = {}
        """All that is open, by the identity of the thing."""
        self._models: dict[LlmSettings, ReplyModel] = {}
        self._knowledge: dict[Hashable, Knowledge] = {}
        self._retired: dict[int, tuple[asyncio.TimerHandle, list[Part[object]]]] = {}
        self._count = 0
        self._work: set[asyncio.Task[None]] = set()
        self._agents: dict[str, Agent] = {}
        self._use(settings, self._made(settings))

    @property
    def default(self) -> Agent:
        """Who answers where no other one is named."""
        return self._agents[DEFAULT_AGENT]

    @property
    def names(self) -> tuple[str, ...]:
        """Of all agents, the default one first."""
        return tuple(self._agents)

    def choose(self, called: str, wanted: str = "") -> Agent:
        """Who answers a call to the number `called`; `wanted` is the agent that the call asks for by name."""
        self._look()
        if not wanted:
            return self._agents[self._numbers.get(called, DEFAULT_AGENT)]
        if wanted not in self._agents:
            shown = wanted if _NAME.fullmatch(wanted) else "(no name)"
            log.warning("a call asked for an agent that there is not: the default one answers", extra={"why": shown})
        return self._agents.get(wanted, self.default)

    async def warm_up(self) -> None:
        """Make ready what the first call should not wait for. Raises StoreError when the database fails."""
        await asyncio.gather(*(part.warm_up() for part in self._parts.values()))

    async def close(self) -> None:
        """Put everything away. No call is left."""
        for task in self._work:
            task.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)
        parts = [*self._parts.values()]
        for timer, retired in self._retired.values():
            timer.cancel()
            parts += retired
        self._parts, self._retired = {}, {}
        await _put_away(parts)

    # --- making them -------------------------------------------------------------------------------------------

    def _made(self, settings: Settings) -> dict[str, Agent]:
        return {name: self._agent(name, settings.for_agent(name)) for name in (DEFAULT_AGENT, *settings.agents)}

    def _agent(self, name: str, settings: Settings) -> Agent:
        old = self._agents.get(name)
        if old is not None and old.settings == settings:
            return old
        make = self._workshop
        if settings.llm not in self._models:
            self._models[settings.llm] = self._opened(make.model(settings))
        if (alike := make.looks_up(settings)) not in self._knowledge:
            self._knowledge[alike] = self._opened(make.knowledge(settings))
        model, knowledge = self._models[settings.llm], self._knowledge[alike]
        tools = make.tools(name, settings, knowledge)
        return Agent(
            name,
            settings,
            manners(settings),
            make.limits(settings),
            model,
            self._opened(tools) if tools is not None else None,
            knowledge,
        )

    def _opened(self, part: Part[T]) -> T:
        self._parts[id(part.thing)] = part
        return part.thing

    def _use(self, settings: Settings, agents: dict[str, Agent]) -> None:
        self._settings, self._agents = settings, agents
        self._numbers = {number: name for name, each in settings.agents.items() for number in each.numbers}

    # --- when the file has changed -----------------------------------------------------------------------------

    def _look(self) -> None:
        """Take over what the owner has changed, if nothing in it is wrong."""
        if self._source is None:
            return
        now = asyncio.get_running_loop().time()
        if now < self._look_at:
            return
        self._look_at = now + LOOK_SECONDS
        stamp = self._source.stamp()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        before, longest = set(self._parts), max(each.limits.call_seconds for each in self._agents.values())
        try:
            if stamp is None:
                raise ConfigError(f"there is no settings file {str(self._source.file)!r} any more")
            settings = self._taken_over(load_again(self._source))
            wrong = faults(settings)
            if wrong:
                raise ConfigError("the configuration cannot work:\n  " + "\n  ".join(wrong))
            self._use(settings, self._made(settings))
        except ConfigError as bad:
            log.warning("the settings file has changed and has a fault: the agents stay", extra={"why": bad.message})
        except Exception:
            log.exception("the settings file has changed and cannot be used: the agents stay")
        else:
            log.info("the settings file has changed: the agents are new")
        self._busy_until = max(self._busy_until, now + longest + RETIRED_GRACE)
        self._sweep(self._busy_until - now)
        for key in set(self._parts) - before:
            self._do(self._warm_up(self._parts[key]))

    def _taken_over(self, fresh: Settings) -> Settings:
        """The settings in force with what is new of the agents; the rest is logged."""
        now = shared(fresh)
        changed = sorted(name for name, value in now.items() if self._started.get(name) != value)
        if changed:
            log.warning("what has changed of these settings needs a restart", extra={"why": ", ".join(changed)})
        self._started = now
        taken = {group: getattr(fresh, group) for group in AGENT_GROUPS}
        kept = {path.partition(".")[2] for path in SHARED}
        taken["knowledge"] = dataclasses.replace(
            fresh.knowledge, **{name: getattr(self._settings.knowledge, name) for name in kept}
        )
        return dataclasses.replace(self._settings, **taken, phrases=fresh.phrases, agents=fresh.agents)

    def _sweep(self, seconds: float) -> None:
        """Retire what no agent uses, and close it after so long."""
        used = {id(thing) for each in self._agents.values() for thing in (each.model, each.tools, each.knowledge)}
        self._models = {key: each for key, each in self._models.items() if id(each) in used}
        self._knowledge = {key: each for key, each in self._knowledge.items() if id(each) in used}
        parts = [self._parts.pop(key) for key in [*self._parts] if key not in used]
        if parts:
            self._count += 1
            timer = asyncio.get_running_loop().call_later(seconds, self._close_retired, self._count)
            self._retired[self._count] = (timer, parts)

    def _close_retired(self, number: int) -> None:
        _, parts = self._retired.pop(number)
        self._do(_put_away(parts))

    async def _warm_up(self, part: Part[object]) -> None:
        try:
            await part.warm_up()
        except Exception:
            log.exception("something of a new agent could not be made ready in advance")

    def _do(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._work.add(task)
        task.add_done_callback(self._work.discard)


async def _put_away(parts: Iterable[Part[object]]) -> None:
    """Close all of them, even if one fails at it."""
    for result in await asyncio.gather(*(part.close() for part in parts), return_exceptions=True):
        if isinstance(result, Exception):
            log.error("something of an agent could not be closed", exc_info=result)


__all__ = ["Agent", "Agents", "Part", "Workshop"]
