from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicectl.kb.formats import Document, Items, Paragraph, Rows, Section, Unreadable, readers
from voicectl.kb.formats.markdown import parse as markdown
from voicectl.kb.formats.tables import table
from voicectl.kb.formats.text import decode
from voicectl.kb.formats.text import parse as text

SHOP = """\
---
title: "Not this"
---
# Rentals

Bikes *for* the [harbor](https://example.com/x).

## Prices

| Bike | Day |
| --- | --- |
| City **bike** | $38 |
| Tandem | |

Included are:

- a helmet
- a lock
  - with two keys

### Late

Call us.<br>Please. <!-- nobody reads this -->

## Deposit
1. A card
2. A photo ID
"""


def test_markdown_keeps_words_and_drops_marks() -> None:
    assert markdown(SHOP.replace('title: "Not this"\n', "").encode(), "rentals.md") == Document(
        "Rentals",
        (
            Section(("Rentals",), (Paragraph("Bikes for the harbor."),)),
            Section(
                ("Rentals", "Prices"),
                (
                    Rows(("Bike", "Day"), (("City bike", "$38"), ("Tandem", ""))),
                    Items(("a helmet", "a lock with two keys"), "Included are:"),
                ),
            ),
            Section(("Rentals", "Prices", "Late"), (Paragraph("Call us., Please."),)),
            Section(("Rentals", "Deposit"), (Items(("A card", "A photo ID")),)),
        ),
    )


def test_the_front_matter_names_a_document() -> None:
    document = markdown(SHOP.encode(), "x.md")
    assert document.title == "Not this"
    assert document.sections[0].path == ("Not this", "Rentals")


def test_a_document_without_a_heading_is_named_by_its_file() -> None:
    assert markdown(b"We are open.", "docs/opening-hours.md").title == "Opening hours"
    assert markdown(b"We are open.", "opening-hours.md").sections == (
        Section(("Opening hours",), (Paragraph("We are open."),)),
    )


def test_headings_may_skip_levels_and_come_back() -> None:
    paths = [s.path for s in markdown(b"# A\n#### B\nb\n## C\nc\n# D\nd\n", "x.md").sections]
    assert paths == [("A", "B"), ("A", "C"), ("A", "D")]


def test_code_and_tags_keep_their_words() -> None:
    words = markdown(b"<div>Hello <b>you</b></div>\n\n```\nring twice\n```\n\nUse `this` &amp; that.\n", "x.md")
    assert [block.text for block in words.sections[0].blocks if isinstance(block, Paragraph)] == [
        "Hello you",
        "ring twice",
        "Use this & that.",
    ]


FAQ = """\
OPENING HOURS

Monday: closed
Tuesday: 9 to 6

Good to know
------------

We close early
on holidays.

Please bring:
- a photo ID
- a card that
  is valid

Q: Do you rent bikes?
A: Yes, from April
to October.
Q: Do you sell them?
A: We do.
"""


def test_plain_text_is_read_by_its_looks() -> None:
    title = "OPENING HOURS"
    assert text(FAQ.encode(), "faq.txt").sections == (
        Section((title,), (Rows(("", ""), (("Monday", "closed"), ("Tuesday", "9 to 6"))),)),
        Section(
            (title, "Good to know"),
            (
                Paragraph("We close early on holidays."),
                Items(("a photo ID", "a card that is valid"), "Please bring:"),
            ),
        ),
        Section((title, "Do you rent bikes?"), (Paragraph("Yes, from April to October."),)),
        Section((title, "Do you sell them?"), (Paragraph("We do."),)),
    )


@pytest.mark.parametrize(
    ("data", "words", "warned"),
    [
        ("Café".encode(), "Café", False),
        (codecs.BOM_UTF8 + "Café".encode(), "Café", False),
        ("Café".encode("utf-16"), "Café", False),
        (codecs.BOM_UTF16_BE + "Café".encode("utf-16-be"), "Café", False),
        ("It’s a Café".encode("cp1252"), "It’s a Café", True),
        (b"caf\xe9 \x81", "café ", True),  # no cp1252: latin-1, where 0x81 is a control character
        (b"one\r\ntwo\rthree", "one\ntwo\nthree", False),
        ("soft\u00adhyphen zero\u200bwidth no\u00a0break".encode(), "softhyphen zerowidth no break", False),
        (b"", "", False),
    ],
)
def test_bytes_become_text(data: bytes, words: str, warned: bool) -> None:
    found, warnings = decode(data)
    assert found == words
    assert bool(warnings) is warned


@pytest.mark.parametrize(
    "data",
    [
        b"%PDF-1.7\x00\x01\x02",
        b"\x89PNG\r\n\x1a\n\x00\x00",
        b"We are open. " * 50 + b"\x00",
        bytes(range(1, 32)) * 20,
        codecs.BOM_UTF16_LE + b"odd",
        codecs.BOM_UTF8 + b"\xff\xfe\xfd",
    ],
)
def test_what_is_no_text_is_refused_with_a_reason(data: bytes) -> None:
    with pytest.raises(Unreadable, match="text"):
        markdown(data, "x.md")


@given(st.sampled_from(sorted(readers())), st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(suffix: str, data: bytes) -> None:
    try:
        document = readers()[suffix](data, f"x{suffix}")
    except Unreadable:
        return
    assert document.title
    assert all(section.path and section.blocks for section in document.sections)


@given(st.text(alphabet="#|-*> \n`ab1.:[](<!", max_size=120))
def test_any_markdown_is_read(source: str) -> None:
    markdown(source.encode(), "x.md")
    text(source.encode(), "x.txt")


@pytest.mark.parametrize("name", ["Price", "hours", "Amount", "Preis"])
def test_a_plain_name_over_the_second_of_two_columns_is_no_row(name: str) -> None:
    block = table([("Time", name), ("Day", "150"), ("Night", "250")])
    assert block == Rows(("Time", name), (("Day", "150"), ("Night", "250")))


@pytest.mark.parametrize("first", [("Monday", "closed"), ("Adults", "free"), ("Monday", "9 AM")])
def test_a_first_row_that_says_something_stays_a_row(first: tuple[str, str]) -> None:
    block = table([first, ("Tuesday", "9 AM"), ("Wednesday", "9 AM")])
    assert isinstance(block, Rows) and block.rows[0] == first
