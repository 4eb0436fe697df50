"""The agent's own words, language by language, and an owner's in their place."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import fields

import pytest

from voicectl.conversation.hearing.moments import asks_a_question
from voicectl.conversation.phrases import ENGLISH, Phrases, known_languages, overridden, phrases_for
from voicectl.errors import ConfigError

NAMES = [field.name for field in fields(Phrases)]
FOREIGN = [language for language in known_languages() if language != "en"]
FIXED = ("minutes", "dayparts")
FILLERS = ("thinking", "looking_up", "working", "still_working")
PROMISES = {
    "en": r"found|here (?:it|you|we|they)|done|got it|i've got|i have (?:it|the|your)|ready|success|sorted|results?",
    "de": r"gefunden|hier (?:ist|sind|haben)|fertig|erledigt|geschafft|ich hab|habe ich|ergebnis\w*|bereit|gelungen",
    "es": r"encontr\w*|aquí (?:está|tiene|lo)|listo|hecho|ya (?:lo )?(?:tengo|está)|lo tengo|resultados?|conseguido",
    "fr": r"trouv\w*|voilà|voici|prêt|c'est (?:fait|bon)|ça y est|je l'ai|résultats?|terminé|réussi",
    "it": r"trovat\w*|ecco\w*|fatto|pronto|ce l'ho|risultat\w*|finito|riuscit\w*",
    "pt": r"encontr\w*|ach(?:ei|ado)|aqui está|pront[oa]|feito|já tenho|consegui\w*|resultados?|terminei",
    "nl": r"gevonden|hier (?:is|heb|zijn)|klaar|gelukt|gedaan|ik heb|resultaa?t\w*|alstublieft hier",
    "ja": r"見つか|分かりました|わかりました|できました|完了|こちらです|ございました|終わりました|結果",
}
"""Words of somebody who has what was looked for."""
FAMILIAR = {
    "en": r"$^",
    "de": r"du|dir|dich|dein\w*|euch|euer",
    "es": r"tú|te|ti|tus?|contigo|vosotros|vuestr\w+|espera|dime",
    "fr": r"tu|te|toi|ton|ta|tes|t'\w+",
    "it": r"tu|ti|te|tuoi?|tua|tue|aspetta|dimmi",
    "pt": r"tu|te|ti|teus?|tuas?|contigo",
    "nl": r"je|jij|jou|jouw|jullie",
    "ja": r"だよ|だね|待って(?!い)|ごめん",
}
"""How strangers are not spoken to."""


def wordings(phrases: Phrases, name: str) -> tuple[str, ...]:
    words = getattr(phrases, name)
    return (words,) if isinstance(words, str) else tuple(words)


def has(pattern: str, text: str, language: str) -> bool:
    bounded = pattern if language == "ja" else rf"(?<!\w)(?:{pattern})(?!\w)"
    return re.search(bounded, text.lower()) is not None


def test_known_languages_are_primary_subtags_in_order() -> None:
    assert known_languages() == ("de", "en", "es", "fr", "it", "ja", "nl", "pt")
    assert len({id(phrases_for(language)) for language in known_languages()}) == 8


@pytest.mark.parametrize(
    ("tag", "language"),
    [("de-CH", "de"), ("DE", "de"), ("pt-BR", "pt"), ("ja_JP", "ja"), ("zh-Hans-CN", "en"), ("en-GB", "en"),
     ("", "en"), ("multi", "en"), ("deu", "en")],
)  # fmt: skip
def test_the_primary_subtag_counts(tag: str, language: str) -> None:
    assert phrases_for(tag) is phrases_for(language)
    assert (phrases_for(tag) is ENGLISH) is (language == "en")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("language", FOREIGN)
def test_every_language_has_its_own_of_everything(language: str, name: str) -> None:
    own, english = getattr(phrases_for(language), name), getattr(ENGLISH, name)
    assert type(own) is type(english)
    assert own != english
    if name not in FIXED:  # "minutes" is French too
        assert not set(wordings(phrases_for(language), name)) & set(wordings(ENGLISH, name))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("language", known_languages())
def test_shapes(language: str, name: str) -> None:
    words = wordings(phrases_for(language), name)
    assert all(each.strip() and "  " not in each and "\n" not in each for each in words)
    if isinstance(getattr(ENGLISH, name), str):
        return
    if name in FIXED:
        assert len(words) == len(getattr(ENGLISH, name))
    else:
        assert len(words) >= 2
        assert len(set(words)) == len(words)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("language", known_languages())
def test_placeholders_are_those_of_english(language: str, name: str) -> None:
    def placeholders(phrases: Phrases) -> list[list[str]]:
        return [re.findall(r"\{[^}]*\}?|\}", each) for each in wordings(phrases, name)]

    expected = {"ask_again": ["{question}"], "ask_choice": ["{choices}"], "length_warning": ["{minutes}"]}
    if name == "minutes":
        assert placeholders(phrases_for(language)) == [[], ["{count}"]]
    else:
        assert all(found == expected.get(name, []) for found in placeholders(phrases_for(language)))


@pytest.mark.parametrize("language", known_languages())
def test_fillers_promise_nothing_and_no_two_are_alike(language: str) -> None:
    phrases = phrases_for(language)
    said = [each for name in FILLERS for each in wordings(phrases, name)]
    assert not [each for each in said if has(PROMISES[language], each, language)]
    assert len({re.sub(r"\W", "", each.lower()) for each in said}) == len(said)


@pytest.mark.parametrize(
    ("language", "promise"),
    [("en", "I found it."), ("de", "Ich hab's gefunden."), ("es", "Ya lo tengo."), ("fr", "Voilà, un instant."),
     ("it", "Ecco qui."), ("pt", "Já encontrei."), ("nl", "Het is gelukt."), ("ja", "見つかりました。")],
)  # fmt: skip
def test_a_promise_is_noticed(language: str, promise: str) -> None:
    assert has(PROMISES[language], promise, language)


@pytest.mark.parametrize("language", known_languages())
def test_callers_are_spoken_to_politely(language: str) -> None:
    said = [each for name in NAMES for each in wordings(phrases_for(language), name)]
    assert not [each for each in said if has(FAMILIAR[language], each, language)]


@pytest.mark.parametrize("name", ["offer_person", "confirm_person", "go_on", "lost_thread", "apology", "switched"])
@pytest.mark.parametrize("language", known_languages())
def test_what_wants_an_answer_is_heard_as_a_question(language: str, name: str) -> None:
    for each in wordings(phrases_for(language), name):
        assert asks_a_question(each, language)
        assert each.endswith(("?", "？"))


@pytest.mark.parametrize("name", ["silent_goodbye", "give_up", "wind_down", "time_is_up", "goodbye", "shutting_down"])
@pytest.mark.parametrize("language", known_languages())
def test_what_ends_a_call_asks_nothing_and_says_goodbye(language: str, name: str) -> None:
    (words,) = wordings(phrases_for(language), name)
    farewell = re.findall(r"[^\W\d_]+", phrases_for(language).goodbye)[-1]
    assert words.rstrip(".。").lower().endswith(farewell.lower())
    assert "?" not in words and "？" not in words


# --- an owner's own ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "de", "ja"])
def test_an_owner_s_words_replace_those_named_and_no_others(language: str) -> None:
    phrases = phrases_for(language)
    given: Mapping[str, str | Sequence[str]] = {
        "goodbye": "Toodle-oo.",
        "reprompts": ["Hello?"],
        "ask_again": ["{question}", "Well?"],
        "minutes": ["one minute", "{count} of them"],
    }
    own = overridden(phrases, given)
    assert (own.goodbye, own.reprompts, own.ask_again) == ("Toodle-oo.", ("Hello?",), ("{question}", "Well?"))
    assert own.minutes == ("one minute", "{count} of them")
    assert all(getattr(own, name) == getattr(phrases, name) for name in NAMES if name not in given)
    assert overridden(phrases, {}) == phrases


@pytest.mark.parametrize(
    ("given", "message", "hint"),
    [
        ({"repromts": ["Hello?"]}, "phrases.repromts: no such words", "did you mean 'reprompts'?"),
        ({"goodby": "Bye."}, "phrases.goodby: no such words", "did you mean 'goodbye'?"),
        ({"xyzzy": "Bye."}, "phrases.xyzzy: no such words", "there are: reprompts, ask_again"),
        ({"ask_again": ["{qestion}"]}, "phrases.ask_again: nothing stands for {qestion} there", "mean {question}?"),
        ({"goodbye": "Bye {name}."}, "phrases.goodbye: nothing stands for {name} there", "no braces"),
        ({"length_warning": "{minutes} {count}"}, "nothing stands for {count} there", "{minutes}"),
        ({"ask_choice": ["{choices"]}, "phrases.ask_choice: nothing stands for { there", "{choices}"),
        ({"ask_choice": ["ok", "choices}"]}, "phrases.ask_choice: nothing stands for } there", "{choices}"),
        ({"reprompts": "Hello?"}, "phrases.reprompts: a list of texts is wanted", "reprompts = ["),
        ({"goodbye": ["Bye."]}, "phrases.goodbye: one text is wanted", 'goodbye = "'),
        ({"goodbye": 7}, "phrases.goodbye: one text is wanted", ""),
        ({"reprompts": 7}, "phrases.reprompts: a list of texts is wanted", ""),
        ({"reprompts": ["Hello?", 7]}, "phrases.reprompts: a list of texts is wanted", ""),
        ({"reprompts": []}, "phrases.reprompts: a wording is empty", "usual words"),
        ({"reprompts": ["Hello?", " "]}, "phrases.reprompts: a wording is empty", "usual words"),
        ({"goodbye": ""}, "phrases.goodbye: is empty", "usual words"),
        ({"minutes": ["{count} minutes"]}, "phrases.minutes: 2 texts are wanted, not 1", ""),
        ({"dayparts": ["a", "b", "c", "d"]}, "phrases.dayparts: 3 texts are wanted, not 4", ""),
    ],
)  # fmt: skip
def test_what_an_owner_cannot_say(given: Mapping[str, str | Sequence[str]], message: str, hint: str) -> None:
    with pytest.raises(ConfigError) as raised:
        overridden(ENGLISH, given)
    assert message in raised.value.message
    assert hint in raised.value.hint
