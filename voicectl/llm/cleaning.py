"""Text from outside, made fit for a prompt: nothing invisible is left in it, and no mark that a model or its server
could take for the prompt's own."""

from __future__ import annotations

import re

# What is invisible, or turns text around, or is no text: C0 and C1, soft hyphens, fillers, zero-width space, direction
# marks, selectors of variants, tag characters, lone surrogates. The joiners stay where letters need them: Persian and
# Hindi are spelt with them.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164"
    "\ufeff\uffa0\ufff9-\ufffb\U0001d173-\U0001d17a\ud800-\udfff]"
)
_NOTHING = re.compile(
    "[\u00ad\u034f\u180b-\u180d\ufe00-\ufe0f\U000e0000-\U000e0fff]"
    "|(?<=[\x00-\x7f])[\u200c\u200d]+|[\u200c\u200d]+(?=[\x00-\x7f])"
)
_TAG = re.compile(r"[<＜‹〈❮⟨](?=\s*/?\s*r\w{0,3}f)|[<＜](?=/?[^\W\d_]|[|｜<＜])|\[(?=/?(?:INST|SYS)\b)", re.IGNORECASE)


def clean(text: str) -> str:
    """The text as it may stand inside a message."""
    if text.isascii() and text.isprintable() and "<" not in text and "[" not in text:  # nearly always
        return text.strip()
    return _TAG.sub("(", _NOTHING.sub("", _UNPRINTABLE.sub(" ", text))).strip()


__all__ = ["clean"]
