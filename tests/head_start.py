"""Writes kb/minilm-known.bin: `python tests/head_start.py`, after the sample company's documents changed.

A newcomer's first `serve`, every rehearsal and every test begin by ingesting those documents; so they need not wait for
their meanings.
"""

from __future__ import annotations

from collections.abc import Iterator

from voicectl.bootstrap import sample_documents
from voicectl.conversation.questions import to_the_point
from voicectl.conversation.turns import Passage
from voicectl.kb import minilm
from voicectl.kb.calibration import FOREIGN, headings
from voicectl.kb.reading import read
from voicectl.kb.shelf import digest, meant, packed


def texts() -> Iterator[str]:
    """Every text whose meaning an ingest of the sample company asks for."""
    passages = [
        Passage(0, chunk.title, chunk.text, file.name)
        for file in sorted(sample_documents().glob("*.md"))
        for chunk in read(file.read_bytes(), file.name).chunks
    ]
    for passage in passages:
        yield from meant(passage)
    for text in (*FOREIGN, *headings(passages)):
        yield to_the_point(text)


def main() -> None:
    """Reckon and write."""
    model = minilm.MiniLM(quick=False)
    rows = {digest(text): packed(model.embed(text)) for text in texts()}
    minilm.KNOWN.write_bytes(b"".join(bytes.fromhex(key) + rows[key] for key in sorted(rows)))
    print(f"{len(rows)} meanings, {minilm.KNOWN.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
