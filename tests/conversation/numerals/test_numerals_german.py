"""Figures in German."""

from __future__ import annotations

import pytest

from voicectl.conversation.numerals import SpokenNumbers, spoken_numbers

GERMAN = [
    ("Das kostet 12,50 €.", "Das kostet zwölf Euro fünfzig."),
    ("3 €", "drei Euro"),
    ("0,99 €", "neunundneunzig Cent"),
    ("1 €", "ein Euro"),
    ("1.250 Euro", "eintausendzweihundertfünfzig Euro"),
    ("5-10 €", "fünf bis zehn Euro"),
    ("2,5 Mio. €", "zwei Komma fünf Millionen Euro"),
    ("um 10:30 Uhr", "um zehn Uhr dreißig"),
    ("um 10 Uhr", "um zehn Uhr"),
    ("10:00", "zehn Uhr"),
    ("9:05", "neun Uhr fünf"),
    ("9:30-17:00 Uhr", "neun Uhr dreißig bis siebzehn Uhr"),
    ("10–18 Uhr", "zehn bis achtzehn Uhr"),
    ("von 13:00 bis 17:00", "von dreizehn Uhr bis siebzehn Uhr"),
    ("am 25.12.2026", "am fünfundzwanzigsten Dezember zweitausendsechsundzwanzig"),
    ("am 25.12.", "am fünfundzwanzigsten Dezember."),
    ("der 1.5.", "der erste Mai."),
    ("25. Dezember", "fünfundzwanzigster Dezember"),
    ("am 3. Mai 2026", "am dritten Mai zweitausendsechsundzwanzig"),
    ("2026-11-25", "fünfundzwanzigster November zweitausendsechsundzwanzig"),
    ("vom 1.-5. Mai", "vom ersten bis fünften Mai"),
    ("im 3. Stock", "im dritten Stock"),
    ("Es sind 3. Dann", "Es sind drei. Dann"),
    ("50 %", "fünfzig Prozent"),
    ("3,14", "drei Komma eins vier"),
    ("030 1234567", "null drei null, eins zwei drei, vier fünf sechs sieben"),
    ("+49 30 1234567", "plus vier neun, drei null, eins zwei drei, vier fünf sechs sieben"),
    ("10-12", "zehn bis zwölf"),
    ("5 km, 1 kg, 1 h", "fünf Kilometer, ein Kilogramm, eine Stunde"),
    ("1.234.567", "eine Million zweihundertvierunddreißigtausendfünfhundertsiebenundsechzig"),
    ("1998", "neunzehnhundertachtundneunzig"),
    ("seit 2005", "seit zweitausendfünf"),
    ("1 Fahrrad, 1 Stunde, 1 Wohnung", "ein Fahrrad, eine Stunde, eine Wohnung"),
    ("1", "eins"),
    ("½ und 2½", "ein halb und zweieinhalb"),
    ("3/4", "drei Viertel"),
    ("z. B. so, d.h. so", "zum Beispiel so, das heißt so"),
    ("ca. 5, usw.", "circa fünf, und so weiter."),
    ("Hauptstr. 5, 10115 Berlin", "Hauptstr. fünf, eins null eins eins fünf Berlin"),
    ("Mo-Fr 9-18 Uhr, Sa 10-14 Uhr", "Montag bis Freitag neun bis achtzehn Uhr, Samstag zehn bis vierzehn Uhr"),
    ("So geht das", "So geht das"),
    ("Nr. 5", "Nummer fünf"),
    ("info@rad-haus.de", "info ät rad minus haus Punkt de"),
    ("AB-12345", "A B, eins zwei drei, vier fünf"),
    ("Bestellnummer 10234", "Bestellnummer eins null zwei, drei vier"),
    ("Code: 4821", "Code: vier acht zwei eins"),
    ("20°C", "zwanzig Grad Celsius"),
    ("007", "null null sieben"),
    ("-5 Grad", "minus fünf Grad"),
    ("24/7", "vierundzwanzig sieben"),
    ("24 Zoll", "vierundzwanzig Zoll"),
    ("21 Räder", "einundzwanzig Räder"),
    ("101", "einhunderteins"),
    ("1.000.001", "eine Million eins"),
    ("2.0.1", "zwei Punkt null Punkt eins"),
]


@pytest.mark.parametrize(("text", "said"), GERMAN)
def test_german(text: str, said: str) -> None:
    assert spoken_numbers(text, "de-DE") == said
    by_letter = SpokenNumbers("de-DE")
    assert "".join([*map(by_letter.feed, text), by_letter.finish()]) == said
    assert spoken_numbers(said, "de-DE") == said
