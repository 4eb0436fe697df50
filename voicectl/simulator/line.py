"""The wires of one simulated call: real HTTP requests and a real WebSocket for a `TwilioCall`, on the loop's clock.

The call says what to do (actions.py), this file does it and reports what came of it. All decisions about the call are
the call's; all waiting is here. Frames leave in the order they were asked for. Whoever watches sees every observation
of the call, and what comes in on the socket, at once and in order: TokensArrived for each piece of text,
LanguageSwitched.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from voicectl.errors import UsageError
from voicectl.simulator.actions import (
    Action,
    CallOver,
    CloseSocket,
    DropSocket,
    Fetch,
    Observation,
    OpenSocket,
    SendFrame,
)
from voicectl.simulator.wire import Wire

if TYPE_CHECKING:
    import aiohttp

    from voicectl.simulator.carrier import TwilioCall

_MAX_BODY = 1_000_000
_MAX_FRAME = 4_000_000
_CLOSE_SECONDS = 2.0
"""How long the application may take to answer a close frame."""


@dataclass(frozen=True, slots=True)
class TokensArrived:
    """The application sent words to be spoken."""

    at: float
    text: str
    last: bool
    preemptible: bool = False
    """What is said next may cut them off."""


@dataclass(frozen=True, slots=True)
class LanguageSwitched:
    """The application asked for another language."""

    at: float
    speech: str
    """Of what it says; "": as before."""
    transcription: str
    """Of what it hears; "": as before."""


Watched = Observation | TokensArrived | LanguageSwitched
Watcher = Callable[[Watched], None]


@dataclass(frozen=True, slots=True)
class Route:
    """Where the server of a public URL really listens.

    `address` is http://host:port, or the path of a UNIX socket; empty: the public URL is dialled as it is. Requests
    carry the public host in their Host header, as they do behind a tunnel.
    """

    public_url: str
    address: str = ""

    @property
    def socket_path(self) -> str | None:
        """The UNIX socket to connect to, if it is one."""
        return self.address if self.address and "://" not in self.address else None

    def resolve(self, url: str) -> tuple[str, str | None]:
        """The URL to dial for `url`, and the Host header to send; None where the URL is left as it is."""
        asked, public = urlsplit(url), urlsplit(self.public_url)
        if not self.address or asked.netloc.lower() != public.netloc.lower():
            return url, None
        path = asked.path.removeprefix(public.path.rstrip("/"))
        socket = asked.scheme in ("ws", "wss")
        if self.socket_path is not None:
            return urlunsplit(("ws" if socket else "http", "server", path, asked.query, "")), asked.netloc
        real = urlsplit(self.address)
        scheme = {"http": "ws", "https": "wss"}[real.scheme] if socket else real.scheme
        return urlunsplit((scheme, real.netloc, real.path.rstrip("/") + path, asked.query, "")), asked.netloc

    def check(self) -> Route:
        """Itself; raises UsageError when one of its addresses cannot be one."""
        for url in (self.public_url, self.address if self.socket_path is None else ""):
            parts = urlsplit(url)
            if url and (parts.scheme not in ("http", "https") or not parts.netloc):
                raise UsageError(f"{url!r} is not the address of a server", "give it as http://host:port")
        return self


def session_for(route: Route) -> aiohttp.ClientSession:
    """An HTTP session that reaches the route's server and looks like Twilio: no cookies, no headers of its own. Many
    lines may share it."""
    import aiohttp

    path = route.socket_path
    return aiohttp.ClientSession(
        connector=aiohttp.UnixConnector(path, limit=0) if path else aiohttp.TCPConnector(limit=0),
        cookie_jar=aiohttp.DummyCookieJar(),
        skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding"),
    )


class PhoneLine:
    """Drives one call from its first ring to its end.

    line = PhoneLine(call, Route("https://voice.example.com", "http://127.0.0.1:8080"), watch)
    running = asyncio.create_task(line.run())
    line.speak("Hello?")
    over = await running
    """

    def __init__(
        self,
        call: TwilioCall,
        route: Route,
        watch: Watcher | None = None,
        *,
        session: aiohttp.ClientSession | None = None,
    ) -> None:
        """`watch` is shown everything as it happens; it must not wait, and must not act on the line. `session` is
        one of `session_for(route)`; without it the line has its own."""
        self.call = call
        self.over: CallOver | None = None
        self._route = route.check()
        self._watch = watch or (lambda seen: None)
        self._session = session
        self._own_sessions: dict[bool, aiohttp.ClientSession] = {}
        self._fetches: set[asyncio.Task[None]] = set()
        self._sockets: set[asyncio.Task[None]] = set()
        self._wire: Wire | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._ended: asyncio.Future[CallOver] | None = None
        self._acting = False

    @property
    def connected(self) -> bool:
        """The relay socket is open: somebody listens to the caller."""
        return self._wire is not None and self._wire.socket is not None

    async def run(self) -> CallOver:
        """Place the call and see it through; returns how it ended. Leaves no task, timer or connection behind, also
        when cancelled."""
        if self._ended is not None:
            raise RuntimeError("a line places one call")
        self._ended = asyncio.get_running_loop().create_future()
        try:
            self._tell(self.call.start)
            return await self._ended
        finally:
            await self._put_away()

    # --- the person on the line --------------------------------------------------------------------------

    def speak(
        self,
        text: str,
        *,
        seconds: float | None = None,
        parts: Sequence[str] | None = None,
        gap: float | None = None,
        cuts: bool | None = None,
        lang: str = "",
    ) -> None:
        """The caller begins to say `text`, which takes `seconds` (default: a normal pace). `parts` are the final
        transcripts it comes as, none of them: a sound; the rest is as in `TwilioCall.speak`."""
        self._tell(self.call.speak, text, seconds=seconds, finals=parts, gap=gap, cuts=cuts, lang=lang or None)

    def press(self, keys: str) -> None:
        self._tell(self.call.press, keys)

    def hang_up(self) -> None:
        self._tell(self.call.hang_up)

    def drop(self) -> None:
        """The network loses the socket."""
        self._tell(self.call.drop)

    # --- the call ----------------------------------------------------------------------------------------

    def _tell(self, method: Callable[..., list[Action]], *args: Any, **named: Any) -> None:
        """Report something to the call, now, and do what it asks for. Nothing reaches a call that is over."""
        ended = self._ended
        if ended is None or ended.done():
            return
        if self._acting:
            raise RuntimeError("a watcher must not act on the line it watches")
        self._acting = True
        try:
            for action in method(*args, asyncio.get_running_loop().time(), **named):
                self._do(action, ended)
        except Exception as error:  # a bug of ours, or of a watcher: it ends the run, and is raised there
            if not ended.done():
                ended.set_exception(error)
        finally:
            self._acting = False
        self._set_timer()

    def _do(self, action: Action, ended: asyncio.Future[CallOver]) -> None:
        if isinstance(action, Fetch):
            self._spawn(self._fetch(action), self._fetches)
        elif isinstance(action, OpenSocket):
            wire = self._wire = Wire()
            wire.task = self._spawn(self._serve(action, wire), self._sockets)
        elif isinstance(action, SendFrame):
            if self._wire is not None:
                self._wire.frames.put_nowait(action)
        elif isinstance(action, CloseSocket):
            if self._wire is not None:
                self._wire.close(action)
                self._wire = None
        elif isinstance(action, DropSocket):
            if self._wire is not None:
                self._wire.drop()
                self._wire = None
        elif isinstance(action, CallOver):
            self.over = action
            ended.set_result(action)
        else:
            self._watch(action)

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self.call.due
        if due is not None and self._ended is not None and not self._ended.done():
            self._timer = asyncio.get_running_loop().call_at(due, self._tick, due)

    def _tick(self, due: float) -> None:
        # A loop's timer may fire as much as its clock's resolution early.
        self._tell(lambda now: self.call.advance(max(now, due)))

    # --- HTTP --------------------------------------------------------------------------------------------

    async def _fetch(self, fetch: Fetch) -> None:
        import aiohttp

        url, host = self._route.resolve(fetch.url)
        body = bytearray()
        try:
            async with self._session_to(host).request(
                fetch.method,
                url,
                headers=_with_host(fetch.headers, host),
                data=fetch.form if fetch.method == "POST" else None,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=fetch.timeout),
            ) as response:
                async for piece in response.content.iter_any():
                    body += piece
                    if len(body) > _MAX_BODY:
                        break
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            self._tell(self.call.fetch_failed, fetch.id, str(error) or type(error).__name__)
        else:
            kind = response.headers.get("Content-Type", "")
            self._tell(self.call.answered, fetch.id, response.status, kind, bytes(body))

    # --- the relay socket --------------------------------------------------------------------------------

    async def _serve(self, ask: OpenSocket, wire: Wire) -> None:
        import aiohttp

        url, host = self._route.resolve(ask.url)
        try:
            socket = await self._session_to(host).ws_connect(
                url,
                headers=_with_host(ask.headers, host),
                compress=0,  # ConversationRelay: the handshake offers no extensions
                max_msg_size=_MAX_FRAME,
                timeout=aiohttp.ClientWSTimeout(ws_close=_CLOSE_SECONDS),
            )
        except aiohttp.WSServerHandshakeError as refused:
            self._tell(self.call.socket_refused, refused.status, session=ask.session)
            return
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
            self._tell(self.call.socket_refused, None, session=ask.session)
            return
        wire.socket = socket
        writer = asyncio.ensure_future(wire.write())
        try:
            self._tell(self.call.socket_opened, session=ask.session)
            code = await self._read(socket, ask.session)
            if self._wire is wire:
                self._wire = None
            if wire.closing:
                await writer
            elif not wire.dropped:
                self._tell(self.call.socket_closed, code, session=ask.session)
        finally:
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
            await socket.close()

    async def _read(self, socket: aiohttp.ClientWebSocketResponse, session: int) -> int:
        """Pass on what the application sends; returns the code of its close, 1006 when there was none."""
        import aiohttp

        while True:
            message = await socket.receive()
            if message.type is aiohttp.WSMsgType.TEXT:
                self._watch_frame(message.data)
                self._tell(self.call.socket_message, message.data, session=session)
            elif message.type is aiohttp.WSMsgType.BINARY:
                self._tell(self.call.socket_message, message.data, session=session)
            elif message.type is aiohttp.WSMsgType.CLOSE:
                return int(message.data or 1005)
            else:
                return 1006

    def _watch_frame(self, data: str) -> None:
        try:
            frame = json.loads(data)
        except (ValueError, RecursionError):
            return  # the call will have its say about it
        if not isinstance(frame, dict):
            return
        at = asyncio.get_running_loop().time()
        if frame.get("type") == "text" and isinstance(frame.get("token"), str):
            self._watch(TokensArrived(at, frame["token"], frame.get("last") is True, frame.get("preemptible") is True))
        elif frame.get("type") == "language":
            speech, transcription = frame.get("ttsLanguage"), frame.get("transcriptionLanguage")
            self._watch(LanguageSwitched(at, str(speech or ""), str(transcription or "")))

    # --- keeping house -----------------------------------------------------------------------------------

    def _session_to(self, host: str | None) -> aiohttp.ClientSession:
        """The session to reach our server with (`host` is known then), or somebody else's."""
        ours = host is not None
        if ours and self._session is not None:
            return self._session
        if ours not in self._own_sessions:
            self._own_sessions[ours] = session_for(self._route if ours else Route(self._route.public_url))
        return self._own_sessions[ours]

    def _spawn(self, work: Coroutine[Any, Any, None], kin: set[asyncio.Task[None]]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(work)
        kin.add(task)
        task.add_done_callback(kin.discard)
        task.add_done_callback(self._task_done)
        return task

    def _task_done(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None and self._ended is not None and not self._ended.done():
            self._ended.set_exception(error)

    async def _put_away(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._wire is not None:
            self._wire.drop()
        # A socket that is being closed is given the time for it, unless the call was broken off.
        for task in self._fetches if self.over else self._fetches | self._sockets:
            task.cancel()
        await asyncio.gather(*self._fetches, *self._sockets, return_exceptions=True)
        for session in self._own_sessions.values():
            await session.close()


def _with_host(headers: dict[str, str], host: str | None) -> dict[str, str]:
    return dict(headers) if host is None else {**headers, "Host": host}
