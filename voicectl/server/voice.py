"""What Twilio asks over HTTP: how to answer a call, what to do when the relay is over, and how calls are doing.

Every request is signed and every answer is TwiML; a request that is not Twilio's gets a bare status and no hint.
Bodies are counted while they stream in and refused at 64 KiB, before anything parses them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Request, Response
from starlette.requests import ClientDisconnect

from voicectl.carriers import twiml
from voicectl.carriers.signature import SignatureCheck, SignatureError
from voicectl.ports import CallStore
from voicectl.server.admission import Admission
from voicectl.server.relay_socket import PATH
from voicectl.services.agent_checks import HANG_UP, WORD
from voicectl.services.agents import Agent, Agents
from voicectl.services.greetings import Acquaintances, greeting, is_known, local_hour
from voicectl.services.manners import usual_person
from voicectl.settings import DEFAULT_AGENT, ServerSettings

log = logging.getLogger(__name__)

MAX_BODY = 64 * 1024
BODY_SECONDS = 10.0
TOKEN_SECONDS = 120.0
"""A call's socket comes within about two seconds of the webhook; a slow day is allowed for."""


@dataclass(frozen=True, slots=True)
class VoiceRoutes:
    """The routes under PATH."""

    server: ServerSettings
    agents: Agents
    store: CallStore
    acquaintances: Acquaintances
    signatures: SignatureCheck
    admission: Admission
    now: Callable[[], datetime]
    """The wall clock; aware."""

    def router(self) -> APIRouter:
        router = APIRouter(prefix=PATH)
        router.add_api_route("", self.answer, methods=["POST"])
        router.add_api_route("/action", self.action, methods=["POST"])
        router.add_api_route("/action/{agent}", self.action, methods=["POST"])
        router.add_api_route("/status", self.status, methods=["POST"])
        return router

    async def answer(self, request: Request) -> Response:
        """The voice webhook: a call comes in."""
        form = await self._signed(request)
        if isinstance(form, Response):
            return form
        inbound = not form.get("Direction", "").startswith("outbound")
        ours, theirs = (form["To"], form["From"]) if inbound else (form["From"], "")
        agent = self.agents.choose(ours, request.query_params.get("agent", ""))
        server = self.server
        if not self.admission.expects(form["CallSid"]):
            return self._say(agent, server.busy_message)
        try:
            token = await self.store.mint_token(form["CallSid"], lifetime=TOKEN_SECONDS)
        except Exception:
            log.exception("a call could not be answered: no token")
            return self._say(agent, server.busy_message)
        if not token:
            log.warning("a webhook was refused", extra={"status": 403, "why": "the call has its socket already"})
            return Response(status_code=403)
        return _xml(
            twiml.relay(
                url=self.signatures.socket_url(PATH),
                # Not in a query: how Twilio signs those has changed over the years.
                action=self.signatures.webhook_url(
                    f"{PATH}/action" if agent.name == DEFAULT_AGENT else f"{PATH}/action/{agent.name}"
                ),
                token=token,
                greeting=await self._greeting(agent, theirs),
                relay=agent.settings.relay,
                voice=agent.settings.voice,
                agent=agent.name,
            )
        )

    async def _greeting(self, agent: Agent, caller: str) -> str:
        who = agent.settings.agent
        return greeting(
            agent.settings,
            agent.manners.language,
            local_hour=local_hour(who, self.now()),
            known_caller=await is_known(who, caller, self.acquaintances),
        )

    async def action(self, request: Request) -> Response:
        """The relay session is over. Asked for hung-up calls too, when the answer has no effect."""
        form = await self._signed(request)
        if isinstance(form, Response):
            return form
        agent = self.agents.choose("", request.path_params.get("agent", DEFAULT_AGENT))
        who = agent.settings.agent
        if form.get("SessionStatus") == "ended" and (number := _destination(agent, form.get("HandoffData", ""))):
            return self._transfer(agent, number, "")
        if form.get("SessionStatus") == "failed" and form.get("CallStatus") == "in-progress":
            if number := usual_person(who):
                return self._transfer(agent, number, who.cut_off_transfer_message)
            return self._say(agent, who.cut_off_message)
        return _xml(twiml.hang_up())

    def _say(self, agent: Agent, message: str) -> Response:
        return _xml(twiml.say_and_hang_up(message, voice=agent.settings.voice, language=_language(agent)))

    def _transfer(self, agent: Agent, number: str, message: str) -> Response:
        after = agent.manners.phrases.goodbye
        voice, language = agent.settings.voice, _language(agent)
        return _xml(twiml.transfer(number, message, after=after, voice=voice, language=language))

    async def status(self, request: Request) -> Response:
        """A status callback, in any order and any number of times."""
        form = await self._signed(request)
        if isinstance(form, Response):
            return form
        try:
            await self.store.call_status(
                form["CallSid"],
                form.get("CallStatus", ""),
                _number(form, "SequenceNumber"),
                _number(form, "CallDuration"),
            )
        except Exception:
            log.exception("a status callback was not stored")
        return Response(status_code=204)

    async def _signed(self, request: Request) -> dict[str, str] | Response:
        """The parameters of a genuine request, or the answer for any other."""
        try:
            body = await _body(request)
        except ClientDisconnect:
            return Response(status_code=400)  # to nobody
        if body is None:
            return Response(status_code=413)
        try:
            return self.signatures.webhook(
                request.scope["path"],
                request.scope["query_string"],
                body,
                request.headers.get("content-type", ""),
                request.headers.get("x-twilio-signature"),
                shared_key=request.headers.get("x-twilio-webhooks-signature-settings"),
            )
        except SignatureError as refused:
            log.warning("a webhook was refused", extra={"status": refused.status, "why": refused.why})
            return Response(status_code=refused.status)


def _language(agent: Agent) -> str:
    return agent.settings.relay.tts_language or agent.settings.relay.language


def _destination(agent: Agent, handoff: str) -> str:
    """The number that a caller is put through to who was handed over with these words; "": nobody's. A number comes
    from the settings, never from the request."""
    if handoff == HANG_UP or not WORD.fullmatch(handoff):
        return ""
    who = agent.settings.agent
    named = (each.number for each in who.destinations if each.name == handoff)
    return next(named, usual_person(who))


async def _body(request: Request) -> bytes | None:
    """The body; None when it is too long, or too long in coming."""
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for part in request.stream():
                size += len(part)
                if size > MAX_BODY:
                    return None
                parts.append(part)
    except TimeoutError:
        return None
    return b"".join(parts)


def _number(form: dict[str, str], name: str) -> int | None:
    value = form.get(name, "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else None


def _xml(document: str) -> Response:
    return Response(document, media_type="text/xml")
