"""Figures in British English, where they differ from American."""

from __future__ import annotations

import pytest

from voicectl.conversation.numerals import SpokenNumbers, spoken_numbers

BRITISH = [
    ("It is $1,250.00 now.", "It is one thousand two hundred and fifty dollars now."),
    ("£12.50", "twelve pounds fifty"),
    ("€1,250", "one thousand two hundred and fifty euros"),
    ("2026-11-25", "the twenty-fifth of November, twenty twenty-six"),
    ("25/12/2026", "the twenty-fifth of December, twenty twenty-six"),
    ("12/25/2026", "the twenty-fifth of December, twenty twenty-six"),
    ("on 3/4", "on the third of April"),
    ("12/25", "twelve over twenty-five"),
    ("Nov 25", "November the twenty-fifth"),
    ("Nov. 25, 2026", "November the twenty-fifth, twenty twenty-six"),
    ("November 25-27", "November the twenty-fifth to the twenty-seventh"),
    ("November 25, 2026 at 10:30", "November the twenty-fifth, twenty twenty-six at ten thirty"),
    ("2005", "two thousand and five"),
    ("+44 20 7946 0958", "plus four four, two oh, seven nine four six, oh nine five eight"),
    ("(555) 010-4477", "five five five, oh one oh, four four seven seven"),
    ("555-0104", "five five five, oh one oh four"),
    ("Call 1-800-555-0199.", "Call one, eight oh oh, five five five, oh one nine nine."),
    ("020 7946 0958", "oh two oh, seven nine four six, oh nine five eight"),
    ("+15550104477", "plus one, five five five, oh one oh, four four seven seven"),
    ("100-0200", "one oh oh, oh two oh oh"),
    ("12 Main St. Springfield, IL 62704", "twelve Main Street. Springfield, IL six two seven oh four"),
    ("5km, 3.5 kg", "five kilometres, three point five kilograms"),
    ("250 ml", "two hundred and fifty millilitres"),
    ("1st, 22nd, 101st", "first, twenty-second, one hundred and first"),
    ("1,234,567", "one million two hundred and thirty-four thousand five hundred and sixty-seven"),
    ("Mon, Nov 25", "Monday, November the twenty-fifth"),
    ("order #10234", "order number one oh two, three four"),
    ("order number 10234", "order number one oh two, three four"),
    ("PIN: 0042", "PIN: oh oh four two"),
    ("extension 204, ext. 12", "extension two oh four, extension twelve"),
    ("ISO 9001", "ISO nine thousand and one"),
    ("007", "oh oh seven"),
    ("120/80", "one hundred and twenty over eighty"),
    ("1,234.5", "one thousand two hundred and thirty-four point five"),
    ("1000000000000000000", "one oh oh, oh oh oh, oh oh oh, oh oh oh, oh oh oh, oh oh oh oh"),
    ("5 km/h €3/kg", "five kilometres per hour three euros per kilogram"),
    ("€5,50", "five euros fifty"),
    ("Tel. 555-0104", "Telephone five five five, oh one oh four"),
    ("ORD-2024-0042", "O R D, two oh two four, oh oh four two"),
    ("That will be $12.50, please.", "That will be twelve dollars fifty, please."),
    (
        "Tune-ups start at $89 and go up to $149.99.",
        "Tune-ups start at eighty-nine dollars and go up to one hundred and forty-nine dollars ninety-nine.",
    ),
    ("£9.99", "nine pounds ninety-nine"),
    ("on 11/25/2026", "on the twenty-fifth of November, twenty twenty-six"),
    ("since 3/4/24", "since the third of April, twenty twenty-four"),
    ("May 1st", "May the first"),
    ("June 5th, 2027", "June the fifth, twenty twenty-seven"),
    ("Dec 24-26", "December the twenty-fourth to the twenty-sixth"),
    ("Jan. 5", "January the fifth"),
    ("by 12/24", "by the twenty-fourth of December"),
    ("20,000 km", "twenty thousand kilometres"),
    ("1 km", "one kilometre"),
    ("100 m²", "one hundred square metres"),
    ("1.5 L", "one point five litres"),
    ("25 km/h", "twenty-five kilometres per hour"),
    ("120 Nm", "one hundred and twenty newton metres"),
    ("call 555-0199 now", "call five five five, oh one nine nine now"),
    ("Our number is (020) 7946 0958.", "Our number is oh two oh, seven nine four six, oh nine five eight."),
    ("+1 (555) 010-4477", "plus one, five five five, oh one oh, four four seven seven"),
    ("555.010.4477", "five five five, oh one oh, four four seven seven"),
    ("0800 123 456", "oh eight oh oh, one two three, four five six"),
    ("1-800-555-0100 ext. 22", "one, eight oh oh, five five five, oh one oh oh extension twenty-two"),
    (
        "tracking number 1Z999AA10123456784",
        "tracking number one, Z, nine nine nine, A A, one oh one, two three four, five six seven, eight four",
    ),
    ("zip 62704", "zip six two seven oh four"),
    ("Springfield, IL 62704-1234", "Springfield, IL six two seven oh four, one two three four"),
    ("F-150", "F one five oh"),
    ("101", "one hundred and one"),
    ("110", "one hundred and ten"),
    ("999", "nine hundred and ninety-nine"),
    ("1001", "one thousand and one"),
    ("10001", "ten thousand and one"),
    ("123456", "one hundred and twenty-three thousand four hundred and fifty-six"),
    ("12345678901", "one two three, four five six, seven eight nine, oh one"),
    ("It's 3 km. We can go.", "It's three kilometres. We can go."),
]


@pytest.mark.parametrize(("text", "said"), BRITISH)
def test_british(text: str, said: str) -> None:
    assert spoken_numbers(text, "en-GB") == said
    by_letter = SpokenNumbers("en-GB")
    assert "".join([*map(by_letter.feed, text), by_letter.finish()]) == said
    assert spoken_numbers(said, "en-GB") == said
