"""The words that a call is answered with."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from voicectl import settings
from voicectl.conversation.phrases import phrases_for
from voicectl.errors import StoreError
from voicectl.services.greetings import KNOWN_SECONDS, greeting, is_known, local_hour
from voicectl.simulator.virtual_time import run


def given(tmp_path: Path, **flags: object) -> settings.Settings:
    file = tmp_path / "voicectl.toml"
    file.write_text("")
    return settings.load(environ={}, flags={f"agent.{name}": each for name, each in flags.items()}, file=file)


def test_it_is_filled_in_and_nothing_else_is(tmp_path: Path) -> None:
    made = given(tmp_path, greeting="{daypart}, {name} of {company}, {other} {0} {name", name="{company}")
    said = greeting(made, "en-US", local_hour=9, known_caller=False)
    assert said == "Good morning, {company} of Harbour Cycles, {other} {0} {name"


@pytest.mark.parametrize(("hour", "part"), [(0, 2), (4, 2), (5, 0), (11, 0), (12, 1), (17, 1), (18, 2), (23, 2)])
@pytest.mark.parametrize("language", ["en-US", "de-DE"])
def test_the_time_of_day(hour: int, part: int, language: str, tmp_path: Path) -> None:
    said = greeting(given(tmp_path, greeting="{daypart}."), language, local_hour=hour, known_caller=False)
    assert said == phrases_for(language).dayparts[part] + "."


def test_who_has_called_before_is_greeted_as_such(tmp_path: Path) -> None:
    both = given(tmp_path, greeting="Hello.", greeting_returning="Hello again from {name}.")
    assert greeting(both, "en", local_hour=9, known_caller=True) == "Hello again from Robin."
    assert greeting(both, "en", local_hour=9, known_caller=False) == "Hello."
    assert greeting(given(tmp_path, greeting="Hello."), "en", local_hour=9, known_caller=True) == "Hello."


@pytest.mark.parametrize(
    ("zone", "hour"), [("Europe/Berlin", 13), ("America/New_York", 7), ("Asia/Kolkata", 17), ("UTC", 12)]
)
def test_the_hour_is_that_of_the_agent(zone: str, hour: int, tmp_path: Path) -> None:
    noon = datetime(2026, 1, 15, 12, 10, tzinfo=UTC)
    assert local_hour(given(tmp_path, timezone=zone).agent, noon) == hour
    assert local_hour(given(tmp_path).agent, noon) == noon.astimezone().hour


class Book:
    def __init__(self, seconds: float = 0.0, fault: Exception | None = None) -> None:
        self.seconds, self.fault = seconds, fault
        self.asked: list[str] = []

    async def known_caller(self, number: str) -> bool:
        self.asked.append(number)
        await asyncio.sleep(self.seconds)
        if self.fault is not None:
            raise self.fault
        return True


@pytest.mark.parametrize(
    ("caller", "book", "known"),
    [
        ("+15550100001", Book(), True),
        ("+15550100001", Book(KNOWN_SECONDS * 0.9), True),
        ("+15550100001", Book(KNOWN_SECONDS * 1.1), False),
        ("+15550100001", Book(3600), False),
        ("+15550100001", Book(0, StoreError("gone")), False),
    ],
)
def test_a_caller_is_known_in_time_or_not_at_all(caller: str, book: Book, known: bool, tmp_path: Path) -> None:
    async def main() -> None:
        began = asyncio.get_running_loop().time()
        assert await is_known(given(tmp_path, greeting_returning="Again!").agent, caller, book) is known
        assert asyncio.get_running_loop().time() - began <= KNOWN_SECONDS + 0.01

    run(main(), tidy=True)


@pytest.mark.parametrize("caller", ["", "anonymous", "Restricted", "+266696687", "+7378742833", "client:ann", "+0123"])
def test_who_withholds_the_number_is_nobody_we_know(caller: str, tmp_path: Path) -> None:
    book = Book()
    assert not run(is_known(given(tmp_path, greeting_returning="Again!").agent, caller, book))
    assert not book.asked


def test_nobody_is_looked_up_without_a_greeting_for_them(tmp_path: Path) -> None:
    book = Book()
    assert not run(is_known(given(tmp_path).agent, "+15550100001", book))
    assert not book.asked
