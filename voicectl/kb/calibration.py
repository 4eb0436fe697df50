"""Where an answer begins, for one knowledge base: reckoned at ingest from what it holds.

How near a question must come to be answered depends on the documents: a hundred pages on one illness are near to
every question about health, five pages on a bicycle shop are near to little. So the knowledge base is asked what it
cannot know, a hundred questions from fifty walks of life, and the threshold is set so far above their median that all
but a few stay below. Median and deviation are robust figures, for a few of those questions may well be at home here.
Questions made of its own headings must stay above, and pull the threshold down where they would not.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence

from voicectl.conversation.turns import Passage
from voicectl.kb.shelf import Shelf
from voicectl.ports import Calibration

LOWEST, HIGHEST = 0.20, 0.45
"""No knowledge base has its threshold outside of these."""
DEVIATIONS = 1.645
"""Above these of the middle one in twenty is left, where figures are spread like chance."""
MOST_OWN = 200
"""Headings asked."""

FOREIGN = (
    "how do i reset the password of my online banking", "what is the exchange rate of the yen today",
    "can i refinance my mortgage with bad credit", "what is my checking account balance",
    "how do i dispute a charge on my credit card statement", "what's the wire transfer limit",
    "is my flight to denver delayed", "how many checked bags can i bring to europe",
    "can i change my seat to the aisle", "where do i collect my luggage at the airport",
    "do i need a visa for vietnam", "my internet is down again can you restart the router",
    "how do i set up voicemail on my new phone", "what is the roaming fee in canada",
    "can i keep my number when i change carriers", "the doctor said i need a blood test do i have to fast",
    "can i get a refill of my prescription", "which side effects does ibuprofen have",
    "is the dentist taking new patients", "my baby has a fever of a hundred and two",
    "how long after surgery can i drive", "what's the visiting time in the maternity ward",
    "when is the deadline for filing my tax return", "how do i renew my driver's license",
    "where do i vote on tuesday", "how do i apply for a passport for my newborn",
    "what is the fine for running a red light", "can my landlord keep the security deposit",
    "how do i file for divorce without a lawyer", "who do i call about a broken street light",
    "what's the recycling schedule on elm street", "is school closed because of the snow",
    "what's my daughter's homework in algebra", "when does enrollment for kindergarten start",
    "how much is tuition for out of state students", "what grade did i get in chemistry",
    "can i book a table for six at seven tonight", "do you have gluten free pasta",
    "is the lobster bisque on the menu", "how long do you boil an egg", "what can i use instead of buttermilk",
    "how many calories are in an avocado", "do you deliver pizza to the north side",
    "is the kitchen still open for dinner", "what movies are playing tonight",
    "are there tickets left for the opera on friday", "who won the game last night",
    "what's the score of the lakers game", "how many players are on a soccer team", "when is the next full moon",
    "what's the weather going to be like in chicago", "how far away is the sun", "what is the capital of mongolia",
    "who wrote pride and prejudice", "how do you say thank you in japanese", "what year did the titanic sink",
    "how tall is mount kilimanjaro", "what is the square root of two hundred and fifty six", "why is the sky blue",
    "what does photosynthesis mean", "how do i cancel my gym membership", "is the swimming pool heated",
    "what time is the yoga class", "can i bring a guest to the sauna", "how do i unclog a kitchen sink",
    "the water heater is leaking what do i do", "how much does it cost to rewire a house",
    "do you install solar panels", "my washing machine makes a loud noise", "can you come and spray for ants",
    "when should i prune my roses", "how often do i water a cactus", "what do you feed a baby hedgehog",
    "does my cat need a rabies shot", "can i adopt a puppy from the shelter", "do you sell wedding dresses",
    "how much is a haircut and color", "can i get an appointment for a manicure", "do you hem trousers while i wait",
    "what size suit do i need", "is the hotel pool open to the public",
    "can i have a late checkout for room four twelve", "is breakfast included with the suite",
    "do you have a conference room for fifty people", "how do i track my package with the tracking number",
    "what does it cost to send a letter to australia", "my laptop won't turn on",
    "how do i install the printer driver", "the app crashes when i upload a photo",
    "how do i merge two branches in git", "what is the difference between tcp and udp",
    "how do i write a for loop in python", "can you write me a poem about the ocean", "tell me a joke about penguins",
    "what's the best stock to buy right now", "should i invest in gold", "how do i claim on my life insurance",
    "is the tow truck on its way", "how often should i change the oil in my diesel",
    "what's the tire pressure for a minivan", "does the ferry to the island take trucks",
    "when does the last train to boston leave", "how much is a monthly bus pass", "where can i park near the stadium",
    "what time is mass on christmas eve", "how do i book the church for a funeral",
    "can i donate blood with a tattoo", "do you buy used textbooks", "how many books can i check out of the library",
    "is the museum free on the first sunday", "how do i tune a ukulele", "do you teach piano to adults",
    "who is the president of brazil", "what is the meaning of life", "how do submarines stay under water",
    "how do i get candle wax out of a carpet", "what is a good name for a goldfish",
    "when was the printing press invented",
)  # fmt: skip
"""Asked on telephones, but hardly all of one company."""


def calibrated(shelf: Shelf, foreign: Sequence[float], own: Sequence[float]) -> Calibration:
    """The threshold from the confidence of FOREIGN questions and of `own` ones; see the top of this file.

    Storing it counts the version up by one: then it belongs to the contents as they are.
    """
    middle = statistics.median(foreign)
    deviation = 1.4826 * statistics.median(abs(each - middle) for each in foreign)
    threshold = middle + DEVIATIONS * deviation
    if own:
        threshold = min(threshold, _quantile(own, 0.05))
    return Calibration(
        round(min(max(threshold, LOWEST), HIGHEST), 3), _spread(foreign), _spread(own) if own else (), shelf.version + 1
    )


def headings(passages: Iterable[Passage]) -> list[str]:
    """The last headings of a knowledge base, each once, evenly taken where there are many."""
    every = list(dict.fromkeys(passage.title.rpartition(" > ")[2] for passage in passages))
    count = min(len(every), MOST_OWN)
    return [every[at * len(every) // count] for at in range(count)]


def _spread(figures: Sequence[float]) -> tuple[float, ...]:
    return tuple(
        round(each, 3) for each in (min(figures), statistics.median(figures), _quantile(figures, 0.95), max(figures))
    )


def _quantile(figures: Sequence[float], share: float) -> float:
    ordered = sorted(figures)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
