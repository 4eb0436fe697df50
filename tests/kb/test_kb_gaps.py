"""Questions without an answer, put together by what they ask."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from voicectl.kb.gaps import Cluster, cluster
from voicectl.ports import Gap

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
KAYAKS = ("do you rent kayaks", "Um, do you rent kayaks?", "can i hire a kayak", "how much is it to rent a kayak")
KEYS = ("do you cut keys", "can you cut a house key for me")
TESLA = ("where can i charge my tesla",)


def gaps(*questions: str) -> list[Gap]:
    return [
        Gap(NOON + timedelta(minutes=at), f"CA{at}", question, 0.2, "en-US") for at, question in enumerate(questions)
    ]


def together(found: list[Cluster]) -> set[frozenset[str]]:
    return {frozenset(each.questions) for each in found}


def test_questions_of_the_same_words_are_put_together() -> None:
    found = cluster(gaps(*KAYAKS, *KEYS, *TESLA))
    assert [each.count for each in found] == [4, 2, 1]
    kayaks, keys, tesla = found
    assert set(kayaks.questions) == set(KAYAKS) - {"Um, do you rent kayaks?"}  # the same wording but for a filler
    assert "kayak" in kayaks.question and kayaks.question in KAYAKS
    assert set(keys.questions) == set(KEYS) and tesla.question == TESLA[0]


def test_a_cluster_is_named_by_its_middle_and_says_when_it_was_asked_last() -> None:
    asked = [*gaps("do you rent kayaks", "do you rent kayaks", "do you rent kayaks by the hour on the river")]
    asked[0] = Gap(NOON + timedelta(days=3), "CA1", asked[0].question)
    [found] = cluster(asked)
    assert found.question == "do you rent kayaks"
    assert found.count == 3 and found.last == NOON + timedelta(days=3)
    assert found.calls == 2  # CA1 asked two times


def test_meanings_put_together_what_shares_no_word() -> None:
    questions = ("do you cut keys", "can i get a spare made for my front door", "where can i charge my tesla")
    vectors = [np.array(each, dtype=np.float32) for each in ([1.0, 0.0, 0.0], [0.8, 0.6, 0.0], [0.0, 0.0, 1.0])]
    assert together(cluster(gaps(*questions), vectors)) == {frozenset(questions[:2]), frozenset(questions[2:])}
    assert len(cluster(gaps(*questions))) == 3  # by words


def test_meanings_that_are_only_somewhat_near_stay_apart() -> None:
    vectors = [np.array(each, dtype=np.float32) for each in ([1.0, 0.0], [0.55, 0.835])]
    assert len(cluster(gaps("one question", "another one"), vectors)) == 2


def test_what_came_too_early_is_moved_to_where_it_belongs() -> None:
    def at(degrees: float) -> np.ndarray:
        return np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))], dtype=np.float32)

    # 50 degrees joins the cluster at 0 before there is one at 90, to which it is nearer.
    asked = gaps("a", "a", "b", "c", "c")
    found = cluster(asked, [at(0), at(0), at(50), at(95), at(95)])
    assert together(found) == {frozenset({"a"}), frozenset({"b", "c"})}


def test_the_order_of_the_questions_makes_no_difference() -> None:
    asked = gaps(*KAYAKS, *KEYS, *TESLA)
    assert together(cluster(asked)) == together(cluster(asked[::-1]))


def test_questions_of_nothing_but_grammar_are_kept() -> None:
    assert [each.question for each in cluster(gaps("what about it"))] == ["what about it"]
    assert cluster([]) == [] and cluster([], []) == []


@pytest.mark.parametrize("by_meaning", [False, True])
def test_thousands_of_questions(by_meaning: bool) -> None:
    rng = np.random.default_rng(3)
    topics = rng.normal(size=(60, 64)).astype(np.float32)
    questions, vectors = [], []
    for number in range(2400):
        topic = number % 60
        questions.append(f"do you have any topic{topic} in size{number % 7}{topic} for case{number}")
        vector = topics[topic] + rng.normal(scale=0.3, size=64).astype(np.float32)
        vectors.append(vector / np.linalg.norm(vector))
    found = cluster(gaps(*questions), vectors if by_meaning else None)
    assert sum(each.count for each in found) == 2400
    if by_meaning:
        assert len(found) == 60 and {each.count for each in found} == {40}
