"""The language of a call, and how it changes."""

from __future__ import annotations

import pytest
from rig import Rig

from voicectl.conversation import effects as fx
from voicectl.conversation.languages import Ear, primary
from voicectl.conversation.manners import Manners
from voicectl.conversation.phrases import Phrases

GERMAN = Phrases(switched="Gern, sprechen wir Deutsch.", apology="Das ging leider nicht.", reprompts=("Sind Sie da?",))
SPANISH = Phrases(switched="Claro, hablemos español.")
M = Manners(others={"de-DE": GERMAN, "es-MX": SPANISH}, numbers_for_the_ear=False)
QUESTION = "Wann haben Sie heute geöffnet?"


def switches(rig: Rig) -> list[str]:
    return [switch.language for switch in rig.of(fx.SwitchLanguage)]


@pytest.mark.parametrize(
    ("tag", "name"), [("de-DE", "de"), ("de", "de"), ("EN-us", "en"), ("zh-Hant-TW", "zh"), ("", "")]
)
def test_only_the_primary_part_of_a_tag_counts(tag: str, name: str) -> None:
    assert primary(tag) == name


def test_the_ear_offers_the_language_of_the_call_first() -> None:
    assert Ear(M).offered == ("en-US", "de-DE", "es-MX")


@pytest.mark.parametrize(
    ("heard", "told"),
    [
        ([("de", "drei Worte reichen")], "de-DE"),
        ([("de-AT", "drei Worte reichen")], "de-DE"),
        ([("de", "zwei Worte")], ""),
        ([("de", "ja"), ("de", "nein")], "de-DE"),
        ([("de", "ja"), ("en", "yes"), ("de", "ja")], ""),
        ([("de", "ja"), ("", "mhm"), ("de", "ja")], ""),
        ([("de", "ja"), ("multi", "mhm"), ("de", "ja")], ""),
        ([("de", "ja"), ("fr", "oui"), ("de", "ja")], ""),
        ([("de", "ja"), ("es", "sí")], ""),
        ([("de", "ja"), ("es", "sí"), ("es", "no")], "es-MX"),
        ([("fr", "je ne sais pas"), ("fr", "vraiment pas du tout")], ""),
        ([("en-GB", "three words suffice")], ""),
        ([("multi", "three words suffice"), ("multi", "and more")], ""),
    ],
)
def test_a_language_is_told_by_one_utterance_of_three_words_or_two_in_a_row(
    heard: list[tuple[str, str]], told: str
) -> None:
    ear = Ear(M)
    assert [ear.heard(*each) for each in heard][-1] == told


def test_after_a_change_the_ear_listens_for_the_others() -> None:
    ear = Ear(M)
    ear.switched("de-DE")
    assert ear.heard("de", "drei Worte reichen") == ""
    assert ear.heard("en", "three words suffice") == "en-US"


# --- in a call ---------------------------------------------------------------------------------------------


def test_the_call_goes_on_in_the_language_that_is_heard() -> None:
    rig = Rig(M)
    out = rig.says(QUESTION, lang="de")
    kinds = [type(effect) for effect in out]
    assert switches(rig) == ["de-DE"]
    assert kinds.index(fx.SwitchLanguage) < kinds.index(fx.StartGeneration)
    assert (rig.asked[0].language, rig.asked[0].lines[0].text) == ("de-DE", QUESTION)
    rig.fails()
    assert rig.last_turn.said == GERMAN.apology and rig.last_turn.lang == "de-DE"
    rig.hears_all()
    rig.wait(M.silence)
    assert rig.last_turn.kind == "reprompt" and rig.last_turn.said == "Sind Sie da?"


def test_short_words_have_to_be_heard_twice() -> None:
    rig = Rig(M)
    rig.says("Hallo.", lang="de")
    assert not switches(rig) and rig.asked[-1].language == "en-US"
    rig.says("Geöffnet?", lang="de")
    assert switches(rig) == ["de-DE"] and rig.asked[-1].language == "de-DE"


def test_words_that_are_not_final_change_nothing() -> None:
    rig = Rig(M)
    rig.says(QUESTION, final=False, lang="de")
    rig.says(QUESTION, final=False, lang="de")
    assert not switches(rig)


def test_the_way_back_is_the_same() -> None:
    rig = Rig(M)
    rig.says(QUESTION, lang="de")
    rig.replies("Von zehn an.")
    rig.hears_all()
    rig.says("And on Sunday mornings too?", lang="en")
    assert switches(rig) == ["de-DE", "en-US"] and rig.asked[-1].language == "en-US"


def test_a_language_that_is_asked_for_is_confirmed_in_it_without_the_model() -> None:
    rig = Rig(M)
    out = rig.says("Can we speak German?", lang="en")
    kinds = [type(effect) for effect in out]
    assert switches(rig) == ["de-DE"] and not rig.asked
    assert rig.told == [("speech", "Can we speak German?"), ("notice", GERMAN.switched)]
    assert rig.last_turn.lang == "de-DE" and kinds.index(fx.SwitchLanguage) < kinds.index(fx.Say)
    rig.hears_all()
    rig.says("Wann öffnen Sie?", lang="de")
    assert switches(rig) == ["de-DE"] and rig.asked[-1].language == "de-DE"


def test_a_language_that_is_asked_for_goes_before_an_older_reply() -> None:
    rig = Rig(M)
    rig.says("Tell me all.")
    rig.writes("Red is warm. ")
    generation = rig.live
    out = rig.says("Can we speak German?")
    assert fx.CancelGeneration(generation) in out and fx.Unsay(-1) in out
    assert rig.machine.turns[1].failure == "overrun" and rig.machine.turns[1].lang == "en-US"


def test_the_language_of_the_call_is_not_switched_to_and_the_model_answers() -> None:
    rig = Rig(M)
    rig.says("Can we speak English?")
    assert not switches(rig) and len(rig.asked) == 1


def test_a_language_that_the_call_does_not_have_is_for_the_model_to_refuse() -> None:
    rig = Rig(M)
    rig.says("Can we speak French?")
    rig.says("Je voudrais parler français.", lang="fr")
    assert not switches(rig) and len(rig.asked) == 2


def test_a_call_in_one_language_stays_in_it() -> None:
    rig = Rig()
    rig.says(QUESTION, lang="de")
    rig.says("Can we speak German?")
    assert not switches(rig) and [start.language for start in rig.asked] == ["en-US", "en-US"]


def test_turns_know_the_language_they_were_in() -> None:
    rig = Rig(M)
    rig.says(QUESTION, lang="de-AT")
    rig.replies("Von zehn an.")
    rig.hears_all()
    rig.says("Danke für die Auskunft.")
    assert [turn.lang for turn in rig.machine.turns] == ["de-AT", "de-DE", "de-DE"]


def test_a_reply_that_is_being_written_keeps_its_language() -> None:
    rig = Rig(M)
    rig.says("Tell me all.")
    rig.writes("Red is warm. ")
    rig.audio(True)
    rig.wait(1)
    rig.cuts_in("Red", 300)
    rig.says(QUESTION, lang="de")
    assert [turn.lang for turn in rig.machine.turns] == ["en-US", "en-US", "de"]
