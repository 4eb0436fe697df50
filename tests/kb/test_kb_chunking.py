from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicectl.kb import chunking
from voicectl.kb.chunking import LONGEST, SHORTEST, Chunk, chunk, row_text
from voicectl.kb.formats import Items, Paragraph, Rows, Section


def sentence(words: int, first: str = "Word") -> str:
    return " ".join([first, *["word"] * (words - 1)]) + "."


def test_a_short_section_is_one_passage_with_its_path_as_title() -> None:
    section = Section(("Rentals", "Deposit"), (Paragraph("We take a card. No cash."), Paragraph("It comes back.")))
    assert chunk((section,)) == [Chunk("Rentals > Deposit", "We take a card. No cash.\nIt comes back.")]


def test_passages_never_cross_a_heading() -> None:
    sections = (Section(("A",), (Paragraph("One."),)), Section(("B",), (Paragraph("Two."),)))
    assert [each.text for each in chunk(sections)] == ["One.", "Two."]


def test_a_long_section_is_divided_evenly_between_sentences() -> None:
    text = " ".join(sentence(12) for _ in range(20))  # 240 words
    sizes = [len(each.text.split()) for each in chunk((Section(("A",), (Paragraph(text),)),))]
    assert sizes == [120, 120]


def test_rows_read_as_they_would_be_said() -> None:
    assert row_text(("Service", "Price"), ("Tune-up", "$65")) == "Tune-up: $65."
    assert row_text(("Bike", "Price from"), ("City bike", "$549")) == "City bike: price from $549."
    assert row_text(("Service", "Price", "Ready"), ("Tune-up", "$65", "in two days")) == (
        "Tune-up: price $65; ready in two days."
    )
    assert row_text(("Tool", "VAT", "Fee"), ("Pump", "20%", "-")) == "Pump: VAT 20%."
    assert row_text(("", ""), ("Monday", "closed")) == "Monday: closed."
    assert row_text(("A", "B"), ("", "")) == ""


def test_a_table_and_a_list_stand_line_by_line() -> None:
    section = Section(
        ("A",),
        (
            Paragraph("First this."),
            Rows(("Day", "Hours"), (("Monday", "closed"), ("Tuesday", "9 to 6"))),
            Items(("a helmet", "a lock"), "Included are:"),
            Paragraph("And then that."),
        ),
    )
    (found,) = chunk((section,))
    assert found.text.split("\n") == [
        "First this.",
        "Monday: closed.",
        "Tuesday: 9 to 6.",
        "Included are:",
        "- a helmet",
        "- a lock",
        "And then that.",
    ]


def test_a_divided_list_keeps_its_lead_in() -> None:
    items = tuple(sentence(20, f"Item{number}") for number in range(12))
    found = chunk((Section(("A",), (Items(items, "You need:"),)),))
    assert len(found) == 2
    assert all(each.text.startswith("You need:\n- Item") for each in found)


def test_a_sentence_without_end_is_divided_at_words() -> None:
    found = chunk((Section(("A",), (Paragraph("word " * 1000),)),))
    assert sum(len(each.text.split()) for each in found) == 1000
    assert max(len(each.text.split()) for each in found) <= LONGEST


@given(st.lists(st.integers(1, 70), min_size=1, max_size=40))
def test_every_word_is_kept_and_sizes_keep_their_bounds(lengths: list[int]) -> None:
    text = " ".join(sentence(length) for length in lengths)
    found = chunk((Section(("A",), (Paragraph(text),)),))
    assert " ".join(each.text for each in found) == text
    sizes = [len(each.text.split()) for each in found]
    assert max(sizes) <= LONGEST
    longest_sentence = max(lengths)
    if len(sizes) > 1 and longest_sentence <= LONGEST - SHORTEST:
        assert min(sizes[:-1]) >= SHORTEST


def test_a_section_over_pages_is_divided_as_one_and_passages_have_the_page_they_begin_on() -> None:
    parts = tuple(
        Section(("A",), (Paragraph(" ".join(sentence(12) for _ in range(sentences))),), page)
        for page, sentences in ((1, 6), (2, 10), (3, 4))
    )
    found = chunk(parts)
    assert [(each.page, len(each.text.split())) for each in found] == [(1, 120), (2, 120)]
    assert len(chunk(tuple(Section(part.path, part.blocks) for part in parts))) == 3  # rows of like name stay apart


def test_a_very_long_paragraph_loses_no_word(monkeypatch: pytest.MonkeyPatch) -> None:
    text = " ".join([*(sentence(7, f"Number{at}") for at in range(60)), "word " * 300 + "x" * 500 + " end."])
    whole = " ".join(each.text.replace("\n", " ") for each in chunk((Section(("A",), (Paragraph(text),)),)))
    monkeypatch.setattr(chunking, "WINDOW", 200)
    windowed = " ".join(each.text.replace("\n", " ") for each in chunk((Section(("A",), (Paragraph(text),)),)))
    assert windowed.replace(" ", "") == whole.replace(" ", "") == text.replace(" ", "")
    short = " ".join(sentence(7, f"Number{at}") for at in range(60))
    found = chunk((Section(("A",), (Paragraph(short),)),))
    assert all(each.text.endswith("word.") for each in found)
