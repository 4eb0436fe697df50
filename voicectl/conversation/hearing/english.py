"""How utterances end that go on, in English.

articles, possessives, conjunctions     nothing ends with these
"I'd like to", "my name is"             nor with these phrases, unless something before them makes them whole
auxiliaries                             end a short answer ("yes I do"), an indirect question ("where it is")
prepositions                            end a question ("what is it for"), a relative ("the one I paid for"),
                                        a verb that they belong to ("turn it on")
"""

from __future__ import annotations

import re

from voicectl.conversation.hearing.wording import any_of, phrases

_NEVER_LAST = phrases(
    """
    the a an my your our their its and or but because although unless whether than very um uh uhm er erm every
    i'm it's there's i've i'll i'd we're we've we'll they're you're you've they've we'd you'd they'd
    he'd she'd it'll you'll they'll he's she's
    who's what's where's how's when's let's
    i and_i into towards between during per until via onto
    """
)
"""Nothing ends with these, whatever came before."""

_PHRASES = phrases(
    """
    i_want i_wanted i_need i_needed i'd_like i_would_like i'd_love_a i_wish we_want we_need we'd_like we_would_like
    i_mean i_was_wondering wondering i'm_wondering i'd_like_you i_want_you i'm_looking i_am_looking i'm_calling
    i_am_calling i_was_calling i'm_trying i_have i_had i_got i've_got we_have we_had i_just i_also and_also just
    do_you_have do_you_sell do_you_offer do_you_know can_i_get can_i_have could_i_get could_i_have can_we_get
    can_we_have let_me give_me tell_me can_you_tell_me could_you_tell_me could_you_give_me can_you_give_me do_you_do
    what_about how_about something_like what_if even_if as_if if as_well_as such_as in_order as_soon_as so_that
    the_fact_that make_sure_that i_think_that i_hope_that i_was_told_that i_heard_that is_it_possible_that
    my_name my_number my_address my_order_number my_phone_number my_email the_problem the_thing the_question
    it's_called is_called it's_about it_is_about instead_of because_of
    type_of types_of kinds_of sorts_of what_kind_of what_sort_of which_kind_of any_kind_of some_kind_of this_kind_of
    that_kind_of the_kind_of a_kind_of some_sort_of any_sort_of a_sort_of do_you_have_any are_there_any is_there_any
    if_you whether_you because_you that_you when_you if_it whether_it because_it and_you but_you and_it but_it one_of
    some_of any_of all_of most_of lots_of lot_of couple_of number_of each_of part_of bit_of front_of both_of many_of
    half_of piece_of pair_of box_of bottle_of bunch_of rest_of any_other some_other another_one_with i'm_not_sure_if
    i_don't_know_if would_it_be_possible_to is_it_possible_to going_to able_to trying_to need_to_be has_to_be
    supposed_to don't_have_a how_many_of with_the i_think_i i_was_just it's_number is_number order_number_is it_costs
    it_takes it_says i'd_rather we'd_rather i_left_my to_about with_about from_about for_about at_about first_of
    the_same_as not_only apart_from depending_on according_to it_depends_on interested_in out_of_the
    """
)
_ALONE = phrases(
    """
    so and but or the because i_think i_guess i_believe i_suppose i_know_that also then well like actually basically
    you_know i_was there_is there_are there's is are was were do does did can could would will should have has had
    with for from at of to in on about under my_name_is in_the please_tell do_you are_you can_you could_you would_you
    will_you can_i could_i may_i shall_i should_i do_i is_it is_there are_there did_you have_you was_it is_this is_that
    can_we could_we do_we are_they is_she is_he hello_i hi_i if_i when_i if_you when_you do_they does_it will_it
    what_time_do what_time_are how_do how_can which_of who_is how_much_is what_is where_is when_is how_is where_are
    what_are who_are when_are how_are why_is why_are what_do what_does how_does how_much_are where_do
    """
)
"""Broken where nothing else was said, besides what leads into it."""

