"""The harassment classifier: one quantized ONNX graph, run one utterance at a time.

What happens to a text before the graph is specified by the model's recipe
(``models/harassment/recipe/spec.py``) and must stay identical to it, since the weights
were trained on it; ``tests/models/test_harassment_recipe.py`` compares the two.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
import zlib
from dataclasses import fields
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import onnxruntime
import sentencepiece

from edge_agent.decoders import toml_reader
from edge_agent.domain.finding import HARASSMENT, Label, Reply, Scores
from edge_agent.errors import ModelError, Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

GRAPH_FILE = "model.onnx"
TOKENIZER_FILE = "tokenizer.model"
DESCRIPTION_FILE = "model.toml"

_EMBEDDING = "embedding"
"""The graph's output (384,) of length 1 that lies near that of words saying the same; optional."""
_REPLIES = "replies"
"""The graph's output (4,): what an operator's words do, in the order of `Reply`; optional."""
_BEGIN_PIECE = 0
_END_PIECE = 2
"""Ids of ``<s>`` and ``</s>`` in the tokenizer, which does not add them itself."""

_SPACE = re.compile(r"\s+")
_SPACE_BESIDE_JAPANESE = re.compile(r"(?<=[^\x00-\x7f]) | (?=[^\x00-\x7f])")


class _Ngrams(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which character n-grams are hashed, and into how many buckets (a power of two)."""

    orders: list[int]
    buckets: int


class _Harassment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Probability (0–1) from which an utterance counts as harassment; below it no type does."""

    threshold: float


class _Description(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The model's ``model.toml``; ``files`` holds SHA-256 digests, ``max_tokens`` counts both markers."""

    name: str
    version: str
    language: str
    max_tokens: int
    files: dict[str, str]
    ngrams: _Ngrams
    harassment: _Harassment
    thresholds: dict[str, float]


_read = toml_reader(_Description)


class OnnxClassifier:
    """Says what a customer's words are. Not shared between threads without a lock of one's own.

    Attributes:
        model_version: name and version of the model.
        labels: the twelve labels in the order of the graph's output.
        thresholds: probability (0–1) from which a label counts.
        harassment_threshold: probability (0–1) of harassment of any type below which none of them counts, chosen on
            held-out lines for few false alarms.
    """

    def __init__(self, folder: Path) -> None:
        """Load the model of a folder; raise `ModelError` if a file is missing, altered or unreadable."""
        description = _described(folder)
        for name in (GRAPH_FILE, TOKENIZER_FILE):
            _check_digest(folder / name, description.files.get(name, ""))
        self.model_version = f"{description.name} {description.version}"
        self.labels: tuple[Label, ...] = tuple(Label)
        self.thresholds: Mapping[Label, float] = {label: description.thresholds[label] for label in self.labels}
        self.harassment_threshold = description.harassment.threshold
        self._max_tokens = description.max_tokens
        self._ngrams = description.ngrams
        self._tokenizer, self._graph = _loaded(folder)
        # A model may come without: demands are then compared by spelling, an operator's words known by marks alone.
        given = {output.name: output for output in self._graph.get_outputs()}
        self._optional = [name for name in (_EMBEDDING, _REPLIES) if name in given]
        if _REPLIES in given and given[_REPLIES].shape != [len(fields(Reply))]:
            raise _altered(folder / GRAPH_FILE, f"{_REPLIES} is {given[_REPLIES].shape}")

    def classify(self, text: str) -> Scores:
        """Return the scores of one utterance; every one is 0 if nothing but punctuation was said."""
        cleaned = clean(text)
        if not cleaned:
            return self._scores([0.0] * len(self.labels), 0.0)
        pieces = self._tokenizer.encode(cleaned)[: self._max_tokens - 2]
        buckets = ngram_buckets(cleaned, orders=self._ngrams.orders, buckets=self._ngrams.buckets)
        probabilities, harassment, *optional = self._graph.run(
            ["probabilities", "harassment", *self._optional],
            {
                "input_ids": np.array([[_BEGIN_PIECE, *pieces, _END_PIECE]], np.int64),
                "ngram_ids": np.array(buckets, np.int64),
            },
        )
        return self._scores(
            [float(value) for value in probabilities],
            float(harassment[0]),
            **dict(zip(self._optional, (tuple(map(float, values)) for values in optional), strict=True)),
        )

    def classify_all(self, texts: Sequence[str]) -> list[Scores]:
        """Return the scores of several utterances, each judged by its own words."""
        return [self.classify(text) for text in texts]

    def _scores(
        self,
        probabilities: Sequence[float],
        harassment: float,
        *,
        embedding: tuple[float, ...] | None = None,
        replies: tuple[float, ...] = (),
    ) -> Scores:
        by_label = dict(zip(self.labels, probabilities, strict=True))
        return Scores(
            labels=by_label,
            over=counted(by_label, harassment, self.thresholds, self.harassment_threshold),
            harassment=harassment,
            model_version=self.model_version,
            embedding=embedding,
            reply=Reply(*replies),
        )


def counted(
    scores: Mapping[Label, float], harassment: float, thresholds: Mapping[Label, float], harassment_threshold: float
) -> tuple[Label, ...]:
    """Return the labels that count, by probabilities and thresholds (all 0–1).

    Where the utterance as a whole counts as harassment, its likeliest type always counts, and the others from their
    own thresholds on; elsewhere no type does. The recipe's ``thresholds.decide`` is the same for many lines at once.
    """
    likeliest = max(HARASSMENT, key=lambda label: scores[label])
    harassing = harassment >= harassment_threshold
    return tuple(
        label
        for label, score in scores.items()
        if (score >= thresholds[label] or label is likeliest) and (harassing or label not in HARASSMENT)
    )


def clean(text: str) -> str:
    """Return the text as the model reads it: NFKC, no punctuation, no space beside Japanese."""
    kept = [
        character
        for character in unicodedata.normalize("NFKC", text)
        if character.isspace() or unicodedata.category(character)[0] not in "PSC"
    ]
    return _SPACE_BESIDE_JAPANESE.sub("", _SPACE.sub(" ", "".join(kept)).strip())


def ngram_buckets(cleaned: str, *, orders: Sequence[int], buckets: int) -> list[int]:
    """Return the sorted, distinct buckets (0 to ``buckets`` - 1) of a cleaned text's character n-grams."""
    grams = {cleaned[start : start + order] for order in orders for start in range(len(cleaned) - order + 1)}
    return sorted({zlib.crc32(gram.encode()) & (buckets - 1) for gram in grams})


def _described(folder: Path) -> _Description:
    path = folder / DESCRIPTION_FILE
    try:
        description = _read(path.read_bytes())
    except OSError as error:
        raise _missing(path) from error
    except (ValueError, msgspec.MsgspecError) as error:
        raise _altered(path, str(error)) from error
    if tuple(description.thresholds) != tuple(Label):
        raise _altered(path, f"thresholds must name {', '.join(Label)}, in this order")
    return description


def _check_digest(path: Path, expected: str) -> None:
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise _missing(path) from error
    if digest != expected:
        raise _altered(path, f"sha256 {digest} instead of {expected or 'none'}")


def _loaded(folder: Path) -> tuple[sentencepiece.SentencePieceProcessor, onnxruntime.InferenceSession]:
    options = onnxruntime.SessionOptions()
    # The box is shared by one recognizer per channel: a utterance takes a few milliseconds on one
    # thread, and spinning would take a core from the recognizers between utterances.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        tokenizer = sentencepiece.SentencePieceProcessor(model_file=str(folder / TOKENIZER_FILE))
        graph = onnxruntime.InferenceSession(folder / GRAPH_FILE, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # both libraries raise bare RuntimeError and types of their own
        raise _altered(folder, str(error)) from error
    outputs = {output.name for output in graph.get_outputs()}
    if not outputs >= {"probabilities", "harassment"}:
        raise _altered(folder / GRAPH_FILE, f"outputs are {sorted(outputs)}")
    return tokenizer, graph


def _missing(path: Path) -> ModelError:
    return ModelError(
        Text(
            ja=f"判定モデルのファイルを読めません: {path}。",
            en=f"The classifier model's file cannot be read: {path}.",
        ),
        _REMEDY,
    )


def _altered(path: Path, detail: str) -> ModelError:
    return ModelError(
        Text(
            ja=f"判定モデルのファイルが壊れているか、書き換えられています: {path} ({detail})。",
            en=f"The classifier model's file is damaged or altered: {path} ({detail}).",
        ),
        _REMEDY,
    )


_REMEDY = Text(
    ja="models/harassment/ja-starter を配布物から入れ直してください。",
    en="Put models/harassment/ja-starter back from the release.",
)
