"""Figures while the text streams: tokens do not matter, and nothing waits longer than it must."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicectl.conversation.numerals import SpokenNumbers, spoken_numbers
from voicectl.conversation.numerals.counting import (
    english,
    english_ordinal,
    french,
    french_ordinal,
    german,
    german_ordinal,
    spanish,
    spanish_ordinal,
)
from voicectl.conversation.spoken import speakable

LANGUAGES = ("en-US", "en-GB", "de-DE", "es-ES", "es-MX", "fr-FR", "fr-CH", "pl")
FIGURES = (
    "0 1 5 12 007 25 101 1998 2026 12345 1234567 3.14 3,14 1,250 1.250 10:30 9:05 12/25 25.12. 2026-11-25 1/2 24/7 "
    "½ 2½ 1st 22nd 1990s 5' 16\" 5'10\" +44 020 7946 0958 (555) 010-4477 555-0104 2.0.1 10-12 9:30-17:00 -5 #5 5+ "
    "100€ $5 $5-10"
).split()
WORDS = (
    "Mon Sat Sun Nov Nov. March Dr. St. Baker No. e.g. a.m. pm and or $ € £ ¥ % ° km kg min. million AB AB-12345 SW1A "
    "2AA EUR IL ext. of the in on order code Room call w/o etc. Hello you's & @ info@x.example "
    "x.com Mo Fr Uhr Cent Mio. Nr. "
    'z.B. ca. 1. am bis lun vie dic a las horas Sr. h h30 vélo 1er 2e — – - ( ) , . ! ? " 5km zł I A AM'
).split()
PIECES = st.sampled_from(FIGURES + WORDS)


def streamed(text: str, cuts: list[int], language: str) -> str:
    """What is said of `text` cut there."""
    numbers = SpokenNumbers(language)
    said = [numbers.feed(text[start:end]) for start, end in pairwise([0, *sorted(cuts), len(text)])]
    return "".join([*said, numbers.finish()])


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(LANGUAGES), st.lists(PIECES, max_size=10), st.sampled_from([" ", " ", ""]), st.data())
def test_tokens_do_not_matter(language: str, pieces: list[str], glue: str, data: st.DataObject) -> None:
    text = speakable(glue.join(pieces))
    cuts = data.draw(st.lists(st.integers(0, len(text)), max_size=12))
    assert streamed(text, cuts, language) == spoken_numbers(text, language)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(LANGUAGES), st.lists(PIECES, max_size=10).map(" ".join))
def test_what_is_said_is_fit_for_a_voice(language: str, pieces: str) -> None:
    text = speakable(pieces)
    said = spoken_numbers(text, language)
    assert speakable(said) == said
    assert spoken_numbers(said, language) == said
    assert any(map(str.isalnum, said)) or not any(map(str.isalnum, text))
    if language != "pl":
        assert not re.search("[0-9]", said)


@given(st.text(max_size=60).map(speakable), st.sampled_from(LANGUAGES), st.data())
@settings(max_examples=100, deadline=None)
def test_any_text(text: str, language: str, data: st.DataObject) -> None:
    cuts = data.draw(st.lists(st.integers(0, len(text)), max_size=6))
    said = spoken_numbers(text, language)
    assert streamed(text, cuts, language) == said
    assert "  " not in said


@pytest.mark.parametrize("text", ["1" * 500, "1 " * 200, "A" * 300, "a.b" * 100, "Mon, " * 60, "+1 (" * 80, "x-" * 200])
def test_little_waits_whatever_comes(text: str) -> None:
    numbers = SpokenNumbers()
    released = [numbers.feed(char) for char in text]
    silent = max(map(len, "".join("x" if r else "." for r in released).split("x")))
    assert silent <= 100
    whole = spoken_numbers(text)
    assert "".join(released) + numbers.finish() == whole


def test_plain_words_leave_at_once() -> None:
    numbers = SpokenNumbers()
    for token in (
        "You",
        " have",
        " lovely",
        " bicycle",
        "s",
        ",",
        " you",
        "'ll",
        " see",
        "!",
        " Äpfel",
        " bikes too, yes",
    ):
        assert numbers.feed(token) == token
    assert numbers.finish() == ""


def test_only_what_may_change_is_held() -> None:
    numbers = SpokenNumbers()
    assert numbers.feed(" It costs $") == " It costs "
    assert numbers.feed("12") == ""
    assert numbers.feed(".50") == ""
    assert numbers.feed(" t") == ""  # "thousand"?
    assert numbers.feed("oday") == "twelve dollars and fifty cents today"
    assert numbers.feed(" at 10") == " at "
    assert numbers.feed(" p") == ""
    assert numbers.feed("eople") == "ten people"
    assert numbers.feed(" on Nov") == " on "
    assert numbers.feed("ember") == ""
    assert numbers.feed(" tenth") == "November tenth"
    assert numbers.feed(", I") == ", "
    assert numbers.feed("'m") == "I'm"
    assert numbers.feed(" well-") == " well"
    assert numbers.feed("known ") == "-known "
    assert numbers.feed("in 1998.") == "in "
    assert numbers.feed(" Today") == "nineteen ninety-eight. Today"  # no street
    assert numbers.finish() == ""


def test_the_last_word_is_said_at_the_end() -> None:
    numbers = SpokenNumbers()
    assert numbers.feed("Room 101") == "Room "
    assert numbers.finish() == "one oh one"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Zadzwoń: +48 22 555 01 00.", "Zadzwoń: plus 4 8, 2 2, 5 5 5, 0 1, 0 0."),
        ("To kosztuje 12,50 zł o 10:30.", "To kosztuje 12,50 zł o 10:30."),
        ("営業時間は午前9時から18時です。", "営業時間は午前9時から18時です。"),
    ],
)
def test_other_languages_keep_their_numbers(text: str, said: str) -> None:
    assert spoken_numbers(text, "pl" if "ł" in text or "ń" in text else "ja") == said
    assert spoken_numbers(said, "pl") == said


def test_regions() -> None:
    assert spoken_numbers("1/2/2026 3.5", "en") == spoken_numbers("1/2/2026 3.5", "en-US")
    assert spoken_numbers("1/2/2026", "en-AU") == spoken_numbers("1/2/2026", "en-GB")
    assert spoken_numbers("3.5 y 1,250", "es-MX") == "tres punto cinco y mil doscientos cincuenta"
    assert spoken_numbers("3,5 y 1.250", "es") == "tres coma cinco y mil doscientos cincuenta"
    assert spoken_numbers("71, 80, 95", "fr-CH") == "septante et un, quatre-vingts, nonante-cinq"
    assert spoken_numbers("5", "DE_at") == "fünf"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (english(0), "zero"),
        (english(10**12 + 10**6 + 1), "one trillion one million one"),
        (english(123_456, with_and=True), "one hundred and twenty-three thousand four hundred and fifty-six"),
        (english(10_005, with_and=True), "ten thousand and five"),
        (english_ordinal(40), "fortieth"),
        (english_ordinal(112), "one hundred twelfth"),
        (english_ordinal(1_000_000), "one millionth"),
        (german(1), "eins"),
        (german(21), "einundzwanzig"),
        (german(1_001_101), "eine Million eintausendeinhunderteins"),
        (german(901_000_000_000), "neunhundertein Milliarden"),
        (german_ordinal(101), "einhunderterst"),
        (german_ordinal(17), "siebzehnt"),
        (german_ordinal(1000), "eintausendst"),
        (spanish(100), "cien"),
        (spanish(101, gender="f"), "ciento una"),
        (spanish(21_021, gender="m"), "veintiún mil veintiún"),
        (spanish(500_200, gender="f"), "quinientas mil doscientas"),
        (spanish(31_000_000), "treinta y un millones"),
        (spanish_ordinal(12), "doce"),
        (french(80_000), "quatre-vingt mille"),
        (french(200_000_000), "deux cents millions"),
        (french(21, feminine=True), "vingt et une"),
        (french(1981, septante=True), "mille neuf cent quatre-vingt-un"),
        (french_ordinal(9), "neuvième"),
        (french_ordinal(80), "quatre-vingtième"),
        (french_ordinal(1, feminine=True), "première"),
    ],
)
def test_counting(said: str, expected: str) -> None:
    assert said == expected
