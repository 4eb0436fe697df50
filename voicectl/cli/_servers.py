"""The server that a simulated call is made to: one of our own, started for the call, or one that is running.

A server of our own in virtual time has the documents at hand read once for all calls of a run: each call is given a
copy of the database that was made then, so nothing that one call leaves behind is there for the next.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import shutil
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from voicectl.errors import ConfigError, UsageError
from voicectl.settings import KnowledgeSettings, LlmSettings, Settings
from voicectl.simulator.line import Route
from voicectl.simulator.scenario import Scenario

_STATE = Path(".voicectl")
"""Where a running `serve` tells how to sign for it."""


@dataclass(frozen=True, slots=True)
class Server:
    """Whom to call, and how to sign."""

    voice_url: str
    route: Route
    auth_token: str
    account_sid: str
    fresh: bool
    """It has not seen a call before: the call's id may be the same in every run, and with it all that is said."""


class Prepared:
    """Databases into which the documents at hand have been read, one for all settings that read them alike."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: dict[tuple[KnowledgeSettings, LlmSettings], Path] = {}

    async def copy(self, settings: Settings, to: Path) -> None:
        from voicectl import bootstrap

        alike = (settings.knowledge, settings.llm)
        path = self._made.get(alike)
        if path is None:
            path = self._folder / f"{len(self._made)}.db"
            database = dataclasses.replace(settings.database, url=f"sqlite:///{path}")
            there = dataclasses.replace(settings, database=database)
            async with bootstrap.knowledge_base(there) as base:
                await bootstrap.ingest_at_hand(there, base)
            self._made[alike] = path
        shutil.copyfile(path, to)


@contextlib.asynccontextmanager
async def inside(
    settings: Settings, scenario: Scenario, *, prepared: Prepared | None = None, demo: bool = False
) -> AsyncIterator[Server]:
    """A server of our own: on loopback or, with `prepared`, in virtual time on a UNIX socket, which the kernel serves
    at once. The reply model is that of the scenario, if it brings one; `demo`: the documents are the sample
    company's."""
    from voicectl.bootstrap import sample_documents
    from voicectl.server.inside import inside as serving

    with tempfile.TemporaryDirectory(prefix="voicectl-") as folder:
        knowledge, database, llm = settings.knowledge, settings.database, settings.llm
        if demo:
            knowledge = dataclasses.replace(knowledge, paths=(str(sample_documents()),))
        fresh = demo or _absent(database.url)
        if fresh:
            path = Path(folder) / "calls.db"
            database = dataclasses.replace(database, url=f"sqlite:///{path}")
            if prepared is not None:
                await prepared.copy(dataclasses.replace(settings, knowledge=knowledge), path)
        if scenario.model:
            script = Path(folder) / Path(scenario.source).with_suffix(".yaml").name  # faults are told by this name
            script.write_text(scenario.model, "utf-8")
            llm = dataclasses.replace(llm, kind="scripted", script=str(script))
        settings = dataclasses.replace(settings, knowledge=knowledge, database=database, llm=llm)
        async with serving(settings, uds=f"{folder}/voicectl" if prepared is not None else None) as running:
            yield Server(
                running.voice_url,
                Route(running.public_url, running.address),
                running.auth_token,
                settings.twilio.account_sid,
                fresh,
            )


def _absent(url: str) -> bool:
    """Whether this is the database of somebody who has none yet; trying a call should not make one."""
    scheme, _, path = url.partition(":///")
    return scheme == "sqlite" and not Path(path).exists()


@contextlib.asynccontextmanager
async def running(url: str, settings: Settings) -> AsyncIterator[Server]:
    """A server that somebody else runs."""
    from voicectl.carriers.signature import SignatureCheck
    from voicectl.server.relay_socket import PATH

    url = url if "://" in url else f"http://{url}"
    try:
        state = _state_of(url)
        public = state.get("public_url") or settings.server.public_url or f"https://{urlsplit(url).netloc}"
    except ValueError:
        raise UsageError(f"{url!r} is not the address of a server", "give it as http://host:port") from None
    token = state.get("auth_token") or settings.twilio.auth_token
    if not token:
        raise ConfigError(
            f"there is no auth token to sign for {url} with",
            "set TWILIO_AUTH_TOKEN as the server has it, or run this in the directory where `voicectl serve` runs",
        )
    route = Route(public, url).check()
    public = SignatureCheck(public, [token]).public_url
    yield Server(public + PATH, Route(public, route.address), token, settings.twilio.account_sid, fresh=False)


def _state_of(url: str) -> dict[str, Any]:
    """What the `serve` of this directory says of itself, if it is the one at `url`."""
    try:
        port = urlsplit(url).port
        return dict(json.loads((_STATE / f"serve-{port}.json").read_text())) if _local(url) else {}
    except (OSError, TypeError, json.JSONDecodeError):
        return {}


def _local(url: str) -> bool:
    return urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1")
