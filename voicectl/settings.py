"""Every setting there is: one table that feeds loading, checking, `--help` and the documentation's test.

Precedence: flag, then environment, then voicectl.toml, then default. All faults are found and reported together,
each with the key's path, where the value came from, and what to do. Unknown keys are errors with a guess.
"""

from __future__ import annotations

import dataclasses
import difflib
import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from voicectl.errors import ConfigError

DEFAULT_FILE = "voicectl.toml"


def setting(
    default: Any,
    help: str,
    *,
    env: str = "",
    secret: bool = False,
    choices: tuple[str, ...] = (),
    low: float | None = None,
    high: float | None = None,
) -> Any:
    """Declare one setting. `low` and `high` are inclusive bounds of a number."""
    meta = {"help": help, "env": env, "secret": secret, "choices": choices, "low": low, "high": high}
    if isinstance(default, (list, dict)):
        raise TypeError("use a tuple")
    return field(default=default, metadata=meta)


@dataclass(frozen=True, slots=True)
class ServerSettings:
    host: str = setting("", "Address of the public listener; empty: 0.0.0.0, or 127.0.0.1 without a Twilio auth token")
    port: int = setting(8080, "Port of the public listener, the one Twilio reaches", low=0, high=65535)
    operator_host: str = setting("127.0.0.1", "Address of the operator's listener")
    operator_port: int = setting(
        8081, "Port of the operator's listener, with the phone in the browser", low=0, high=65535
    )
    public_url: str = setting(
        "",
        "How Twilio reaches the public listener, e.g. https://voice.example.com; signatures are checked against it",
        env="VOICECTL_PUBLIC_URL",
    )
    max_calls: int = setting(500, "Calls answered at once; callers beyond that hear the busy message", low=1)
    busy_message: str = setting(
        "All our lines are busy right now. Please call again in a few minutes. Goodbye.",
        "Said to a caller who cannot be answered",
    )


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    url: str = setting(
        "sqlite:///voicectl.db",
        "Database: sqlite:///file.db, or postgresql://user@host/name for more than one machine",
        env="VOICECTL_DATABASE_URL",
        secret=True,
    )


@dataclass(frozen=True, slots=True)
class TwilioSettings:
    account_sid: str = setting("", "Account SID, AC and 32 hexadecimal digits", env="TWILIO_ACCOUNT_SID")
    auth_token: str = setting(
        "", "Primary auth token: signs every webhook and socket", env="TWILIO_AUTH_TOKEN", secret=True
    )
    previous_auth_token: str = setting(
        "", "Auth token still accepted while you rotate", env="TWILIO_PREVIOUS_AUTH_TOKEN", secret=True
    )


@dataclass(frozen=True, slots=True)
class LlmSettings:
    kind: str = setting(
        "auto",
        "Reply model: openai, offline (quotes the knowledge base) or scripted; auto: openai if there is a key",
        env="VOICECTL_LLM",
        choices=("auto", "openai", "offline", "scripted"),
    )
    model: str = setting("gpt-4.1-mini", "Model name sent to the server", env="VOICECTL_LLM_MODEL")
    api_key: str = setting("", "Key of the OpenAI-compatible server", env="OPENAI_API_KEY", secret=True)
    base_url: str = setting("", "Any OpenAI-compatible server, e.g. http://127.0.0.1:8000/v1", env="OPENAI_BASE_URL")
    temperature: float = setting(0.4, "Sampling temperature", low=0.0, high=2.0)
    max_tokens: int = setting(400, "Upper bound of tokens per reply", low=16, high=4096)
    first_token_seconds: float = setting(
        4.0, "No first token after this long: the next model of the chain answers", low=0.2, high=60
    )
    gap_seconds: float = setting(5.0, "No further token after this long: the reply is broken off", low=0.2, high=60)
    total_seconds: float = setting(20.0, "A reply is broken off after this long", low=1, high=120)
    script: str = setting("", "File of replies for llm.kind = scripted, one per line, or YAML with a pace")


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


