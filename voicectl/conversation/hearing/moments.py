"""The caller asks for a moment; the agent asks for something.

A moment is asked for by words that do nothing else: "hold on, I'm looking for it". Where a question or an objection
follows ("hold on, what about Sunday?"), it is that which wants an answer.

What the agent asks is read from its own words, which are punctuated: the last sentence that asks. It may have to be
asked again after a silence, so it is given as it can be asked by itself.
"""

from __future__ import annotations

import re

from voicectl.conversation.hearing.dictation import Kind, kind_of_number
from voicectl.conversation.hearing.wording import any_of, bare, by_language, lowered, phrases
from voicectl.conversation.sentences import sentences

_LONGEST = 160
_SHORT_TIME = (
    r"(?:just )?(?:(?:a|one|half a|two|a quick|a little|another|one more|a few|1|2|a couple of) )*+"
    r"(?:seconds?|secs?|moments?|mo|minutes?|min|mins|tick)"
)
_MOMENTS = {
    "en": r"(?:(?:just|wait|please|can you|could you|would you|will you|if you could|now) )*+(?:(?:hold on"
    r"|hold the line|hang on|wait|stand by|bear with me|(?:i'll )?be right back|hold please)(?: for)?(?: up)?"
    r"(?: there)?"
    rf"(?: {_SHORT_TIME})?|(?:give me |i need |i'll need |just )?{_SHORT_TIME})(?: (?:please|there|here))?"
    r"|let me (?:just |quickly |first )?(?:(?:check|look|see|think|find|look it up|find out|grab|write|have a look"
    r"|take a look|pull (?:it|that) up|look (?:it|that) up|check (?:on )?(?:that|it))"
    r"(?: (?:it|that|this|about it|about that))?"
    r"|(?:check|find|grab|get|look for|look at|look up|fetch|ask|write|open|see) (?:my|the|that|it|this|if|where|what"
    r"|whether|with|a pen|in|on)(?: [\w']+){0,6})"
    r"|(?:i'm|i am|i'll|i will|i need to|i have to|i've got to|i gotta|while i|i'm just|just|still|i just need to)"
    r" (?:just |still |quickly )?(?:looking|searching|checking|getting|finding|grabbing|thinking|check|look|find|grab"
    r"|fetch|search|think)(?: (?:for (?:it|that|the number|the card|a pen)|up|my|it|that|a pen|something to write"
    r"|about it|if|whether|with my)(?: [\w']+){0,4})?"
    r"|where did i put (?:it|that|my \w+)|i have it (?:here )?somewhere|it's here somewhere",
    "de": r"(?:(?:nur |bitte |ganz )?(?:einen|nen|ein|kleinen|'nen)? ?(?:kurzen |kleinen )?(?:moment|augenblick"
    r"|sekunde|sekündchen|minute|momentchen)(?: mal)?|eine (?:sekunde|minute)|warten sie(?: mal)?(?: kurz| bitte)*"
    r"|warte(?: mal)?(?: kurz)?|bleiben sie (?:bitte )?dran|moment mal|(?:ich )?(?:muss|schaue?|guck\w*|seh\w*|such\w*)"
    r" (?:mal |kurz |eben |schnell |das |es |gerade |nur )*(?:nach|nachsehen|nachschauen|suchen|holen|schauen|gucken"
    r"|überlegen)?|lassen sie mich (?:kurz |mal |eben |schnell )*(?:nachsehen|nachschauen|schauen|suchen|überlegen"
    r"|nachdenken|gucken|sehen)|ich hol\w* (?:kurz |mal |eben )*(?:mein\w*|die|den|das|einen) \w+"
    r"|ich bin gleich (?:wieder )?da|ich überlege(?: kurz| mal| noch)*)",
    "es": r"(?:espere?(?: por favor)?(?: un (?:momento|segundo|minuto|momentito))?|(?:solo |sólo |deme |dame )?un"
    r" (?:momento|momentito|segundo|minuto|segundito|momentico|ratito)|(?:déjeme|deja|déjame|permítame) (?:que )?"
    r"(?:ver|mirar|mire|busque|buscar|buscarlo|pensar|piense|comprobar|comprobarlo|revisar)(?: [\w']+){0,4}"
    r"|(?:lo )?(?:estoy|voy a) (?:buscando|buscar|mirar|mirando|ver)(?:lo)?(?: [\w']+){0,3}|a ver|ahora vuelvo"
    r"|no cuelgue|aguarde)",
    "fr": r"(?:attendez?(?: voir)?(?: un (?:instant|moment|peu))?(?: une (?:seconde|minute))?|(?:juste "
    r"|donnez moi )?(?:un (?:instant|moment|petit instant|petit moment)|une (?:seconde|minute|petite seconde)"
    r"|deux (?:secondes|minutes))|laissez moi (?:regarder|vérifier|voir|chercher|réfléchir)(?: [\w']+){0,4}"
    r"|je (?:regarde|cherche|vérifie|réfléchis|vais (?:chercher|regarder|vérifier|voir))(?: [\w']+){0,4}"
    r"|ne quittez pas|patientez|je reviens(?: tout de suite)?|ne raccrochez pas)",
    "it": r"(?:aspett[ia](?: un (?:attimo|momento|secondo|minuto|attimino))?|(?:solo |mi dia )?un (?:attimo|momento"
    r"|secondo|minuto|attimino)(?: solo)?|mi (?:faccia|lasci) (?:controllare|vedere|guardare|pensare"
    r"|cercare)(?: [\w']+){0,4}|(?:sto cercando|lo cerco|controllo|guardo|vado a (?:prendere"
    r"|vedere))(?: [\w']+){0,4}|attenda|resti in linea|torno subito|ci penso)",
    "pt": r"(?:esper[ae](?: aí)?(?: um (?:momento|minuto|segundo|pouco|instante))?|(?:só |dê me "
    r"|me dá )?(?:um (?:momento|minuto|segundo|instante|momentinho|minutinho|segundinho|pouquinho)|um bocadinho)"
    r"|(?:deix[ae](?: me| eu)?) (?:ver|verificar|olhar|procurar|pensar|checar)(?: [\w']+){0,4}|(?:estou"
    r"|vou) (?:procurando|a procurar|procurar|verificar|ver|buscar)(?: [\w']+){0,4}|aguarde?|não desligue|já volto)",
    "nl": r"(?:wacht(?: even| eens)?(?: een (?:moment|momentje|seconde|minuut))?"
    r"|(?:geef me )?(?:heel )?(?:een )?(?:moment|momentje|ogenblik|ogenblikje|seconde|secondje|minuutje"
    r"|minuut)(?: graag)?|even (?:kijken|wachten|zoeken|nadenken|denken|checken|geduld)(?: [\w']+){0,4}"
    r"|laat me(?: even)? (?:kijken|zoeken|nadenken|checken|zien)(?: [\w']+){0,4}|ik (?:kijk|zoek|pak|check"
    r"|ben) (?:het |hem )?(?:even|zo)(?: [\w']+){0,4}|blijf aan de lijn)",
    "ja": r"(?:(?:すみません|あの|はい|ええと|えっと)? ?(?:ちょっと|少々|少し)?(?:お?待って?(?:ください|下さい"
    r"|くださいね|ね)?|お待ちください|お待ち下さい|待った|待ってて)|(?:ちょっと)?(?:確認|調べ|探し)(?:します|ます"
    r"|てみます|しますね|ますね)|少々)",
}
_MOMENTS_EVERYWHERE = (
    r"(?:un momento|moment|un instant|chwileczkę|ett ögonblick|et øjeblikk?|稍等|等一下|请稍等|잠깐만요?|잠시만요)"
)
_POLITE = any_of(
    phrases(
        """
        please sorry yes yeah no ok okay oh ah um uh er hm hmm well so sure right actually thank_you thanks
        if_you_don't_mind would_you if_that's_ok if_that's_okay and there bitte ja gut äh ähm danke entschuldigung also
        por_favor sí bueno vale perdón gracias eh s'il_vous_plaît oui alors merci euh pardon d'accord per_favore sì
        scusi grazie va_bene sim desculpe obrigado obrigada alstublieft graag hoor sorry はい すみません ええと えっと
        here a_second a_moment
        """
    )
)
_MOMENTS["en"] += f"|{_MOMENTS_EVERYWHERE}"
_MOMENT = {
    language: re.compile(rf"(?:(?:{_POLITE}) )*(?:{words})(?: (?:(?:{_POLITE})(?= |$)|(?:{words})(?= |$)))*")
    for language, words in _MOMENTS.items()
}


