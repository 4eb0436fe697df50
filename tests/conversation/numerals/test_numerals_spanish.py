"""Figures in Spanish."""

from __future__ import annotations

import pytest

from voicectl.conversation.numerals import SpokenNumbers, spoken_numbers

SPANISH = [
    ("Cuesta 12,50 €.", "Cuesta doce euros con cincuenta."),
    ("3 €", "tres euros"),
    ("1 €", "un euro"),
    ("21 €", "veintiún euros"),
    ("0,99 €", "noventa y nueve céntimos"),
    ("1.250 euros", "mil doscientos cincuenta euros"),
    ("5-10 €", "cinco a diez euros"),
    ("2,5 millones de euros", "dos coma cinco millones de euros"),
    ("£1", "una libra"),
    ("a las 10:30", "a las diez y media"),
    ("a las 10:00", "a las diez"),
    ("10:00", "diez en punto"),
    ("9:05", "nueve y cinco"),
    ("a las 17:00", "a las cinco de la tarde"),
    ("9:30-17:00", "nueve y media a cinco de la tarde"),
    ("de 9:00 a 14:00", "de nueve a dos de la tarde"),
    ("10 a.m.", "diez de la mañana."),
    ("25/12/2026", "veinticinco de diciembre de dos mil veintiséis"),
    ("1/5/2026", "uno de mayo de dos mil veintiséis"),
    ("25 de diciembre", "veinticinco de diciembre"),
    ("25 dic 2026", "veinticinco de diciembre de dos mil veintiséis"),
    ("el 3 de mayo de 2026", "el tres de mayo de dos mil veintiséis"),
    ("2026-11-25", "veinticinco de noviembre de dos mil veintiséis"),
    ("1º y 2ª", "primero y segunda"),
    ("50 %", "cincuenta por ciento"),
    ("3,14", "tres coma uno cuatro"),
    ("912 345 678", "nueve uno dos, tres cuatro cinco, seis siete ocho"),
    ("+34 912 345 678", "más tres cuatro, nueve uno dos, tres cuatro cinco, seis siete ocho"),
    ("10-12", "diez a doce"),
    ("5 km, 1 kg, 1 h", "cinco kilómetros, un kilo, una hora"),
    ("1.234.567", "un millón doscientos treinta y cuatro mil quinientos sesenta y siete"),
    ("1998", "mil novecientos noventa y ocho"),
    ("1 bicicleta, 1 casco, 21 bicicletas", "una bicicleta, un casco, veintiuna bicicletas"),
    ("½ y 2½", "medio y dos y medio"),
    ("3/4", "tres cuartos"),
    ("lun-vie 9:00-18:00", "lunes a viernes nueve a seis de la tarde"),
    ("Sr. Gómez, Av. Mayor n.º 5", "señor Gómez, avenida Mayor número cinco"),
    ("info@tienda-bici.es", "info arroba tienda guion bici punto es"),
    ("AB-12345", "A B, uno dos tres, cuatro cinco"),
    ("código 4821", "código cuatro ocho dos uno"),
    ("20 °C", "veinte grados Celsius"),
    ("007", "cero cero siete"),
    ("-5 grados", "menos cinco grados"),
    ("etc.", "etcétera."),
    ("p. ej. esto", "por ejemplo esto"),
    ("101", "ciento uno"),
    ("24/7", "veinticuatro siete"),
]


@pytest.mark.parametrize(("text", "said"), SPANISH)
def test_spanish(text: str, said: str) -> None:
    assert spoken_numbers(text, "es-ES") == said
    by_letter = SpokenNumbers("es-ES")
    assert "".join([*map(by_letter.feed, text), by_letter.finish()]) == said
    assert spoken_numbers(said, "es-ES") == said