@dataclass(frozen=True, slots=True)
class AgentSettings:
    name: str = setting("Robin", "What the agent calls itself")
    company: str = setting("Harbour Cycles", "Whose telephone this is")
    greeting: str = setting(
        "Hello, this is {name}, the automated assistant at {company}. How can I help you?",
        "Spoken when the call is answered; {name} and {company} are filled in. It should say that this is an AI",
    )
    persona: str = setting(
        "You answer the telephone for a small family bicycle shop. You are warm, quick and honest.",
        "Who the agent is, for the reply model",
    )
    tone: str = setting("friendly", "formal, friendly or brisk", choices=("formal", "friendly", "brisk"))
    rules: tuple[str, ...] = setting((), "Rules for the reply model, one sentence each")
    max_words: int = setting(80, "Replies end at the first sentence end after this many words", low=10, high=200)
    transfer_number: str = setting("", "E.164 number of the person a caller can be put through to; empty: nobody")
    goodbye: str = setting("Thank you for calling. Goodbye.", "The agent's last words")
    cut_off_message: str = setting(
        "I'm sorry, we were cut off. Please call again. Goodbye.", "Said when the connection to the agent was lost"
    )
    cut_off_transfer_message: str = setting(
        "I'm sorry, we were cut off. I'll put you through to a person.", "The same where there is a transfer_number"
    )


@dataclass(frozen=True, slots=True)
class ConversationSettings:
    silence_seconds: float = setting(
        3.0, "Silence after the agent has finished speaking before it asks again", low=0.5, high=120
    )
    reprompts: tuple[str, ...] = setting(
        ("Are you still there?", "I'm still here. What can I do for you?"),
        "Said one after the other on silence; then the agent says goodbye",
    )
    max_call_seconds: float = setting(1800.0, "Longest call", low=10, high=14400)
    key_timeout_seconds: float = setting(2.0, "Keys belong together until this long after the last", low=0.2, high=30)
    key_terminator: str = setting("#", "Key that ends a run of keys at once; empty: none")
    key_length: int = setting(0, "A run of this many keys is complete at once; 0: any length", low=0, high=32)


@dataclass(frozen=True, slots=True)
class KnowledgeSettings:
    paths: tuple[str, ...] = setting(
        (), "What `serve` ingests when the database holds no knowledge; empty: ./knowledge, else the sample company"
    )
    limit: int = setting(4, "Passages given to the reply model", low=1, high=20)
    search_seconds: float = setting(0.4, "A search that takes longer counts as failed", low=0.02, high=10)
    collections: tuple[str, ...] = setting(
        (), "Collections the agent looks in, besides the common one; empty: all of them"
    )
    embedder: str = setting(
        "auto",
        "What compares meanings: local (in this process), openai (an embeddings API), none (words alone); auto: local "
        "where it is installed",
        choices=("auto", "local", "openai", "none"),
    )
    embedding_model: str = setting("text-embedding-3-small", "Model of the embeddings API")
    embedding_dimensions: int = setting(0, "Numbers per meaning to ask the embeddings API for; 0: its own", low=0)
    embedding_base_url: str = setting("", "Address of the embeddings API; empty: that of the reply model")
    embedding_api_key: str = setting("", "Its key; empty: that of the reply model", secret=True)
    budget_seconds: float | None = setting(
        None,
        "The embedder has so long while a caller waits, then words alone are compared; empty: 0.02, or 0.25 for openai",
        low=0.001,
        high=5,
    )
    threshold: float | None = setting(
        None,
        "Confidence below which nothing is answered; empty: as reckoned at ingest, 0.4 where words alone are compared",
        low=0,
        high=1,
    )
    clarify: bool = setting(True, "Ask back where a question fits several things equally well")
    rewrite: str = setting(
        "rules",
        "How a question that leans on the conversation is made whole: rules, or a call to the reply model first",
        choices=("rules", "model"),
    )
    rewrite_seconds: float = setting(0.6, "That call has so long; then the rules apply", low=0.05, high=5)
    prefetch: bool = setting(True, "Look up what a caller has said when they pause, before the transcript is final")
    record_gaps: bool = setting(True, "Keep questions that were not answered, for `voicectl kb gaps`")