_ASKS = re.compile(r"\b(?:where|where's|what|what's|when|how|which|who)\b")


def wants_a_moment(text: str, language: str = "") -> bool:
    """Whether the caller asks to be waited for, and for nothing else. `language` is a BCP-47 tag; "" is English."""
    if len(text) > _LONGEST:
        return False
    said = bare(text)
    if _ASKS.search(said) and text.rstrip().endswith("?"):
        return False  # "let me see, where is my order?"
    return by_language(_MOMENT, language).fullmatch(said) is not None


# --- what the agent asks -----------------------------------------------------------------------------------------

_TELLS = re.compile(
    r"\b(?:(?:please|just|now|then) (?:\w+ )?(?:tell|give|say|enter|type|key in|read|spell|dial|provide)|(?:tell"
    r"|give|read) me\b|i(?:'ll| will)? (?:just )?need (?:your|the|a)\b|i(?:'d| would) (?:just )?need|(?:enter|type"
    r"|say|key in|dial) (?:your|the)\b|let me (?:have|know) (?:your|the)|(?:sagen|nennen|geben|tippen|diktieren) sie"
    r"|ich (?:brauche|bräuchte|benötige)|dígame|díganos|deme|indique|introduzca|marque|necesito su|necesitaría"
    r"|dites moi|donnez moi|indiquez|tapez|saisissez|composez|il me faut|mi dica|mi dia|digiti|inserisca|diga me"
    r"|me diga|digite|insira|informe|preciso do|geef|noem|toets|vertel me)|(?:教えてください|入力してください"
    r"|お願いします)"
)
_NO_NUMBER = re.compile(
    r"\bour\b|\bthis number\b|\bthe number you\b|\bthe same number\b|\b(?:give|send|text) you\b|\bnumber of\b"
    r"|\bhow many\b|\b(?:right|correct)\b|\b(?:unsere?r?|diese) (?:\w+)?nummer\b|\bwie viele\b|\bcuántos\b"
    r"|\bcombien\b|\d"
)
_WANTS = re.compile(
    r"\b(?:what(?:'s| is| was| are)|may i|can i|could i|can you|could you|would you|will you|do you (?:have|know)"
    r"|have you got|which|wie (?:ist|lautet)|was ist|kann ich|darf ich|könnten sie|können sie|haben sie|würden sie"
    r"|cuál es|puede|podría|me (?:da|dice)|tiene|quel(?:le)? est|pouvez vous|pourriez vous|avez vous|puis je|qual è"
    r"|può|potrebbe|mi (?:può|dà)|ha il|qual é|pode|poderia|tem o|wat is|mag ik|kunt u|heeft u|何番|何ですか)"
)
_NUMBER_ITSELF = re.compile(r"^(?:and |und |y |et |e |en )?(?:your|the|ihre?|su|votre|il suo|seu|uw) ")


