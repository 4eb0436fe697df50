"""Who the agent is, how it converses, what it knows and what it can have done. Any of it, and what carrier.py has, may
be different for the calls of one agent: [agents.NAME.GROUP]."""

from __future__ import annotations

from dataclasses import dataclass

from voicectl.settings.setting import setting


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
class DestinationSettings:
    """One [[agent.destinations]]: somebody a caller can be put through to."""

    name: str = setting("", "One lower-case word, e.g. sales: what the reply model calls it")
    number: str = setting("", "E.164 number")
    about: str = setting("", "What callers are put through for, for the reply model")


@dataclass(frozen=True, slots=True)
class KeyFieldSettings:
    """One [[agent.key_fields]]: something the caller keys in."""

    name: str = setting("", "What it is, e.g. order number")
    asked_by: str = setting("", "Regular expression; the field is open when the agent's last words hold it")
    length: int = setting(0, "So many keys are complete at once; 0: any number", low=0, high=64)
    terminator: str = setting("#", "Key that ends it at once; empty: none")
    timeout_seconds: float = setting(3.0, "Complete this long after the last key", low=0.2, high=60)
    backspace: str = setting("*", "Key that takes back the last one; empty: none")
    sensitive: bool = setting(False, "Masked wherever it is stored or logged")


@dataclass(frozen=True, slots=True)
class MenuSettings:
    """One [[agent.menu]]: what a single key means while nothing was asked for."""

    key: str = setting("", "The key: 0-9, * or #")
    does: str = setting("say", "What it does", choices=("say", "person", "goodbye", "repeat", "language"))
    text: str = setting("", "say: what the caller would say; person: which destination; language: which tag")


@dataclass(frozen=True, slots=True)
class AgentSettings:
    name: str = setting("Robin", "What the agent calls itself")
    company: str = setting("Harbour Cycles", "Whose telephone this is")
    greeting: str = setting(
        "Hello, this is {name}, the automated assistant at {company}. How can I help you?",
        "Spoken when the call is answered; {name}, {company} and {daypart}, which is Good morning or the like, are "
        "filled in. It should say that this is an AI",
    )
    greeting_returning: str = setting(
        "", "The same for a caller whose number has been answered before; empty: no other greeting for them"
    )
    timezone: str = setting("", "Time zone that {daypart} goes by, e.g. Europe/Berlin; empty: that of the machine")
    persona: str = setting(
        "You answer the telephone for a small family bicycle shop. You are warm, quick and honest.",
        "Who the agent is, for the reply model",
    )
    tone: str = setting("friendly", "formal, friendly or brisk", choices=("formal", "friendly", "brisk"))
    rules: tuple[str, ...] = setting((), "Rules for the reply model, one sentence each")
    max_words: int = setting(80, "Replies end at the first sentence end after this many words", low=10, high=200)
    transfer_number: str = setting("", "E.164 number of the person a caller can be put through to; empty: nobody")
    destinations: tuple[DestinationSettings, ...] = setting(
        (), "[[agent.destinations]]: others a caller can be put through to, by name"
    )
    key_fields: tuple[KeyFieldSettings, ...] = setting((), "[[agent.key_fields]]: what callers key in when asked")
    menu: tuple[MenuSettings, ...] = setting((), "[[agent.menu]]: what single keys mean")
    zero_for_person: bool = setting(True, "The key 0 puts the caller through, where somebody is there")
    pronunciations: tuple[str, ...] = setting((), "How words are said, as word=spelling for the voice")
    vocabulary: tuple[str, ...] = setting((), "Words and names to use, for the reply model")
    never_say: tuple[str, ...] = setting((), "Words never said, as word or word=what is said instead")
    goodbye: str = setting(
        "Thank you for calling. Goodbye.",
        "The agent's last words; if not given, those of the language, as with everything in [phrases.LANG]",
    )
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
        "Said one after the other on silence; if not given, those of the language",
    )
    reprompt_count: int | None = setting(
        None,
        "Silences in a row that are answered by a reprompt, before the agent offers a person or says goodbye; empty: "
        "as many as conversation.reprompts has",
        low=0,
        high=20,
    )
    patience_seconds: float = setting(
        15.0, "The same silence for a caller who has asked for a moment, or is dictating a number", low=1, high=300
    )
    hold_seconds: float = setting(
        1.0, "What seems unfinished is held so long before it is answered: more may follow", low=0, high=5
    )
    resume_seconds: float = setting(
        0.7,
        "An interruption that no words follow for so long was a cough, and the agent goes on; 0: it always stops",
        low=0,
        high=5,
    )
    filler_seconds: float = setting(
        1.2, "A reply that has no first word after so long is bridged by a few words; 0: never", low=0, high=30
    )
    speculate: bool = setting(True, "Begin replies before the caller's words are final")
    speculation_waste: float = setting(
        0.6, "Share of replies begun early that may be thrown away, before none are for a while", low=0, high=1
    )
    numbers_for_the_ear: bool = setting(True, "Write numbers, prices and times out the way people say them")
    max_call_seconds: float = setting(1800.0, "Longest call", low=10, high=14400)
    warning_seconds: float = setting(
        120.0, "The caller is told so long before the call has to end; 0: never", low=0, high=3600
    )
    wind_down_seconds: float = setting(
        30.0, "So long before that, and at most in its last quarter, the next reply is the last", low=0, high=600
    )
    max_turns: int = setting(0, "After so many turns of the caller the next reply is the last; 0: any number", low=0)
    max_tokens: int = setting(
        0, "After so many tokens of the reply model, both ways, the next reply is the last; 0: any number", low=0
    )
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
class ToolSettings:
    """One [[tools.functions]]: something the reply model can have done, by a Python function or over HTTP."""

    name: str = setting("", "What the reply model calls it: letters, digits and _")
    description: str = setting("", "What it does and when to use it, for the reply model")
    parameters: str = setting("", "JSON schema of its arguments, as text; empty: none")
    python: str = setting("", "A function, module:name; called with the arguments, async or not")
    url: str = setting("", "An HTTP endpoint; {name} stands for an argument, escaped")
    method: str = setting("POST", "How it is asked", choices=("GET", "POST", "PUT", "PATCH", "DELETE"))
    headers: tuple[str, ...] = setting((), "Header lines as Name: value; ${NAME} stands for an environment variable")
    seconds: float = setting(6.0, "A call that takes longer has failed", low=0.05, high=60)
    meanwhile: tuple[str, ...] = setting((), "What the agent may say while it is at work")
    agents: tuple[str, ...] = setting((), "Agents that may use it; empty: all of them")


@dataclass(frozen=True, slots=True)
class ToolsSettings:
    builtin: tuple[str, ...] = setting(
        ("search_knowledge", "send_keys", "switch_language", "ask_for_keys"),
        "Tools of voicectl's own that the reply model may use, besides ending the call and putting the caller through",
    )
    allowed_hosts: tuple[str, ...] = setting((), "Hosts that tools may ask over HTTP, as host or host:port")
    functions: tuple[ToolSettings, ...] = setting((), "[[tools.functions]]: tools of your own")
