"""How many calls are taken at once.

A call counts from the moment its webhook is answered with a relay: its socket comes a second or two later, and a
burst of webhooks must not pass a limit that only looks at open sockets.
"""

from __future__ import annotations

import asyncio

SOCKET_SECONDS = 15.0
"""A socket that has not come by then does not come."""


class Admission:
    """`most` calls at once; `open` is False when the server takes no new ones."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.open = True
        self._expected: dict[str, float] = {}
        self._live: set[str] = set()

    def expects(self, call_sid: str) -> bool:
        """Whether this call can be taken; if so, its socket is expected. Asking twice for one call counts once."""
        now = asyncio.get_running_loop().time()
        self._expected = {sid: until for sid, until in self._expected.items() if until > now}
        others = len(self._live | (self._expected.keys() - {call_sid}))
        if not self.open or others >= self.most:
            return False
        self._expected[call_sid] = now + SOCKET_SECONDS
        return True

    def begins(self, call_sid: str) -> None:
        """The call's socket is there."""
        self._expected.pop(call_sid, None)
        self._live.add(call_sid)

    def ends(self, call_sid: str) -> None:
        self._live.discard(call_sid)
