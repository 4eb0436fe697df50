"""Model text made fit for a voice."""

from __future__ import annotations

import os
import re
import sys
import time
import unicodedata

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from voicectl.conversation.spoken import SpokenText, speakable

LONG = os.environ.get("VOICECTL_TEST_PROFILE") == "long"
EXAMPLES = 20_000 if LONG else 600

# What must never be said, written down independently of the scanner.
EMOJI = re.compile(
    "[\xa9\xae\u203c\u2049\u20e3\u2122\u2139\u2190-\u21ff\u231a\u231b\u23e9-\u23fa\u25a0-\u27bf"
    "\u2b00-\u2bff\u3030\u303d\u3297\u3299\ufe00-\ufe0f\U0001f000-\U0001faff\U000e0000-\U000e007f]"
)
MARKUP = re.compile(r"[*`\[\]|<>]|(?<!\w)_|_(?!\w)")
URL = re.compile(r"://|(?<![A-Za-z0-9])www\.", re.IGNORECASE)
ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
UNSPEAKABLE = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")


def assert_speakable(said: str) -> None:
    for never in (EMOJI, MARKUP, URL, ENTITY, re.compile("  ")):
        assert not never.search(said), f"{never.search(said)} in {said!r}"
    assert not [c for c in said if unicodedata.category(c) in UNSPEAKABLE or (c.isspace() and c != " ")]


def stream(*tokens: str) -> list[str]:
    """What each token released, and last what `finish` did."""
    spoken = SpokenText()
    return [*map(spoken.feed, tokens), spoken.finish()]


