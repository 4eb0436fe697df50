"""What `replay-call` does: find the scenarios, find or start a server, place the calls, show and report them."""

from __future__ import annotations

import asyncio
import dataclasses
import difflib
import functools
import os
import secrets
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from voicectl import settings as st
from voicectl.cli._console import Output
from voicectl.cli._keyboard import Keyboard
from voicectl.cli._page import Page
from voicectl.cli._servers import Prepared, Server, inside, running
from voicectl.errors import ConfigError, NotFoundError, ServiceError, UsageError
from voicectl.settings import Settings
from voicectl.simulator import scenario as scenarios
from voicectl.simulator import virtual_time
from voicectl.simulator.caller import Caller
from voicectl.simulator.carrier import TwilioCall
from voicectl.simulator.rehearsal import CallReport, rehearse, report
from voicectl.simulator.scenario import Scenario
from voicectl.simulator.scorecard import score
from voicectl.telemetry import logging

_FRAME = 0.05
"""Seconds between two looks at the words being spoken."""
_SILENCE = 4.0
"""Seconds that an empty line stands for."""
_NO_ACCOUNT = "AC" + "0" * 32
_VIRTUAL_HOURS = 4 * 3600.0
_REAL_SECONDS = 600.0


def replay(
    out: Output, files: list[Path], *, interactive: bool, url: str | None, fast: bool, config: str | None
) -> bool:
    """Place the calls one after the other; True when every expectation was met."""
    if interactive and files:
        raise UsageError("--interactive takes no files", "leave out one of the two")
    if fast and interactive:
        raise UsageError("--fast is for scenarios; you type in real time", "leave out one of the two")
    if fast and url:
        raise UsageError("--fast needs the server inside; the one at --url keeps real time", "leave out one of the two")
    demo = not files and not interactive
    plays = [_INTERACTIVE] if interactive else [scenarios.load(path) for path in _scenario_files(files)]
    shown = out.json and not interactive
    console = _Terminal(file=sys.stderr if out.json else sys.stdout, quiet=shown, highlight=False)
    page = Page(console, live=console.is_terminal and not fast and not shown)
    main = _all(out, plays, page, interactive=interactive, url=url, fast=fast, config=config, demo=demo)
    logs = logging.start("error")  # what the page shows anyway is not logged into the middle of it
    try:
        if fast:
            reports = virtual_time.run(main, timeout=_VIRTUAL_HOURS, real_timeout=_REAL_SECONDS)
        else:
            reports = asyncio.run(main)
    finally:
        logging.stop(logs)
    ok = all(each.ok for each in reports)
    scores = score(each.said for each in reports)
    told = {"calls": [each.as_dict() for each in reports], "scores": scores.as_dict()}
    out.result(told, _summary(reports, scores.lines()), ok=ok)
    return ok


