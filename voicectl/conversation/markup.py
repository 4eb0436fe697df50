"""What a model's markup looks like, as patterns over a text that is still being written.

A construct is a pair of patterns. `part` matches, up to the end of what has come so far, everything that may yet become
`whole`. So when `part` matches it is too early to tell; when it does not, `whole` tells for good. `\\Z` in `whole` is
the end of the text: it is tried there only when nothing more can come, or when the construct has grown too long.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Construct(NamedTuple):
    part: re.Pattern[str]
    whole: re.Pattern[str]


def _construct(part: str, whole: str) -> Construct:
    return Construct(re.compile(part), re.compile(whole))


# --- characters, as they stand inside [...] ----------------------------------------------------------------

BREAKS = "\n\r\v\f\x85\u2028\u2029"
MARKS = r"*_~`<>&\[\]|\\/#!"
BULLETS_AND_ARROWS = (
    "\u2022\u2023\u2043\u203c\u2049\u2190-\u2193\u219a-\u21a8\u21ab-\u21ff\u2794\u2798-\u27af\u27b1-\u27be"
)
KEYCAP = "\u20e3"
EMOJI = (
    "\xa9\xae\u20e3\u2122\u2139\u2194-\u2199\u21a9\u21aa\u231a\u231b\u2328\u23cf\u23e9-\u23fa\u24c2\u25a0-\u25ff"
    "\u2600-\u27bf\u2934\u2935\u2b00-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001ffff"
)
# Controls, format characters, variation selectors, blank fillers, surrogates, private use, noncharacters.
UNSEEN = (
    "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160"
    "\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ud800-\uf8ff\ufdd0-\ufdef\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\uffff\U000110bd\U000110cd\U00013430-\U0001345f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U0010ffff"
)

UNSEEN_RUN = re.compile(f"[{UNSEEN}]+")
WORD = re.compile(r"[A-Za-z0-9]+")
OTHER_RUN = re.compile(rf"[^\sA-Za-z0-9{MARKS}{BULLETS_AND_ARROWS}{EMOJI}]+")
BULLET_OR_ARROW = re.compile(f"[{BULLETS_AND_ARROWS}]")

# --- at the start of a line --------------------------------------------------------------------------------

RULER = _construct(r"[-:|=*_ \t]+", rf"[-:|=*_ \t]++(?=[{BREAKS}]|\Z)")
ITEM = _construct(r"[-+*–—]|\[(?:[ xX]\]?)?", rf"(?:[-+*–—]|\[[ xX]\])(?=\s|\Z)|[{BULLETS_AND_ARROWS}{EMOJI}]")
HEADING = _construct(r"#{1,6}", r"#{1,6}+(?=\s|\Z)")
ROW = _construct(r"\|", r"\|")
QUOTE = _construct(r">", r">(?![=0-9$€£])")
NUMBER = _construct(r"[0-9]{1,3}[.)]?", rf"([0-9]{{1,3}}[.)]?)(?:(?<=[.)])(?=\s)|(?<=[0-9]){KEYCAP})")

# --- anywhere ----------------------------------------------------------------------------------------------

FENCE = _construct(
    r"`{1,2}|~{1,2}|(?:`{3,40}+|~{3,40}+)[ \t]{0,4}+[\w+#.-]{0,20}+[ \t]{0,4}+",
    rf"(?:`{{3,40}}+|~{{3,40}}+)[ \t]{{0,4}}+([\w+#.-]{{0,20}}+)[ \t]{{0,4}}+(?=[{BREAKS}]|\Z)",
)
STARS = _construct(r"\*{1,20}", r"\*{1,20}+")
EMPHASIS = _construct(r"\*[^*\n]{0,40}", r"\*[^*\n]{1,40}+(?<!\s)\*")
LINK = _construct(
    r"\](?:\((?:[^()\[\]\n]|\([^()\[\]\n]*+\)?+)*+)?",
    r"\]\(((?:[^()\[\]\n]|\([^()\[\]\n]*+\))*+)\)",
)
CITATION = _construct(r"\[(?:\^[^\[\]\s]{0,20}|[0-9]{0,3})", r"\[(?:\^[^\[\]\s]{1,20}|[0-9]{1,3})(?=\])")
# Tags of a model's own, too: "<|im_end|>". "&gt;" may stand for the ">".
_IN_TAG = r"(?:(?!&gt;)[^<>\n])*"
TAG = _construct(rf"<(?:[A-Za-z/!?|]{_IN_TAG})?", rf"<(?=[A-Za-z/!?|])(/?)([A-Za-z][A-Za-z0-9]*+)?{_IN_TAG}(?:>|&gt;)")
AUTOLINK = _construct(
    rf"<(?:[A-Za-z]{_IN_TAG})?", r"<([A-Za-z][\w.+-]*@[\w.-]+|(?i:https?://|www\.)(?:(?!&gt;)[^\s<>])*)>"
)
COMPARISON = _construct(r"[<>]", r"[<>](?:=|(?=[\s0-9$€£]))")
ENTITY = _construct(
    r"&(?:#(?:[xX][0-9A-Fa-f]{0,6}|[0-9]{0,7})|[A-Za-z][A-Za-z0-9]{0,31})?",
    r"&(?:#(?:[xX][0-9A-Fa-f]{1,6}|[0-9]{1,7})|[A-Za-z][A-Za-z0-9]{1,31});",
)
URL = _construct(r"(?i:h(?:t(?:t(?:ps?(?::/?)?)?)?)?|w{1,3})", r"(?i:https?://|www\.)")
URL_BODY = re.compile(r"(?:[A-Za-z0-9\-/#@$&(+=%]|[.,;:!?'*_~)]{1,99}(?=[A-Za-z0-9\-/#@$&(+=%]))*+")
URL_TRAIL = re.compile(r"[.,;:!?'*_~)]{0,99}")

UNSAYABLE = re.compile(
    r"(?:://|(?<![A-Za-z0-9])www\.|&(?:#[0-9]{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,31});)\Z", re.IGNORECASE
)
"""The end of what must not be brought together by taking away what stood between."""

_START = "(?<![A-Za-z0-9])"
_SAID = rf"[^\s:;wW{MARKS}{BULLETS_AND_ARROWS}{EMOJI}{UNSEEN}]"
PLAIN_TOKEN = re.compile(
    rf"(?: ?+{_SAID}++| ?+[wW](?![wW])|(?<=[A-Za-z0-9])!|(?<![pPsS]):)++"
    rf"(?:(?<![hHwWtTpPsS])|(?<!{_START}[hHwW])(?<!{_START}[hH][tT])(?<!{_START}[hH][tT]{{2}})"
    rf"(?<!{_START}[hH][tT]{{2}}[pP])(?<!{_START}[hH][tT]{{2}}[pP][sS]))"
)
"""A token that can be said as it is in the middle of a line: it holds nothing to look at twice, and ends neither in a
blank nor in what could be the start of a URL."""
