"""Telephone numbers."""

from __future__ import annotations

import re

from voicectl.errors import ConfigError

# E.164: a plus, a country code that never begins with 0, at most 15 digits together. ASCII only: \d would let the
# digits of other scripts through.
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


def e164(number: str) -> str:
    """`number` if it can be dialled from anywhere; raises ConfigError otherwise."""
    if _E164.fullmatch(number):
        return number
    digits = re.sub(r"[\s().\u2010-\u2015/-]+", "", number)
    guess = digits if digits.startswith("+") else "+" + digits
    hint = f"write {guess}" if _E164.fullmatch(guess) and number != guess else "write it like +14155550100"
    raise ConfigError(f"{number!r} is not a telephone number in E.164 form", hint)