_LEAD = re.compile(
    r"^(?:(?:yeah|ok|okay|so|and|but|well|um|uh|er|hi|hello|hey|oh|right|alright|all right|now|then|sorry|please"
    r"|good morning|good afternoon|good evening|great|thanks|thank you|excuse me|like) )*+"
)
_ALONE_RE = re.compile(rf"(?:{any_of(_ALONE)})")
_NEVER_RE = re.compile(rf"(?:^| )(?:{any_of(_NEVER_LAST)})$")
_LONGEST_PHRASE = max(len(phrase.split()) for phrase in (*_PHRASES, *_NEVER_LAST))
_PHRASES_RE = re.compile(rf"(?:^| )(?:{any_of(_PHRASES)})$")

_WH = re.compile(r"\b(?:what|what's|which|who|who's|whom|whose|where|where's|how|how's|when|when's|why)\b")
_ANSWER = re.compile(
    r"(?:(?:yes|yeah|yep|no|nope|sure|well|oh|of course|certainly|i think|i hope|i guess|i believe|so|but) )*+(?:i"
    r"|we|you|he|she|it|they|that|this|there) (?:am|is|are|was|were|do|does|did|can|could|will|would|should|might"
    r"|must|have|has|had)"
)
"""A short answer: "yes I do"."""
_AGREES = re.compile(r"(?:yes|yeah|yep|no|nope|sure|of course) ")
_COMPARES = re.compile(
    r"\b(?:if|than|as|where|who|what|how|when|like|wherever|whatever|so|think|know|said|told|thought|wish|hope"
    r"|wondering|wonder|asked|sure)\b"
)

_AUX = r"(?:is|are|was|were|am|do|does|did|can|could|would|will|should|might|must|have|has|had|may|shall|be|been)"
_AUX_END = re.compile(rf"(?:^| ){_AUX}$")
_SUBJECT_AUX = re.compile(rf"(?:i|we|you|he|she|it|they|that|this|there) {_AUX}$")
_TO_BE = re.compile(r"(?:is|are|was|were) (?:it|you|he|she|they|that|this|there|we|i)$")
_INVERTED = re.compile(
    r"(?:^| )(?:is|are|was|were|do|does|did|can|could|would|will|should|have|has|may|shall) (?:i|you|he|she|it|they|we"
    r"|there)$"
)
_PRONOUN_END = re.compile(r"(?:^| )(?:i|we|they|he|she)$")

