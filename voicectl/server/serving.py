"""The server as a process: both listeners, signals, and what is said when it starts.

Ctrl-C or SIGTERM: no new calls, live ones are told and closed politely, then the process ends. Again: at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import ipaddress
import json
import logging
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from voicectl import bootstrap
from voicectl.errors import ConfigError
from voicectl.server.admission import Admission
from voicectl.server.app import public_app, relay_handler
from voicectl.server.listeners import listen
from voicectl.server.operator import Door, operator_app
from voicectl.server.phone import PhoneBooth
from voicectl.server.relay_socket import PATH, ConversationRelayHandler
from voicectl.services.manners import usual_person
from voicectl.settings import Settings
from voicectl.simulator.line import Route

log = logging.getLogger(__name__)

STATE = Path(".voicectl")
"""Where `replay-call --url` finds the made-up auth token of a server that was started without one: serve-PORT.json."""
CLOSING_SECONDS = 30.0
SIMULATED_ACCOUNT = "AC" + "0" * 32


@dataclass(frozen=True, slots=True)
class Started:
    """A server that takes calls."""

    address: str
    operator_address: str
    phone_link: str
    public_url: str
    local: bool
    """Nobody but this machine can call it."""
    model: str
    agents: tuple[str, ...]
    passages: int
    off: tuple[str, ...]
    program: str = "voicectl"
    """How this program was called."""

    def lines(self) -> list[str]:
        """What is printed when it starts."""
        lines = [
            f"voicectl answers calls at {self.address}{PATH}",
            "",
            f"  talk to it      {self.phone_link}",
            f"  or here         {self.program} replay-call --interactive --url {self.address}",
            f"  reply model     {self.model}",
            f"  knowledge       {self.passages} passages",
        ]
        if len(self.agents) > 1:
            lines.append(f"  agents          {', '.join(self.agents)}")
        if self.off:
            lines += ["", "  switched off:", *(f"    {reason}" for reason in self.off)]
        if self.local:
            lines += ["", "  this start accepts calls from this machine only, signed with a token made for it"]
        lines += [
            "",
            f"  next            {self.program} replay-call      plays a whole conversation",
            "  stop            Ctrl-C",
        ]
        return lines


def check(settings: Settings) -> None:
    """Refuse to start over faults that would only show in a call. Raises ConfigError naming all of them."""
    from voicectl.services import agent_checks

    faults = agent_checks.faults(settings)
    url = settings.server.public_url
    if url and not _is_https(url):
        faults.append(f"server.public_url: {url!r} is not an https:// address (Twilio connects to wss:// only)")
    host, operator_host = settings.server.host, settings.server.operator_host
    if host and not settings.twilio.auth_token and not _is_loopback(host):
        faults.append(
            f"server.host: {host!r} can be reached from outside, and without TWILIO_AUTH_TOKEN nothing tells Twilio's "
            "requests from others (set it, or listen on 127.0.0.1)"
        )
    if operator_host in ("0.0.0.0", "::"):
        faults.append(
            f"server.operator_host: {operator_host!r} is every address; the page answers to one name only (name one "
            "address of this machine, or leave it at 127.0.0.1 and reach it through an SSH tunnel)"
        )
    if settings.twilio.auth_token and not url:
        faults.append("server.public_url: missing (set VOICECTL_PUBLIC_URL to the https:// address Twilio reaches)")
    if faults:
        raise ConfigError("the configuration cannot work:\n  " + "\n  ".join(faults), "mend the settings named above")


def _is_https(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme == "https" and bool(parts.hostname)
    except ValueError:
        return False


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def run(settings: Settings, started: Callable[[Started], None]) -> None:
    """Serve until told to stop."""
    import uvloop

    from voicectl.telemetry import logging as logs

    # The threads that search and commit give way to the one that speaks after half a millisecond, not after five.
    sys.setswitchinterval(0.0005)
    writer = logs.start(settings.telemetry.log_level)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(settings, started))
    finally:
        logs.stop(writer)


async def _serve(settings: Settings, started: Callable[[Started], None]) -> None:
    stop, now = asyncio.Event(), asyncio.Event()

    def asked() -> None:
        (now if stop.is_set() else stop).set()

    # Until calls are taken, a signal does what it does to any program: it ends it.
    async with serving(settings) as (server, services, admission):
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, asked)
        started(server)
        await stop.wait()
        admission.open = False
        ending = asyncio.ensure_future(services.agent.close(CLOSING_SECONDS))
        forced = asyncio.ensure_future(now.wait())
        await asyncio.wait({ending, forced}, return_when=asyncio.FIRST_COMPLETED)
        for task in (ending, forced):
            task.cancel()


@contextlib.asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[tuple[Started, bootstrap.Services, Admission]]:
    """Both listeners, open and warm, until the block is left."""
    off = _switched_off(settings)
    is_local = not settings.twilio.auth_token
    settings = bootstrap.local(settings, settings.server.port)
    server = settings.server
    async with bootstrap.running(settings, sample=True, watch=True) as services:
        admission = Admission(server.max_calls)
        handler = relay_handler(services, admission)
        public = services.signatures.public_url
        async with listen(public_app(services, handler, admission), host=server.host, port=server.port) as port:
            address = f"http://{_written(server.host)}:{port}"
            operator = ""

            def fresh_link(key: str) -> None:
                print(
                    f"\na browser without a session asked for the phone; a fresh link: {operator}/?key={key}",
                    flush=True,
                )

            door = Door(frozenset({"127.0.0.1", "localhost", "::1", server.operator_host}), fresh_link)
            booth = PhoneBooth(
                voice_url=public + PATH,
                route=Route(public, address),
                auth_token=settings.twilio.auth_token,
                account_sid=settings.twilio.account_sid or SIMULATED_ACCOUNT,
            )
            app = operator_app(door, booth)
            operator_listener = listen(
                app, host=server.operator_host, port=server.operator_port, flags="--operator-host and --operator-port"
            )
            async with operator_listener as operator_port:
                operator = f"http://{_written(server.operator_host)}:{operator_port}"
                shelf = await services.base.knowledge.shelf()
                reason = services.base.without_meaning
                if reason:
                    off.append(f"comparing meanings, so knowledge is found by words alone: {reason}")
                elif shelf is not None and shelf.without_meaning:
                    count = len(shelf.without_meaning)
                    off.append(f"comparing the meanings of {count} passages: ingest them again with voicectl ingest-kb")
                begun = Started(
                    address=address,
                    operator_address=operator,
                    phone_link=f"{operator}/?key={door.key}",
                    public_url=public,
                    local=is_local,
                    model=services.model.name,
                    agents=services.agents.names,
                    passages=await services.base.store.count(),
                    off=tuple(off),
                    program=_program(),
                )
                # A collection of all that was imported would stall every call for 80 ms.
                gc.collect()
                gc.freeze()
                sampling = asyncio.ensure_future(_sample(services, handler))
                try:
                    with _state_file(begun, settings.twilio.auth_token) if is_local else contextlib.nullcontext():
                        yield begun, services, admission
                finally:
                    sampling.cancel()
                    await asyncio.gather(sampling, return_exceptions=True)


async def _sample(services: bootstrap.Services, handler: ConversationRelayHandler) -> None:
    from voicectl.storage.metrics import Metrics, Sample
    from voicectl.telemetry.sampler import sample_for_ever

    metrics = Metrics(services.database)

    def counts() -> dict[str, float]:
        odd = {name: float(n) for name, n in handler.counts.items()}
        return {"live_calls": float(len(handler.live)), "unproven_sockets": float(handler.unproven), **odd}

    async def store(sample: dict[str, float]) -> None:
        now = datetime.now(UTC)
        await metrics.add([Sample(now, name, value) for name, value in sample.items()])

    await sample_for_ever(services.settings.telemetry.sample_seconds, counts, store)


def _switched_off(settings: Settings) -> list[str]:
    off = []
    if not settings.twilio.auth_token:
        off.append("real calls: set TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN and VOICECTL_PUBLIC_URL")
    if bootstrap.model_kind(settings) == "offline" and settings.llm.kind != "offline":
        off.append(
            "written replies: set OPENAI_API_KEY (or OPENAI_BASE_URL); until then answers are quoted from the knowledge"
        )
    if not usual_person(settings.agent):
        off.append("handing callers to a person: set agent.transfer_number in voicectl.toml")
    return off


def _program() -> str:
    """What to type to run this program again from here."""
    called = Path(sys.argv[0])
    if shutil.which(called.name) == str(called.absolute()) or called.name.startswith("__main__"):
        return "voicectl" if called.name == "voicectl" else "python -m voicectl"
    with contextlib.suppress(ValueError):
        return str(called.absolute().relative_to(Path.cwd()))
    return str(called)


def _written(host: str) -> str:
    """A host as it stands in a link; for one that is every address, this machine."""
    if host in ("", "0.0.0.0", "::"):
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


@contextlib.contextmanager
def _state_file(started: Started, auth_token: str) -> Iterator[None]:
    """Keep what a caller on this machine has to know in a file that only its owner can read."""
    path = STATE / f"serve-{urlsplit(started.address).port}.json"
    data = {"url": started.address, "public_url": started.public_url, "auth_token": auth_token}
    try:
        STATE.mkdir(mode=0o700, exist_ok=True)
        path.unlink(missing_ok=True)  # of a server that was killed: two cannot have one port
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(data, file)
    except OSError:
        log.warning("the state file could not be written; replay-call --url will not find this server's auth token")
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