class _Terminal(Console):
    """Rich ends the process when nobody reads it any more; we have calls to put away first."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


async def _all(
    out: Output,
    plays: list[Scenario],
    page: Page,
    *,
    interactive: bool,
    url: str | None,
    fast: bool,
    config: str | None,
    demo: bool,
) -> list[CallReport]:
    reports = []
    with tempfile.TemporaryDirectory(prefix="voicectl-") as folder:
        prepared = Prepared(Path(folder)) if fast else None
        for number, scenario in enumerate(plays):
            if number:
                page.title("")
            settings = _settings(scenario, config, demo=demo)
            if fast and not scenario.model and (kind := _model_kind(settings)) == "openai":
                raise UsageError(
                    f"--fast needs a reply model without a network, and llm.kind is {kind}",
                    "VOICECTL_LLM=offline, or real time",
                )
            if url and (scenario.settings or scenario.model):
                what = "settings are" if scenario.settings else "model is"
                out.warn(f"{scenario.source}: its {what} for a server inside, the one at {url} keeps its own")
            ours = inside(settings, scenario, prepared=prepared, demo=demo)
            async with running(url, settings) if url else ours as server:
                call = TwilioCall(
                    voice_url=server.voice_url,
                    auth_token=server.auth_token,
                    caller=scenario.caller,
                    called=scenario.called,
                    call_sid=None if server.fresh else f"CA{secrets.token_hex(16)}",
                    seed=scenario.seed,
                    account_sid=server.account_sid or _NO_ACCOUNT,
                    knobs=scenario.knobs,
                )
                reports.append(await _one(out, call, server, scenario, page, interactive=interactive))
    return reports


async def _one(
    out: Output, call: TwilioCall, server: Server, scenario: Scenario, page: Page, *, interactive: bool
) -> CallReport:
    loop = asyncio.get_running_loop()
    caller = Caller(call, server.route, lambda seen: page.advance(loop.time()))
    page.title(scenario.name)
    page.follow(caller)
    ticking = asyncio.ensure_future(_tick(page)) if page.live else None
    try:
        if interactive:
            out.note(_HINT)
            async with caller:
                await _converse(caller, page)
            got = report(scenario, caller)
        else:
            got = await rehearse(scenario, caller)
    finally:
        if ticking is not None:
            ticking.cancel()
            await asyncio.gather(ticking, return_exceptions=True)
    page.advance(loop.time(), over=True)
    if not got.reached:
        _explain(server, got)
    page.report(got)
    return got


async def _tick(page: Page) -> None:
    while True:
        page.advance(asyncio.get_running_loop().time())
        await asyncio.sleep(_FRAME)


def _explain(server: Server, got: CallReport) -> None:
    """The call never came about: say whose it is to act."""
    where = server.route.address or server.route.public_url
    why = "; ".join(got.alerts)
    if "HTTP 403" in why:
        raise ConfigError(
            f"the server at {where} refused our signature ({why})",
            "set TWILIO_AUTH_TOKEN and VOICECTL_PUBLIC_URL as the server has them, or run this where `serve` runs",
        )
    raise ServiceError(f"the call to {where} was not answered ({why})", "is `voicectl serve` running there?")


def _summary(reports: list[CallReport], scores: list[str]) -> str:
    if len(reports) < 2:
        return ""
    lines = [f"{'ok    ' if each.ok else 'FAILED'}  {each.source}" for each in reports]
    good = sum(each.ok for each in reports)
    return "\n".join(["", *lines, f"{good} of {len(reports)} conversations as expected", *scores])


# --- scenarios and their settings --------------------------------------------------------------------------

_INTERACTIVE = Scenario("You are the caller", ())
_HINT = "Type what you say. Enter while the agent speaks cuts in; /keys 12# presses keys; /hangup or Ctrl-D hangs up."


def _scenario_files(given: list[Path]) -> list[Path]:
    if not given:
        from voicectl.bootstrap import sample_documents

        return [sample_documents() / "conversations" / "demo.yaml"]
    found = []
    for path in given:
        if path.is_dir():
            inside = sorted(each for each in path.iterdir() if each.suffix in (".yaml", ".yml"))
            if not inside:
                raise NotFoundError(f"no scenario (*.yaml) in {path}")
            found += inside
        else:
            found.append(path)
    return found


def _settings(scenario: Scenario, config: str | None, *, demo: bool) -> Settings:
    known = _known()
    for path in scenario.settings:
        if path not in known and path.partition(".")[0] not in ("agents", "phrases"):
            close = difflib.get_close_matches(path, known, n=1)
            guess = f"; did you mean {close[0]!r}?" if close else ""
            raise UsageError(f"{scenario.source}: there is no setting {path!r}{guess}")
    if not demo:
        return st.load(flags=dict(scenario.settings), file=config)
    # The demo is the sample company's, whoever's telephone this is; only the reply model and the voice are yours.
    yours, sample = st.load(file=config), st.load(flags=dict(scenario.settings), environ={}, file=os.devnull)
    return dataclasses.replace(sample, llm=yours.llm, voice=yours.voice, relay=yours.relay)


@functools.cache
def _known() -> frozenset[str]:
    """The paths of all settings, but for those of single agents and phrases."""
    return frozenset(row.path for row in st.table())


def _model_kind(settings: Settings) -> str:
    from voicectl.bootstrap import model_kind

    return model_kind(settings)


# --- the keyboard ------------------------------------------------------------------------------------------


async def _converse(caller: Caller, page: Page) -> None:
    """Do as the lines say until they end, or the call does."""
    keyboard = Keyboard()
    with keyboard.listening():
        await caller.greeted()
        while (line := await _unless_over(caller, keyboard)) is not None:
            if keyboard.typed:
                page.typed(line)
            else:
                await caller.turn()
            if not await _obey(caller, line.strip(), wait=not keyboard.typed):
                return
        if not keyboard.typed:
            await caller.leave()


async def _unless_over(caller: Caller, keyboard: Keyboard) -> str | None:
    """The next line; None when there is no more, or nobody to say it to."""
    line = asyncio.ensure_future(keyboard.line())
    over = asyncio.ensure_future(caller.ended())
    await asyncio.wait({line, over}, return_when=asyncio.FIRST_COMPLETED)
    for waiting in (line, over):
        waiting.cancel()
    return line.result() if line.done() and not line.cancelled() else None


async def _obey(caller: Caller, line: str, *, wait: bool) -> bool:
    """One line; False hangs up. With `wait`, returns when the agent has begun to answer."""
    command, _, rest = line.partition(" ")
    if command == "/hangup":
        return False
    if command == "/keys" and rest and not set(rest) - set("0123456789*#"):
        caller.dial(rest)
    elif command == "/wait" and rest.isascii() and rest.isdigit():
        await caller.silence(int(rest))
        return True
    elif line.startswith("/"):
        print(_HINT, file=sys.stderr)
        return True
    elif line:
        caller.say(line)
    else:
        if wait:
            await caller.silence(_SILENCE)
        return True
    if wait:
        await caller.answer()
    return True
