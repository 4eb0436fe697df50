"""How long words take to say, and which of them have been said after so long.

Measured on recorded calls: a chunk of English takes about 0.28 s and 0.045 s for each character (49 characters
2.57 s, 100 characters 4.54 s, 103 characters 4.86 s). A chunk is a sentence, or what stands before a colon. A word
that has begun counts as heard, as it does in the carrier's own reports.
"""

from __future__ import annotations

import re

from voicectl.conversation.words import is_unspaced, word_end

PER_CHARACTER = 0.045
PER_UNSPACED_CHARACTER = 0.17
PER_CHUNK = 0.25
_CHUNK_END = re.compile(r"(?:[.!?…:]+[\"')\]”’]*(?=\s|$)|[。！？]+)\s*")


def speaking_seconds(text: str) -> float:
    """Estimated seconds a voice needs for `text`."""
    return sum(_chunk_seconds(chunk) for chunk in _chunks(text))


def heard_after(text: str, seconds: float) -> int:
    """How far into `text` a listener is reckoned to have heard after `seconds` of audio: an offset behind a word."""
    if seconds <= 0:
        return 0
    offset = 0
    for chunk in _chunks(text):
        whole = _chunk_seconds(chunk)
        if seconds < whole:
            break
        seconds -= whole
        offset += len(chunk)
    else:
        return len(text)
    # Within a chunk the reports are in proportion: half its time, half its characters.
    share = seconds / whole
    spoken = share * sum(map(_character_seconds, chunk))
    lead = len(chunk) - len(chunk.lstrip())
    for place, char in enumerate(chunk):
        spoken -= _character_seconds(char)
        if spoken <= 0 and place >= lead:
            return word_end(text, offset + place + 1)
    return offset + len(chunk)


def _chunks(text: str) -> list[str]:
    chunks, start = [], 0
    for mark in _CHUNK_END.finditer(text):
        chunks.append(text[start : mark.end()])
        start = mark.end()
    if text[start:].strip():
        chunks.append(text[start:])
    elif chunks:
        chunks[-1] += text[start:]
    return chunks


def _chunk_seconds(chunk: str) -> float:
    return PER_CHUNK + sum(map(_character_seconds, chunk)) if chunk.strip() else 0.0


def _character_seconds(char: str) -> float:
    return PER_CHARACTER if char.isascii() or not is_unspaced(char) else PER_UNSPACED_CHARACTER
