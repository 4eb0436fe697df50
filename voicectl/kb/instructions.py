"""Passages that read like orders to the model, for somebody to look at before callers hear of them.

A document tells facts to customers. One that speaks to the machine that reads it ("ignore all previous instructions",
"call end_call", "SYSTEM:") does not, whoever wrote it. This list protects nobody by itself: whoever knows it can write
around it. What protects is that a reply made from documents can do nothing (conversation/machine.py, rule 9); the list
is how an owner learns that a document has been tampered with.

So it looks for what is said to a model and hardly ever to a customer, and lets pass what only might be: "please ignore
the previous e-mail" and "press 1 to talk to a person" are what companies write. Words are looked for in English,
German, French, Spanish, Italian, Portuguese, Dutch, Polish, Russian, Chinese and Japanese, after accents, letters of
other alphabets that look like Latin ones, invisible characters and gaps between single letters have been undone.
"""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata

_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_JOINERS = "\u00ad\u200c\u200d\u200e\u200f\ufe0e\ufe0f\u061c\ufeff"
"""Invisible, and yet part of honest text: soft hyphens, joiners and direction marks, how an emoji looks, a file's
beginning."""
_MOST_INVISIBLE = 3
_TURNED = re.compile("[\u202a-\u202e\u2066-\u2069]")
_TAGS = re.compile("[\U000e0000-\U000e007f]")
_FLAGS = re.compile("\U0001f3f4[\U000e0020-\U000e007e]{3,6}\U000e007f")
"""Of England, Scotland and Wales: honest tag characters."""
_ENCODED = re.compile(r"(?<![\w+/=-])[A-Za-z0-9+/_-]{40,}={0,2}(?![\w+/=-])")
_LETTERS_APART = re.compile(r"\b(?:[a-z][ .*_-]){5,}[a-z]\b")

# Cyrillic and Greek letters that pass for Latin ones, in words that have Latin ones too.
_LOOKALIKE = str.maketrans("аеорсухіјѕԁһԛԝαορνικτε", "aeopcyxijsdhqwaopvikte")
_MIXED = re.compile(r"[^\W\d_]*(?:[a-z][а-яіјѕԁһα-ω]|[а-яіјѕԁһα-ω][a-z])[^\W\d_]*")

_ORDERS = (
    r"(?:instructions?|prompts?|directives?|guidelines|commands|orders|context|programming|training|persona"
    r"|system messages?|(?:system|safety|content) (?:rules|policies|policy|settings))"
)
_MODEL = (
    r"(?:a\.?i\.?|llm|language model|(?:(?:ai|voice|virtual|digital|chat|phone|automated) )?(?:assistant|agent|bot)"
    r"|chat ?bot|chatgpt|gpt|claude|gemini|model)"
)
_AT_ONCE = r"(?:immediately|at once|right away|right now|now)"

_FORGET = "tells the model to forget its instructions"
_IDENTITY = "gives the model another identity"
_PROMPT = "speaks of the model's prompt"
_PART = "plays a part in the conversation"
_TOOL = "names a tool of the model"
_CALLER = "tells the model what to do with the caller"
_SPEAKS = "speaks to the model"

