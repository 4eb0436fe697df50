from __future__ import annotations

from typing import Any

from voicectl.simulator.actions import (
    AgentPlaying,
    AgentSaying,
    AgentSpoke,
    AgentStarted,
    AgentStopped,
    CallerCutIn,
    CallerSaid,
    KeyDialled,
)
from voicectl.simulator.line import TokensArrived
from voicectl.simulator.transcript import Transcript


def seen(*observations: Any) -> Transcript:
    transcript = Transcript()
    for each in observations:
        transcript.observe(each)
    return transcript


def says(at: float, text: str, seconds: float = 1.0) -> list[Any]:
    """A chunk from its beginning to its end."""
    return [
        AgentStarted(at),
        AgentSaying(at, text, seconds),
        AgentSpoke(at + seconds, text),
        AgentStopped(at + seconds),
    ]


def texts(transcript: Transcript) -> list[tuple[str, str]]:
    return [(each.text, each.unheard) for each in transcript.utterances]


def test_one_cycle_is_one_utterance_however_it_is_cut_into_tokens_and_chunks() -> None:
    got = seen(
        *(TokensArrived(1, token, False) for token in ("One is ", "this. ", "Two", " is that: three.")),
        TokensArrived(1.1, "", True),
        *says(2, "One is this."),
        *says(3, " Two is that:"),
        *says(4, " three."),
    )
    assert texts(got) == [("One is this. Two is that: three.", "")]
    assert got.quiet
    assert (got.utterances[0].at, got.utterances[0].until, got.utterances[0].first_token_at) == (2, 5, 1)


def test_it_is_not_quiet_while_words_are_on_their_way() -> None:
    transcript = seen(TokensArrived(1, "Not yet", False))
    assert not transcript.quiet
    transcript.observe(TokensArrived(1, " spoken.", True))
    assert not transcript.quiet
    for each in says(2, "Not yet spoken."):
        assert not transcript.quiet
        transcript.observe(each)
    assert transcript.quiet


def test_listening_follows_the_words() -> None:
    transcript = seen(AgentStarted(1), AgentSaying(1, "One two three four", 4.0))
    got = []
    for at in (1.0, 2.0, 3.0, 5.0):
        transcript.listen(at)
        got.append(transcript.utterances[0].text)
    assert got == ["One", "One two", "One two three", "One two three four"]


def test_all_that_is_queued_is_unheard_when_the_caller_cuts_in() -> None:
    transcript = seen(
        TokensArrived(1, "One two three. Four five.", True),
        TokensArrived(1.1, "Another cycle.", True),
        AgentStarted(2),
        AgentSaying(2, "One two three.", 2.0),
        AgentSpoke(3, "One two", cut=True),
        CallerCutIn(3, "One two"),
        AgentStopped(3.003),
    )
    assert texts(transcript) == [("One two", " three. Four five.Another cycle.")]
    assert transcript.utterances[0].cut
    assert transcript.quiet


def test_words_sent_after_the_interruption_are_new_and_not_unasked() -> None:
    transcript = seen(
        TokensArrived(1, "One two. Three", False),
        AgentStarted(2),
        AgentSaying(2, "One two.", 2.0),
        AgentSpoke(3, "One", cut=True),
        CallerCutIn(3, "One"),
        AgentStopped(3.003),
        TokensArrived(3.1, " stray words.", False),
        TokensArrived(3.2, "", True),
        *says(4, " stray words."),
    )
    assert texts(transcript) == [("One", " two. Three"), (" stray words.", "")]
    assert [each.unasked for each in transcript.utterances] == [False, False]


def test_a_cut_at_the_last_word_is_no_cut() -> None:
    got = seen(AgentSaying(1, "One two", 2.0), AgentSpoke(2.9, "One two", cut=True), CallerCutIn(2.9, "One two"))
    assert not got.utterances[0].cut