_STRICT = r"(?:with|of|from|at|for|to|about|against|without|near|since|towards|by|under)"
_LOOSE = r"(?:in|on)"
_PREPOSITION = re.compile(rf"(?:^| )(?P<word>{_STRICT}|{_LOOSE})$")
_RELATIVE = re.compile(
    r"\b(?:(?:the|a|an|that|this|my|your|those|these|some|any|every)(?: \w+){1,2}?|ones?|\w+thing|some(?:one|body)"
    r"|nobody|no one|anyone|all) (?:that |which |who )?(?:i|i'm|i've|i'd|i was|we|we're|we've|you|you're|he|she|they) "
    r"(?:\w+ ){1,3}$"
)
_THING_TO = re.compile(
    r"\b(?:\w+thing|some(?:one|body)|anyone|nobody|lot|much|people|room|place|one|ones|number) to (?:\w+ ){1,3}$"
)
_PASSIVE = re.compile(
    r"\b(?:be|been|being|is|are|was|were|it's|get|got|gets|already|not|fully) (?:\w+ly )?(?:paid|asked|called|looked"
    r"|cared|dealt|accounted|taken care|heard|thought|made|spoken|talked|signed|seen|attended|looked forward"
    r"|listened|covered|done|worth waiting|worth looking) $"
)
_NO_STRANDING = re.compile(
    r"\b(?:hours|price|prices|costs?|policy|policies|rates?|fees?|charges?|times?|address|weather|difference|schedule"
    r"|options|plans|deposit|open|close|closed|much|many) $"
)
"""What stands before a preposition that leads on, even in a question: "what are your hours on"."""
_PARTICLE_BEFORE = {
    "in": re.compile(
        r"\b(?:on|come|comes|coming|came|check|checking|checked|log|logging|logged|sign|signed|walk|walking|drop"
        r"|dropping|bring|fit|get|gets|go|going|move|moving|moved|hand|i'm|we're|am|are|is|him|her|me|us|them|pop"
        r"|stop|fill|(?:turn|bring|put|hand|plug|fill|drop|type|take|send|squeeze|fit|book|get|pay) (?:it|that|this"
        r"|\w+ \w+)|pay|paid|stay|count|join|trade|type|plug|sleep|swing|phone|call|give|all) $"
    ),
    "on": re.compile(
        r"\b(?:go|going|goes|carry|move|moving|hold|hang|try|keep|keeps|logged|log|get|getting|later|early|now|so"
        r"|lights?|heating|it is|dragging|and|passed|pass|sign|add|works|working|rely|(?:turn|switch|put|try|leave"
        r"|have|has|keep|turned|switched|tried|pass|passing|add|install|fit|mount|stick|got|take|took) (?:it|them"
        r"|that|this|one|these|those|the \w+|my \w+)) $"
    ),
    "by": re.compile(r"\b(?:stop|stopping|drop|dropping|come|coming|swing|pass|passing|go|get|close|near|stand|pop) $"),
    "to": re.compile(r"\b(?:love|glad|happy|like|want|have|need|used|hope) $"),
    "about": re.compile(r"\b(?:out and|that's) $"),
    "since": re.compile(r"\b(?:ever|long) $"),
    "near": re.compile(r"\b(?:very|quite|too|somewhere|anywhere|so|pretty) $"),
    "without": re.compile(r"\b(?:go|do|live|going|with or|be|or) $"),
    "against": re.compile(r"\b(?:for or|voted|i'm) $"),
    "for": re.compile(r"\b(?:what|who) $"),
    "from": re.compile(r"\b(?:where|who|choose|pick|to hear) $"),
}
_TO_LEFT_OUT = re.compile(
    r"^(?:yes|yeah|yep|no|sure|of course|certainly|i don't|if you|you don't|we don't|i didn't) |\b(?:don't|didn't|if"
    r"|won't|can't|wouldn't|do i|do we|only|anything|whatever|whenever|where|when|used|unless|as) |'d love to$"
)
_OK_SO = re.compile(
    r"\b(?:think|hope|guess|believe|or|why|that|even|how|if|not|afraid|say|said|suppose|and|is|do|very) so$"
)
_WHO_END = re.compile(r"(?:^| )(?:which|when|where|who|how|what|whose|whom|that|as|like|so|not|only|quite|pretty|his)$")
_WHO_FINE = re.compile(
    r"(?:know|sure|remember|guess|care|tell|told|matter|me|from|since|until|say|said|understand|see|asked|forgot|idea"
    r"|certain|by|at|for|to|about|just|ask|of|and|then|or|you) (?:which|when|where|who|how|what|whom|whose)$"
)
_LIKE_FINE = re.compile(
    r"\b(?:look|looks|looking|feel|feels|sound|sounds|was|is|it|that|this|you|they|we|smell|taste|don't|didn't|more"
    r"|would|much|things|i) like$"
)
_AGREES_TOO = re.compile(
    r"\b(?:so|neither|nor) (?:am|is|are|was|were|do|does|did|can|could|will|would|have|has) (?:i|we|you|he|she|they)$"
)
_NEGATION = re.compile(r"n't\b|\b(?:not|no|never) .")
_FINE_BE = re.compile(r"\b(?:will|would|could|might|used to|should|can|may|to|have|has|it'll|that'd|it'd) be(?:en)?$")
_DONE_TO_IT = re.compile(r"\b(?:do|did|done|have|has) it$")
_EMBEDDED = re.compile(
    r"\b(?:what|where|how|when|who|which|why)(?: (?:much|many|long|far|old|big|time|kind|did you say|do you think))?"
    r" (?:the|my|your|our|his|her|their|this|that|those|these|a|an|it|you)(?: [\w']+){1,4} (?:is|are|was|were)$"
)
"""An indirect question: "where the shop is"."""
_ALREADY = re.compile(
    r"(?:(?:i|we|you|they|he|she|it) )?(?:already|still|never|always|usually|really) (?:am|is|are|do|does|did|have"
    r"|has|was)"
)
_OBJECT_MISSING = re.compile(
    r"\b(?:(?:can|could|may|would|will|should|do|did) (?:i|we|you)(?: (?:also|just|still|please|maybe))?|(?:like|want"
    r"|wanted|need|needed|trying|hoping|supposed|going|have|love|happy) to(?: (?:also|just|maybe))?)"
    r" (?:bring|get|have|buy|use|take|give|send|put|add|make|tell|find|show|recommend|explain|ask|know|sell|reserve"
    r"|accept|reach|provide|serve|carry)$|^(?:is|are|does|will) (?:the|your|my|our) \w+$"
)
_NOT_MISSING = re.compile(
    r"\b(?:what|which|who|how|where|why|when|all|anything|everything|something|nothing|one|ones|don't|didn't|if|than|as"
    r"|that's|things?|much|many|whatever) "
)
_WH_OR_IF = re.compile(
    r"\b(?:what|which|where|if|whatever|don't|didn't|they|nobody|someone|what's|not|won't)\b(?! about)"
)
_RELATIVE_BEFORE = re.compile(
    r"\b(?:all|that's|everything|anything|whatever|the \w+|one|if|as|than|size|bike) (?:that )?(?:i|we|you)(?:'d"
    r"| \w+){1,2}$"
)
_PRESENT = re.compile(
    r"(?:is|are) (?:(?!open|closed|available|free|possible|booked|there|interested)\w+ ){1,4}?(?:still |back "
    r"|already )?(?<!open )(?<!closed )(?<!available )(?<!booked )(?<!free )(?<!interested )(?:in|on)$"
)
""" "Is the manager in", and not "are you open on"."""
_AS_FAR_AS = re.compile(r"\b(?:that|than|as|what) (?:i|we|you) (?:\w+ ){1,2}$")
_TO_VERB = re.compile(
    r"\b(?:like|love|want|wanted|need|needed|have|has|had|got|hope|plan|try|going|able|happy|glad|used) $"
)
_HOW_TO = re.compile(r"\b(?:how|what|when|where) (?:do|can|would|will|should|are|does|did) (?:i|you|we)\b")
_WANTING = (
    "i want", "i need", "i wanted", "i needed", "i have", "i had", "i got", "i've got", "we have", "we want", "we need",
    "i'd like", "i would like", "do you have", "do you sell", "do you offer", "do you do", "can i get", "can i have",
    "could i have",
)  # fmt: skip
_THAT_LEADS = re.compile(r"\b(?:think|hope|told|heard|says|sure|possible|fact|so|(?:any|some|the) \w+) that$")
_IS_HIS = re.compile(r"\b(?:is|it's|was|not) his$")
_WANTS_ONE_TO = re.compile(r"\b(?:want|like|need) (?:me|us|him|her|them) $")
_PARTICLE_OF_HOW = re.compile(r"\b(?:log|sign|check|turn|go|get|look|deal)(?:ing)? (?:it )?$")


