from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicectl.llm.smalltalk import act_of

ACTS = {
    "greeting": ["hello", "Hi there, Robin.", "um hi", "good morning"],
    "thanks": ["thanks", "Thank you so much!", "great thank you", "that was very helpful"],
    "goodbye": [
        "bye",
        "ok thanks bye",
        "no thanks that's all",
        "That's all I needed. Thank you, have a great day!",
        "I'm good, thanks.",
        "nothing else",
        "goodbye robin",
    ],
    "no": ["no", "no thank you", "Nope.", "not right now"],
    "yes": ["yes", "yeah sure", "yes please", "go ahead"],
    "fine": ["okay", "got it", "great", "sounds good"],
    "repeat": ["Can you repeat that, please?", "sorry what was that", "pardon?", "what", "I didn't catch that."],
    "robot": [
        "are you a robot",
        "Am I talking to a real person?",
        "is this an AI",
        "wait are you a machine",
        "are you real",
    ],
    "name": ["what's your name", "who am i speaking to"],
    "abilities": ["what can you do", "help", "how can you help me"],
    "how_are_you": ["hi how are you today"],
    "there": ["hello? are you still there?", "can you hear me"],
    "wait": ["hold on a second", "one moment please"],
    "person": [
        "can I speak to a person please",
        "representative",
        "I'd like to talk to somebody about my bike",
        "put me through to the workshop",
        "real person please",
        "can i talk to tess",
        "transfer me to the owner",
        "I need a human",
    ],
    "zero": ["(pressed keys: 0)"],
    "keys": ["(pressed keys: 12)"],
    "nothing": ["", "...", "um uh", "(pressed keys: 1) "][:3],
}


@pytest.mark.parametrize(("act", "said"), [(act, said) for act, every in ACTS.items() for said in every])
def test_what_an_utterance_does(act: str, said: str) -> None:
    assert act_of(said, agent_name="Robin") == act


@pytest.mark.parametrize(
    "said",
    [
        "thanks and where can i park",
        "hello what time do you close",
        "no what time do you open",
        "what about sunday",
        "what time is it",
        "yes i want to rent a bike",
        "okay how much is a tune up",
        "goodbye party for ten people, can you host that",
        "does anyone speak spanish",
        "can i talk to you about e-bikes",
        "do you have a person who fits bikes",
        "who's the manager",
        "are you a real bike shop",
        "are you open",
        "how much is no flat tire",
        "robin hood",
        "(pressed keys: 3) do you rent bikes",
    ],
)
def test_a_question_is_a_question(said: str) -> None:
    assert act_of(said, agent_name="Robin") is None


@given(st.text(max_size=80))
def test_anything_can_be_said(said: str) -> None:
    act_of(said, agent_name="Robin")
