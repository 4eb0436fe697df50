"""How utterances end that go on, in languages besides English: words that no sentence ends with, and beginnings.

German verbs leave their prefixes at the end ("machen Sie auf", "ich rufe an"), so those are not in its table, nor are
pronouns that are articles too ("ich nehme die"). Each table has the words that nothing ends with, and the phrases that
nothing is said by alone; a phrase counts where the utterance ends with it.
"""

from __future__ import annotations

import re

from voicectl.conversation.hearing.wording import any_of, phrases

FILLERS = frozenset(
    "um uh uhm umm er erm eh ehm äh ähm öh öhm hm hmm euh heu ehm mmm ええと えっと えーと あの あのー えー".split()
)
"""Said while thinking, in any language; what ends with one goes on."""

_LAST = {
    "de": """
        und aber weil dass ob wenn denn sondern sowie beziehungsweise falls damit obwohl einen einem mein meine meinen
        meinem meiner dein deine deinen unser unsere unseren euer im am zum zur vom beim ins ans für von bei ohne gegen
        durch seit bis zwischen wegen während in sehr also welche welchen welcher es_geht_um wie_viel
    """,
    "es": """
        y o u pero porque que de del a al en con por para sin desde hasta sobre entre el la los las un una unos mi tu su
        mis tus sus nuestro nuestra cuando como_para muy este_eh ni
    """,
    "fr": """
        et ou mais parce_que que qu de du des le la les un une à au aux en dans sur avec sans chez mon ma mes ton ta tes
        son votre vos notre nos leur ce cette ces si car puisque depuis jusqu'à très c'est j'ai je il_y_a afin_de pour
    """,
    "it": """
        e o ma che di del della dei delle a al alla in con per da dal dalla nel nella sul sulla il lo la i gli le un uno
        una mio mia miei tuo suo sua nostro quando se molto tra fra
    """,
    "pt": """
        e ou mas porque que de do da dos das em no na nos nas com por para pra sem desde até sobre entre o a os as um
        uma meu minha meus minhas seu sua nosso se quando muito
    """,
    "nl": """
        en maar omdat dus dat_is of de een mijn uw onze hun van bij naar zonder tussen tegen wegens heel erg als zodat
        want voor_de met_de met_een voor_een in_de op_de
    """,
    "ja": "",
}
_PHRASES = {
    "de": """
        ich_möchte ich_möchte_gern ich_möchte_gerne ich_hätte_gern ich_hätte_gerne ich_würde_gern ich_würde_gerne
        ich_brauche ich_suche ich_wollte ich_will mein_name_ist meine_nummer_ist meine_nummer_lautet ich_heiße
        können_sie könnten_sie haben_sie kann_ich könnte_ich gibt_es wo_ist wann_ist was_ist wie_lange ich_habe
        ich_bin ich_würde wir_möchten wir_würden es_ist das_ist haben_sie_auch ich_rufe_an
    """,
    "es": """
        quiero quisiera quería me_gustaría necesito mi_nombre_es me_llamo mi_número_es puede podría puedo tiene tienen
        estoy_buscando hay es tengo soy quiero_reservar cuánto_cuesta_el
    """,
    "fr": """
        je_voudrais j'aimerais je_veux je_souhaite je_m'appelle mon_nom_est mon_numéro_est est_ce_que pouvez_vous
        pourriez_vous avez_vous je_cherche je_suis est_ce je_peux j'ai_besoin
    """,
    "it": """
        vorrei voglio mi_chiamo il_mio_nome_è il_mio_numero_è può potrebbe posso ho_bisogno avete c'è sto_cercando
        sono_il volevo mi_piacerebbe
    """,
    "pt": """
        quero queria gostaria gostaria_de preciso meu_nome_é o_meu_nome_é me_chamo chamo_me meu_número_é pode poderia
        posso tem vocês_têm estou_procurando estou_à_procura
    """,
    "nl": """
        ik_wil ik_wil_graag ik_zou_graag ik_zou ik_zoek ik_heb mijn_naam_is ik_heet mijn_nummer_is kunt_u kan_ik
        heeft_u hebben_jullie is_er ik_ben
    """,
    "ja": "",
}
_UNSPACED = re.compile(
    r"(?:を|えっと|ええと|えーと|あの|あのー|それで|そして|それから|でも|だから|私の|けれども、)[、。]?$"
)
"""Japanese, where there are no blanks to tell words by. "は" and "が" end polite sentences too."""

_TAGS = re.compile(
    r"(?:oder|nicht wahr|gell|ne|verdad|no|n'est ce pas|hein|vero|né|toch|por qué|porque|perché|pourquoi)"
)
"""Ends of questions: "oder?"."""

_ENDS = {
    language: re.compile(rf"(?:^| )(?:{any_of(phrases(_LAST[language] + _PHRASES[language]))})$")
    for language in _LAST
    if _LAST[language]
}
_NEVER = {language: re.compile(rf"(?:^| )(?:{any_of(phrases(table))})$") for language, table in _LAST.items() if table}


def known(language: str) -> bool:
    """Whether there is a table for this primary subtag."""
    return language in _LAST


def goes_on(said: str, language: str, *, question: bool) -> bool:
    """Whether bare words in a language (its primary subtag) end in the middle. A question mark makes phrases whole."""
    if language == "ja":
        return not question and _UNSPACED.search(said) is not None
    if question:
        return _NEVER[language].search(said) is not None and " " in said and not _TAGS.search(said, len(said) - 12)
    if language == "de" and said.endswith((" in", " sehr", " bis")) and said.split()[-2:-1] in (["so"], ["danke"]):
        return False
    return _ENDS[language].search(said) is not None