def asks_for_number(said: str, language: str = "") -> bool:
    """Whether the agent's words ask for a number to be said or keyed."""
    return bool(number_asked_for(said, language))


def number_asked_for(said: str, language: str = "") -> Kind:
    """What number the agent's words ask for; "" if they ask for none. Kinds of number are told in any language."""
    sentence = _last_asking(said)
    if not sentence:
        return ""
    words = lowered(sentence)
    flat = bare(words)
    wanted = _TELLS.search(flat) or (
        sentence.rstrip().endswith(("?", "？")) and (_WANTS.search(flat) or _NUMBER_ITSELF.search(flat))
    )
    if not wanted or _NO_NUMBER.search(flat):
        return ""
    kind = kind_of_number(words)
    if kind == "card" and not re.search(r"number|digits|nummer|número|numéro|numero|iban", words):
        return ""  # "which card would you like to use?"
    if kind == "phone" and not re.search(r"number|nummer|número|numéro|numero|reach you|call you back|番号", words):
        return ""
    return kind


def _last_asking(said: str) -> str:
    """The last sentence that asks for something."""
    for sentence in reversed(sentences(said[-800:])):
        if sentence.endswith(("?", "？")) or _TELLS.search(bare(sentence)):
            return sentence
    return ""


_LEADS_IN = re.compile(
    r"^(?:(?:and|so|okay|ok|great|sure|alright|all right|perfect|now|well|thanks|thank you|got it|good|of course|und"
    r"|also|gut|super|y|entonces|bueno|et|alors|e|allora|então|en|dus)(?:,\s+|\s+(?=(?:what|which|how|when|where|who"
    r"|is|are|do|does|can|could|would|will|shall|may|wie|was|wann|wo|möchten|haben|soll)\b)))+",
    re.IGNORECASE,
)
_OR = re.compile(r"^(?:or|oder|o|ou|of)\b", re.IGNORECASE)
_LEANS = re.compile(
    r"^(?:is (?:that|this|it) (?:right|correct|ok(?:ay)?|all right|alright)|right|correct|ok(?:ay)?"
    r"|does that (?:work|help|sound (?:good|right|okay))(?: for you)?|is that so|yes|no|richtig|stimmt das"
    r"|ist das richtig|passt das|correcto|es correcto|c'est (?:ça|correct|bien ça)|va bene|è corretto|giusto"
    r"|está certo|certo|klopt dat)$"
)


