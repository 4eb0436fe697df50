"""What a caller who says nothing is told."""

from __future__ import annotations

from itertools import pairwise

import pytest

from voicectl.conversation.phrases import ENGLISH, Phrases, known_languages, overridden, phrases_for
from voicectl.conversation.silence import Prompt, Silence


def silences(
    said: str,
    number: int,
    *,
    language: str = "en",
    limit: int = 2,
    can_transfer: bool = False,
    phrases: Phrases | None = None,
) -> list[Prompt]:
    silence, words = Silence(), phrases or phrases_for(language)
    return [silence.next(words, said, limit=limit, can_transfer=can_transfer, language=language) for _ in range(number)]


def texts(said: str, number: int = 2, *, language: str = "en", phrases: Phrases | None = None) -> list[str]:
    prompts = silences(said, number, language=language, limit=number, phrases=phrases)
    assert {prompt.kind for prompt in prompts} == {"reprompt"}
    return [prompt.text for prompt in prompts]


# --- words that fit ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en-US", "We open at ten."),
        ("en-US", ""),
        ("en-US", "We have bells. Is there anything else I can help with?"),
        ("en-US", "Hello, this is Kim. How can I help you?"),
        ("en-US", "What can I do for you?"),
        ("en-US", "Do you have any other questions?"),
        ("de-DE", "Wir öffnen um zehn."),
        ("de-DE", "Kann ich sonst noch etwas für Sie tun?"),
        ("de-DE", "Guten Tag, hier ist Kim. Wie kann ich Ihnen helfen?"),
        ("de-DE", "Haben Sie noch Fragen?"),
        ("es-ES", "¿Puedo ayudarle en algo más?"),
        ("es-MX", "Hola, ¿en qué puedo ayudarle?"),
        ("fr-FR", "Puis-je faire autre chose pour vous ?"),
        ("fr-FR", "Bonjour, comment puis-je vous aider ?"),
        ("it-IT", "Posso aiutarla in altro?"),
        ("it-IT", "Buongiorno, come posso aiutarla?"),
        ("pt-BR", "Posso ajudar com mais alguma coisa?"),
        ("pt-BR", "Olá, em que posso ajudar?"),
        ("nl-NL", "Kan ik verder nog iets voor u doen?"),
        ("nl-NL", "Goedemorgen, waarmee kan ik u helpen?"),
        ("ja-JP", "十時に開きます。"),
        ("ja-JP", "他に何かございますか？"),
        ("ja-JP", "どのようなご用件でしょうか？"),
    ],
)
def test_where_nothing_was_asked_the_general_words_fit(language: str, said: str) -> None:
    assert texts(said, language=language) == list(phrases_for(language).reprompts)


@pytest.mark.parametrize("language", known_languages())
def test_how_a_switch_and_a_greeting_end_is_not_parroted(language: str) -> None:
    phrases = phrases_for(language)
    assert texts(phrases.switched, language=language) == list(phrases.reprompts)


@pytest.mark.parametrize(
    ("language", "said", "first", "second"),
    [
        ("en-US", "Friday is free. Which day would suit you best?",
         "Take your time. Which day would suit you best?", "Are you still there? Which day would suit you best?"),
        ("en-GB", "Great, and what time?", "Take your time. What time?", "Are you still there? What time?"),
        ("en-US", "How can I tell them apart?", "Take your time. How can I tell them apart?",
         "Are you still there? How can I tell them apart?"),
        ("de-DE", "Gern. Welcher Tag passt Ihnen?", "Lassen Sie sich ruhig Zeit. Welcher Tag passt Ihnen?",
         "Sind Sie noch da? Welcher Tag passt Ihnen?"),
        ("es-ES", "Muy bien. ¿Qué día le viene bien?", "Tómese su tiempo. ¿Qué día le viene bien?",
         "¿Sigue ahí? ¿Qué día le viene bien?"),
        ("es-ES", "¿Cómo puedo llamarle?", "Tómese su tiempo. ¿Cómo puedo llamarle?",
         "¿Sigue ahí? ¿Cómo puedo llamarle?"),
        ("fr-FR", "Quel jour vous convient ?", "Prenez votre temps. Quel jour vous convient ?",
         "Vous êtes toujours là ? Quel jour vous convient ?"),
        ("it-IT", "Che giorno preferisce?", "Faccia con calma. Che giorno preferisce?",
         "È ancora in linea? Che giorno preferisce?"),
        ("pt-BR", "Qual dia é melhor para você?", "Fique à vontade, sem pressa. Qual dia é melhor para você?",
         "Você ainda está aí? Qual dia é melhor para você?"),
        ("nl-NL", "Welke dag komt u uit?", "Neem rustig de tijd. Welke dag komt u uit?",
         "Bent u er nog? Welke dag komt u uit?"),
        ("ja-JP", "何時がよろしいですか？", "どうぞごゆっくり。何時がよろしいですか？",
         "もしもし、お聞こえでしょうか？何時がよろしいですか？"),
        ("sv-SE", "Vilken dag passar bäst?", "Take your time. Vilken dag passar bäst?",
         "Are you still there? Vilken dag passar bäst?"),
    ],
)  # fmt: skip
def test_a_question_is_asked_again(language: str, said: str, first: str, second: str) -> None:
    assert texts(said, language=language) == [first, second]