_IDENTIFIES = re.compile(
    r"^(?:that|this|it|here|there)(?:'s| is| was|'s all| are) (?:my|the|our|your|his|her|a) (?:\w+ )*"
    r"(?:number|address|email|problem|thing|question|name)$"
)
"""What came before was that: "that is my order number"."""


def goes_on(said: str, *, question: bool) -> bool:
    """Whether bare words of English end in the middle. A question mark makes most of them whole."""
    said = said.replace("you guys", "you").replace("you all", "you")
    core = _LEAD.sub("", said, count=1)
    if _IDENTIFIES.search(core) or core.endswith("please do"):
        return False
    if question:
        return " " in said and _NEVER_RE.search(said) is not None and not said.endswith((" i", " or", " and"))
    if not core or _ALONE_RE.fullmatch(core):
        return True
    if _ANSWER.fullmatch(core) and core not in ("i have", "i had", "i was", "there is", "there are"):
        return False
    if _OK_SO.search(said):
        return False
    last = " ".join(said.rsplit(maxsplit=_LONGEST_PHRASE)[-_LONGEST_PHRASE:])
    if _NEVER_RE.search(last):
        return not said.endswith((" you and i", " than i")) and not _AGREES_TOO.search(said)
    if _AGREES.match(said) and _SUBJECT_AUX.search(said):
        return False
    if _PHRASES_RE.search(" ".join(core.rsplit(maxsplit=_LONGEST_PHRASE)[-_LONGEST_PHRASE:])):
        return not _whole_phrase(said)
    if _AUX_END.search(said):
        if said.endswith((" be", " been")):
            return not _WH.search(said) and not _FINE_BE.search(said)
        if _EMBEDDED.search(said) or _ALREADY.fullmatch(core) or said.endswith(" to do"):
            return False
        return not (_SUBJECT_AUX.search(said) and _COMPARES.search(said))
    if _INVERTED.search(said) and not _DONE_TO_IT.search(said):
        if _WH.search(said):
            return not _TO_BE.search(said)
        return not (_NEGATION.search(said) or _AGREES_TOO.search(said))  # a tag: "it isn't far, is it"
    if _PRONOUN_END.search(said):
        return True
    if _OBJECT_MISSING.search(said):
        return not (_NOT_MISSING.search(said) or _RELATIVE_BEFORE.search(said))
    if _WHO_END.search(said):
        return _dangles(said, core)
    stranded = _PREPOSITION.search(said)
    return stranded is not None and _leads_on(said[: stranded.start("word")], stranded["word"], core)