def asks_a_question(said: str, language: str = "") -> str:
    """The last question in the agent's words, as it can be asked again by itself; "" if there is none."""
    parts = sentences(said[-800:])
    for at in range(len(parts) - 1, -1, -1):
        asking = parts[at]
        tells = not asking.endswith(("?", "？"))
        if tells and not (_TELLS.search(bare(asking)) and kind_of_number(asking)):
            continue
        before = parts[at - 1] if at else ""
        if _OR.match(asking) and before.endswith("?"):
            return f"{_begun(before)} {asking}"
        if _LEANS.match(bare(asking)):
            return f"{before} {asking}" if before else asking
        return _begun(asking)
    return ""


def _begun(sentence: str) -> str:
    """Without what led into it: "Great, and what time?"."""
    rest = _LEADS_IN.sub("", sentence)
    return rest[:1].upper() + rest[1:] if rest else sentence


_OR_WORDS = {"en": "or", "de": "oder", "es": "o|u", "fr": "ou", "it": "o|oppure", "pt": "ou", "nl": "of"}
_CHOICE_LEAD = re.compile(
    r"(?:(?:do|would|did|will) you (?:rather )?(?:mean|want|like|prefer|need|take|rather have)(?: to (?=\w))?"
    r"|would you rather|(?:should|shall) (?:it|that) be|(?:is|was) (?:it|that|this)|(?:are you"
    r"|is this) (?:calling )?(?:about|for)|(?:meinen|möchten|wollen|bevorzugen|brauchen|hätten"
    r"|nehmen) sie(?: (?:lieber|gern|gerne))?|(?:ist|soll) (?:es|das)|geht es um|(?:¿ ?)?(?:prefiere|quiere|desea|es"
    r"|le gustaría)|(?:préférez|voulez|souhaitez|désirez) vous|c'est|(?:préférez|voulez|souhaitez)-vous"
    r"|est-ce(?: que c'est)?|(?:preferisce|vuole|desidera|è)|(?:prefere|quer|deseja|é)|(?:wilt|bedoelt"
    r"|heeft) u(?: liever)?|is het) ",
    re.IGNORECASE,
)
_CLAUSE = re.compile(
    r"(?:what|which|how|when|where|who|why|is|are|do|does|did|can|could|would|will|shall|should|may|have|has|am|i'll"
    r"|i|wie|was|wann|wo|welche\w*|möchten|soll|kann|können|haben|qué|cuál|cómo|cuándo|quel\w*|quand|quale|quando"
    r"|qual|wat|welke|wanneer)\b",
    re.IGNORECASE,
)
_NO_CHOICE = re.compile(
    r"(?:not|so|something|anything|nothing|else|more|other\w*|later|whatever|no|two|anyone|someone|nicht|nein|was|etwas"
    r"|anders|no|non|não|niet|wat)\b",
    re.IGNORECASE,
)
_MOST_WORDS = 5


def offered_choices(said: str, language: str = "") -> tuple[str, ...]:
    """What the agent's last question offers to choose from, in order: "delivery or collection"; () where nothing."""
    question = asks_a_question(said, language)
    if not question.endswith("?") or len(question) > 300:
        return ()
    if "? " in question:  # "Delivery? Or collection?"
        question = re.sub(r"\?\s+", " ", question)
    asked = question.rstrip("? ").rpartition(":")[2].strip()
    found = re.split(rf",?\s+(?:{by_language(_OR_WORDS, language)})\s+", asked, flags=re.IGNORECASE)
    if len(found) < 2 or _NO_CHOICE.match(found[-1]) or _CLAUSE.match(found[-1]):
        return ()
    last = found[-1].strip(" ,")
    first = _CHOICE_LEAD.sub("", found[0], count=1) if _CHOICE_LEAD.match(found[0]) else found[0]
    items = [item.strip() for piece in (first, *found[1:-1]) for item in piece.split(",")]
    if len(items) > 1 and _CLAUSE.match(items[0]):
        items = items[1:]
    elif _CLAUSE.match(items[0]):
        items[0] = " ".join(items[0].split()[-len(last.split()) :])
    choices = (*filter(None, items), last)
    if len(choices) < 2 or any(len(choice.split()) > _MOST_WORDS for choice in choices):
        return ()
    return choices
