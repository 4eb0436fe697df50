"""How a setting is declared: its default, what it is, and what it may be."""

from __future__ import annotations

from dataclasses import field
from typing import Any


def setting(
    default: Any,
    help: str,
    *,
    env: str = "",
    secret: bool = False,
    choices: tuple[str, ...] = (),
    low: float | None = None,
    high: float | None = None,
) -> Any:
    """Declare one setting. `low` and `high` are inclusive bounds of a number."""
    meta = {"help": help, "env": env, "secret": secret, "choices": choices, "low": low, "high": high}
    if isinstance(default, (list, dict)):
        raise TypeError("use a tuple")
    return field(default=default, metadata=meta)
