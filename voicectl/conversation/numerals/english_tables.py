"""The words English figures are said with: months, weekdays, units, currencies, abbreviations."""

from __future__ import annotations

from voicectl.conversation.numerals.language import Currency, Thing

MONTHS = {
    name: n
    for n, name in enumerate(
        "January February March April May June July August September October November December".split(), 1
    )
}
_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
WEEKDAYS = {
    **{day: day for day in _DAYS},
    **{day[:3]: day for day in _DAYS},
    "Tues": "Tuesday",
    "Weds": "Wednesday",
    "Thur": "Thursday",
    "Thurs": "Thursday",
}
STREETS = ("Street St Road Rd Avenue Ave Boulevard Blvd Lane Ln Drive Dr Court Ct Place Pl Square Sq Way Highway Hwy "
           "Terrace Parkway Pkwy Close Crescent").split()  # fmt: skip

_CENT = Thing("cent", "cents")
_DOLLAR, _EURO, _POUND = Thing("dollar", "dollars"), Thing("euro", "euros"), Thing("pound", "pounds")
_PENCE = Thing("penny", "pence")
_US_DOLLAR = Currency(Thing("US dollar", "US dollars"), _CENT)
CURRENCIES = {
    "$": Currency(_DOLLAR, _CENT),
    "€": Currency(_EURO, _CENT),
    "£": Currency(_POUND, _PENCE),
    "¥": Currency(Thing("yen", "yen"), Thing("sen", "sen")),
    "US$": _US_DOLLAR,
    "A$": Currency(Thing("Australian dollar", "Australian dollars"), _CENT),
    "C$": Currency(Thing("Canadian dollar", "Canadian dollars"), _CENT),
    "NZ$": Currency(Thing("New Zealand dollar", "New Zealand dollars"), _CENT),
    "EUR": Currency(_EURO, _CENT),
    "USD": _US_DOLLAR,
    "GBP": Currency(_POUND, _PENCE),
    "CHF": Currency(Thing("Swiss franc", "Swiss francs"), Thing("centime", "centimes")),
}


def _same(names: str, one: str, many: str = "") -> dict[str, Thing]:
    return dict.fromkeys(names.split(), Thing(one, many or one + "s"))


def units(*, american: bool) -> dict[str, Thing]:
    metre, litre = ("meter", "liter") if american else ("metre", "litre")
    return {
        **_same("m", metre),
        **_same("km", f"kilo{metre}"),
        **_same("cm", f"centi{metre}"),
        **_same("mm", f"milli{metre}"),
        **_same("m² m2 sqm", f"square {metre}"),
        **_same("m³ m3", f"cubic {metre}"),
        **_same("l L", litre),
        **_same("ml mL", f"milli{litre}"),
        **_same("kg", "kilogram"),
        **_same("g", "gram"),
        **_same("mg", "milligram"),
        **_same("lb lbs", "pound"),
        **_same("oz", "ounce"),
        **_same("ft", "foot", "feet"),
        **_same("yd yds", "yard"),
        **_same("mi", "mile"),
        **_same("mph", "mile per hour", "miles per hour"),
        **_same("km/h kmh kph", f"kilo{metre} per hour", f"kilo{metre}s per hour"),
        **_same("°C ℃", "degree Celsius", "degrees Celsius"),
        **_same("°F ℉", "degree Fahrenheit", "degrees Fahrenheit"),
        **_same("°", "degree"),
        **_same("KB", "kilobyte"),
        **_same("MB", "megabyte"),
        **_same("GB", "gigabyte"),
        **_same("TB", "terabyte"),
        **_same("Mbps", "megabit per second", "megabits per second"),
        **_same("Gbps", "gigabit per second", "gigabits per second"),
        **_same("W", "watt"),
        **_same("kW", "kilowatt"),
        **_same("Wh", "watt hour"),
        **_same("kWh", "kilowatt hour"),
        **_same("mAh", "milliamp hour"),
        **_same("V", "volt"),
        **_same("Nm", f"newton {metre}"),
        **_same("Hz", "hertz", "hertz"),
        **_same("kHz", "kilohertz", "kilohertz"),
        **_same("MHz", "megahertz", "megahertz"),
        **_same("GHz", "gigahertz", "gigahertz"),
        **_same("psi", "P S I", "P S I"),
        **_same("h hr hrs", "hour"),
        **_same("min mins", "minute"),
        **_same("sec secs", "second"),
        **_same("ms", "millisecond"),
        **_same("yr yrs", "year"),
        **_same("wk wks", "week"),
        **_same("kcal", "kilocalorie"),
        **_same("pcs", "piece"),
    }


LEADING = {
    "Mr": "Mister",
    "Mrs": "Missus",
    "Ms": "Ms",
    "Prof": "Professor",
    "Apt": "Apartment",
    "apt": "apartment",
    "Ste": "Suite",
    "Mt": "Mount",
    **{
        variant: said.capitalize() if variant[0].isupper() else said
        for short, said in (
            ("approx", "approximately"),
            ("vs", "versus"),
            ("incl", "including"),
            ("excl", "excluding"),
            ("ext", "extension"),
            ("tel", "telephone"),
        )
        for variant in (short, short.capitalize())
    },
}
"""Abbreviations that something always follows: their full stop ends no sentence."""
FIGURED = {"No": "number", "no": "number", "Nos": "numbers", "est": "established", "Est": "Established", "p": "page",
            "pp": "pages", "vol": "volume", "Vol": "Volume", "fig": "figure", "Fig": "Figure"}  # fmt: skip
"""Abbreviations only in front of a figure."""
CLOSING = {
    "Ave": "Avenue",
    "Rd": "Road",
    "Blvd": "Boulevard",
    "Ln": "Lane",
    "Hwy": "Highway",
    "Pkwy": "Parkway",
    "Sq": "Square",
    "hrs": "hours",
    "hr": "hour",
    "mins": "minutes",
    "min": "minimum",
    "max": "maximum",
    "etc": "et cetera",
    "Ltd": "Limited",
    "Inc": "Incorporated",
    "Bros": "Brothers",
    "Jr": "Junior",
    "Sr": "Senior",
    **{
        variant: said.capitalize() if variant[0].isupper() else said
        for short, said in (("dept", "department"), ("appt", "appointment"), ("qty", "quantity"), ("temp", "temporary"))
        for variant in (short, short.capitalize())
    },
}
"""Abbreviations a sentence can end in."""
ABBREVIATIONS = {"St": "Street", "Dr": "Drive", **LEADING, **FIGURED, **CLOSING}
