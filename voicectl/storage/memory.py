"""A CallStore without a database, for tests: as unkind as the real one, and unkinder on demand.

A write is not done when it returns: it is done in a later step of the event loop, together with what was written in
the same step, in order. `delay` makes every commit take that long (seconds on the loop's clock). While `refuse` is
set, every write is refused with it; while `unreadable` is set, every read raises it. As in the database, a turn or an
end of a call that never began is refused, text loses what cannot be stored, and nothing is kept by reference.
"""

from __future__ import annotations

import asyncio
import copy
import secrets
import time
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from voicectl.conversation.turns import Turn
from voicectl.errors import NotFoundError, StoreError
from voicectl.ports import CallEvent, CallInfo, CallSummary, Receipt
from voicectl.storage import status as statuses
from voicectl.storage.calls import StoredCall, pick
from voicectl.storage.tables import storable, storable_json
from voicectl.storage.tokens import TOKEN_BYTES, hashed
from voicectl.storage.writer import Ticket

T = TypeVar("T")


class MemoryCalls:
    """See Calls for the methods; `clock` gives the wall clock's seconds since 1970."""

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self.delay = 0.0
        self.refuse: StoreError | None = None
        self.unreadable: StoreError | None = None
        self._clock = clock
        self._calls: dict[str, StoredCall] = {}
        self._turns: dict[str, dict[int, Turn]] = {}
        self._events: dict[str, list[CallEvent]] = {}
        self._tokens: dict[str, tuple[str, float]] = {}
        self._opened: set[str] = set()
        self._queue: list[tuple[Ticket[Any], Callable[[], Any]]] = []
        self._committing = False

    # --- writing -------------------------------------------------------------------------------------------

    def begin_call(self, call: CallInfo) -> Receipt:
        now, call = self._now(), _stored(call)

        def work() -> None:
            old = self._calls.get(call.sid) or _new_call(call.sid, now)
            another = old.session != call.session
            self._calls[call.sid] = replace(
                _further(old, statuses.ANSWERED),
                session=call.session,
                caller=call.caller,
                called=call.called,
                direction=call.direction,
                language=call.language,
                agent=call.agent,
                answered_at=old.answered_at or now,
                ended_at=None,
                duration=None,
                end_reason="",
                resume_count=old.resume_count + (another and old.generation > 0),
                generation=old.generation + another,
            )

        return self._write(work)

    def record_turn(self, call_sid: str, turn: Turn) -> Receipt:
        sid, turn = storable(call_sid), _stored(turn)

        def work() -> None:
            if sid not in self._calls:
                raise StoreError("a turn cannot be of a call that never began")
            self._turns.setdefault(sid, {})[turn.order] = turn

        return self._write(work)

    def record_event(self, call_sid: str, event: CallEvent) -> Receipt:
        kept = CallEvent(event.at, storable(event.kind), storable_json(event.data))
        return self._write(lambda: self._events.setdefault(storable(call_sid), []).append(kept))

    def end_call(self, call_sid: str, reason: str, summary: CallSummary) -> Receipt:
        sid, now, reason = storable(call_sid), self._now(), storable(reason)

        def work() -> None:
            call = self._calls.get(sid)
            if call is None or call.answered_at is None:
                raise StoreError("a call cannot end that never began")
            lasted = max(0.0, (now - call.answered_at).total_seconds())
            if reason in statuses.OVER_FOR and statuses.RANK[call.status] < statuses.FIRST_OVER:
                call = _further(call, statuses.OVER)
            self._calls[sid] = replace(call, ended_at=now, duration=lasted, end_reason=reason, summary=summary)

        return self._write(work)

    async def call_status(self, call_sid: str, status: str, sequence: int | None, duration: int | None) -> None:
        if not statuses.RANK.get(status):
            return
        sid, now = storable(call_sid), self._now()

        def work() -> None:
            call = _further(self._calls.get(sid) or _new_call(sid, now), status)
            self._calls[sid] = replace(
                call,
                status_sequence=_higher(call.status_sequence, sequence),
                carrier_duration=_higher(call.carrier_duration, duration),
            )

        await self._write(work).wait()

    async def mint_token(self, call_sid: str, *, lifetime: float) -> str:
        token, now = secrets.token_urlsafe(TOKEN_BYTES), self._clock()

        def work() -> str:
            self._tokens = {key: each for key, each in self._tokens.items() if each[1] > now}
            if self._has_opened(call_sid):
                return ""
            self._tokens[hashed(token)] = (storable(call_sid), now + lifetime)
            return token

        return await self._write(work).result()

    async def redeem_token(self, call_sid: str, token: str) -> bool:
        now = self._clock()

        def work() -> bool:
            sid, expires = self._tokens.get(hashed(token), ("", 0.0))
            if sid != storable(call_sid) or expires <= now or self._has_opened(call_sid):
                return False
            del self._tokens[hashed(token)]
            self._opened.add(storable(call_sid))
            return True

        return await self._write(work).result()

    def _has_opened(self, call_sid: str) -> bool:
        call = self._calls.get(storable(call_sid))
        return storable(call_sid) in self._opened or (call is not None and call.answered_at is not None)

    # --- reading -------------------------------------------------------------------------------------------

    async def turns(self, call_sid: str) -> list[Turn]:
        await self._settled()
        return [turn for _, turn in sorted(self._turns.get(storable(call_sid), {}).items())]

    async def known_caller(self, number: str) -> bool:
        if self.unreadable is not None:
            raise self.unreadable
        if self.delay:
            await asyncio.sleep(self.delay)
        number = storable(number)
        return any(call.caller == number and call.answered_at is not None for call in self._calls.values())

    async def events(self, sid: str) -> list[CallEvent]:
        await self._settled()
        return copy.deepcopy(self._events.get(storable(sid), []))

    async def call(self, sid: str) -> StoredCall | None:
        await self._settled()
        return self._calls.get(storable(sid))

    async def calls(self, *, limit: int = 50, before: str | None = None, live_only: bool = False) -> list[StoredCall]:
        await self._settled()
        newest_first = sorted(self._calls.values(), key=lambda call: (call.started_at, call.sid), reverse=True)
        if before is not None:
            sids = [call.sid for call in newest_first]
            if before not in sids:
                raise NotFoundError(f"there is no call {before!r}")
            newest_first = newest_first[sids.index(before) + 1 :]
        return [call for call in newest_first if call.live or not live_only][:limit]

    async def resolve(self, prefix: str) -> str:
        await self._settled()
        if prefix == "last":
            answered = [call for call in await self.calls(limit=len(self._calls)) if call.answered_at is not None]
            return pick(prefix, [call.sid for call in answered[:1]])
        found = sorted(sid for sid in self._calls if sid.startswith(storable(prefix)))
        return pick(prefix, sorted(found, key=len)[:2])

    # --- how it is done ------------------------------------------------------------------------------------

    def _write(self, work: Callable[[], T]) -> Ticket[T]:
        ticket: Ticket[T] = Ticket()
        self._queue.append((ticket, work))
        if not self._committing:
            self._committing = True
            asyncio.get_running_loop().call_soon(self._start)
        return ticket

    def _start(self) -> None:
        batch, self._queue = self._queue, []
        asyncio.get_running_loop().call_later(self.delay, self._commit, batch)

    def _commit(self, batch: list[tuple[Ticket[Any], Callable[[], Any]]]) -> None:
        for ticket, work in batch:
            if self.refuse is not None:
                ticket.settle(None, self.refuse)
                continue
            try:
                ticket.settle(work())
            except StoreError as refused:
                ticket.settle(None, refused)
        self._committing = bool(self._queue)
        if self._committing:
            self._start()

    async def _settled(self) -> None:
        """As in the database: whoever writes and then reads finds what was written."""
        fence = self._write(lambda: None)
        try:
            await fence.wait()
        except StoreError:
            pass
        if self.unreadable is not None:
            raise self.unreadable

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)


def _new_call(sid: str, now: datetime) -> StoredCall:
    return StoredCall(sid, "", "", "", "", "", "", "", None, now, None, None, None, None, "", 0, 0)


def _further(call: StoredCall, status: str) -> StoredCall:
    return replace(call, status=max(call.status, status, key=statuses.RANK.__getitem__))


def _higher(old: int | None, new: int | None) -> int | None:
    return max((each for each in (old, new) if each is not None), default=None)


def _stored(value: Any) -> Any:
    """A dataclass with every text in it as the database would give it back."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, tuple):
        return tuple(_stored(each) for each in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{f.name: _stored(getattr(value, f.name)) for f in fields(value)})
    return value