def _whole_phrase(said: str) -> bool:
    """Phrases that are whole where something stands before them."""
    if said.endswith(_WANTING):
        return bool(_WH.search(said) or _RELATIVE_BEFORE.search(said) or _AGREES.match(said))
    if said.endswith("do you know"):
        return _WH.search(said) is not None
    if said.endswith(("need to be", "has to be", "tell me", "give me", "let me", "able to", "supposed to", "going to")):
        return bool(_WH_OR_IF.search(said)) or said.endswith((" please tell me", "not going to", "not supposed to"))
    return said.endswith((" only just", " not just"))


def _dangles(said: str, core: str) -> bool:
    """Ends in a word that asks, compares or points."""
    last = said.rpartition(" ")[2]
    if " " not in core:
        return last in ("as", "quite", "pretty", "his")
    if last in ("which", "when", "where", "who", "how", "what", "whose", "whom"):
        if said.endswith(f"to know {last}"):
            return True
        return _WHO_FINE.search(said) is None
    if last == "like":
        return said.endswith(("i would like", "we would like")) or not (_LIKE_FINE.search(said) or _WH.search(said))
    if last == "not":
        return False
    if last == "only":
        return said.endswith((" i only", "it's only", " is only", " if only"))
    if last == "that":
        return _THAT_LEADS.search(said) is not None and _WH.search(said) is None
    if last == "his":
        return _IS_HIS.search(said) is None
    return True


def _leads_on(before: str, word: str, core: str) -> bool:
    """Whether a preposition at the end wants something after it."""
    if not before.strip():
        return True
    if word == "on" and core == "come on":
        return False
    if word == "to":
        full = before + word
        if _TO_VERB.search(before):
            return not (_TO_LEFT_OUT.search(full) or (_WH.search(before) and not _HOW_TO.search(before)))
        if _WANTS_ONE_TO.search(before):
            return False
    particle = _PARTICLE_BEFORE.get(word)
    if word != "to" and particle is not None and particle.search(before):
        return False
    if word in ("in", "on") and _PRESENT.match(core):
        return False
    if _PASSIVE.search(before) or _AS_FAR_AS.search(before) or _RELATIVE.search(before) or _THING_TO.search(before):
        return False
    asking = _WH.search(before)
    if asking is None:
        return True
    if asking[0] in ("how", "how's", "when", "when's", "why") and "how long" not in before:
        return word == "to" or _PARTICLE_OF_HOW.search(before) is None
    return _NO_STRANDING.search(before) is not None
