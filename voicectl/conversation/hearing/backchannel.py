"""Whether words said while the agent talks want anything.

    "mm-hmm", "okay", "yeah yeah", "I see"      a backchannel: go on, I am listening
    "okay but", "yes please", "right?"          not: something is wanted
    "wait", "hold on", "sorry?"                 not: the agent stops

A backchannel is made of nothing but such words, is short, and asks nothing. What is thanked or agreed to with "please"
is a turn. Sounds and "okay" are the same in every language; a language without a table is taken for English with the
yes of the larger languages.
"""

from __future__ import annotations

import re

from voicectl.conversation.hearing.wording import any_of, bare, by_language, phrases

_LONGEST = 60
"""Characters. Who says more than this is not just listening."""

_SOUNDS = """
    mm mmm mm_hmm mm_hm mmhmm mmhm mhm mhmm m_hm uh_huh uhhuh um_hum um_hmm hm hmm hmmm hum aha ah ahh oh ooh huh wow
    ok okay okey k
"""
_BACKCHANNELS = {
    "en": """
        yeah yea yep yup yes ya right all_right alright sure sure_thing of_course exactly absolutely definitely
        certainly indeed totally true i_see i_get_it i_got_it i_got_you i_understand i_hear_you i_know got_it gotcha
        got_you understood makes_sense that_makes_sense that's_right that's_true that's_fine that's_good that's_great
        that's_fair fair_enough good great nice cool fine perfect lovely excellent wonderful awesome very_good very_nice
        very_well sounds_good sounds_great interesting really no_problem no_worries go_on keep_going
    """,
    "de": """
        ja jawohl jap jo jep genau richtig stimmt das_stimmt klar alles_klar na_klar natürlich verstehe ich_verstehe
        verstanden habe_verstanden ich_sehe gut sehr_gut schön super prima toll aha_ja ach ach_so achso na_gut passt
        das_passt in_ordnung eben sicher logisch perfekt interessant tatsächlich so soso hab_ich weiß_ich ach_ja
        ah_ja naja
    """,
    "es": """
        sí si ya vale claro claro_que_sí bien muy_bien bueno de_acuerdo entiendo ya_entiendo entendido comprendo
        ya_veo lo_veo exacto exactamente correcto eso eso_es perfecto genial por_supuesto cierto así_es ajá órale dale
        listo qué_bien ah_sí
    """,
    "fr": """
        oui ouais ouaip d'accord daccord bien très_bien bon bien_sûr exact exactement tout_à_fait voilà je_vois
        je_comprends compris entendu parfait super c'est_ça c'est_bon c'est_vrai effectivement en_effet ça_marche
        ah_oui ah_bon hein génial évidemment certes
    """,
    "it": """
        sì si già certo certamente va_bene bene benissimo esatto esattamente giusto capisco ho_capito capito d'accordo
        perfetto ecco infatti chiaro ottimo appunto vero è_vero ovvio ah_sì
    """,
    "pt": """
        sim pois pois_é pois_sim certo tá tá_bom tá_bem está_bem está_bom claro bom muito_bem entendi entendo percebo
        percebi compreendo exato exatamente isso isso_mesmo perfeito beleza com_certeza é ótimo verdade é_verdade
        ah_sim
    """,
    "nl": """
        ja jawel jazeker juist precies klopt dat_klopt goed heel_goed prima oké oke oke_dan duidelijk begrepen
        ik_begrijp_het ik_snap_het snap_ik begrijp_ik natuurlijk tuurlijk zeker inderdaad mooi fijn top helder is_goed
        dat_is_goed ah_ja ja_ja nou o_ja goed_zo
    """,
    "ja": """
        はい ええ うん うんうん そう そうそう そうですね そうですか そうですよね なるほど なるほどね へえ へー ほう
        はいはい ええええ わかりました 分かりました わかった 了解 了解です 了解しました たしかに 確かに はあ ああ あー
        ふーん hai ee un naruhodo
    """,
}
_EVERYWHERE = """
    ja sí si sì oui da hai tak evet sim vale d'accord tamam okej precis rozumiem jasne ano dobře
    嗯 嗯嗯 对 對 对对 好 好的 好好 是 是的 哦 네 네네 예 응 어 아 はい うん ええ हाँ हां जी نعم ايوه
"""
_STRONG_END = re.compile(r"[?？]\s*$")


def _evened(said: str) -> str:
    """Drawn-out vowels of Japanese are as long as the transcriber likes."""
    return said.replace("ー", "") if not said.isascii() else said


def _made_of(*tables: str) -> re.Pattern[str]:
    """Nothing but phrases of these tables. Atomic: there is no second way to part a text into them."""
    every = any_of(_evened(phrase) for table in tables for phrase in phrases(table))
    return re.compile(rf"(?:(?:{every})(?: |$))++")


_LISTENING = {
    language: _made_of(table, _SOUNDS, *([_EVERYWHERE] if language == "en" else ()))
    for language, table in _BACKCHANNELS.items()
}


def is_backchannel(text: str, language: str = "") -> bool:
    """Whether the caller says no more than that they listen. `language` is a BCP-47 tag; "" is English."""
    if len(text) > _LONGEST or _STRONG_END.search(text):
        return False
    said = _evened(bare(text))
    return bool(said) and by_language(_LISTENING, language).fullmatch(said) is not None