def test_preempted_words_are_kept_with_what_was_being_said() -> None:
    transcript = seen(
        TokensArrived(1, "One moment please. Still looking.", True),
        AgentStarted(2),
        AgentSaying(2, "One moment please.", 2.0),
        TokensArrived(2.5, "Here it is.", True),
        AgentSpoke(2.6, "One moment", cut=True),
        AgentSaying(3, "Here it is.", 1.0),
        AgentSpoke(4, "Here it is."),
        AgentStopped(4),
    )
    assert texts(transcript) == [("One moment", " please. Still looking."), ("Here it is.", "")]
    assert not transcript.utterances[0].cut


def test_the_end_of_the_call_leaves_the_rest_unheard() -> None:
    transcript = seen(
        TokensArrived(1, "One two three four. Five.", True), AgentStarted(2), AgentSaying(2, "One two three four.", 4.0)
    )
    transcript.finish(4)
    assert texts(transcript) == [("One two three", " four. Five.")]
    assert transcript.utterances[0].until == 4


def test_what_answers_what() -> None:
    transcript = seen(*says(1, "Hello."))
    asked = transcript.caller_speaks("What is new?", 3, 1.0)
    for each in (
        CallerSaid(3.5, "What is", final=False),
        CallerSaid(4.5, "What is new?", final=True),
        TokensArrived(4.6, "Nothing.", True),
        *says(5, "Nothing."),
        TokensArrived(9, "Hello?", True),
        *says(9.4, "Hello?"),
    ):
        transcript.observe(each)
    greeting, _, answer, reprompt = transcript.utterances
    assert (answer.answers, answer.unasked, reprompt.answers, reprompt.unasked) == (asked, False, None, True)
    assert (asked.until, asked.reported_at) == (4, 4.5)
    assert (answer.transcript_ms, answer.first_token_ms, answer.first_audio_ms) == (500, 600, 1000)
    assert (greeting.kind, reprompt.first_audio_ms) == ("greeting", None)


def test_half_a_question_has_no_answer() -> None:
    transcript = seen(*says(1, "Hello."))
    transcript.caller_speaks("What is new?", 3, 1.0)
    transcript.observe(CallerSaid(3.5, "What is", final=False))
    transcript.observe(TokensArrived(3.6, "Are you there?", True))
    for each in says(4.5, "Are you there?"):
        transcript.observe(each)
    assert (transcript.utterances[-1].answers, transcript.utterances[-1].unasked) == (None, True)


def test_an_apology_right_behind_a_reply_is_not_unasked() -> None:
    transcript = seen(*says(1, "Hello."))
    transcript.caller_speaks("Hm?", 3, 0.5)
    for each in (
        CallerSaid(4, "Hm?", final=True),
        TokensArrived(4.1, "We are", True),
        TokensArrived(4.2, "Sorry, again please.", True),
        *says(5, "We are"),
        *says(6, "Sorry, again please."),
    ):
        transcript.observe(each)
    assert [each.unasked for each in transcript.utterances] == [False] * 4


def test_speech_that_was_not_reported_has_no_answer() -> None:
    transcript = seen()
    lost = transcript.caller_speaks("Lost words", 1, 1.0)
    transcript.observe(CallerSaid(3, "Lost words", final=True, reported=False))
    assert lost.reported_at is None


def test_keys_end_with_the_last_of_them() -> None:
    transcript = seen()
    keys = transcript.caller_dials("12", 1)
    for each in (KeyDialled(1, "1"), KeyDialled(1.38, "2"), KeyDialled(2, "9", by_agent=True)):
        transcript.observe(each)
    assert (keys.until, keys.reported_at) == (1.38, 1.38)


def test_media_is_no_words_but_no_silence_either() -> None:
    transcript = seen(AgentStarted(1), AgentPlaying(1, "https://a.example/hold.mp3", 2.0))
    assert not transcript.quiet
    transcript.observe(AgentSpoke(3, ""))
    transcript.observe(AgentStopped(3))
    assert transcript.quiet
    assert transcript.utterances == []
