"""What can go wrong, sorted by who must act.

- VoicectlError            base: `message` says what happened, `hint` the next thing to type, `code` the exit code
  - UsageError             you: the command line makes no sense                                   exit 2
  - ConfigError            you: a setting is missing, malformed or impossible                     exit 3
  - NotFoundError          you: no such call, number or file                                      exit 4
  - StoreError             the database cannot be opened, is not migrated, or refuses             exit 3
  - ServiceError           them: a service we depend on failed after what retries were allowed    exit 5
    - ReplyError           them: a reply model gave no (whole) reply
- ConversationError        us: the driver misused the conversation machine; a bug

Exit code 1 is no error: a command ran and found what it was asked to look for.
"""

from __future__ import annotations

from typing import Literal

ReplyFailure = Literal[
    "refused",  # could not connect, DNS, TLS
    "timeout",  # no first token within its budget, or the whole reply took too long
    "stall",  # tokens stopped coming
    "rate_limit",  # 429, worth trying later
    "quota",  # 429 that no waiting mends: credit exhausted
    "auth",  # 401, 403
    "bad_data",  # what came back is not what the API promises
    "truncated",  # the stream ended without saying why
    "overload",  # 5xx
    "empty",  # a finished reply without a word in it
    "internal",  # our bug
]


class VoicectlError(Exception):
    """Base of all errors that a person is meant to read."""

    code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(VoicectlError):
    code = 2


class ConfigError(VoicectlError):
    code = 3


class StoreError(VoicectlError):
    code = 3


class NotFoundError(VoicectlError):
    code = 4


class ServiceError(VoicectlError):
    code = 5


class ReplyError(ServiceError):
    """A reply model gave no reply, or only part of one."""

    def __init__(self, kind: ReplyFailure, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.retry_after = retry_after
        """Seconds the service asked us to wait, when it said so."""


class ConversationError(RuntimeError):
    """The driver misused the conversation machine: our bug, never the world's doing."""