EXAMPLES_BY_HAND = [
    # plain speech
    ("We are open.", "We are open."),
    ("It's $4.50, or 9-5 on 1/2.", "It's $4.50, or 9-5 on 1/2."),
    ("Call (555) 010-4477, ext. 12.", "Call (555) 010-4477, ext. 12."),
    ("e-mail bob_smith@example.com", "e-mail bob_smith@example.com"),
    ("snake_case and a__b", "snake_case and a__b"),
    ("C# is #1", "C# is #1"),
    ("#1 in town", "#1 in town"),
    ("24/7, 50% off: yes; truly", "24/7, 50% off: yes; truly"),
    ("naïve café, Zürich, Ærø", "naïve café, Zürich, Ærø"),
    ("cafe\u0301 noir", "cafe\u0301 noir"),
    ("営業時間は午前9時からです。", "営業時間は午前9時からです。"),
    ("नमस्ते, शुभ दिन।", "नमस्ते, शुभ दिन।"),
    ("“Don’t,” she said — really…", "“Don’t,” she said — really…"),
    ("AT&T and R&D; Marks & Spencer", "AT&T and R&D; Marks & Spencer"),
    ("-5 degrees", "-5 degrees"),
    ("Call +1 555 0100 @ noon = best", "Call +1 555 0100 @ noon = best"),
    ("42. That is how many we have.", "42. That is how many we have."),
    ("Awww. How sweet.", "Awww. How sweet."),
    ("who, what, www", "who, what, www"),
    (" Hello ", " Hello "),
    ("", ""),
    (" ", " "),
    # blanks
    (" \n Hi", " Hi"),
    ("Hello **", "Hello"),
    ("a  b", "a b"),
    ("a\tb\u00a0c\u3000d", "a b c d"),
    ("\n\nHello", "Hello"),
    ("Hello\n\n", "Hello"),
    # emphasis
    ("**Hours:** we close at *5 pm*.", "Hours: we close at 5 pm."),
    ("***Very*** _nice_ __indeed__", "Very nice indeed"),
    ("~~ten~~ nine euros", "ten nine euros"),
    ("un*frigging*believable", "unfriggingbelievable"),
    ("**Note**: *Mon*, **Tue**.", "Note: Mon, Tue."),
    ("an **unclosed bold", "an unclosed bold"),
    ("_(closed)_", "(closed)"),
    ("__init__ is private", "init is private"),
    ("**_both_**", "both"),
    (r"\*not emphasis\* and \#5", "not emphasis and #5"),
    # the symbols that mean something
    ("3 * 4 = 12", "3 times 4 = 12"),
    ("3*4", "3 times 4"),
    (r"5 \* 3", "5 times 3"),
    ("Press * or # now", "Press star or # now"),
    ("Press *, then 1", "Press star, then 1"),
    ("press *", "press star"),
    ("Dial *67 before the number.", "Dial star 67 before the number."),
    ('the "*" key', 'the "star" key'),
    ("3 < 5 and 7 > 2", "3 less than 5 and 7 more than 2"),
    ("in <5 minutes", "in less than 5 minutes"),
    ("x <= 3 or >= 9", "x at most 3 or at least 9"),
    ("~20 minutes", "about 20 minutes"),
    ("Settings → Billing → Pay", "Settings, Billing, Pay"),
    ("Settings -> Billing", "Settings - Billing"),
    ("Mon • Tue • Wed", "Mon, Tue, Wed"),
    # headings, paragraphs, quotes, rulers
    ("# Welcome\nWe are open", "Welcome. We are open"),
    ("## Hours ##\nMonday", "Hours. Monday"),
    ("Opening hours\n=====\nMonday", "Opening hours. Monday"),
    ("One thing\n\nAnother thing.", "One thing. Another thing."),
    ("Done.\n\nNext", "Done. Next"),
    ('He said "yes"\n\nThen', 'He said "yes". Then'),
    ('He said "yes."\n\nThen', 'He said "yes." Then'),
    ("We are open\nfrom nine", "We are open from nine"),
    ("Monday: 9 to 5\nTuesday: 10 to 4", "Monday: 9 to 5, Tuesday: 10 to 4"),
    ("One\r\nTwo\r\n\r\nThree", "One, Two. Three"),
    ("> quoted\n> words", "quoted words"),
    ("Before\n\n---\n\nAfter", "Before. After"),
    ("***\nAfter", "After"),
    ("Before\n* * *\nAfter", "Before. After"),
    ("hard break  \nnext", "hard break next"),
    ("###x", "###x"),
    # lists
    ("We offer:\n- Brakes\n- Tyres\n- Oil\n\nAnything else?", "We offer: Brakes, Tyres, Oil. Anything else?"),
    ("* Brakes.\n* Tyres.", "Brakes. Tyres."),
    ("- Brakes\n\n- Tyres\n\nBye", "Brakes, Tyres. Bye"),
    ("• Brakes\n• Tyres", "Brakes, Tyres"),
    ("Steps:\n1. Call us.\n2. Come in.\n3. Relax", "Steps: Call us. Come in. Relax"),
    ("Steps:\n1) Call us\n2) Come in", "Steps: Call us, Come in"),
    ("Two ways:\n\n**1. Phone**\n**2. E-mail**", "Two ways: Phone, E-mail"),
    ("How many?\n12. We also rent some.", "How many? 12. We also rent some."),
    ("- [ ] book\n- [x] pay", "book, pay"),
    ("- a\n  - b\n  - c", "a, b, c"),
    ("+ one\n+ two\nAnd so on", "one, two. And so on"),
    ("✅ Free Wi-Fi\n✅ Parking", "Free Wi-Fi, Parking"),
    ("月曜:\n- ブレーキ\n- タイヤ\n\n以上です。", "月曜: ブレーキ、タイヤ。以上です。"),
    # tables
    ("| Day | Hours |\n|---|:--:|\n| Mon | 9-5 |\n| Tue | 9-6 |", "Day, Hours. Mon, 9-5. Tue, 9-6"),
    ("Day | Hours\n--- | ---\nMon | 9-5\n\nBye", "Day, Hours. Mon, 9-5. Bye"),
    # code
    ("Press `Enter` or ``Esc``.", "Press Enter or Esc."),
    ("```\nWe are open.\n```\nBye", "We are open. Bye"),
    ("```text\nWe are open\n```\nBye", "We are open. Bye"),
    ("Run this:\n```python\nprint('hi')\n```\nThen call.", "Run this: Then call."),
    ("~~~json\n{}\n~~~\nDone", "Done"),
    ("an `unclosed tick", "an unclosed tick"),
    ("say ```loud``` now", "say loud now"),
    ("```py\nx = 1\n``` Then call", "Then call"),
    ("Hi\n```py", "Hi"),
    # links and URLs
    ("See [our site](https://a.b/c) now", "See our site now"),
    ('See [our site](https://a.b/c_(d) "A title").', "See our site."),
    ("[see note](call us first)", "see note (call us first)"),
    ("![Our logo](logo.png) Hello", "Our logo Hello"),
    ("[![alt](i.png)](https://a.b)", "alt"),
    ("[https://a.b](https://a.b)", "the link"),
    ("Wow![1] We open at nine [2].", "Wow! We open at nine."),
    ("press [Enter] or [Esc]", "press Enter or Esc"),
    ("see https://x.y/z.", "see the link."),
    ("(see http://x.y/z?a=b&c=d#e)", "(see the link)"),
    ("https://x.y/a...b...", "the link..."),
    ("https://x" + "." * 150 + "y", "the link" + "." * 150 + "y"),
    ("HTTPS://X.Y, or www.x.y!", "the link, or the link!"),
    ("**https://x.y/a_b**: go", "the link: go"),
    ("<https://x.y> or <bob@x.com>", "the link or bob@x.com"),
    ("詳しくはhttps://x.y/zへ", "詳しくは the link へ"),
    ("ftp://x.y/z now", "ftp: the link now"),
    # tags and entities
    ("<b>Hi</b> <i class='x'>there</i>", "Hi there"),
    ("<speak>Hi<break time='1s'/>there</speak>", "Hi, there"),
    ("Hi<br>there<br/>you", "Hi, there, you"),
    ("<p>One</p><p>Two</p>", "One. Two"),
    ("<ul><li>a</li><li>b</li></ul>Bye", "a, b. Bye"),
    ("<!-- note -->Hello<|im_end|>", "Hello"),
    ("<think>They want hours.</think>Nine to five.", "Nine to five."),
    ("Tom &amp; Jerry&#39;s &quot;bar&quot;&nbsp;here", 'Tom & Jerry\'s "bar" here'),
    ("&lt;b&gt;bold&lt;/b&gt; &amp;lt; 3", "bold less than 3"),
    ("a &#42;b&#42; &unknown thing", "a b &unknown thing"),
    # emoji and what cannot be seen
    ("Hello 👋", "Hello"),
    ("👋 Hello there!", "Hello there!"),
    ("Great 😀! Bye", "Great! Bye"),
    ("Great!😀See you", "Great! See you"),
    ("a 👨‍👩‍👧‍👦 b 🇬🇧 c 👍🏽 d ❤️ e 🏴󠁧󠁢󠁥󠁮󠁧󠁿", "a b c d e"),
    ("Press 1️⃣, then *️⃣", "Press 1, then star"),
    ("Choose:\n1️⃣ Sales\n2️⃣ Service", "Choose: Sales, Service"),
    ("Bosch® brakes™", "Bosch brakes"),
    ("he\u200bl\u00adl\x00o \u202eyou\u202c\ufeff", "hello you"),
    ("a\ud83db\ude00c", "abc"),
]


