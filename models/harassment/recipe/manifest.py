"""Write ``model.toml``: what the appliance must know to use the two files beside it."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .spec import LABELS, MAX_TOKENS, NGRAM_BUCKETS, NGRAM_ORDERS
from .thresholds import Thresholds

NAME = "harassment-ja-starter"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFiles:
    """A model folder and what belongs to it."""

    folder: Path
    version: str
    thresholds: Thresholds


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
        "[harassment]  # own head and strongest harassment label, calibrated together; below it no type counts",
        f"threshold = {files.thresholds.harassment:.3f}",
        "",
        "[thresholds]  # in the order of the outputs; where harassment counts, its likeliest type always does",
        *(f"{label} = {value:.3f}" for label, value in zip(LABELS, files.thresholds.labels, strict=True)),
        "",
    ]
    (files.folder / "model.toml").write_text("\n".join(lines), encoding="utf-8")


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read_thresholds(folder: Path) -> Thresholds:
    """Return the thresholds of a written model."""
    described = tomllib.loads((folder / "model.toml").read_text(encoding="utf-8"))
    labels = np.array([described["thresholds"][label] for label in LABELS], np.float32)
    return Thresholds(labels=labels, harassment=described["harassment"]["threshold"])
