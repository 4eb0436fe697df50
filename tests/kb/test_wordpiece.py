"""Text is cut as the `tokenizers` package cuts it for the model. The pieces below were made with tokenizers 0.23.3 and
the tokenizer.json of all-MiniLM-L6-v2."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicectl.kb.minilm import VOCABULARY
from voicectl.kb.wordpiece import BEGIN, END, LONGEST_WORD, UNKNOWN, WordPiece

TOKENS = VOCABULARY.read_text(encoding="utf-8").splitlines()
WORDS = WordPiece(VOCABULARY)
ALL = 10**6

GOLDEN = [
    ("", ""),
    (" \t\n", ""),
    ("Hello, World!", "hello , world !"),
    ("how much is a tune-up?", "how much is a tune - up ?"),
    ("don't  you\tsell\nbikes\r\n", "don ' t you sell bikes"),
    ("$7,000.50 (50% off)", "$ 7 , 000 . 50 ( 50 % off )"),
    ("e-mail: a_b@c.org / #1", "e - mail : a _ b @ c . org / # 1"),
    ("AT&T's C++ .NET", "at & t ' s c + + . net"),
    ("`^~|+=<>", "` ^ ~ | + = < >"),
    ("##ing play##", "# # ing play # #"),
    ("1234567890 3.14", "123 ##45 ##6 ##7 ##8 ##90 3 . 14"),
    ("qqqqzzzzxxxx", "q ##q ##q ##q ##zz ##zz ##xx ##xx"),
    ("unaffable antidisestablishmentarianism", "una ##ffa ##ble anti ##dis ##est ##ab ##lish ##ment ##arian ##ism"),
    # accents, composed and not
    ("Café crème brûlée", "cafe cr ##eme br ##ule ##e"),
    ("cafe\u0301", "cafe"),
    ("q\u0307\u0323 o\u0328\u0304", "q o"),
    ("Ünïcödé Ångström", "unicode ang ##strom"),
    ("\u0130stanbul Straße \u01c5 \ufb01n", "istanbul st ##raße [UNK] \ufb01 ##n"),
    ("naïve façade São Tomé", "naive facade sao tome"),
    ("\u0110à N\u1eb5ng", "đ ##a nan ##g"),
    # other scripts; every CJK character is a word
    ("日本語 テスト", "日 本 語 テ ##ス ##ト"),
    ("自転車のbike店", "[UNK] [UNK] 車 の ##bi ##ke [UNK]"),
    ("中文,英文。", "中 文 , 英 文 。"),
    ("\U00020000\U00020001", "[UNK] [UNK]"),
    ("한국어", "ᄒ ##ᅡ ##ᆫ ##ᄀ ##ᅮ ##ᆨ ##ᄋ ##ᅥ"),
    ("\u0391\u0392\u0393 \u03a3\u03af\u03c3 \u03c2", "\u03b1 ##\u03b2 ##\u03b3 \u03c3 ##\u03b9 ##\u03c3 \u03c2"),
    ("Привет Ёлка й", "п ##р ##и ##в ##е ##т е ##л ##ка и"),
    ("\u05e9\u05b8\u05c1\u05dc\u05d5\u05b9\u05dd", "\u05e9 ##\u05dc ##\u05d5 ##\u05dd"),
    ("हिन\u094dदी", "ह ##ि ##न ##द ##ी"),
    ("ไทย", "[UNK]"),
    # pictures, signs, quotes and what cannot be seen
    ("😀 bikes 🚲!", "[UNK] bikes [UNK] !"),
    ("👩\u200d👩\u200d👧 zero\u200bwidth", "[UNK] zero ##wi ##dt ##h"),
    ("\u2665\u260e\u2713", "[UNK]"),
    ("x²+y³ ≤ €5 ₹9 £7", "x ##² + y ##³ ≤ € ##5 ₹ ##9 £ ##7"),
    ("½ cup ¼", "½ cup ¼"),
    ("\u201cquoted\u201d \u2013 \u2014 \u2026 ¿qué?", "\u201c quoted \u201d \u2013 \u2014 \u2026 ¿ que ?"),
    ("a\xa0b\u3000c\u2003d", "a b c d"),
    ("a\x00b\x07c\x1bd\x7fe", "abc ##de"),
    ("a\ufffdb", "ab"),
    ("soft\xadhyphen \ufeffbom", "soft ##hy ##ph ##en bo ##m"),
    ("line\u2028sep\u2029par\x85nel", "line sep par ##nel"),
]


def cut(text: str, longest: int = ALL) -> str:
    ids = WORDS.ids(text, longest)
    assert (ids[0], ids[-1]) == (BEGIN, END)
    return " ".join(TOKENS[number] for number in ids[1:-1])


@pytest.mark.parametrize(("text", "pieces"), GOLDEN, ids=[ascii(text) for text, _ in GOLDEN])
def test_text_is_cut_as_the_model_learnt_it(text: str, pieces: str) -> None:
    assert cut(text) == pieces


def test_the_numbers_are_those_of_the_vocabulary() -> None:
    assert (TOKENS[UNKNOWN], TOKENS[BEGIN], TOKENS[END]) == ("[UNK]", "[CLS]", "[SEP]")
    assert len(TOKENS) == 30522
    assert WORDS.ids("how much is a tune-up?", ALL) == [101, 2129, 2172, 2003, 1037, 8694, 1011, 2039, 1029, 102]


def test_what_a_caller_says_is_never_one_of_the_models_own_marks() -> None:
    """`tokenizers` takes them for the marks; here they are words like others."""
    assert cut("[CLS] mask [MASK]") == "[ cl ##s ] mask [ mask ]"


def test_a_word_that_is_too_long_is_unknown_and_costs_its_neighbours_nothing() -> None:
    assert cut("x" * LONGEST_WORD) == " ".join(["xx"] + ["##xx"] * (LONGEST_WORD // 2 - 1))
    assert cut(f"red {'x' * (LONGEST_WORD + 1)} bike") == "red [UNK] bike"
    assert "[UNK]" not in cut("é" * LONGEST_WORD)  # counted without accents


@pytest.mark.parametrize("longest", [2, 3, 4, 5, 8, 9, 10, 11, 256])
def test_a_long_text_is_cut_off_and_still_ends(longest: int) -> None:
    text = "the unaffable mechanics tune bikes"
    whole = WORDS.ids(text, ALL)
    assert whole.count(END) == 1 and len(whole) == 9
    assert WORDS.ids(text, longest) == [*whole[:-1][: longest - 1], END]


@given(st.text(st.characters(max_codepoint=126)))
def test_plain_text_is_cut_the_quick_way_as_the_long_way(text: str) -> None:
    long_way = WORDS.ids(f"{text} é", ALL)
    assert long_way == [*WORDS.ids(text, ALL)[:-1], WORDS.ids("e", ALL)[1], END]


@given(st.text(), st.integers(2, 40))
def test_any_text_is_cut(text: str, longest: int) -> None:
    ids = WORDS.ids(text, longest)
    assert len(ids) <= longest and ids[0] == BEGIN and ids[-1] == END
    assert ids == WORDS.ids(unicodedata.normalize("NFC", text), longest)  # however it is written


def test_a_vocabulary_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        WordPiece(tmp_path / "none.txt")