@pytest.mark.parametrize(
    ("language", "said", "first", "second"),
    [
        ("en-US", "Would you like delivery or collection?",
         "Which would you like: delivery or collection?", "Are you still there? Delivery or collection?"),
        ("en-US", "Do you prefer red, green, or blue?",
         "Which would you like: red, green or blue?", "Are you still there? Red, green or blue?"),
        ("de-DE", "Möchten Sie lieber Lieferung oder Abholung?",
         "Was soll es sein: Lieferung oder Abholung?", "Sind Sie noch da? Lieferung oder Abholung?"),
        ("es-ES", "¿Prefiere el lunes o el martes?",
         "¿Qué prefiere: el lunes o el martes?", "¿Sigue ahí? ¿El lunes o el martes?"),
        ("fr-FR", "Préférez-vous lundi ou mardi ?",
         "Que préférez-vous : lundi ou mardi ?", "Vous êtes toujours là ? Lundi ou mardi ?"),
        ("it-IT", "Preferisce lunedì o martedì?",
         "Che cosa preferisce: lunedì o martedì?", "È ancora in linea? Lunedì o martedì?"),
        ("pt-BR", "Prefere segunda ou terça?",
         "O que você prefere: segunda ou terça?", "Você ainda está aí? Segunda ou terça?"),
        ("nl-NL", "Wilt u bezorgen of afhalen?",
         "Wat mag het zijn: bezorgen of afhalen?", "Bent u er nog? Bezorgen of afhalen?"),
    ],
)  # fmt: skip
def test_a_choice_is_named_again(language: str, said: str, first: str, second: str) -> None:
    assert texts(said, language=language) == [first, second]


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en-US", "Sure. What's your order number?"),
        ("en-US", "Please tell me your phone number, with the area code, so that somebody from the workshop can "
                  "call you back as soon as the bicycle is ready."),
        ("de-DE", "Können Sie mir Ihre Bestellnummer sagen?"),
        ("es-ES", "¿Cuál es su número de pedido?"),
        ("fr-FR", "Quel est votre numéro de commande ?"),
        ("it-IT", "Qual è il suo numero d'ordine?"),
        ("pt-BR", "Qual é o número do pedido?"),
        ("nl-NL", "Wat is uw bestelnummer?"),
        ("ja-JP", "電話番号を教えてください。"),
    ],
)  # fmt: skip
def test_who_was_asked_for_a_number_is_told_about_the_keys(language: str, said: str) -> None:
    assert texts(said, language=language) == list(phrases_for(language).ask_number)


@pytest.mark.parametrize(
    ("words", "again"),
    [(15, True), (16, False)],
)
def test_a_long_question_is_not_asked_again_word_by_word(words: int, again: bool) -> None:
    question = " ".join(["Is", *["very"] * (words - 2), "late?"])
    assert texts(question)[0] == (f"Take your time. {question}" if again else ENGLISH.reprompts[0])


def test_a_long_choice_is_not_named_again() -> None:
    said = (
        "Would you like the red one from last year, the green one with a bell, the blue one with the basket "
        "or the black one?"
    )
    assert texts(said) == list(ENGLISH.reprompts)


