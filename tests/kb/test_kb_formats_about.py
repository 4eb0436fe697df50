from __future__ import annotations

from datetime import date

import pytest

from voicectl.kb.formats import readers
from voicectl.kb.formats.about import About, field, from_fields, from_line, language, stated

MAY = date(2026, 5, 1)
SEPTEMBER = date(2026, 9, 30)
YEAR_END = date(2026, 12, 31)


@pytest.mark.parametrize(
    ("line", "first", "last"),
    [
        ("Valid until 31 December 2026", None, YEAR_END),
        ("VALID UNTIL: December 31st, 2026.", None, YEAR_END),
        ("Valid through 12/31/26", None, YEAR_END),
        ("Valid until Thursday, 31 Dec 2026", None, YEAR_END),
        ("Valid till 31-Dec-2026", None, YEAR_END),
        ("Valid until 2026-12-31", None, YEAR_END),
        ("Expires on 31/12/2026", None, YEAR_END),
        ("This menu is valid until the end of December 2026", None, YEAR_END),
        ("Valid until February 2028", None, date(2028, 2, 29)),
        ("Valid from May 2026", MAY, None),
        ("Effective from 1 May 2026", MAY, None),
        ("Valid from 1 May to 30 September 2026", MAY, SEPTEMBER),
        ("These prices are valid from 2026-05-01 until 2026-09-30", MAY, SEPTEMBER),
        ("Valid 1 May – 30 September 2026", MAY, SEPTEMBER),
        ("Valid 1–30 September 2026", date(2026, 9, 1), SEPTEMBER),
        ("Valid from 1 November to 31 March 2027", date(2026, 11, 1), date(2027, 3, 31)),
        ("Gültig bis 31.12.2026", None, YEAR_END),
        ("Gültig bis 03.04.2026", None, date(2026, 4, 3)),  # with dots the day always comes first
        ("Gültig vom 1. Mai bis 30. September 2026", MAY, SEPTEMBER),
        ("Gilt ab dem 1. Mai 2026", MAY, None),
        ("Valable jusqu'au 31 décembre 2026", None, YEAR_END),
        ("Valable du 1er mai au 30 septembre 2026", MAY, SEPTEMBER),
        ("Válido hasta el 31 de diciembre de 2026", None, YEAR_END),
        ("Valido dal 1 maggio al 30 settembre 2026", MAY, SEPTEMBER),
        ("Geldig t/m 31 december 2026", None, YEAR_END),
        ("Válido até 31 de dezembro de 2026", None, YEAR_END),
    ],
)
def test_a_line_says_on_which_days_a_document_holds(line: str, first: date | None, last: date | None) -> None:
    assert from_line(line) == About("", first, last)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("Valid until 03/04/2026", "two days"),
        ("Valid until 31 December", "without a year"),
        ("Valid until 31 February 2026", "no day"),
        ("Valid until 99/99/2026", "no day"),
        ("Valid until week 31", "no day we can read"),
        ("Valid from 30 September 2026 to 1 May 2026", "no time at all"),
        ("Valid from 2027-01-01 to 31 December 2026", "no time at all"),
    ],
)
def test_a_day_that_is_none_or_two_is_a_warning_and_not_a_guess(line: str, reason: str) -> None:
    said = from_line(line)
    assert said is not None
    assert (said.valid_from, said.valid_until) == (None, None)
    assert reason in said.warnings[0]


@pytest.mark.parametrize(
    "line",
    [
        "Valid until further notice",
        "Valid ID is needed",
        "We are open until 31 December 2026",
        "Gift cards are valid for 2 years",
        "Your gift card is valid until 31 December 2026",
        "",
    ],
)
def test_other_lines_say_nothing_about_the_document(line: str) -> None:
    assert from_line(line) is None


@pytest.mark.parametrize(
    ("said", "tag"),
    [
        ("de", "de"),
        ("de-AT", "de"),
        ("EN_us", "en"),
        ("German", "de"),
        ("Français", "fr"),
        ("und", ""),
        ("12", ""),
        ("", ""),
    ],
)
def test_languages_by_tag_and_name(said: str, tag: str) -> None:
    assert language(said) == tag


def test_fields_go_by_the_names_people_use() -> None:
    assert field("Valid-Until") == field("expires on") == field("Gültig bis") == "valid until"
    assert field("author") == ""
    assert from_fields({"lang": "de", "valid_from": "2026-05-01", "expires": "'2026-09-30'"}) == About(
        "de", MAY, SEPTEMBER
    )
    assert from_fields({"language": "Klingon!"}).warnings


FRONT = "---\ntitle: Menu\nlang: de-DE\nvalid from: 2026-05-01\nexpires: 30 September 2026\n---\nSoup.\n"


@pytest.mark.parametrize(
    ("name", "source", "found"),
    [
        ("x.md", FRONT, ("de", MAY, SEPTEMBER)),
        ("x.md", "# Menu\n\n*Valid until 31 December 2026*\n\nSoup.\n", ("", None, YEAR_END)),
        ("x.md", FRONT.replace("Soup.", "Valid until 31 December 2026"), ("de", MAY, SEPTEMBER)),  # fields go first
        ("x.txt", "Menu\n\nValid until 31 December 2026\n\nSoup.\n", ("", None, YEAR_END)),
        ("x.txt", "Valid until 31 December 2026\n\nLanguage: German\n\nSoup.\n", ("de", None, YEAR_END)),
        ("x.html", "<h1>Menu</h1><p>Valid until <b>31 December 2026</b></p>Soup.", ("", None, YEAR_END)),
        ("x.md", "Soup.\n\n" * 5 + "Valid until 31 December 2026\n", ("", None, None)),  # too far down
        ("x.md", "Soup is on the menu. Valid until 31 December 2026.\n", ("", None, None)),  # no line of its own
    ],
)
def test_documents_say_it_in_fields_or_near_the_top(name: str, source: str, found: tuple[str, date, date]) -> None:
    document = stated(readers()[f".{name.rsplit('.')[-1]}"](source.encode(), name))
    assert (document.language, document.valid_from, document.valid_until) == found
    assert document.title in ("Menu", "X")
    assert document.warnings == ()
