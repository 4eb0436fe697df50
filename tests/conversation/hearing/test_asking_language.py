"""Asking to be spoken to in another language, and merely speaking of one."""

from __future__ import annotations

import pytest

from voicectl.conversation.hearing.asking_language import wants_language

OFFERED = ("en-US", "de-DE", "es-ES", "fr-FR", "it-IT", "pt-BR", "nl-NL", "ja-JP", "zh-CN", "pl")


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("Can we speak German?", "de-DE"),
        ("auf Deutsch bitte", "de-DE"),
        ("Sprechen Sie Deutsch?", "de-DE"),
        ("Können wir auf Deutsch reden?", "de-DE"),
        ("Können wir bitte Englisch sprechen", "en-US"),
        ("Deutsch", "de-DE"),
        ("¿Habla español?", "es-ES"),
        ("Spanish please", "es-ES"),
        ("podemos hablar en español", "es-ES"),
        ("I only speak Spanish", "es-ES"),
        ("I don't speak English, do you speak Spanish?", "es-ES"),
        ("Can you say that in Spanish?", "es-ES"),
        ("I'd prefer to speak Spanish", "es-ES"),
        ("en français s'il vous plaît", "fr-FR"),
        ("Parlez-vous français ?", "fr-FR"),
        ("Could we switch to French", "fr-FR"),
        ("I prefer French", "fr-FR"),
        ("Parla italiano?", "it-IT"),
        ("Você fala português?", "pt-BR"),
        ("Spreekt u Nederlands?", "nl-NL"),
        ("do you speak Japanese", "ja-JP"),
        ("日本語でお願いします", "ja-JP"),
        ("日本語話せますか", "ja-JP"),
        ("说中文", "zh-CN"),
        ("中文可以吗", "zh-CN"),
        ("Czy mówi pan po polsku?", "pl"),
    ],
)
def test_a_language_is_asked_for(text: str, tag: str) -> None:
    assert wants_language(text, OFFERED) == tag
    assert wants_language(text, [each for each in OFFERED if each != tag]) == ""


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Do you have the Spanish menu",
        "do the guides speak French",
        "I don't speak Italian",
        "Is the tour in German?",
        "Is there a tour in Spanish please",
        "My wife is German",
        "Do you teach Spanish?",
        "How do you say hello in Spanish",
        "I'd like the French toast",
        "I'd prefer French fries",
        "I prefer Italian food",
        "Can you change to the Italian dressing",
        "Ich spreche kein Englisch",
        "Do you speak Klingon",
    ],
)
def test_none_is(text: str) -> None:
    assert wants_language(text, OFFERED) == ""


def test_the_first_of_several_tags() -> None:
    assert wants_language("English please", ("de-DE", "en-GB", "en-US")) == "en-GB"
    assert wants_language("Do you speak Norwegian?", ("en", "nb-NO")) == "nb-NO"