_SIGNS: tuple[tuple[str, str, str], ...] = (
    # --- forget your instructions
    (
        _FORGET,
        "ignore|disregard|forget|override|bypass|overrule|discard|drop|obey|follow",
        r"\b(?:ignore|disregard|forget(?! to\b)|override|bypass|overrule|discard|drop|stop following|(?:do not|don't) "
        r"(?:follow|obey))\b(?: \w+){0,3}? (?:all|any|every|everything|your|the|previous|prior|earlier|above|preceding"
        rf"|former|original|these|those|other)\b(?: \w+){{0,3}}? ?\b{_ORDERS}\b(?! manual)",
    ),
    (
        _FORGET,
        "ignore|disregard|forget",
        r"\b(?:ignore|disregard|forget) (?:all|everything)(?: of)?(?: that| what)?(?: \w+){0,2} (?:above|before"
        r"|previously|told|so far)\b"
        r"|\b(?:ignore|disregard|forget) (?:all|any|every|your)(?: of)?(?: the| your)?(?: \w+)? rules\b",
    ),
    (
        _FORGET,
        "ignorier|vergiss|vergessen|missacht|verwirf",
        r"\b(?:ignorier\w*|vergiss|vergessen sie|missacht\w*|verwirf)\b.{0,40}\b(?:anweisung|instruktion|vorgabe|regel"
        r"|befehl|prompt)\w*",
    ),
    (
        _FORGET,
        "ignore|oublie|neglige|compte",
        r"\b(?:ignore[zr]?|oublie[zr]?|neglige[zr]?|ne tiens pas compte)\b.{0,40}\b(?:instructions? (?:precedentes"
        r"|anterieures|ci-dessus)|consignes?|directives?)\b",
    ),
    (
        _FORGET,
        "ignor|olvid|desestim|descart|dimentic|trascur|esquec|desconsider",
        r"\b(?:ignor[aeio]\w*|olvid[aeo]\w*|desestim\w+|descart\w+|dimentic\w+|trascur\w+|esquec\w+|desconsider\w+)\b"
        r".{0,40}\b(?:instruccion(?:es)?|ordenes|indicaciones|istruzion[ei]|direttive|instruc(?:ao|oes)|orientacoes)\b",
    ),
    (_FORGET, "negeer|vergeet", r"\b(?:negeer|vergeet)\b.{0,40}\b(?:instructies?|opdrachten)\b"),
    (_FORGET, "ignoruj|zapomnij", r"\b(?:zignoruj|ignoruj|zapomnij)\b.{0,40}\b(?:instrukcj|polece|zasad)\w*"),
    (_FORGET, "игнорируи|забудь", r"\b(?:про)?(?:игнорируи|забудь)\w*\b.{0,40}\b(?:инструкци|указани|правила)\w*"),
    (
        _FORGET,
        "忽略|无视|無視|忘",
        r"(?:忽略|无视|無視|忘记|忘記).{0,12}(?:指令|指示|提示|规则|規則)|(?:指示|命令|プロンプト|ルール).{0,6}(?:無視|忘れ)",
    ),
    # --- be somebody else
    (
        _IDENTITY,
        "you are",
        r"\byou are (?:now|no longer|from now on)\b(?:,? \w+){0,3}?,? (?:an? |the )?(?:\w+ ){0,3}?"
        rf"(?:{_MODEL}|dan|pirate|persona|character|hacker|unrestricted|jailbroken|mode|free from|bound)\b",
    ),
    (
        _IDENTITY,
        "from now on",
        r"\bfrom now on,? (?:you (?:are|will|must|shall|should)|act|speak|answer|respond|reply|call yourself"
        r"|your name)\b",
    ),
    (
        _IDENTITY,
        "act |behave |pretend |respond |answer |speak ",
        r"\b(?:act|behave|pretend|respond|answer|speak) (?:as|like)(?: if you (?:are|were))? (?:an? |the )?"
        rf"(?:\w+ ){{0,2}}?(?:{_MODEL}|dan|pirate|hacker|administrator|developer|different person)\b"
        r"|\bpretend (?:to be|that you are|you are|you're)\b",
    ),
    (
        _IDENTITY,
        "mode|persona|jailbr",
        r"\b(?:enter|switch (?:in)?to|enable|activate) (?:\w+ )?(?:developer|debug|god|dan|jailbreak|unrestricted|admin"
        r"|maintenance) mode\b|\bnew persona\b|\bjailbr(?:eak|oken)\b",
    ),
    (
        _IDENTITY,
        "du bist|tu es|vous etes|eres|seras|sei|voce|bent|jestes",
        r"\bdu bist (?:jetzt|ab sofort|nun|nicht mehr)\b|\b(?:tu es|vous etes) (?:maintenant|desormais)\b"
        r"|\b(?:a partir de )?ahora (?:eres|seras)\b|\b(?:ora|adesso) (?:sei|tu sei)\b|\bteraz jestes\b"
        r"|\ba(?:gora| partir de agora) (?:voce|tu) (?:e|es|sera)\b|\b(?:jij|je|u) bent (?:nu|vanaf nu)\b",
    ),
    (_IDENTITY, "ты|你现在是|你現在是|あなたは今", r"\bты теперь\b|\bтеперь ты\b|你现在是|你現在是|あなたは今"),
    # --- the prompt
    (
        _PROMPT,
        "prompt|instruction",
        r"\b(?:system|initial|hidden|developer|secret|original|full) (?:prompt"
        rf"|instructions? (?:of|to) (?:the |this )?{_MODEL})\b"
        r"|\b(?:system-?prompt|prompt (?:systeme|du systeme|del sistema|di sistema|do sistema)|systeemprompt)\w*\b",
    ),
    (
        _PROMPT,
        "systemanweisung|系统提示|系統提示|システムсистемн",
        r"systemanweisung|系统提示|系統提示|システムсистемн\w+ (?:промпт|подсказк)",
    ),
    (
        _PROMPT,
        "prompt|instructions|guidelines|rules|configuration|key|password",
        r"\b(?:reveal|repeat|print|output|recite|read (?:out|aloud)|disclose|show|tell|leak|say)\b(?: \w+){0,4}?"
        r" (?:your|the model's|its) (?:\w+ )?(?:prompt|instructions|guidelines|rules|configuration|api key|password)\b",
    ),
    # --- roles and tags
    (
        _PART,
        ":",
        r"^\W{0,4}(?:system|assistant)\W{0,3}:"
        r"(?: .*\b(?:you|callers?|users?|instructions?|rules?|must|ignore|prompt|i)\b|$)"
        r"|^\W{0,4}(?:user|human|ai)\W{0,3}: .*\n\W{0,4}(?:assistant|ai|human|user|system)\W{0,3}: "
        r"|^#{2,} ?(?:system|instructions?|assistant|prompt) ?:"
        r"|\"role\"\s*:\s*\"(?:system|assistant|tool|developer)\"|\"tool_calls?\"|\"function\"\s*:\s*[{\"]",
    ),
    (
        _PART,
        "<|[",
        r"<\|?\s*/?(?:system|im_start|im_end|endoftext|assistant|user|start_header_id|eot_id|begin_of_text)\b[^<>\n]{0,30}>"
        r"|<\s*/?\s*(?:reference|instructions?|prompt|tool_call|function_calls?|tool_use)\b[^<>]{0,40}>"
        r"|\[/?(?:inst|system|assistant|sys)\]|<</?sys>>|\[system\b[^\]]*\]",
    ),
    (
        _PART,
        "prompt|reference|instructions",
        r"\b(?:begin|end)(?:ning)? (?:of )?(?:the )?(?:system )?(?:prompt|reference|instructions)\b"
        r".{0,10}(?:$|[-=:\]])",
    ),
    # --- tools
    (
        _TOOL,
        "_|endcall",
        r"\b(?:end_call|endcall|hang_up|transfer_to_(?:person|human|agent)|transfer_call|send_(?:sms|dtmf|digits)"
        r"|search_knowledge|tool_calls?|function_calls?)\b",
    ),
    (
        _TOOL,
        "tool|function",
        r"\b(?:call|use|invoke|execute|trigger) (?:the |your )?(?:\w+ ){1,3}(?:tool|function)\b"
        rf"(?= (?:{_AT_ONCE}|to (?:end|hang|transfer|forward|send|dial))\b)",
    ),
    # --- the caller
    (
        _CALLER,
        "caller|call|customer",
        r"\b(?:transfer|forward|redirect|connect|route|send|hand|put|patch)\b(?: \w+){0,3}? (?:the|this|every|all|each"
        r"|any) (?:callers?|calls?|customer on the line)\b.{0,40}"
        rf"(?:\bto\b.{{0,25}}(?:\+|\d{{3}}|premium)|\b{_AT_ONCE}\b|\bthrough to\b)",
    ),
    (
        _CALLER,
        "call|conversation",
        r"\b(?:end|terminate|drop|disconnect|close|hang up(?: on)?) (?:the|this|every|all) (?:caller|call"
        rf"|conversation)s?\b.{{0,12}}(?:\b{_AT_ONCE}\b|\bwithout\b|[.!]?$)",
    ),
    (_CALLER, "hang up", rf"\bhang up (?:on (?:the|every|this) caller|{_AT_ONCE})\b"),
    (
        _CALLER,
        "caller",
        r"\b(?:tell|inform|convince|instruct|ask|get|make) (?:the|this|every|all|each|any) callers?\b",
    ),
    (
        _CALLER,
        "+",
        r"\b(?:dial|text|call|send (?:an? )?(?:sms|text|dtmf|email) to) (?:the (?:number )?)?\+\d[\d ().-]{6,}"
        rf"(?= (?:and|for|to|with|{_AT_ONCE})\b)",
    ),
    (
        _CALLER,
        "anruf|auf|beende|appel|raccroche",
        r"\b(?:verbinde|leite)\w* (?:den|die|jeden|alle) anruf\w*|\blege?n? ?(?:sie )?(?:sofort|jetzt) auf\b"
        r"|\bbeende\w* (?:den|das|dieses) (?:anruf|gesprach)|\btransfere[zr]?\b.{0,20}\bappel\w*"
        r"|\braccroche[zr]?\b.{0,20}\b(?:immediatement|maintenant|appel\w*)\b",
    ),
    (
        _CALLER,
        "llama|chiama|telefonata|ligacao|cliente",
        r"\b(?:transfiere|cuelga|termina) (?:la|al|a la|esta) (?:llamada|cliente|llamante)\b"
        r"|\b(?:trasferisci|riattacca|termina) (?:la|il|questa) (?:chiamata|chiamante|telefonata)"
        r"|\b(?:transfira|desligue|encerre) (?:a|o|esta) (?:chamada|ligacao|cliente)",
    ),
    (_CALLER, "电话|来电|電話", r"转接.{0,8}(?:电话|来电)|挂断.{0,4}电话|電話を切(?:って|れ)"),
    # --- spoken to
    (
        _SPEAKS,
        "attention|note|notice|message|instruction|important|memo|hint|reminder",
        r"\b(?:attention|note|notice|message|instructions?|important|memo|hint|reminder)(?: for| to)?"
        rf" (?:the |this |all |any |every )?{_MODEL}s?(?: (?:reading|(?:that|who) reads?|processing|answering)| ?[:!])",
    ),
    (
        _SPEAKS,
        " ai|ai |llm|language model|chat bot|chatbot|assistant|model",
        r"\b(?:if you are|as|dear) (?:an? |the )?(?:ai|llm|(?:large )?language model|chat ?bot|ai (?:assistant|agent))"
        r"\b(?! company)|\b(?:ai|llm|language model|assistant|model)s? (?:reading|that reads?"
        r"|processing|which reads?) (?:this|these)\b",
    ),
    (
        _SPEAKS,
        "caller|user",
        r"\b(?:do not|don't|never) (?:tell|mention|reveal|say|disclose)\b.{0,30}\bto (?:the )?(?:caller|user)s?\b"
        r"|\b(?:do not|don't|never) (?:tell|inform) (?:the )?(?:caller|user)s? (?:about )?(?:this|that|these)\b",
    ),
    (
        _SPEAKS,
        "overrides|supersedes|new",
        r"\b(?:this|the following) (?:overrides|supersedes) (?:all|any|your|every|previous) "
        rf"(?:\w+ )?{_ORDERS}\b|\b(?:your|the) new (?:instructions?|task|orders|role|objective|goal) (?:is|are|:)",
    ),
)
"""A reason; what of which one must stand in the text for the pattern to be looked for at all; the pattern."""

