"""Numbers, prices, times, telephone numbers and the like as a voice says them, while the text streams."""

from __future__ import annotations

from voicectl.conversation.numerals.stream import SpokenNumbers, spoken_numbers

__all__ = ["SpokenNumbers", "spoken_numbers"]
