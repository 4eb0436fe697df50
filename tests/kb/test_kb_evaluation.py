"""The figures of `kb eval`: reckoned by hand on a few questions, and files of questions that make no sense."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import yaml

from voicectl.conversation.turns import Passage
from voicectl.kb.evaluation import (
    Asked,
    Malformed,
    Outcome,
    auc,
    figures,
    kept,
    question_set,
    sampled,
    spoken,
)
from voicectl.ports import Judgement, Retrieval

PASSAGES = [Passage(number, f"Title {number}", "text", f"kb/{number}.md") for number in range(1, 12)]


def outcome(
    expected: str,
    *found: int,
    told: int | None = None,
    confidence: float = 0.9,
    said: str | None = None,
    say: str = "",
    ms: float | None = 5.0,
) -> Outcome:
    """A question that found these passages, of which the first `told` were told; all where None."""
    judged = tuple(Judgement(PASSAGES[number - 1], 1.0, None) for number in found)
    passages = tuple(each.passage for each in judged)[:told]
    retrieval = Retrieval("answer" if passages else "unknown", passages, judged=judged, confidence=confidence)
    return Outcome(Asked(f"{expected}?", (expected,) if expected else (), say), retrieval, ms, said)


def test_ranks_count_what_was_looked_at_and_right_what_was_told() -> None:
    known = [
        outcome("1.md", 1, 2),
        outcome("2.md", 1, 2),
        outcome("2.md", 1, 2, told=1),  # looked at, not told
        outcome("3.md", 3, told=0),  # found first, and refused
        outcome("9.md", 1, 2, 3, 4, 5, 6, 7, 8),  # not found
    ]
    found = figures(known, [])
    assert (found.r1, found.r3) == (2 / 5, 4 / 5)
    assert found.mrr == pytest.approx((1 + 1 / 2 + 1 / 2 + 1 + 0) / 5)
    assert found.right == 2 / 5
    assert found.refused is None and found.auc is None and found.kept is None


def test_what_is_beyond_the_tenth_place_is_not_found() -> None:
    assert outcome("10.md", *range(1, 12)).rank == 10
    assert outcome("11.md", *range(1, 12)).rank is None


def test_a_source_may_be_given_by_its_end_and_a_passage_by_its_number() -> None:
    assert outcome("kb/2.md", 1, 2).rank == outcome("2.md", 1, 2).rank == outcome("2", 1, 2).rank == 2
    assert outcome("b/2.md", 1, 2).rank is None
    either = Outcome(Asked("?", ("7.md", "2.md")), outcome("x", 1, 2).retrieval)
    assert either.rank == 2 and either.right


def test_what_is_said_must_match_where_that_was_asked_for() -> None:
    assert outcome("1.md", 1, said="It is $75.", say=r"\$75|free").right
    assert outcome("1.md", 1, said="FREE of charge.", say=r"\$75|free").right
    assert not outcome("1.md", 1, said="It is $80.", say=r"\$75|free").right
    assert not outcome("2.md", 1, said="It is $75.", say=r"\$75").right


def test_refusals_are_counted_among_the_unknown() -> None:
    found = figures([outcome("1.md", 1)], [outcome("", 1, told=0), outcome("", 1), outcome("", told=0)])
    assert found.refused == pytest.approx(2 / 3)


def test_times_count_once() -> None:
    known = [outcome("1.md", 1, ms=float(ms)) for ms in range(1, 101)]
    found = figures(known, [])
    assert (found.median_ms, found.p95_ms) == (50.5, 95.0)
    silent = figures([outcome("1.md", 1, ms=None)] * 2 + known[:1], [])
    assert silent.median_ms is None and silent.p95_ms is None
    assert figures([outcome("1.md", 1, ms=None), *known[:1]], []).median_ms == 1.0


def test_area_under_the_curve() -> None:
    assert auc([0.9, 0.8], [0.1, 0.2]) == 1.0
    assert auc([0.1, 0.2], [0.9, 0.8]) == 0.0
    assert auc([0.5, 0.5], [0.5]) == 0.5
    assert auc([0.9, 0.3], [0.5]) == 0.5
    assert auc([], [0.5]) is None and auc([0.5], []) is None
    rng = random.Random(1)
    known = [round(rng.gauss(0.6, 0.2), 1) for _ in range(60)]
    unknown = [round(rng.gauss(0.4, 0.2), 1) for _ in range(40)]
    by_hand = sum((one > two) + (one == two) / 2 for one in known for two in unknown) / (60 * 40)
    assert auc(known, unknown) == pytest.approx(by_hand)


def test_what_is_kept_at_five_percent_false_answers() -> None:
    unknown = [float(number) for number in range(100)]
    # Five of a hundred may pass: 95 to 99; the bar is at 94.
    assert kept([94.5, 93.5], unknown) == 0.5
    assert kept([94.0], unknown) == 0.0  # as good as what must not pass
    assert kept([0.2], [0.1] * 19 + [0.9]) == 1.0  # one of twenty may pass
    assert kept([0.2], [0.1] * 18 + [0.9]) == 0.0  # of nineteen none may


def test_spoken_questions() -> None:
    said = spoken("What's the price of an E-Bike, please? (It's $5!)")
    assert said.endswith("what's the price of an e-bike please it's $5")
    assert said.split("what's")[0].strip()
    assert said == spoken("What's the price of an E-Bike, please? (It's $5!)")
    assert len({spoken(f"question {number}").split("question")[0] for number in range(50)}) > 6


def test_a_sample_is_spread_over_the_set() -> None:
    every = [Asked(str(number)) for number in range(10)]
    assert [each.question for each in sampled(every, 3)] == ["0", "3", "6"]
    assert sampled(every, None) == sampled(every, 10) == sampled(every, 99) == tuple(every)


def test_the_set_of_the_sample_company() -> None:
    found = question_set(yaml.safe_load(Path(__file__).with_name("questions.yaml").read_text("utf-8")))
    assert len(found.known) > 60 and len(found.unknown) > 25 and not found.documents
    assert found.known[0] == Asked("um hi what time do you close on fridays", ("opening-hours.md",), "7 PM")
    assert any(len(each.expected) > 1 for each in found.known)


def test_a_set_with_its_documents() -> None:
    found = question_set({"docs": [{"title": "A", "text": "a"}, {"text": "b"}], "q": [["what?", [1, 0]]]})
    assert found.documents == (("A", "a"), ("", "b"))
    assert found.known == (Asked("what?", ("#1", "#0")),)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ([], "mapping"),
        ({}, "no questions"),
        ({"knwon": []}, "'knwon'"),
        ({"known": [{"find": "a.md"}]}, "known 1: must have `ask`"),
        ({"known": [{"ask": "a"}]}, "known 1: must have `find`"),
        ({"known": [{"ask": "a", "find": "a.md"}, {"ask": "a", "find": "a.md", "says": "x"}]}, "known 2: 'says'"),
        ({"known": [{"ask": "a", "find": "a.md", "say": "("}]}, "no pattern"),
        ({"unknown": [5]}, "unknown 1"),
        ({"known": {"ask": "a"}}, "`known` must be a list"),
        ({"docs": [{"title": "A"}], "q": []}, "docs 0"),
        ({"docs": [{"text": "a"}], "q": [["what?", [1]]]}, "q 0"),
        ({"docs": [{"text": "a"}], "q": [["what?"]]}, "q 0"),
    ],
)
def test_what_makes_no_sense_is_named(data: Any, why: str) -> None:
    with pytest.raises(Malformed, match="(?i)" + why.replace("(", r"\(")):
        question_set(data)