@pytest.mark.parametrize(("text", "said"), EXAMPLES_BY_HAND)
def test_examples(text: str, said: str) -> None:
    assert speakable(text) == said
    assert "".join(stream(*text)) == said, "one character at a time"
    assert_speakable(said)


@pytest.mark.parametrize(
    ("tokens", "released"),
    [
        # Plain text leaves at once, partial words included; a blank may wait for the word behind it.
        (["Hel", "lo", ",", " we", "'re", " open", "!"], ["Hel", "lo", ",", " we", "'re", " open", "!", ""]),
        (["So", " ", "what"], ["So", "", " what", ""]),
        (["We offer", ":", " 9", "-", "5"], ["We offer", ":", " 9", "-", "5", ""]),
        # The words inside emphasis, links, headings and code leave before it is closed.
        (["**", "Bold", " words", "**", "."], ["", "Bold", " words", "", ".", ""]),
        (["[", "our", " site", "](", "https://a", ".b", ")", "!"], ["", "our", " site", "", "", "", "", "!", ""]),
        (["#", "#", " Hours", "\n", "Nine"], ["", "", "Hours", "", ". Nine", ""]),
        (["`", "Enter", "`"], ["", "Enter", "", ""]),
        # What is cut in the middle is held back.
        (["Go to h", "ttps", ":", "/", "/x.", "y", ". Bye"], ["Go to", "", "", "", " the link", "", ". Bye", ""]),
        (["a w", "e b"], ["a", " we b", ""]),
        (["Hi <", "b", ">", "you"], ["Hi", "", "", " you", ""]),
        (["Tom &", "am", "p;", " Jerry"], ["Tom", "", "", " & Jerry", ""]),
        (["Hi!", "\n", "-", " ", "one", "\n", "-", " two"], ["Hi!", "", "", "", " one", "", "", ", two", ""]),
        (["bob", "_", "smith"], ["bob", "", "_smith", ""]),
        (["Oh", "!", " !", "[a](b)"], ["Oh", "!", "", " a", ""]),
    ],
)
def test_words_leave_as_soon_as_they_can(tokens: list[str], released: list[str]) -> None:
    assert stream(*tokens) == released


