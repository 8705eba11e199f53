"""Sounds of a line on which nobody speaks: silence, noise, keypad and network tones, hold music, knocks and breath."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Samples = npt.NDArray[np.float64]

RATE = 16000
KEYPAD_HZ = ((697, 770, 852, 941), (1209, 1336, 1477, 1633))
"""Rows and columns of the keypad's tone pairs (ITU-T Q.23)."""
TONES_HZ = {"ring-back": ((400, 416), 1.0, 2.0), "busy": ((400,), 0.5, 0.5), "dial": ((400,), 3.0, 0.01)}
"""Tones of the Japanese network: hertz, seconds on, seconds off."""


def keypad(length: int, rng: np.random.Generator) -> Samples:
    """Return keys pressed one after the other."""
    out = np.zeros(length)
    at = int(rng.uniform(0, 0.5) * RATE)
    while at < length:
        size = min(int(rng.uniform(0.06, 0.3) * RATE), length - at)
        time = np.arange(size) / RATE
        out[at : at + size] = sum(np.sin(2 * np.pi * rng.choice(pair) * time) for pair in KEYPAD_HZ) / 2
        at += size + int(rng.uniform(0.05, 0.6) * RATE)
    return out


def tone(length: int, rng: np.random.Generator) -> Samples:
    """Return a tone of the network."""
    pitches, on, off = TONES_HZ[str(rng.choice(list(TONES_HZ)))]
    time = np.arange(length) / RATE
    sound: Samples = np.sum([np.sin(2 * np.pi * hz * time) for hz in pitches], axis=0) / len(pitches)
    return sound * ((time + rng.uniform(0, on)) % (on + off) < on)


def music(length: int, rng: np.random.Generator) -> Samples:
    """Return hold music: a melody over chords in a random key, timbre and tempo."""
    out = np.zeros(length)
    key, beat = rng.uniform(110, 220), rng.uniform(0.18, 0.6)
    scale = np.array([0, 2, 4, 5, 7, 9, 11, 12]) if rng.random() < 0.7 else np.array([0, 2, 3, 5, 7, 8, 10, 12])
    harmonics = rng.uniform(0.0, 1.0, 6) / np.arange(1, 7)
    fade = rng.uniform(1.5, 8.0)
    for start in range(0, length, int(beat * RATE)):
        size = min(int(beat * RATE * rng.uniform(0.9, 2.0)), length - start)
        time = np.arange(size) / RATE
        for octave, loud in ((1, 0.5), (2, 1.0), (4, 0.4)):
            hz = key * octave * 2 ** (rng.choice(scale) / 12)
            note = sum(a * np.sin(2 * np.pi * hz * n * time) for n, a in enumerate(harmonics, 1))
            out[start : start + size] += loud * note * np.exp(-fade * time)
    return out


def knocks(length: int, rng: np.random.Generator) -> Samples:
    """Return what hands and breath do to a headset: clicks, rustling, breathing."""
    out = 0.02 * rng.standard_normal(length)
    for _ in range(int(rng.integers(2, 12))):
        at, size = int(rng.integers(length)), int(rng.uniform(0.005, 0.6) * RATE)
        piece = rng.standard_normal(size) * np.hanning(size) ** rng.uniform(0.5, 3) * rng.uniform(0.1, 1)
        piece = np.convolve(piece, np.ones(int(rng.integers(1, 24))), mode="same")
        out[at : at + size] += piece[: max(0, length - at)]
    return out


def quiet(length: int, rng: np.random.Generator) -> Samples:
    """Return next to nothing; the line's own noise is added later."""
    return rng.standard_normal(length) * 10 ** (rng.uniform(-90, -50) / 20)


KINDS: dict[str, Callable[[int, np.random.Generator], Samples]] = {
    "keypad": keypad, "tone": tone, "music": music, "knocks": knocks, "quiet": quiet,
}  # fmt: skip


def nothing(seed: int) -> Samples:
    """Return 2 to 7 s of a random kind, within ±0.6; the same seed gives the same sound."""
    rng = np.random.default_rng(seed)
    kind = str(rng.choice(list(KINDS)))
    out = KINDS[kind](int(rng.uniform(2, 7) * RATE), rng)
    return out if kind == "quiet" else out / (np.abs(out).max() + 1e-9) * rng.uniform(0.05, 0.6)
