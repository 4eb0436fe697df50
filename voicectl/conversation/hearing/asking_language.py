"""The caller asks to be spoken to in another language.

    "Can we speak German?"  "auf Deutsch bitte"  "¿habla español?"  "Spanish please"  "日本語でお願いします"
    "Do you have the Spanish menu"  "do the guides speak French"  "I don't speak Italian"      none of these asks for it

A language is asked for where we are to speak it, or where its name, with courtesies, is all that is said. Its name is
known in English and in the larger languages, its own among them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from voicectl.conversation.hearing.wording import any_of, bare, phrases
from voicectl.conversation.languages import primary
from voicectl.conversation.words import is_unspaced

_NAMES = {
    "en": "english englisch inglés anglais inglese inglês engels angielsku angielski engelska engelsk 英語 英语 영어",
    "de": "german deutsch alemán allemand tedesco alemão duits niemiecku niemiecki tyska tysk ドイツ語 德语 독일어",
    "es": "spanish spanisch español castellano espagnol spagnolo espanhol spaans hiszpańsku espanol スペイン語 西班牙语"
    " 스페인어",
    "fr": "french französisch francés français francese francês frans francais francusku フランス語 法语 프랑스어",
    "it": "italian italienisch italiano italien italiaans イタリア語 意大利语 włosku",
    "pt": "portuguese portugiesisch portugués portugais portoghese português portugees portugues ポルトガル語 葡萄牙语",
    "nl": "dutch niederländisch holländisch holandés neerlandés néerlandais hollandais olandese holandês nederlands"
    " オランダ語",
    "ja": "japanese japanisch japonés japonais giapponese japonês japans 日本語 日语 일본어",
    "zh": "chinese mandarin chinesisch chino chinois cinese chinês chinees 中国語 中文 普通话 国语 汉语 중국어",
    "ko": "korean koreanisch coreano coréen koreaans 韓国語 韩语 한국어",
    "pl": "polish polnisch polaco polonais polacco polonês pools polsku polski ポーランド語",
    "ru": "russian russisch ruso russe russo russisch русски русском русский ロシア語 俄语",
    "uk": "ukrainian ukrainisch ucraniano ukrainien ucraino українською українська",
    "tr": "turkish türkisch turco turc turks türkçe トルコ語",
    "ar": "arabic arabisch árabe arabe arabo عربي العربية بالعربية アラビア語",
    "hi": "hindi हिंदी हिन्दी ヒンディー語",
    "sv": "swedish schwedisch sueco suédois svedese zweeds svenska",
    "da": "danish dänisch danés danois danese deens dansk",
    "no": "norwegian norwegisch noruego norvégien norvegese noors norsk",
    "fi": "finnish finnisch finés finnois finlandese fins suomea suomeksi",
    "cs": "czech tschechisch checo tchèque ceco tsjechisch česky čeština",
    "el": "greek griechisch griego grec greco grieks ελληνικά",
    "ro": "romanian rumänisch rumano roumain rumeno roemeens română",
    "hu": "hungarian ungarisch húngaro hongrois ungherese hongaars magyarul",
    "vi": "vietnamese vietnamesisch vietnamita vietnamien vietnamees",
}
_TAG_OF = {name: tag for tag, names in _NAMES.items() for name in phrases(names)}
_SAME_AS = {"nb": "no", "nn": "no", "cmn": "zh", "yue": "zh"}
_NAME = rf"(?P<name>{any_of(_TAG_OF)})"

_LEAD = (
    r"(?:(?:hi|hello|hey|yes|no|yeah|ok|okay|um|uh|so|well|oh|sorry|excuse me|please|and|but|actually|thanks"
    r"|thank you|can we|could we|hallo|guten tag|ja|nein|äh|entschuldigung|bitte|hola|buenos días|perdón|disculpe|sí"
    r"|bonjour|pardon|excusez moi|oui|non|buongiorno|scusi|sì|olá|bom dia|desculpe|sim|dag|nee|sorry) )*+"
)
_POLITE = (
    r"(?: (?:please|thanks|thank you|if (?:that's )?possible|if you can|then|instead|now|bitte|danke|wenn möglich"
    r"|wenn es geht|lieber|por favor|si es posible|gracias|s'il vous plaît|s'il te plaît|svp|si possible|merci"
    r"|per favore|per cortesia|grazie|se possível|obrigado|obrigada|alstublieft|graag|als het kan|better"
    r"|would be (?:better|great|good|nice|easier)|wäre (?:besser|gut)))*"
)
_ALL_THAT_IS_SAID = re.compile(
    rf"{_LEAD}(?:in|auf|en|em|in het|op zijn|по|po|na|på|lieber auf|lieber|i prefer|i(?:'d| would) (?:prefer"
    rf"|rather)(?: have)?(?: it)?(?: in)?)? ?(?:(?:language|sprache) )?{_NAME}{_POLITE}"
)
_SPEAK = re.compile(
    rf"\b(?:(?:do|can|could|would|will|may) (?:you|we|i|u|anyone|anybody|someone|somebody)(?: (?:please|also|maybe"
    rf"|just|guys|there))* (?:speak|talk|continue|switch|change|go on|carry on|do (?:this|it|that)|have (?:this"
    rf"|the) (?:call|conversation))(?: (?:to me|with me|this|it|over|me|a little|a bit of|any|some|back"
    rf"|the language))?(?: (?:in|to|into))?|(?:let's|let us|please|i(?:'d| would) (?:like|prefer)(?: to)?|i(?:'d"
    rf"| would) rather|i want to|i only|i can only|i just|we only|i prefer(?: to)?)(?: (?:speak|talk|switch|continue"
    rf"|change|go on))+(?: (?:in|to|with you|back|only|over))*|i speak only|(?:say|repeat|explain)(?: (?:that|it"
    rf"|this))?(?: again)? in|(?:sprechen|reden|können|könnten|kannst|sprichst|redest) (?:sie|wir|du|ich)(?: (?:auch"
    rf"|bitte|lieber|vielleicht|mit mir|das|hier|auf|mit|jemandem|jemanden))*|ich (?:spreche|kann|möchte"
    rf"|würde) (?:nur |lieber |gern |gerne )+(?:auf )?|(?:habla|hablan|hablas|hablamos|hablar|hablo sólo|hablo solo"
    rf"|sólo hablo|solo hablo|podemos hablar|prefiero)(?: (?:usted|ustedes))?(?: en)?|(?:parlez vous|parlez"
    rf"|parles tu|vous parlez|parler|on parle|je parle seulement|je préfère)(?: en)?|(?:parla|parlate|parli|parlare"
    rf"|parlo solo|preferisco)(?: in)?|(?:fala|falam|falar|falas|só falo|falo só|prefiro)(?: em)?|(?:spreekt|spreken"
    rf"|praten|praat|kunnen we|kunt u|kan ik)(?: (?:u|we|ook|in|het))*|czy (?:mówi|mówisz|mówicie)(?: (?:pan|pani"
    rf"|państwo))? po|говорите по) {_NAME}\b(?! (?:menu|tour|food|version|lessons?|class(?:es)?|wine|guide|course"
    rf"|speaking|people|customers?))"
)
_UNSPACED = re.compile(
    rf"{_NAME}(?:で|を?話せ|は話せ|が話せ|を?話し|できますか|はできますか|、?お願い|がいい|吗|可以吗|服务|로|하세요)"
    rf"|(?:说|讲|用){_NAME.replace('<name>', '<other>')}"
)
_REFUSES = re.compile(
    r"\b(?:i|we|my \w+) (?:don't|do not|can't|cannot) (?:speak|talk|understand)\b|\bnicht|\bkein|\bno hablo\b"
    r"|\bne parle pas\b|\bnon parlo\b|\bnão falo\b|\bgeen\b"
)
_APART = 3
"""Words between a refusal and the language that it is for."""
_LONGEST = 200


def wants_language(text: str, offered: Sequence[str]) -> str:
    """The tag, of those offered, of the language the caller asks for; "" if none is asked for, or it is not offered."""
    if len(text) > _LONGEST:
        return ""
    said = bare(text)
    found = _ALL_THAT_IS_SAID.fullmatch(said) or _SPEAK.search(said) or _unspaced(said)
    if found is None:
        return ""
    name = next(group for group in ("name", "other") if found.groupdict().get(group))
    refuses = _REFUSES.search(said)
    if refuses is not None and refuses.start() < found.start(name):
        between = said[refuses.end() : found.start(name)]
        if len(between.split()) < _APART:
            return ""
    return _offered(_TAG_OF[found[name]], offered)


def _unspaced(said: str) -> re.Match[str] | None:
    return _UNSPACED.search(said) if any(map(is_unspaced, said)) or not said.isascii() else None


def _offered(tag: str, offered: Sequence[str]) -> str:
    return next((each for each in offered if _SAME_AS.get(primary(each), primary(each)) == tag), "")
