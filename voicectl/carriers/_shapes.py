"""Shapes and cleaning that frames, TwiML and the checks of the settings have in common."""

from __future__ import annotations

import re

import msgspec

# What XML 1.0 cannot hold at all (C0 but tab and line ends, surrogates, two noncharacters) and what no voice can say
# (DEL and C1). A lone surrogate cannot even leave the process as UTF-8.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")

LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")
"""BCP-47 as far as telephones need it: en, en-US, zh-Hant-TW, es-419. "multi" is not one of them."""

NAME = re.compile(r"[A-Za-z0-9_.-]{1,128}")
"""Names of parameters and of whatever else travels in frames and forms."""


def clean(text: str) -> str:
    """`text` without the characters that can be neither written as XML nor spoken."""
    return text if text.isprintable() else _FORBIDDEN.sub("", text)


def is_language(code: str) -> bool:
    """A language that can be asked for: a tag, or "multi" where the provider detects it."""
    return code == "multi" or LANGUAGE_TAG.fullmatch(code) is not None


_WORD = re.compile(r"[a-z][a-z_-]{0,31}")


def is_handoff(text: str) -> bool:
    """What may be handed off: one JSON object as text, at most 4096 characters, or one lower-case word.

    Both are closed shapes: more text glued to a value's end never makes another value, which is what lets a webhook's
    signature, that runs names and values together, protect it.
    """
    if len(text) > 4096:
        return False
    if _WORD.fullmatch(text):
        return True
    try:
        return isinstance(msgspec.json.decode(text), dict)
    except (ValueError, RecursionError):
        return False