@dataclass(frozen=True, slots=True)
class TelemetrySettings:
    log_level: str = setting("warning", "Least level that is logged", choices=("debug", "info", "warning", "error"))
    sample_seconds: float = setting(
        60.0, "How often live calls, memory and loop lag are stored in the database", low=1, high=86400
    )


@dataclass(frozen=True, slots=True)
class Settings:
    server: ServerSettings = field(default_factory=ServerSettings)
    database: DatabaseSettings = field(default_factory=DatabaseSettings)
    twilio: TwilioSettings = field(default_factory=TwilioSettings)
    llm: LlmSettings = field(default_factory=LlmSettings)
    voice: VoiceSettings = field(default_factory=VoiceSettings)
    relay: RelaySettings = field(default_factory=RelaySettings)
    agent: AgentSettings = field(default_factory=AgentSettings)
    conversation: ConversationSettings = field(default_factory=ConversationSettings)
    knowledge: KnowledgeSettings = field(default_factory=KnowledgeSettings)
    telemetry: TelemetrySettings = field(default_factory=TelemetrySettings)


@dataclass(frozen=True, slots=True)
class SettingInfo:
    """One row of the settings table."""

    path: str
    """Key in voicectl.toml, e.g. "llm.model"."""
    kind: Any
    default: Any
    help: str
    env: str
    secret: bool
    choices: tuple[str, ...]
    low: float | None
    high: float | None


def table() -> Iterator[SettingInfo]:
    """Every setting, in the order they are declared."""
    for group in dataclasses.fields(Settings):
        cls = _group_class(group.name)
        kinds = get_type_hints(cls)
        for f in dataclasses.fields(cls):
            yield SettingInfo(f"{group.name}.{f.name}", kinds[f.name], f.default, **f.metadata)


def load(
    *,
    flags: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
    file: str | os.PathLike[str] | None = None,
) -> Settings:
    """Put the settings together.

    `flags` maps paths ("server.port") to values; None values count as not given. `file` defaults to voicectl.toml
    in the working directory, if there is one. Raises ConfigError naming every fault at once.
    """
    faults: list[str] = []
    environ = os.environ if environ is None else environ
    found: dict[str, tuple[Any, str]] = {}
    for path, value in _read_file(file, faults).items():
        found[path] = (value, str(file or DEFAULT_FILE))
    rows = {row.path: row for row in table()}
    for row in rows.values():
        if row.env and environ.get(row.env, "") != "":
            found[row.path] = (environ[row.env], f"environment {row.env}")
    for path, value in (flags or {}).items():
        if value is not None:
            if path not in rows:
                raise KeyError(path)
            found[path] = (value, "command line")

    values: dict[str, dict[str, Any]] = {}
    for path, (raw, source) in found.items():
        maybe = rows.get(path)
        if maybe is None:
            close = difflib.get_close_matches(path, rows, n=1)
            guess = f"; did you mean {close[0]!r}?" if close else ""
            faults.append(f"{path}: no such setting (from {source}){guess}")
            continue
        try:
            group, _, name = path.partition(".")
            values.setdefault(group, {})[name] = _convert(maybe.kind, raw, maybe)
        except ValueError as bad:
            shown = "(secret)" if maybe.secret else repr(raw)
            faults.append(f"{path} = {shown}: {bad} (from {source})")
    if faults:
        raise ConfigError(
            "the configuration has "
            + ("a fault" if len(faults) == 1 else f"{len(faults)} faults")
            + ":\n  "
            + "\n  ".join(faults),
            "mend the values named above; docs/configuration.md lists every setting",
        )
    return Settings(**{group: _group_class(group)(**given) for group, given in values.items()})


