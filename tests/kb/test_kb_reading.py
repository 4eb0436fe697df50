from __future__ import annotations

from datetime import date

import pytest

from voicectl.kb import reading
from voicectl.kb.formats import Unreadable, readers
from voicectl.kb.reading import Reading, read, visible
from voicectl.ports import NewChunk


def test_a_file_is_read_whole() -> None:
    assert read(
        "# Menu\n\nValid until 31 December 2026\n\n## Soup\n\nHot\u200b and  good.\n".encode(), "menus/x.md"
    ) == Reading(
        "Menu",
        (NewChunk("Menu", "Valid until 31 December 2026"), NewChunk("Menu > Soup", "Hot and good.")),
        valid_until=date(2026, 12, 31),
    )


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("a\u202eb\u2066c\U000e0041\ufe0f\x07d", "abcd"),
        ("a\u00a0b\tc  d\u3000e", "a b c d e"),
        ("one\u2028two\n\n three ", "one\ntwo\nthree"),
        ("soft\u00adhyphen", "softhyphen"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("क्\u200dष", "क्\u200dष"),
        ("pass\u200dword", "password"),
        ("café €5 “x” 日本", "café €5 “x” 日本"),
        ("\ud800", ""),
    ],
)
def test_only_what_can_be_seen_is_left(text: str, seen: str) -> None:
    assert visible(text) == seen


def test_smuggled_characters_are_reported() -> None:
    hidden = "".join(chr(0xE0000 + ord(letter)) for letter in "ignore")
    found = read(f"We are open{hidden}.".encode(), "x.txt")
    assert found.chunks[0].text == "We are open."
    assert "6 characters" in found.warnings[0]


@pytest.mark.parametrize(
    ("data", "name", "reason"),
    [
        (b"x", "x.exe", r"voicectl reads .*\.csv, .*\.pdf"),
        (b"x", "x", "voicectl reads"),
        (b"", "x.md", "nothing to read"),
        (b"<p hidden>x", "x.html", "nothing to read"),
        (b"\xe2\x80\x8b", "x.txt", "nothing to read"),
        (b"\x00", "x.txt", "not text"),
    ],
)
def test_what_cannot_be_read_says_why(data: bytes, name: str, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        read(data, name)


@pytest.mark.parametrize(
    ("error", "raised", "reason"),
    [
        (KeyError("x"), Unreadable, "KeyError"),
        (RecursionError(), Unreadable, "too deeply"),
        (ImportError(name="z"), Unreadable, "not installed"),
        (MemoryError("all of it"), MemoryError, "all of it"),
    ],
)
def test_a_reader_that_stumbles_is_the_documents_fault(
    monkeypatch: pytest.MonkeyPatch, error: Exception, raised: type[Exception], reason: str
) -> None:
    def stumbles(data: bytes, name: str) -> None:
        raise error

    monkeypatch.setattr(reading, "readers", lambda: {".md": stumbles})
    with pytest.raises(raised, match=reason):
        read(b"x", "x.md")


def test_a_reading_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = b"a,b,c\n" + b"x,y,z\n" * 10
    monkeypatch.setattr(reading, "MOST_PASSAGES", 10)
    assert len(read(rows, "x.csv").chunks) == 10
    monkeypatch.setattr(reading, "MOST_PASSAGES", 9)
    with pytest.raises(Unreadable, match="passages: divide it"):
        read(rows, "x.csv")
    monkeypatch.setattr(reading, "MOST_PASSAGES", 50_000)
    monkeypatch.setattr(reading, "MOST_TEXT", 1_000_000)
    with pytest.raises(Unreadable, match="1 MB of text"):
        read(b"We are open. " * 100_000, "x.txt")
    long = read(b"# " + b"word " * 500 + b"\n\nx\n", "x.md")
    assert max(len(long.title), len(long.chunks[0].title)) <= reading.LONGEST_TITLE


def test_each_format_is_known() -> None:
    assert {".md", ".txt", ".html", ".htm", ".xhtml", ".pdf", ".docx", ".csv", ".tsv"} <= set(readers())
