"""Write ``model.toml``: what the appliance must know to use the two files beside it."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from .spec import LABELS, MAX_TOKENS, NGRAM_BUCKETS, NGRAM_ORDERS

NAME = "harassment-ja-starter"
HARASSMENT_THRESHOLD = 0.5
"""The harassment probability is calibrated, so this says "more likely than not"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFiles:
    """A model folder and what belongs to it."""

    folder: Path
    version: str
    thresholds: npt.NDArray[np.float32]
    """Shape (12,), in the order of LABELS."""


def write_model_toml(files: ModelFiles) -> None:
    """Write ``model.toml`` with the digests of the files already in the folder."""
    lines = [
        f'name = "{NAME}"',
        f'version = "{files.version}"',
        'language = "ja"',
        f"max_tokens = {MAX_TOKENS}",
        "",
        "[files]  # sha256",
        *(f'"{name}" = "{_digest(files.folder / name)}"' for name in ("model.onnx", "tokenizer.model")),
        "",
        "[ngrams]  # distinct character n-grams, CRC-32 of their UTF-8 bytes modulo buckets",
        f"orders = {list(NGRAM_ORDERS)}",
        f"buckets = {NGRAM_BUCKETS}",
        "",
        "[harassment]  # own head and strongest harassment label, calibrated together in the graph",
        f"threshold = {HARASSMENT_THRESHOLD}",
        "",
        "[thresholds]  # in the order of the outputs",
        *(f"{label} = {value:.3f}" for label, value in zip(LABELS, files.thresholds, strict=True)),
        "",
    ]
    (files.folder / "model.toml").write_text("\n".join(lines), encoding="utf-8")


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read_thresholds(folder: Path) -> npt.NDArray[np.float32]:
    """Return the twelve thresholds of a written model, in the order of LABELS."""
    described = tomllib.loads((folder / "model.toml").read_text(encoding="utf-8"))
    return np.array([described["thresholds"][label] for label in LABELS], np.float32)
