"""What the classifier does to a text before the network sees it.

This module is the specification: pure, stdlib only. The appliance has its own
implementation in ``edge_agent/adapters/onnx_classifier.py`` (the recipe is not
installed on a box); ``tests/models/test_harassment_recipe.py`` holds the two together.

1. ``clean``: NFKC; drop every punctuation mark, symbol and control character
   (recognition gives none, so training must not see any); collapse white space, and
   remove it altogether beside a non-ASCII character, because recognition puts a space
   between Japanese tokens and leaving it in costs 12 points of AUC.
2. ``wrap_pieces``: sentencepiece ids of the cleaned text, ``[0] + ids + [2]``, cut at
   ``max_tokens`` in all. The ids of ``tokenizer.model`` are the rows of the embedding.
3. ``ngram_buckets``: the set of character n-grams of the cleaned text (spaces kept),
   hashed with CRC-32 of their UTF-8 bytes modulo a power of two, sorted ascending.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Sequence

BOS_ID = 0
EOS_ID = 2
MAX_TOKENS = 128
"""Pieces a text may have with both markers: about 30 s of speech."""

NGRAM_ORDERS = (1, 2, 3, 4)
NGRAM_BUCKETS = 1 << 17
"""Large enough that two n-grams of the corpus rarely share a bucket (9 % do)."""

LABELS = (
    "abuse",
    "threat",
    "excessive_demand",
    "authority",
    "detention",
    "offsite",
    "exposure",
    "sexual",
    "discrimination",
    "intrusion",
    "complaint",
    "life_safety",
)
HARASSMENT_LABELS = LABELS[:10]

_SPACE = re.compile(r"\s+")
_SPACE_BESIDE_JAPANESE = re.compile(r"(?<=[^\x00-\x7f]) | (?=[^\x00-\x7f])")


def clean(text: str) -> str:
    """Return the text as the classifier reads it; may be empty."""
    kept = [
        character
        for character in unicodedata.normalize("NFKC", text)
        if character.isspace() or unicodedata.category(character)[0] not in "PSC"
    ]
    single_spaced = _SPACE.sub(" ", "".join(kept)).strip()
    return _SPACE_BESIDE_JAPANESE.sub("", single_spaced)


def wrap_pieces(pieces: Sequence[int], *, max_tokens: int = MAX_TOKENS) -> list[int]:
    """Put the begin and end markers around piece ids, at most ``max_tokens`` in all."""
    return [BOS_ID, *pieces[: max_tokens - 2], EOS_ID]


def ngram_buckets(
    cleaned: str,
    *,
    orders: Sequence[int] = NGRAM_ORDERS,
    buckets: int = NGRAM_BUCKETS,
) -> list[int]:
    """Hash the distinct character n-grams of a cleaned text into bucket numbers.

    ``buckets`` is a power of two. Empty for an empty text.
    """
    grams = {cleaned[start : start + order] for order in orders for start in range(len(cleaned) - order + 1)}
    return sorted({zlib.crc32(gram.encode()) & (buckets - 1) for gram in grams})