def test_owners_reprompts_are_said_where_nothing_was_asked_and_only_there() -> None:
    own = overridden(ENGLISH, {"reprompts": ["Hello?", "Anybody home?", "Knock, knock."]})
    assert texts("We open at ten.", 3, phrases=own) == ["Hello?", "Anybody home?", "Knock, knock."]
    assert texts("Which day suits you?", 1, phrases=own) == ["Take your time. Which day suits you?"]


def test_owners_words_may_do_without_the_question() -> None:
    own = overridden(ENGLISH, {"ask_again": ["Well?"]})
    assert texts("Which day suits you?", phrases=own) == ["Well?", "Well?"]


@pytest.mark.parametrize("language", known_languages())
@pytest.mark.parametrize("said", ["We open at ten.", "Which day?", "Tea or coffee?", "What's your order number?"])
def test_no_two_silences_in_a_row_are_answered_alike(language: str, said: str) -> None:
    answered = texts(said, 5, language=language)
    assert all(one != other for one, other in pairwise(answered))
    assert not any("{" in text or "}" in text for text in answered)


# --- how it ends -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en-US", "fr-CA", "ja-JP"])
@pytest.mark.parametrize(
    ("limit", "can_transfer", "kinds"),
    [
        (2, True, ["reprompt", "reprompt", "offer_person", "goodbye", "goodbye"]),
        (2, False, ["reprompt", "reprompt", "goodbye", "goodbye"]),
        (1, True, ["reprompt", "offer_person", "goodbye"]),
        (3, False, ["reprompt", "reprompt", "reprompt", "goodbye"]),
        (0, True, ["offer_person", "goodbye"]),
        (0, False, ["goodbye"]),
    ],
)
def test_reprompts_then_a_person_then_goodbye(language: str, limit: int, can_transfer: bool, kinds: list[str]) -> None:
    prompts = silences("We open at ten.", len(kinds), language=language, limit=limit, can_transfer=can_transfer)
    assert [prompt.kind for prompt in prompts] == kinds
    phrases = phrases_for(language)
    for prompt in prompts:
        if prompt.kind != "reprompt":
            assert prompt.text == (phrases.offer_person if prompt.kind == "offer_person" else phrases.silent_goodbye)


def test_a_word_of_the_caller_starts_anew() -> None:
    silence = Silence()

    def kinds(number: int) -> list[str]:
        return [
            silence.next(ENGLISH, "We open.", limit=1, can_transfer=True, language="en").kind for _ in range(number)
        ]

    assert silence.count == 0
    assert kinds(2) == ["reprompt", "offer_person"] and silence.count == 2
    silence.reset()
    assert silence.count == 0
    assert kinds(3) == ["reprompt", "offer_person", "goodbye"] and silence.count == 3


def test_words_change_with_the_language_of_the_call() -> None:
    silence = Silence()
    first = silence.next(ENGLISH, "We open.", limit=2, can_transfer=False, language="en")
    second = silence.next(phrases_for("de"), "Wir öffnen.", limit=2, can_transfer=False, language="de")
    assert (first.text, second.text) == (ENGLISH.reprompts[0], phrases_for("de").reprompts[1])


# --- patience ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", known_languages())
def test_a_caller_who_wants_a_moment_is_told_once_per_wait_in_other_words_each_time(language: str) -> None:
    silence, phrases = Silence(), phrases_for(language)
    heard = []
    for _ in range(3):
        assert not silence.said_patience
        heard.append(silence.patience(phrases))
        assert silence.said_patience
        assert silence.patience(phrases) == ""
        silence.reset()
    assert heard == [phrases.take_your_time[at % len(phrases.take_your_time)] for at in range(3)]


def test_a_silence_after_a_wait_does_not_count_the_wait() -> None:
    silence = Silence()
    silence.patience(ENGLISH)
    assert silence.count == 0
    prompt = silence.next(ENGLISH, ENGLISH.take_your_time[0], limit=2, can_transfer=False, language="en")
    assert prompt == Prompt(ENGLISH.reprompts[0], "reprompt")
    assert silence.said_patience