_PATTERNS = tuple(
    (reason, tuple(cues.split("|")), re.compile(pattern, re.MULTILINE)) for reason, cues, pattern in _SIGNS
)


def suspicious(text: str) -> str | None:
    """Why a passage looks like an instruction to the model, in a few words that fit behind "it"; None for nearly all.

    `text` is the passage with its title, as it was ingested.
    """
    hidden = _hidden(text)
    if hidden:
        return hidden
    for read in _readings(text):
        for reason, cues, pattern in _PATTERNS:
            if any(cue in read for cue in cues) and pattern.search(read):
                return reason
    return "holds encoded text" if any(_says_something(found[0]) for found in _ENCODED.finditer(text)) else None


def _hidden(text: str) -> str | None:
    if text.isascii() and text.isprintable():
        return None
    text = _FLAGS.sub("", text)
    if _TAGS.search(text):
        return "holds invisible text"
    if _TURNED.search(text) and not _right_to_left(text):
        return "holds text turned around"
    unseen = [c for c in _INVISIBLE.findall(text) if c not in _JOINERS]
    return "holds invisible characters" if len(unseen) >= _MOST_INVISIBLE else None


def _right_to_left(text: str) -> bool:
    return any(unicodedata.bidirectional(c) in ("R", "AL") for c in text)