@pytest.mark.parametrize(
    "tokens",
    [
        ["Hi", " see https", "://x.y"],
        ["Hi", " see http:", "//x.y"],
        ["Hi", " see www.x.y", " now"],
        ["Hi www", "</b>", ".x"],
        ["Hi &", "**", "lt", ";"],
        ["Hi (", "!", "[a](b)"],
        ["Hi<think>", "secret", "</think>", " you"],
        ["Hi <a " + "x" * 400, ">", "you"],
        ["Hi <a " + "x" * 290, "x" * 200 + "> you"],
        ["\n" + "- " * 200, "Hi"],
        ["Hi", " *5 " + "5" * 30, "*"],
    ],
)
def test_a_cut_where_it_hurts_changes_nothing(tokens: list[str]) -> None:
    text = "".join(tokens)
    assert "".join(stream(*tokens)) == "".join(stream(*text)) == speakable(text)


@pytest.mark.parametrize(
    "opener", ["[", "`", "```", "**", "_", "<a ", "<", "](", "![", "&", "*7 ", "~~", "|", "> ", "# ", "("]
)
def test_what_is_opened_and_never_closed_is_not_held_for_long(opener: str) -> None:
    spoken = SpokenText()
    said = spoken.feed("Well, " + opener)
    for _ in range(80):
        said += spoken.feed("open ")
    assert len(said) > 80 * 5 - 310
    assert (said + spoken.finish()).count("open") == 80


TRICKY = st.sampled_from(
    [
        *"* ** _ __ ~ ~~ ` ``` ~~~ # ## - + 1. 2. 3) > | |---| --- *** [ ] ]( ( ) ![ ! [1] [^a] [x] ](http://a.b)".split(),
        *"< <b> </b> <br> <think> </think> <!-- --> >= <= -> => & &amp; &lt; &gt; &#42; &#x3c; &nbsp; &#8203;".split(),
        *"&sol; &period; ; amp lt gt http https h ht htt :// : / // www www. w ww . a b word Hello x.y 5 42 3".split(),
        *"😀 👍🏽 👨‍👩‍👧 🇬🇧 1️⃣ *️⃣ → • ● é か 営業 。 、 ' \" “ ” ‘ ’ , ? … $ @ \\ – — = © ™".split(),
        *(" ", " ", " ", "  ", "\n", "\n\n", "\r\n", "\r", "\t", "\u3000", "\u200b", "\u202e", "\x00", "\ud83d"),
        *("\u20e3", "\ufe0f", "```python\n"),
    ]
)
ANY_CHARACTER = st.characters(exclude_categories=())
TEXTS = st.one_of(
    st.lists(TRICKY, max_size=40).map("".join),
    st.lists(TRICKY | st.sampled_from("abc") | st.text(ANY_CHARACTER, max_size=3), max_size=30).map("".join),
    st.text(ANY_CHARACTER, max_size=60),
    st.text("wwhtps:/.&;#lg3x<>*_`~[]()!|- \n\r1\\", max_size=40),
)


