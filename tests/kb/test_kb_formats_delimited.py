from __future__ import annotations

from datetime import date

import pytest

from voicectl.kb.chunking import chunk
from voicectl.kb.formats import Items, Paragraph, Unreadable
from voicectl.kb.formats.delimited import parse


def passages(text: str, name: str = "prices.csv") -> list[tuple[str, str]]:
    return [(each.title, each.text) for each in chunk(parse(text.encode(), name).sections)]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('Question,Answer\nDo you rent?,"Yes, we do."\nWhen?,Daily.\n', "faq.csv"),
        ("\ufeffFrage;Antwort\nDo you rent?;Yes, we do.\nWhen?;Daily.\n", "faq.csv"),
        ("Réponse|Question du client\nYes, we do.|Do you rent?\nDaily.|When?\n", "faq.csv"),
        ("Pregunta\tRespuesta\nDo you rent?\tYes, we do.\n\t\nWhen?\tDaily.\n", "faq.tsv"),
        ('id,question,answer\n1,Do you rent?,"Yes, we do."\n2,When?,Daily.\n', "faq.csv"),
        ("Do you rent?;Yes, we do.\nWhen?;Daily.\n", "faq.csv"),  # no header: seen from the question marks
    ],
)
def test_questions_and_answers_are_known_in_many_languages(text: str, name: str) -> None:
    assert passages(text, name) == [("Faq > Do you rent?", "Yes, we do."), ("Faq > When?", "Daily.")]


def test_an_answer_may_have_paragraphs_and_lists_and_a_row_more_columns() -> None:
    text = 'Topic,Question,Answer,Contact\nRent,What is included?,"We lend:\n- a helmet\n- a lock\n\nAll free.",Priya\n'
    (section,) = parse(text.encode(), "faq.csv").sections
    assert section.path == ("Faq", "Rent", "What is included?")
    assert section.blocks[:2] == (Items(("a helmet", "a lock"), "We lend:"), Paragraph("All free."))
    assert passages(text)[0][1].endswith("contact Priya.")


def test_each_row_is_a_passage_that_reads_as_it_would_be_said() -> None:
    text = "No;Service;Price;Ready\n1;Tune-up;$75;in two days\n2;Bike wash;$20;\n2;Bike wash;$22;on Sunday\n;;;\n"
    assert passages(text) == [
        ("Prices > Tune-up", "Tune-up: price $75; ready in two days."),
        ("Prices > Bike wash", "Bike wash: price $20."),
        ("Prices > Bike wash", "Bike wash: price $22; ready on Sunday."),
    ]


def test_of_two_columns_a_first_row_names_them_only_when_it_clearly_does() -> None:
    assert passages("Service,Price\nTune-up,$75\n") == [("Prices > Tune-up", "Tune-up: $75.")]
    assert passages("Monday,closed\nTuesday,9 to 6\n", "hours.csv") == [
        ("Hours > Monday", "Monday: closed."),
        ("Hours > Tuesday", "Tuesday: 9 to 6."),
    ]
    assert passages("Bonn\nBerlin\n", "cities.csv") == [("Cities", "Bonn"), ("Cities", "Berlin")]


def test_columns_about_the_document_speak_where_rows_agree() -> None:
    text = "Service,Price,Valid until,Language\nTune-up,$75,31.12.2026,de\nWash,$20,31.12.2026,de\n"
    document = parse(text.encode(), "prices.csv")
    assert (document.valid_until, document.language, document.warnings) == (date(2026, 12, 31), "de", ())
    assert [each.text for each in chunk(document.sections)] == ["Tune-up: $75.", "Wash: $20."]
    differing = parse(text.replace("31.12", "30.11", 1).encode(), "prices.csv")
    assert differing.valid_until is None
    assert "Valid until" in differing.warnings[0]
    assert chunk(differing.sections)[0].text == "Tune-up: price $75; valid until 30.11.2026."


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"a,b\n\x00\x01,", "not text"),
        (b"a," * 300, "columns"),
        (b"a,b\n" + b"x" * 200_000, "field larger"),
    ],
)
def test_what_is_no_table_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        parse(data, "x.csv")


@pytest.mark.parametrize("data", [b"", b"\n\n", b",,\n,,\n", b"Question,Answer\n"])
def test_an_empty_table_has_nothing(data: bytes) -> None:
    assert not parse(data, "x.csv").sections or data.startswith(b"Question")
