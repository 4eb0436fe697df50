"""Whether an utterance is nothing but a goodbye.

Said over or after the agent's own goodbye, a farewell ends the call; anything else calls the goodbye off. While the
caller is being put through to a person, agreeing to it is no objection either.
"""

from __future__ import annotations

import re

_CLOSING = re.compile(
    r"\b(?:good ?bye|bye(?: ?bye)?|cheerio|cheers|farewell|good ?night|take care|ciao|ta"
    r"|thanks?(?: you)?(?: (?:so|very) much| a lot| again)?"
    r"|(?:have|enjoy) (?:a|an|your) (?:\w+ )?(?:one|day|evening|night|afternoon|morning|weekend|week)"
    r"|you too|same to you|see (?:you|ya)(?: (?:later|soon|then|tomorrow|around))?|talk (?:to you )?(?:later|soon))\b"
)
_AGREEING = re.compile(
    r"\b(?:yes|yeah|yep|sure|please|go ahead|do that|perfect|that would be (?:great|nice|lovely)|thats fine|fine"
    r"|ill (?:hold|wait))\b"
)
_FILLER = frozenset(
    """
    ok okay alright all right great good perfect lovely excellent fine cool well then now and so no nope oh ah um uh
    thats that is it was for your the help everything nothing else from me im i am done you very much
    """.split()
)


def is_farewell(text: str, *, to_a_person: bool = False) -> bool:
    """`to_a_person`: the call is closing by being handed over."""
    words = re.sub(r"[^\w' ]", " ", text.lower().replace("-", " ").replace("’", "'"))
    words = " ".join(words.replace("'", "").split())
    found = _CLOSING.search(words) or (to_a_person and _AGREEING.search(words))
    if not found:
        return False
    rest = _CLOSING.sub(" ", words)
    if to_a_person:
        rest = _AGREEING.sub(" ", rest)
    return all(word in _FILLER for word in rest.split())
