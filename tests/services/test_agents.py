"""Who answers which call, and what becomes of it when the owner changes the settings file."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from voicectl import settings
from voicectl.errors import ConfigError
from voicectl.services.agents import LOOK_SECONDS, RETIRED_GRACE, Agents, Part
from voicectl.services.voice_agent import AgentLimits
from voicectl.simulator.virtual_time import run

TOML = """
[agent]
name = "Robin"
[conversation]
max_call_seconds = 600
[agents.sales]
numbers = ["+442071838750", "client:sales"]
[agents.sales.agent]
name = "Kim"
[agents.workshop.llm]
model = "other"
"""


@dataclass
class Thing:
    """A model, tools, or knowledge."""

    made_of: object
    warm: int = 0
    closed: int = 0
    fails: bool = False

    async def warm_up(self) -> None:
        self.warm += 1

    async def close(self) -> None:
        self.closed += 1
        if self.fails:
            raise OSError("gone")


@dataclass
class Bench:
    """services.agents.Workshop, and the settings file it is about."""

    file: Path
    made: list[Thing] = field(default_factory=list)

    def _part(self, made_of: object) -> Part[Any]:
        thing = Thing(made_of)
        self.made.append(thing)
        return Part(thing, thing.warm_up, thing.close)

    def model(self, given: settings.Settings) -> Part[Any]:
        if given.llm.model == "impossible":
            raise ConfigError("there is no such model")
        return self._part(given.llm)

    def looks_up(self, given: settings.Settings) -> Hashable:
        return given.knowledge.threshold

    def knowledge(self, given: settings.Settings) -> Part[Any]:
        return self._part(given.knowledge)

    def tools(self, name: str, given: settings.Settings, knowledge: Any) -> Part[Any] | None:
        if given.agent.name == "Broken":
            raise RuntimeError("a module of the owner's does not import")
        return self._part((name, knowledge))

    def limits(self, given: settings.Settings) -> AgentLimits:
        return AgentLimits(call_seconds=given.conversation.max_call_seconds)

    def write(self, toml: str, at: int) -> None:
        self.file.write_text(toml)
        os.utime(self.file, ns=(at, at))


def hold(
    tmp_path: Path, talk: Callable[[Agents, Bench], Awaitable[None]], toml: str = TOML, watch: bool = True
) -> None:
    async def main() -> None:
        bench = Bench(tmp_path / "voicectl.toml")
        bench.write(toml, 1)
        given = settings.load(environ={}, file=bench.file)
        agents = Agents(given, bench, watch=watch)
        await talk(agents, bench)
        await agents.close()
        assert all(thing.closed == 1 for thing in bench.made), bench.made

    run(main(), tidy=True)


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [f"{record.getMessage()} {getattr(record, 'why', '')}" for record in caplog.records if record.levelno >= 30]


@pytest.mark.parametrize(
    ("called", "wanted", "who"),
    [
        ("+15550100002", "", "default"),
        ("+442071838750", "", "sales"),
        ("client:sales", "", "sales"),
        ("442071838750", "", "default"),
        ("", "", "default"),
        ("+15550100002", "workshop", "workshop"),
        ("+442071838750", "workshop", "workshop"),
        ("+442071838750", "default", "default"),
        ("+442071838750", "nobody", "default"),
        ("+442071838750", "SALES", "default"),
        ("+442071838750", "\n../x", "default"),
    ],
)
def test_who_answers(called: str, wanted: str, who: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def talk(agents: Agents, bench: Bench) -> None:
        assert agents.choose(called, wanted).name == who

    hold(tmp_path, talk)
    told = [each for each in warnings(caplog) if "an agent that there is not" in each]
    assert len(told) == (wanted not in ("", "default", "workshop"))
    assert not any("\n" in each for each in told)


def test_each_agent_is_made_of_its_own_settings(tmp_path: Path) -> None:
    async def talk(agents: Agents, bench: Bench) -> None:
        assert agents.names == ("default", "sales", "workshop")
        default, sales, workshop = (agents.choose("", name) for name in agents.names)
        assert (default.settings.agent.name, sales.settings.agent.name) == ("Robin", "Kim")
        assert sales.limits.call_seconds == 600
        assert sales.model is default.model and workshop.model is not default.model
        assert sales.knowledge is default.knowledge is workshop.knowledge
        assert sales.tools is not default.tools
        await agents.warm_up()
        assert all(thing.warm == 1 for thing in bench.made)

    hold(tmp_path, talk)


def test_a_change_is_there_for_the_next_call(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def talk(agents: Agents, bench: Bench) -> None:
        before = agents.choose("+442071838750")
        default = agents.default
        bench.write(TOML.replace("Kim", "Alex").replace("8750", "8759"), 2)
        assert agents.choose("+442071838750") is before  # nobody looks twice a second
        await asyncio.sleep(LOOK_SECONDS)
        assert agents.choose("+442071838750") is default  # whose settings are as they were
        after = agents.choose("+442071838759")
        assert (before.settings.agent.name, after.settings.agent.name) == ("Kim", "Alex")
        assert after.model is before.model
        assert agents.choose("", "workshop").settings.llm.model == "other"

    hold(tmp_path, talk)
    assert not warnings(caplog)


def test_a_file_that_nobody_has_touched_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from voicectl.services import agents as module

    reads: list[object] = []
    monkeypatch.setattr(module, "load_again", lambda source: reads.append(source))

    async def talk(agents: Agents, bench: Bench) -> None:
        for _ in range(5):
            agents.choose("")
            await asyncio.sleep(LOOK_SECONDS)

    hold(tmp_path, talk)
    assert not reads


@pytest.mark.parametrize(
    ("toml", "why"),
    [
        ("[agent", "cannot read"),
        (TOML + "[agents.sales.voice]\nspede = 1", "did you mean 'agents.sales.voice.speed'?"),
        (TOML + "[agents.sales.relay]\nspeech_model = 'telephony'", "agents.sales.relay.speech_model"),
        (TOML + "[agents.third.llm]\nmodel = 'impossible'", "there is no such model"),
        (TOML.replace("Kim", "Broken"), "cannot be used"),
    ],
)
def test_a_fault_changes_nothing_and_is_told_once(
    toml: str, why: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def talk(agents: Agents, bench: Bench) -> None:
        before = [agents.choose("", name) for name in agents.names]
        bench.write(toml, 2)
        for _ in range(3):
            await asyncio.sleep(LOOK_SECONDS)
            assert [agents.choose("", name) for name in agents.names] == before
        bench.write(TOML.replace("Kim", "Alex"), 3)
        await asyncio.sleep(LOOK_SECONDS)
        assert agents.choose("", "sales").settings.agent.name == "Alex"

    hold(tmp_path, talk)
    (told,) = warnings(caplog)
    assert why in told and "the agents stay" in told


def test_a_file_that_is_gone_for_a_moment_changes_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def talk(agents: Agents, bench: Bench) -> None:
        bench.file.unlink()
        for _ in range(2):
            await asyncio.sleep(LOOK_SECONDS)
            assert agents.choose("+442071838750").name == "sales"
        bench.write("", 3)
        await asyncio.sleep(LOOK_SECONDS)
        assert agents.names and agents.choose("+442071838750").name == "default"
        assert agents.names == ("default",)

    hold(tmp_path, talk)
    assert len(warnings(caplog)) == 1


def test_what_belongs_to_the_process_stays(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def talk(agents: Agents, bench: Bench) -> None:
        changed = '[server]\nport = 9\n[twilio]\nauth_token = "canary"\n[knowledge]\nembedder = "none"\nlimit = 7\n'
        bench.write(changed + TOML, 2)
        await asyncio.sleep(LOOK_SECONDS)
        given = agents.choose("").settings
        assert (given.server.port, given.twilio.auth_token, given.knowledge.embedder) == (8080, "", "auto")
        assert given.knowledge.limit == 7
        bench.write(changed + TOML + "\n", 3)
        await asyncio.sleep(LOOK_SECONDS)
        agents.choose("")

    hold(tmp_path, talk)
    (told,) = warnings(caplog)
    assert "needs a restart knowledge.embedder, server, twilio" in told and "canary" not in told


def test_what_is_no_longer_used_is_closed_when_its_last_call_must_be_over(tmp_path: Path) -> None:
    async def talk(agents: Agents, bench: Bench) -> None:
        old: Any = agents.choose("", "workshop")
        for number, model in enumerate(("second", "third"), 2):
            bench.write(TOML.replace('"other"', f'"{model}"'), number)
            await asyncio.sleep(LOOK_SECONDS)
            agents.choose("")
        await asyncio.sleep(1)
        new: Any = agents.choose("", "workshop")
        assert new.model is not old.model and new.model.warm == 1
        await asyncio.sleep(600 + RETIRED_GRACE - 10)
        assert (old.model.closed, old.tools.closed) == (0, 0)
        await asyncio.sleep(20)
        assert (old.model.closed, old.tools.closed, new.model.closed) == (1, 1, 0)
        assert [thing.closed for thing in bench.made if getattr(thing.made_of, "model", "") == "second"] == [1]
        bench.write(TOML, 9)  # as it was before: what is closed is not taken up again
        await asyncio.sleep(LOOK_SECONDS)
        again: Any = agents.choose("", "workshop")
        assert again.model.closed == 0

    hold(tmp_path, talk)


def test_a_call_of_the_time_when_calls_were_long_keeps_what_it_uses(tmp_path: Path) -> None:
    async def talk(agents: Agents, bench: Bench) -> None:
        old: Any = agents.choose("", "workshop")
        short = TOML.replace("600", "60")
        for number, toml in enumerate((short, short.replace('"other"', '"second"')), 2):
            bench.write(toml, number)
            await asyncio.sleep(LOOK_SECONDS)
            agents.choose("")
        await asyncio.sleep(600)  # a call that began at the start may still be on
        assert old.model.closed == 0
        await asyncio.sleep(RETIRED_GRACE + 10)
        assert old.model.closed == 1

    hold(tmp_path, talk)


def test_one_that_cannot_be_closed_does_not_keep_the_others_open(tmp_path: Path) -> None:
    async def talk(agents: Agents, bench: Bench) -> None:
        bench.made[0].fails = True

    hold(tmp_path, talk)


def test_a_file_is_watched_only_where_that_is_asked_for(tmp_path: Path) -> None:
    async def talk(agents: Agents, bench: Bench) -> None:
        bench.write("", 2)
        await asyncio.sleep(LOOK_SECONDS)
        assert agents.choose("+442071838750").name == "sales"

    hold(tmp_path, talk, watch=False)


def test_a_change_between_reading_and_starting_is_not_missed(tmp_path: Path) -> None:
    async def main() -> None:
        bench = Bench(tmp_path / "voicectl.toml")
        bench.write(TOML, 1)
        given = settings.load(environ={}, file=bench.file)
        bench.write(TOML.replace("Kim", "Alex"), 2)
        agents = Agents(given, bench, watch=True)
        assert agents.choose("", "sales").settings.agent.name == "Alex"
        await agents.close()

    run(main(), tidy=True)


def test_an_agent_that_cannot_be_made_is_refused_at_the_start(tmp_path: Path) -> None:
    async def talk(agents: Agents, bench: Bench) -> None: ...

    with pytest.raises(ConfigError, match="no such model"):
        hold(tmp_path, talk, TOML + "[agents.third.llm]\nmodel = 'impossible'")


def test_the_log_does_not_say_secrets(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    async def talk(agents: Agents, bench: Bench) -> None:
        bench.write("[agents.sales.llm]\napi_key = ['canary']\n", 2)
        await asyncio.sleep(LOOK_SECONDS)
        agents.choose("")

    hold(tmp_path, talk)
    assert warnings(caplog) and not any("canary" in str(vars(record)) for record in caplog.records)