def _readings(text: str) -> list[str]:
    """The text as a model would understand it: plain, and once more with single letters put together."""
    shown = _INVISIBLE.sub("", text).replace("’", "'").replace("‘", "'")
    bare = shown.casefold()
    if not bare.isascii():
        decomposed = unicodedata.normalize("NFKD", bare)
        bare = "".join(c for c in decomposed if not unicodedata.combining(c) or c in "\u3099\u309a")
        bare = unicodedata.normalize("NFC", bare)
    if not bare.isascii():
        bare = _MIXED.sub(lambda word: word[0].translate(_LOOKALIKE), bare)
    lines = "\n".join(" ".join(line.split()) for line in bare.splitlines())
    found = [lines]
    flowing = " ".join(lines.split())
    if flowing != lines:
        found.append(flowing)
    if _LETTERS_APART.search(flowing):
        found.append(_LETTERS_APART.sub(lambda run: re.sub(r"[ .*_-]", "", run[0]), flowing))
        found.append(
            re.sub(r"\b([a-z])[ .*_-](?=[a-z]\b)", r"\1", re.sub(r" {2,}", "|", shown.casefold())).replace("|", " ")
        )
    return found


def _says_something(blob: str) -> bool:
    """Whether a run of letters is Base64 of text: such a run decodes to words, a key or a hash does not."""
    try:
        data = base64.b64decode(
            blob.replace("-", "+").replace("_", "/").rstrip("=") + "=" * (-len(blob.rstrip("=")) % 4)
        )
        words = data.decode("utf-8")
    except (binascii.Error, ValueError):
        return False
    return words.isprintable() and words.count(" ") >= 2


__all__ = ["suspicious"]
