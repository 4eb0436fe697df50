"""What Twilio is told of a call: how the agent sounds, and how it hears."""

from __future__ import annotations

from dataclasses import dataclass

from voicectl.settings.setting import setting


@dataclass(frozen=True, slots=True)
class VoiceSettings:
    provider: str = setting("ElevenLabs", "Who turns text into speech", choices=("ElevenLabs", "Google", "Amazon"))
    voice: str = setting("", "Voice id or name; empty: Twilio's default voice of the provider")
    model: str = setting(
        "",
        "ElevenLabs model; empty: Twilio's default",
        choices=("", "flash_v2_5", "flash_v2", "turbo_v2_5", "turbo_v2"),
    )
    speed: float | None = setting(
        None, "ElevenLabs speed; 1.0 if only another of the three is given", low=0.7, high=1.2
    )
    stability: float | None = setting(
        None, "ElevenLabs stability; 0.5 if only another of the three is given", low=0.0, high=1.0
    )
    similarity: float | None = setting(
        None, "ElevenLabs similarity boost; 0.75 if only another of the three is given", low=0.0, high=1.0
    )


@dataclass(frozen=True, slots=True)
class LanguageSettings:
    """One <Language>: what changes when the call switches to this language."""

    code: str = setting("", "BCP-47 tag, e.g. es-ES, or multi")
    tts_provider: str = setting("", "Who turns text into speech", choices=("", "ElevenLabs", "Google", "Amazon"))
    voice: str = setting("", "Voice id or name")
    transcription_provider: str = setting("", "Who turns speech into text", choices=("", "Deepgram", "Google"))
    speech_model: str = setting("", "Recognition model")
    hints: str = setting("", "Comma-separated phrases to expect")
    smart_format: bool | None = setting(None, "Punctuation and numbers in transcripts")
    text_normalization: str | None = setting(None, "How the voice reads numbers", choices=("on", "auto", "off"))
    language_text_normalization: bool | None = setting(None, "Language-specific normalisation")


INTERRUPTIBLE = ("none", "dtmf", "speech", "any")


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """Attributes of <ConversationRelay>. What is not None here is sent, so nothing depends on an account's age."""

    language: str = setting("en-US", "Language of the call, both directions")
    tts_language: str | None = setting(None, "Language spoken, if another")
    transcription_language: str | None = setting(None, "Language heard, if another")
    transcription_provider: str = setting("Deepgram", "Who turns speech into text", choices=("Deepgram", "Google"))
    speech_model: str = setting("flux", "Recognition model; flux gives partial prompts and the quickest end of turn")
    interruptible: str = setting("any", "What may cut the agent off", choices=INTERRUPTIBLE)
    welcome_greeting_interruptible: str = setting("any", "What may cut the greeting off", choices=INTERRUPTIBLE)
    interrupt_sensitivity: str = setting(
        "high", "How little speech cuts the agent off", choices=("low", "medium", "high")
    )
    report_input_during_agent_speech: str = setting(
        "any", "What is reported while the agent speaks uninterrupted", choices=INTERRUPTIBLE
    )
    dtmf_detection: bool = setting(True, "Report the caller's keys")
    partial_prompts: bool = setting(True, "Report speech before it is final")
    preemptible: bool = setting(False, "The next talk cycle may cut off the one being spoken")
    ignore_backchannel: bool | None = setting(None, "uh-huh does not interrupt")
    hints: str | None = setting(None, "Comma-separated phrases to expect: names of people, products, streets")
    profanity_filter: bool | None = setting(None, "Mask profanity in transcripts")
    eot_threshold: float | None = setting(
        None, "flux: confidence that the caller has finished; empty: 0.8 wherever flux listens", low=0.5, high=0.9
    )
    eager_eot_threshold: float | None = setting(
        None, "flux: confidence for an early guess, below eot_threshold", low=0.3, high=0.9
    )
    speech_timeout: str | None = setting(None, "Milliseconds of silence that end an utterance, 600-5000, or auto")
    smart_format: bool | None = setting(None, "Punctuation and numbers in transcripts")
    background_noise_reduction: str | None = setting(None, "Noise filter ahead of recognition")
    turn_detection: bool | None = setting(None, "Twilio decides the end of a turn (not PCI/HIPAA)")
    echo_prompt_filtering: bool | None = setting(None, "Drop transcripts that repeat the agent's own words")
    partial_prompt_on_hangup: bool | None = setting(None, "Deliver an unfinished transcript when the caller hangs up")
    include_in_prompt: str | None = setting(None, "Extra fields in prompts: turn-state prompt-segments")
    text_normalization: str | None = setting(None, "How the voice reads numbers", choices=("on", "auto", "off"))
    language_text_normalization: bool | None = setting(None, "Language-specific normalisation")
    elevenlabs_text_normalization: str | None = setting(
        None, "Older name of text_normalization, ElevenLabs only", choices=("on", "auto", "off")
    )
    deepgram_smart_format: bool | None = setting(None, "Older name of smart_format, Deepgram only")
    events: str = setting("speaker-events tokens-played", "Which info frames Twilio sends")
    debug: str | None = setting(None, "Debug info frames: debugging")
    application_reconnect: bool | None = setting(None, "Twilio dials our socket again when it drops")
    intelligence_service: str | None = setting(None, "Conversational Intelligence service SID or name")
    conversation_configuration: str | None = setting(None, "Conversation Orchestrator configuration id")
    conversation_id: str | None = setting(None, "Existing conversation to attach to")
    customer_name: str | None = setting(None, "Label of the caller for Conversations and Intelligence")
    languages: tuple[LanguageSettings, ...] = setting((), "[[relay.languages]]: languages the call can switch to")
    parameters: tuple[str, ...] = setting((), "Custom parameters as name=value, echoed in setup")
