"""What a caller writes down: e-mail addresses, telephone numbers, codes. Said piece by piece, in groups."""

from __future__ import annotations

import re

from voicectl.conversation.numerals.language import Language, Rule, before, grouped, rule, spelled_word

_DOMAINS = "com|org|net|example|info|shop|bike|eu|io|app|dev|co|uk|us|ca|au|nz|ie|de|at|ch|fr|be|es|mx|it|nl"
_MARKS = re.compile(r"[._+/-]|[0-9]+|[^._+/0-9-]+")
_RUNS = re.compile(r"[A-Z]+|[0-9]+")
_COUNTRY = re.compile("1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|[0-9]{1,3}")
"""Country codes: ITU-T E.164. Those of three digits are the rest."""
_NO_MORE = r"(?![A-Za-z0-9]|[-.,:/][0-9])"
_GAP = r"[ .\-–/]"
_TELEPHONES = (
    rf"\+[0-9]{{1,3}}(?:{_GAP}?(?:\([0-9]{{1,5}}\)|[0-9]{{1,12}})){{1,6}}",
    rf"\([0-9]{{2,5}}\) ?[0-9]{{2,8}}(?:{_GAP}[0-9]{{2,5}}){{0,3}}",
    rf"(?<![0-9])(?:1{_GAP})?[0-9]{{3}}{_GAP}[0-9]{{3}}{_GAP}[0-9]{{4}}",
    r"(?<![0-9])0[0-9]{1,5}(?:[ \-–/][0-9]{2,8}){1,4}",
    r"(?<![0-9])[0-9]{2,4}(?: [0-9]{2,4}){2,4}",
    r"(?<![0-9])555[-–][0-9]{4}|(?<![0-9])[0-9]{3}[-–]0[0-9]{3}",
)


def address_rules(language: Language) -> tuple[Rule, ...]:
    """E-mail addresses, and names of sites. Of a word that has been said in part, the rest."""

    def spell(text: str) -> str:
        marks = {
            ".": language.dot,
            "-": language.dash,
            "_": language.underscore,
            "+": language.plus,
            "/": language.slash,
        }
        pieces = (marks.get(p) or (language.digit_group(p) if p.isdigit() else p) for p in _MARKS.findall(text))
        return " ".join(pieces)

    def email(match: re.Match[str]) -> str:
        local = spell(match[1]) + " " if match[1] else ""
        return f"{local}{language.at} {spell(match[2])}"

    def site(match: re.Match[str]) -> str | None:
        text = match[0]
        if not any(c.isalpha() for c in text.partition(".")[0]) and not before(match)[-1:].isalpha():
            return None
        return spell(text.rstrip("/"))

    return (
        rule(r"([A-Za-z0-9._+-]{0,60})@([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)", email),
        rule(
            rf"[A-Za-z0-9-]*(?:\.[A-Za-z0-9-]+)*?\.(?:{_DOMAINS})(?:\.(?:{_DOMAINS}))?(?![A-Za-z0-9.@-]*@)"
            r"(?:/[A-Za-z0-9._/-]*[A-Za-z0-9/])?(?![A-Za-z])",
            site,
        ),
    )


def telephone_rules(language: Language) -> tuple[Rule, ...]:
    def telephone(match: re.Match[str]) -> str | None:
        text = match[0]
        groups = re.findall("[0-9]+", text)
        total = sum(map(len, groups))
        if not 7 <= total <= 19 or before(match)[-1:].isalnum() or re.fullmatch(language.figure, text):
            return None
        if text.startswith("+"):
            country = _COUNTRY.match(groups[0])
            assert country
            groups[:1] = [country[0], *([groups[0][country.end() :]] if groups[0][country.end() :] else [])]
        said = ", ".join(language.digit_group(part) for group in groups for part in grouped(group))
        return f"{language.plus} {said}" if text.startswith("+") else said

    return tuple(rule(pattern + _NO_MORE, telephone) for pattern in _TELEPHONES)


def code_rules(language: Language) -> tuple[Rule, ...]:
    """Capitals with figures: "AB-12345", "A4", "COVID-19". A long one is spelt, a short one read."""

    def code(match: re.Match[str]) -> str | None:
        text = match[0]
        runs = _RUNS.findall(text)
        digits = "".join(run for run in runs if run.isdigit())
        if not digits or len(digits) == sum(map(len, runs)):
            return None
        if runs[0].isdigit() and (len(digits) < 3 or len(runs) < 3):
            return None
        if len(runs) == 2:
            letters, figures = runs
            if len(figures) < 3 and not figures.startswith("0"):
                return f"{letters} {language.cardinal(int(figures))}"
            return f"{spelled_word(letters)}{',' if len(letters) > 1 else ''} {language.spelled(figures)}"
        segments = []
        for segment in text.split("-"):
            said = [language.spelled(r) if r.isdigit() else spelled_word(r) for r in _RUNS.findall(segment)]
            segments.append((" " if all(len(r) < 3 for r in _RUNS.findall(segment)) else ", ").join(said))
        return ", ".join(segments)

    return (rule(r"(?<![A-Za-z0-9])[A-Z0-9]+(?:-[A-Z0-9]+)*(?![A-Za-z0-9])", code),)
