from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicectl.conversation.sentences import sentences


@pytest.mark.parametrize(
    "parts",
    [
        ["We open at nine.", "We close at six!", "Really?", "Yes."],
        ["Dr. Smith is in today.", "Ask for Mr. Jones."],
        ["We open at 9 a.m. on Sunday.", "The last ride is at 5 p.m.", "Bring a helmet."],
        ["We open at 9 a.m. Monday through Friday.", "Come early."],
        ["It costs $3.50 per hour.", "A day is $20."],
        ["No. 5 is the red door.", "The answer is no.", "Ask again."],
        ["See St. Mary's church, e.g. on foot.", "Then turn left."],
        ["J. Penhallow opened it in 1987.", "It is still here."],
        ['He said "no."', "She said yes."],
        ["Wait... what was that?", "Nothing."],
        ["Write to hello@shop.example.", "Or visit shop.example/help today."],
    ],
)
def test_sentences_end_where_a_reader_would_end_them(parts: list[str]) -> None:
    assert sentences(" ".join(parts)) == parts


@given(st.text(alphabet="aB. !?\n'\"9é", max_size=60))
def test_nothing_is_lost_or_reordered(text: str) -> None:
    found = sentences(text)
    assert " ".join(" ".join(found).split()) == " ".join(text.split())
    assert all(sentence == sentence.strip() and sentence for sentence in found)
