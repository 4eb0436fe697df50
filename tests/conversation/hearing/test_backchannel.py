"""What is said while the agent talks: agreeing noises, interruptions, and turns that look like either."""

from __future__ import annotations

import pytest

from voicectl.conversation.hearing.backchannel import is_backchannel


@pytest.mark.parametrize(
    ("language", "texts"),
    [
        ("en-US", ["mm-hmm", "Mhm.", "uh-huh", "Okay.", "okay, okay", "right", "Yeah, yeah.", "I see.", "Got it!",
                   "Oh, okay",
                   "Mm-hmm, yeah, right.", "That makes sense", "All right", "go on", "Yes."]),
        ("", ["okay", "ja", "sí", "oui", "はい", "嗯"]),
        ("sv-SE", ["ja", "okej", "mm-hmm"]),
        ("de-DE", ["Ja", "Genau.", "Ach so", "Alles klar", "Mhm, ja", "Verstehe", "okay"]),
        ("es", ["Sí, sí", "Vale", "Claro que sí", "De acuerdo", "Ajá"]),
        ("fr-FR", ["D’accord", "Oui oui", "Je vois", "Très bien", "Ah bon"]),
        ("it", ["Va bene", "Ho capito", "Certo, certo"]),
        ("pt-BR", ["Tá bom", "Entendi", "Pois é"]),
        ("nl-NL", ["Ja ja", "Precies", "Oké", "Dat klopt"]),
        ("ja-JP", ["はい、はい", "うん", "そうですね", "なるほど", "ええ", "hai"]),
    ],
)  # fmt: skip
def test_backchannels(language: str, texts: list[str]) -> None:
    assert [text for text in texts if not is_backchannel(text, language)] == []


@pytest.mark.parametrize(
    ("language", "texts"),
    [
        ("en-US", ["", "...", "yes please", "okay but", "okay stop", "right, and what about", "Right?", "Okay?",
                   "no", "wait",
                   "what", "thank you", "I see a problem", "yeah I want two", "um", "Sunday", "hello",
                   "okay so what is it",
                   "yeah " * 30]),
        ("de-DE", ["ja bitte", "ja aber", "nein", "genau das will ich", "Wirklich?"]),
        ("fr", ["oui mais", "non", "d'accord et le prix"]),
        ("ja", ["はい、お願いします", "いいえ", "ちょっと待って"]),
    ],
)  # fmt: skip
def test_no_backchannels(language: str, texts: list[str]) -> None:
    assert [text for text in texts if is_backchannel(text, language)] == []


@pytest.mark.parametrize(
    ("language", "texts"),
    [
        ("en", ["Wait.", "hold on", "Stop!", "Sorry?", "What?", "Pardon", "One question.", "Excuse me", "Hello?",
                "No no no",
                "wait, wait", "Stop please", "Say that again", "okay stop"]),
        ("de", ["Moment mal", "Stopp", "Wie bitte?", "Eine Frage", "Entschuldigung", "Bitte?"]),
        ("es", ["Espere", "¿Perdón?", "Un momento", "¿Cómo?"]),
        ("fr", ["Attendez", "Pardon ?", "Une question"]),
        ("it", ["Aspetti", "Un attimo", "Scusi?"]),
        ("pt", ["Espera", "Desculpe", "Um momento"]),
        ("nl", ["Wacht even", "Sorry?", "Een vraag"]),
        ("ja", ["待って", "すみません", "え？"]),
    ],
)  # fmt: skip
def test_short_interruptions(language: str, texts: list[str]) -> None:
    assert [text for text in texts if is_backchannel(text, language)] == []