@given(st.sampled_from(["", "Hi ", "Hi\n"]), TEXTS, st.data())
@settings(max_examples=EXAMPLES, deadline=None, database=None)
def test_how_a_text_is_cut_into_tokens_changes_nothing(start: str, rest: str, data: st.DataObject) -> None:
    text = start + rest
    whole = speakable(text)
    assert_speakable(whole)
    assert "".join(stream(*text)) == whole
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=12)))
    tokens = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert "".join(stream(*tokens)) == whole


@given(
    st.lists(st.text("abcdehtpswxyzABHW0189éüñßŁ,.?!'", min_size=1, max_size=8), max_size=12),
    st.booleans(),
    st.booleans(),
)
@settings(max_examples=EXAMPLES, deadline=None, database=None)
def test_ordinary_text_comes_out_as_it_went_in(words: list[str], leading: bool, trailing: bool) -> None:
    text = " " * leading + " ".join(words) + " " * (trailing and bool(words))
    assume(not URL.search(text))
    assert speakable(text) == text
    assert "".join(stream(*text)) == text


@given(st.lists(st.text("abcdegilmnoruvxyz0123456789,.?'", min_size=1, max_size=8), min_size=1, max_size=12))
@settings(max_examples=EXAMPLES, deadline=None, database=None)
def test_a_plain_token_leaves_in_the_same_call(words: list[str]) -> None:
    tokens = ["Well", *(" " + word for word in words)]
    assert stream(*tokens) == [*tokens, ""]


WRAPPED = st.sampled_from(
    [
        *(
            "{}",
            "**{}**",
            "*{}*",
            "_{}_",
            "~~{}~~",
            "`{}`",
            "[{}](https://a.b/c)",
            "![{}](d.png)",
            "<b>{}</b>",
            "{} 😀",
        ),
        *("({})", "{}\n", "\n\n{}", "\n- {}\n", "\n1. {}\n", "\n# {}\n", "\n> {}\n", "\n| {} |\n|---|\n", "{}\u200b"),
        *("&quot;{}&quot;", "\n```\n{}\n```\n", "\n---\n{}", "{} [3]", "**{}", "{}!", "“{}”", "<{}@a.b>", "{} → "),
    ]
)


@given(st.lists(st.tuples(WRAPPED, st.text("abcdegilmnoruvxyz", min_size=2, max_size=7)), max_size=15))
@settings(max_examples=EXAMPLES, deadline=None, database=None)
def test_no_word_is_lost_or_moved(parts: list[tuple[str, str]]) -> None:
    text = " ".join(frame.format(word) for frame, word in parts)
    said = re.findall(r"[a-z]+", speakable(text).replace("@a.b", ""))
    assert said == [word for _, word in parts]


def test_nothing_unseen_is_said() -> None:
    unseen = [chr(c) for c in range(sys.maxunicode + 1) if unicodedata.category(chr(c)) in UNSPEAKABLE]
    assert len(unseen) > 139_000
    assert speakable("".join(unseen)).strip() == ""
    assert speakable("a" + "".join(c for c in unseen if not c.isspace()) + "b") == "ab"


def test_what_is_brought_together_by_removing_is_kept_apart() -> None:
    assert speakable("htt**p://x.y") == "http: the link"
    assert speakable("http:**//x.y") == "http:/ /x.y"
    assert speakable("www**.x.y") == "www .x.y"
    assert speakable("www\n\nX") == "www X"
    assert speakable("&**lt;") == "&lt ;"
    assert speakable("<<b>script>") == "script"


@pytest.mark.parametrize(
    "unit", ["[", "*", "<", "`", "_", "&a", "](", "- ", "~", "<a ", "\n1.", "w", "*1", "😀", "https://x."]
)
def test_no_text_makes_the_work_grow_with_the_square_of_its_length(unit: str) -> None:
    text = (unit * 50_000)[: 50_000 if LONG or unit in "[*<" else 10_000]
    began = time.process_time()
    "".join(stream(*text))
    speakable(text)
    # Measured: 0.3 s for 50,000 characters; a buffer that is scanned from its start each time takes minutes.
    assert time.process_time() - began < 10
