"""Asking for a moment, and what the agent's own words ask."""

from __future__ import annotations

import pytest

from voicectl.conversation.hearing.moments import asks_a_question, asks_for_number, offered_choices, wants_a_moment


@pytest.mark.parametrize(
    ("language", "texts"),
    [
        ("en-US", [
            "Hold on.", "One second", "Just a moment, please.", "let me check", "Hang on a sec, I'm looking for it",
            "Give me a minute", "Wait a second", "Can you hold on a second?", "Let me see.", "Let me think about it",
            "Okay, let me get my card", "Um, one moment", "bear with me", "I'm looking for it",
            "Let me check my calendar",
            "Yeah, hold on, let me find my order number", "Just a sec", "I need to find my card", "hold on hold on",
        ]),
        ("de-DE", ["Einen Moment bitte", "Moment mal", "Warten Sie kurz", "Ich muss mal nachsehen", "Augenblick",
                   "Lassen Sie mich kurz nachschauen"]),
        ("es", ["Un momento, por favor", "Espere un segundo", "Déjeme ver", "A ver"]),
        ("fr-FR", ["Un instant s’il vous plaît", "Attendez", "Je cherche mon numéro", "Ne quittez pas"]),
        ("it", ["Un attimo", "Aspetti un momento", "Mi faccia controllare"]),
        ("pt-BR", ["Só um momento", "Espera um pouco", "Deixa eu ver"]),
        ("nl", ["Een momentje", "Even kijken", "Wacht even"]),
        ("ja-JP", ["ちょっと待ってください", "少々お待ちください", "待って"]),
        ("sv-SE", ["ett ögonblick", "hold on"]),
    ],
)  # fmt: skip
def test_a_moment(language: str, texts: list[str]) -> None:
    assert [text for text in texts if not wants_a_moment(text, language)] == []


@pytest.mark.parametrize(
    ("language", "texts"),
    [
        ("en-US", [
            "", "Wait, that's wrong", "Hold on, what about Sunday?", "One", "One please", "just a table", "give me two",
            "How long is the wait", "let me get a pizza", "let me know", "Wait, is Sunday okay", "a minute ago I asked",
            "I'm looking for a bike", "one second floor room", "Can you wait until five", "okay", "please", "a few",
            "Let me ask you something", "I need a minute by minute plan for it", "I want to think",
        ]),
        ("de-DE", ["Moment, das stimmt nicht", "Warten Sie, ich habe noch eine Frage", "Ja bitte", "eine",
                   "Ich suche ein Rad"]),
        ("es", ["Espere, eso no es correcto", "un café"]),
        ("fr", ["Attendez, c'est faux", "un café"]),
    ],
)  # fmt: skip
def test_no_moment(language: str, texts: list[str]) -> None:
    assert [text for text in texts if wants_a_moment(text, language)] == []


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en-US", "What's your phone number?"),
        ("en-US", "Sure, I can look that up. Could you give me your order number?"),
        ("en-US", "Please enter your four digit code."),
        ("en-US", "May I have a number where I can reach you? You can also type it."),
        ("en-US", "And your zip code?"),
        ("en-US", "I'll need your account number, please."),
        ("en-US", "What is your date of birth?"),
        ("de-DE", "Wie lautet Ihre Kundennummer?"),
        ("de-DE", "Bitte nennen Sie mir Ihre Postleitzahl."),
        ("es-ES", "¿Cuál es su número de teléfono?"),
        ("fr-FR", "Quel est votre numéro de commande ?"),
        ("it-IT", "Qual è il suo numero di telefono?"),
        ("pt-BR", "Qual é o seu número de telefone?"),
        ("nl-NL", "Wat is uw telefoonnummer?"),
        ("ja-JP", "お電話番号を教えてください。"),
    ],
)
def test_asking_for_a_number(language: str, said: str) -> None:
    assert asks_for_number(said, language)


@pytest.mark.parametrize(
    "said",
    [
        "",
        "Our phone number is 555 0123.",
        "Would you like our phone number?",
        "I have your phone number. What day would you like?",
        "Is 555 0123 the right number?",
        "Is that the right number?",
        "Shall I call you back on this number?",
        "How many people are coming?",
        "What number of people?",
        "Which card would you like to use?",
        "What time would you like to come?",
        "Thank you, I've noted your order number.",
    ],
)
def test_not_asking_for_a_number(said: str) -> None:
    assert not asks_for_number(said, "en-US")


@pytest.mark.parametrize(
    ("said", "question"),
    [
        ("", ""),
        ("We're open from nine to five.", ""),
        ("We're open from nine to five. Is there anything else?", "Is there anything else?"),
        ("Great, what day would you like?", "What day would you like?"),
        ("Great! And what time? You can take your time.", "What time?"),
        ("What name is it under? And how many people?", "How many people?"),
        ("Do you want delivery? Or collection?", "Do you want delivery? Or collection?"),
        ("You said Tuesday. Is that right?", "You said Tuesday. Is that right?"),
        ("Please tell me your order number.", "Please tell me your order number."),
        ("Okay.", ""),
        ("So you want a table. So what day?", "What day?"),
        ("予約は何時ですか？", "予約は何時ですか？"),
        ("Gut, wann möchten Sie kommen?", "Wann möchten Sie kommen?"),
    ],
)
def test_the_question_asked(said: str, question: str) -> None:
    assert asks_a_question(said, "") == question


@pytest.mark.parametrize(
    ("said", "language", "choices"),
    [
        ("Do you mean delivery or collection?", "en-US", ("delivery", "collection")),
        ("Sure. Would you like it red, blue, or green?", "en", ("it red", "blue", "green")),
        ("Would you prefer the morning or the afternoon?", "en", ("the morning", "the afternoon")),
        ("Which would you like: inside or outside?", "en", ("inside", "outside")),
        ("Are you coming on Saturday or Sunday?", "en", ("Saturday", "Sunday")),
        ("Do you want delivery? Or collection?", "en", ("delivery", "collection")),
        ("What would you like, tea or coffee?", "en", ("tea", "coffee")),
        ("Möchten Sie Lieferung oder Abholung?", "de-DE", ("Lieferung", "Abholung")),
        ("Voulez-vous du thé ou du café ?", "fr", ("du thé", "du café")),
        ("¿Prefiere el sábado o el domingo?", "es", ("el sábado", "el domingo")),
        ("Is there anything else?", "en", ()),
        ("Would you like to book or not?", "en", ()),
        ("Do you need a helmet or anything else?", "en", ()),
        ("Shall I book it, or would you like to wait?", "en", ()),
        ("We have red or blue ones.", "en", ()),
        ("Would you like to come in on Tuesday at the shop by the river or to wait for the next tour of the harbor?",
        "en", ()),
        ("", "en", ()),
    ],
)  # fmt: skip
def test_choices(said: str, language: str, choices: tuple[str, ...]) -> None:
    assert offered_choices(said, language) == choices
