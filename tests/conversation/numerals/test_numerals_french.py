"""Figures in French."""

from __future__ import annotations

import pytest

from voicectl.conversation.numerals import SpokenNumbers, spoken_numbers

FRENCH = [
    ("Ça coûte 12,50 €.", "Ça coûte douze euros cinquante."),
    ("3 €", "trois euros"),
    ("1 €", "un euro"),
    ("0,99 €", "quatre-vingt-dix-neuf centimes"),
    ("1 250 euros", "mille deux cent cinquante euros"),
    ("5-10 €", "cinq à dix euros"),
    ("2,5 millions d'euros", "deux virgule cinq millions d'euros"),
    ("à 10h30", "à dix heures trente"),
    ("à 10 h", "à dix heures"),
    ("10:30", "dix heures trente"),
    ("9h05", "neuf heures cinq"),
    ("13:00-17:00", "treize heures à dix-sept heures"),
    ("9h-18h30", "neuf heures à dix-huit heures trente"),
    ("9-18h", "neuf à dix-huit heures"),
    ("1h", "une heure"),
    ("0h", "minuit"),
    ("25/12/2026", "vingt-cinq décembre deux mille vingt-six"),
    ("1/5/2026", "premier mai deux mille vingt-six"),
    ("le 1er mai", "le premier mai"),
    ("25 décembre 2026", "vingt-cinq décembre deux mille vingt-six"),
    ("25 déc. 2026", "vingt-cinq décembre deux mille vingt-six"),
    ("2026-11-25", "vingt-cinq novembre deux mille vingt-six"),
    ("1er, 1re, 2e, 3ème, 21e", "premier, première, deuxième, troisième, vingt et unième"),
    ("50 %", "cinquante pour cent"),
    ("3,14", "trois virgule quatorze"),
    ("01 23 45 67 89", "zéro un, vingt-trois, quarante-cinq, soixante-sept, quatre-vingt-neuf"),
    ("+33 1 23 45 67 89", "plus trente-trois, un, vingt-trois, quarante-cinq, soixante-sept, quatre-vingt-neuf"),
    ("10-12", "dix à douze"),
    ("5 km, 1 kg, 1 min", "cinq kilomètres, un kilo, une minute"),
    ("1 234 567", "un million deux cent trente-quatre mille cinq cent soixante-sept"),
    ("1998", "mille neuf cent quatre-vingt-dix-huit"),
    ("71 vélos, 80 vélos, 91", "soixante et onze vélos, quatre-vingts vélos, quatre-vingt-onze"),
    ("21 heures", "vingt et une heures"),
    ("½ et 2½", "un demi et deux et demi"),
    ("3/4", "trois quarts"),
    ("lun-ven 9h-18h", "lundi à vendredi neuf heures à dix-huit heures"),
    ("M. Dupont, n° 5", "monsieur Dupont, numéro cinq"),
    ("info@velo-port.fr", "info arobase velo tiret port point fr"),
    ("AB-12345", "A B, un deux trois, quatre cinq"),
    ("code 4821", "code quatre huit deux un"),
    ("20 °C", "vingt degrés"),
    ("007", "zéro zéro sept"),
    ("-5 degrés", "moins cinq degrés"),
    ("etc.", "et cetera."),
    ("200 et 201", "deux cents et deux cent un"),
    ("24/7", "vingt-quatre heures sur vingt-quatre"),
]


@pytest.mark.parametrize(("text", "said"), FRENCH)
def test_french(text: str, said: str) -> None:
    assert spoken_numbers(text, "fr-FR") == said
    by_letter = SpokenNumbers("fr-FR")
    assert "".join([*map(by_letter.feed, text), by_letter.finish()]) == said
    assert spoken_numbers(said, "fr-FR") == said
