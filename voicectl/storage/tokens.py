"""One-time tokens: who opens a call's next socket must hold the one its webhook was given.

A token is 128 random bits and is stored as a hash. It belongs to one call, works once, and runs out by the wall clock,
the only one that several hosts share. Expired tokens are swept whenever one is made.

Of several who bring the same token one wins: the UPDATE that finds it unused marks it used, and its row count decides.
A call that has opened its socket gets no further token and redeems none: whoever replays its webhook stays outside.
Should the connection to the database break while that is being committed, nobody may win; nobody ever wins twice.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from voicectl.storage.database import Database
from voicectl.storage.tables import CallSession, RelayToken, storable, table_of

TOKEN_BYTES = 16
_tokens = table_of(RelayToken)
_calls = table_of(CallSession)
_expired = _tokens.c.expires_at <= sa.bindparam("now", type_=_tokens.c.expires_at.type)
# Rows that another worker is sweeping right now are left to it; in SQLite nobody else writes meanwhile.
_sweep = sa.delete(_tokens).where(
    _tokens.c.sha256.in_(sa.select(_tokens.c.sha256).where(_expired).with_for_update(skip_locked=True))
)


def hashed(token: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _has_opened(connection: Connection, call_sid: str) -> bool:
    """Whether one of the call's tokens was used, or the call has begun. Others who ask the same wait their turn."""
    used = sa.select(_tokens.c.used_at).where(_tokens.c.call_sid == call_sid).with_for_update()
    begun = sa.select(_calls.c.answered_at).where(_calls.c.sid == call_sid)
    found = (*connection.execute(used).scalars(), connection.execute(begun).scalar())
    return any(at is not None for at in found)


async def mint(database: Database, call_sid: str, now: datetime, expires_at: datetime) -> str:
    """A new token for the call's next socket, durable when this returns; "" when the call has opened it already."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    call_sid = storable(call_sid)
    insert = database.insert(RelayToken).on_conflict_do_nothing()
    row = {"sha256": hashed(token), "call_sid": call_sid, "expires_at": expires_at, "used_at": None}

    def work(connection: Connection) -> str:
        connection.execute(_sweep, {"now": now})
        if _has_opened(connection, call_sid):
            return ""
        connection.execute(insert, row)
        return token

    return await database.run(work).result()


async def redeem(database: Database, call_sid: str, token: str, now: datetime) -> bool:
    """Whether this is the call's token, has not run out, and the call's socket is not open yet."""
    use = (
        sa.update(_tokens)
        .where(_tokens.c.sha256 == hashed(token), _tokens.c.call_sid == call_sid)
        .where(_tokens.c.used_at.is_(None), _tokens.c.expires_at > now)
        .values(used_at=now)
    )

    def work(connection: Connection) -> bool:
        return not _has_opened(connection, call_sid) and connection.execute(use).rowcount == 1

    return await database.run(work).result()
