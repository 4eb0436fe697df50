"""English as callers speak it, in tables: what says nothing, what says little, and what means the same.

Words stand in lower case and without accents. The tables hold what is true of telephone English in general; a
company's own words belong in its documents.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


FILLERS = (
    "um", "uh", "uhm", "umm", "er", "erm", "hmm", "hm", "mm", "mhm", "ah", "oh", "like", "well", "so yeah", "yeah so",
    "you know", "i mean", "kind of", "sort of", "basically", "actually", "just", "maybe", "please", "okay so", "ok so",
    "alright so", "all right so", "hey there", "hi there", "hello there", "hi", "hello", "hey", "good morning",
    "good afternoon", "good evening", "excuse me", "sorry", "thanks", "thank you", "yes hi", "yeah hi",
    "i was wondering if", "i was wondering", "i wonder if", "i wanted to ask", "i want to ask", "i'd like to ask",
    "i would like to ask", "can i ask", "could i ask", "may i ask", "can i ask you something", "quick question",
    "i have a question", "i've got a question", "a question about", "question about", "i'm calling about",
    "i am calling about", "i'm calling to ask", "i'm calling because", "i'm just calling",
    "could you please tell me", "could you tell me", "can you please tell me", "can you tell me", "would you tell me",
    "please tell me", "tell me", "let me know", "do you know", "do you happen to know", "i'd like to know",
    "i would like to know", "i want to know", "i wanna know", "i need to know", "any idea", "any chance",
    "by any chance", "by the way", "i guess", "i think", "i suppose", "i don't know", "not sure", "i'm not sure",
    "to be honest", "find out", "figure out", "at your place",
    "at your shop", "at your store", "over there",
    "guys", "the thing is", "let's see", "one more thing", "one more question", "another question",
    "first of all", "in general", "or something", "or anything", "and stuff", "and everything", "and so on", "right",
)  # fmt: skip
"""Said while thinking, or to be polite. Taken out of a question before it is read."""

STOP = _words(
    """
    a an the this that these those there here
    i me my mine myself we us our ours ourselves you your yours yourself he him his she her hers it its they them their
    theirs someone somebody anyone anybody everyone everybody something anything everything thing things stuff
    am is are was were be been being isn't aren't wasn't weren't i'm you're he's she's it's we're they're that's there's
    here's what's who's where's how's when's do does did doing done don't doesn't didn't have has had having haven't
    hasn't hadn't i've you've we've they've i'd you'd he'd she'd we'd they'd i'll you'll he'll she'll it'll we'll
    they'll can could can't cannot couldn't will would won't wouldn't shall should shouldn't may might must mustn't
    gonna wanna gotta ain't let let's
    who whom whose what which when where why how whether if
    and or but nor so because as than then though although while until till
    of at by for with about against between into through during before after above below to from up down in out on off
    over under again onto upon within without toward towards per via around along across
    not no yes yeah yep nope ok okay any some all both each every few more most other another such only same too very
    much many lot lots bit quite really also even still yet already ever never always just
    got get gets getting go goes going went come comes coming back
    etc eg ie
    """
)
"""Grammar. These words are in every text and tell nothing of what it is about."""

COMMON = _words(
    """
    able about accept actual add afternoon ago allow almost alone already always amount answer appear area ask away
    bad beautiful become beforehand begin behind believe best better big bother bought brand bring brought bunch
    busy call calling care carry case cause certain chance change check choose clear close come common consider
    contact continue cool could couple course current day days deal decide definitely depend different difficult
    directly door early earlier easy either else end enough entire especially evening exact exactly example except
    expect explain fact fall family far fast feel felt fill final finally find fine finish first five fix follow
    forget form forward found four free friend friends front full fun further future general give given glad gone
    good great group guess guy half hand handle happen happy hard hear heard help high hold home hope hour hours
    house huge husband idea immediately important include information instead interested issue job keep kept kind
    know known large last late later least less life like likely line little live long longer look looking love low
    main make making man many matter mean meant mention middle mind minute minutes miss moment mom dad money month
    months morning move name near need needed needs new next nice night nine normal normally note notice number
    obviously offer often old older once open option options order own part parts particular past pay people perfect
    perhaps person pick piece place plan plus point possible possibly pretty probably problem provide put question
    quick quickly ready real reason recent recently recommend regular remember reply result right rough roughly run
    sale same save saw say second see seem seen sell send sense separate serious service set seven several shop
    short show similar simple simply since single sit situation six size small somehow sometime sometimes somewhere
    soon sort sound speak special specific spend stand start started state stay step stop store straight sudden
    suggest summer super supposed sure take taken taking talk tell ten terrible thank think third thought thousand
    three time times today together told tomorrow tonight top total town try trying turn turned turning twelve
    twenty two type understand use used using usual usually various visit wait walk want wanted wants watch way week
    weekend weeks whole wife wonder word work working works world worry worth wrong year years yesterday young zero
    spring winter autumn eight eleven thirty forty fifty hundred dollar dollars
    """
)
"""Words that nearly every conversation holds: that a document lacks one of them says little about the document."""

RELATIONAL = _words(
    """
    price prices pricing priced cost costs charge charges charged fee fees rate rates expensive pricey cheap cheaper
    cheapest costly difference differences compare compared size sizes weight color colors colour colours extra include
    included includes longer longest shorter bigger smaller larger faster slower quicker closer closest nearer heavier
    lighter ahead remain details detail take takes taken took ready start starts begin begins minimum maximum total
    """
)
"""What can be asked of anything: these words say what a caller wants to know, and not about what."""

PLACES = _words("on in at for with without from to of by about after before until till during within under over than")
ARTICLES = _words("the a an my your our their his her this that these those any some each every")

NUMBERS = {
    "zero": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8",
    "nine": "9", "ten": "10", "eleven": "11", "twelve": "12", "thirteen": "13", "fourteen": "14", "fifteen": "15",
    "sixteen": "16", "seventeen": "17", "eighteen": "18", "nineteen": "19", "twenty": "20", "thirty": "30",
    "forty": "40", "fifty": "50", "sixty": "60", "seventy": "70", "eighty": "80", "ninety": "90", "hundred": "100",
}  # fmt: skip

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

PHRASES = (
    ("much", r"\bhow much (money )?(do|does|would|will|did) (you|they|it|that|this) (charge|cost|run)\b", "price"),
    ("what", r"\bwhat (do|does|would) (they|those|these|it|that|one|(the|your) [\w-]+) (run|go for|set me back)\b",
     r"price \2"),
    ("where", r"\bwhere (exactly )?(are|is|'s) (you|y'all|it|(the|your) (shop|store|place|office))\b",
     "address location"),
    ("where", r"\bwhere can i find (you|(the|your) (shop|store|place|office))\b", "address location"),
    ("how", r"\bhow (do|can|would|should) (i|we) (get|find|come) (there|to (you|(the|your) (shop|store|place)))\b",
     "directions"),
    ("money back", r"\b(my|our|the) money back\b", "refund"),
    (" back", r"\b(bring|send|take|give|get) ((it|this|that|them|these|(an?|my|the) [\w-]+) )?back\b", r"return \2"),
    ("how old", r"\bhow old\b", "age"),
    (" one", r"\b(that|this|the|which|another|any|every|each|a \w+|the \w+) ones?\b", r"\1"),
    ("second", r"\bsecond[ -]hand\b", "used"),
    ("owned", r"\bpre[ -]owned\b", "used"),
    ("pay", r"\b(pay|paying) (it )?(over time|monthly|in (installments|instalments|parts))\b", "financing"),
    ("payment", r"\b(monthly payments?|payment plan)\b", "financing"),
    ("instal", r"\binstall?ments?\b", "financing"),
    ("how", r"\bhow (long|soon)\b", "how"),
    ("number", r"\bwhat('s| is) (the|your) number\b", "phone"),
    (" number", r"\b(phone|telephone|cell|mobile) number\b", "phone"),
    ("mail", r"\be[- ]?mail\b", "email"),
    ("bik", r"\be[- ]?bik(e|es|ing)\b", "e-bike"),
    ("electric", r"\belectric (bikes?|bicycles?)\b", "e-bike"),
    ("tun", r"\b(tune|tuned|tuning)[- ]?ups?\b", "tune-up"),
    ("leave", r"\bleave (my|the|our|a) (car|truck|van)\b", "park"),
    ("by", r"\b(stop|come|drop|swing|pop) by\b", "visit open"),
    ("get rid", r"\bget rid of\b", "recycle"),
    ("throw", r"\bthrow (away|out)\b", "recycle"),
    ("dispose", r"\bdispose of\b", "recycle"),
    ("write", r"\bwrite (you )?a (check|cheque)\b", "pay personal check"),
    (" off", r"\b(percent|%) off\b", "percent off discount"),
    ("happy", r"\b(not|isn't|aren't|wasn't|never) (at all |very |really |too )?happy\b", "complaint"),
    ("satisfied", r"\b(not|isn't|aren't|wasn't|never) (at all |very |really |too )?satisfied\b", "complaint"),
)  # fmt: skip
"""Turns of phrase whose words, taken singly, would be lost or misread: a part that any of them holds, which saves
looking closer, the pattern, and the words that say it."""

ALIKE = (
    "price prices pricing priced cost costs charge charges fee fees rate rates expensive cheap cheaper cheapest pricey",
    "hours open opens opening close closes closing closed times",
    "fix repair mend service servicing serviced",
    "rent rental hire renting rentals",
    "deliver delivery ship shipping shipped shipment",
    "kid kids kiddo kiddos child children son daughter boy girl toddler grandson granddaughter grandkids youngster",
    "return refund exchange",
    "buy bought purchase",
    "pay paid payment",
    "card cards",
    "phone telephone",
    "address located location directions situated",
    "park parking parked garage",
    "book booking reserve reservation appointment appointments schedule sign-up",
    "warranty guarantee guaranteed warranties",
    "flat puncture punctured",
    "lose lost forget forgot forgotten left missing mislaid",
    "complain complaint complaints unhappy dissatisfied",
    "dog dogs puppy pet pets",
    "cancel cancellation canceled cancelled canceling cancelling",
    "discount discounts coupon coupons deal deals promotion",
    "owner boss owns proprietor",
    "manager manages boss",
    "job jobs hire hiring career careers vacancy vacancies employment",
    "bathroom restroom toilet washroom",
    "finance financing financed loan credit",
    "bike bikes bicycle bicycles cycle",
    "shop store",
    "staff team employees",
    "insurance insure insured",
    "holiday holidays",
    "christmas xmas",
    "july 4th fourth",
    "tire tires tyre tyres",
    "harbor harbour",
    "center centre",
    "check cheque",
    "fly flying flight airplane airlines plane",
    "steal steals stole stolen theft",
    "teach taught class classes course lesson lessons learn",
    "weekday weekdays",
    "website site online internet web",
    "accessible accessibility",
    "age ages",
    "record recorded recording",
    "delete deleted erase",
    "ready done finished",
    "inside indoors",
    "snow snowstorm blizzard snows",
    "rain rains raining rainy",
    "trade-in trade-ins trade",
    "borrow loaner lend loan",
    "trash garbage",
    "safe safety dangerous danger",
    "email e-mail mail",
    "voucher vouchers gift",
    "break breaks broke broken",
    "join member members membership",
    "register registered registration",
    "allow allowed welcome permitted",
    "ride rode ridden",
    "sell sold",
    "find found",
    "child's children's kid's",
)
"""Groups of words that answer for one another when a document is searched."""