def _group_class(name: str) -> Any:
    return get_type_hints(Settings)[name]


def _read_file(file: str | os.PathLike[str] | None, faults: list[str]) -> dict[str, Any]:
    path = Path(file or DEFAULT_FILE)
    if not path.exists():
        if file is not None:
            raise ConfigError(f"there is no settings file {str(path)!r}", "check the path given with --config")
        return {}
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as bad:
        raise ConfigError(f"cannot read {path}: {bad}", "mend the file; it must be TOML in UTF-8") from bad
    groups = {f.name for f in dataclasses.fields(Settings)}
    flat: dict[str, Any] = {}
    for group, body in document.items():
        if group not in groups or not isinstance(body, dict):
            close = difflib.get_close_matches(group, groups, n=1)
            guess = f"; did you mean [{close[0]}]?" if close else ""
            faults.append(f"[{group}]: no such section (from {path}){guess}")
            continue
        for name, value in body.items():
            flat[f"{group}.{name}"] = value
    return flat


def _convert(kind: Any, raw: Any, row: SettingInfo) -> Any:
    """The value as the setting's type; ValueError says in plain words what is wrong."""
    if get_origin(kind) is tuple:
        item = get_args(kind)[0]
        if isinstance(raw, str):
            raw = [part.strip() for part in raw.split("|") if part.strip()]
        if not isinstance(raw, (list, tuple)):
            raise ValueError("must be a list")
        if dataclasses.is_dataclass(item):
            return tuple(_nested(item, each) for each in raw)
        return tuple(_convert(item, each, row) for each in raw)
    options = get_args(kind)
    if options:  # X | None
        kind = next(each for each in options if each is not type(None))
        if raw is None:
            return None
    if kind is bool:
        if isinstance(raw, bool):
            return raw
        word = str(raw).strip().lower()
        if word in ("true", "yes", "on", "1"):
            return True
        if word in ("false", "no", "off", "0"):
            return False
        raise ValueError("must be true or false")
    if kind in (int, float):
        if isinstance(raw, bool):
            raise ValueError("must be a number")
        try:
            number = kind(raw)
        except (TypeError, ValueError, OverflowError):
            raise ValueError("must be a whole number" if kind is int else "must be a number") from None
        if number != number or (kind is int and isinstance(raw, float) and raw != number):
            raise ValueError("must be a whole number" if kind is int else "must be a number")
        if (row.low is not None and number < row.low) or (row.high is not None and number > row.high):
            low = "" if row.low is None else f"at least {row.low:g}"
            high = "" if row.high is None else f"at most {row.high:g}"
            raise ValueError("must be " + " and ".join(part for part in (low, high) if part))
        return number
    if isinstance(raw, bool) or not isinstance(raw, (str, int, float)):
        raise ValueError("must be text")
    text = str(raw)
    if "\x00" in text:
        raise ValueError("must not hold a NUL character")
    if not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
        raise ValueError("must be text in UTF-8")
    if row.choices and text not in row.choices:
        same = {choice.lower(): choice for choice in row.choices}
        if text.lower() in same:
            return same[text.lower()]
        raise ValueError("must be one of " + ", ".join(choice or '""' for choice in row.choices))
    return text


def _nested(cls: Any, body: Any) -> Any:
    if not isinstance(body, dict):
        raise ValueError("must be a table")
    kinds = get_type_hints(cls)
    fields = {f.name: f for f in dataclasses.fields(cls)}
    given: dict[str, Any] = {}
    for name, raw in body.items():
        if name not in fields:
            close = difflib.get_close_matches(name, fields, n=1)
            raise ValueError(f"has no key {name!r}" + (f"; did you mean {close[0]!r}?" if close else ""))
        f = fields[name]
        given[name] = _convert(kinds[name], raw, SettingInfo(name, kinds[name], f.default, **f.metadata))
    return cls(**given)
