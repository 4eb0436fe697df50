"""How far a call has come, in the carrier's words.

Status callbacks arrive in any order and more than once. Each status has a rank of its own, and the highest rank seen
stands: a maximum does not care about order or repetition. Of the five ways to be over only one ever happens to a
call; they have different ranks so that the outcome is the same in any order even if a carrier should contradict itself.
"""

from __future__ import annotations

ORDER = (
    "",  # nothing heard yet
    "queued",
    "initiated",
    "ringing",
    "in-progress",
    "canceled",
    "no-answer",
    "busy",
    "failed",
    "completed",
)
RANK = {status: rank for rank, status in enumerate(ORDER)}
ANSWERED = "in-progress"
FIRST_OVER = RANK["canceled"]
"""From this rank on the call is over."""
OVER = "completed"
OVER_FOR = ("hung_up", "ended", "time_is_up", "shutdown")
"""End reasons after which the call itself is over, whether or not a callback says so. A lost socket is not one."""
