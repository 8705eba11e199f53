"""Other speakers out of the ones there are: size of the head, melody, whisper, mumbling, through the WORLD vocoder.

All functions take and return 16 kHz mono samples as float64 within ±1, and are deterministic for a given generator.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyworld

if TYPE_CHECKING:
    import numpy.typing as npt

    Samples = npt.NDArray[np.float64]

RATE = 16000
FRAME_MS = 5.0


def _warped(envelope: npt.NDArray[np.float64], factor: float) -> npt.NDArray[np.float64]:
    """Return a spectral envelope (frames, bins) with every formant multiplied by `factor`."""
    bins = np.arange(envelope.shape[1])
    at = np.minimum(bins / factor, bins[-1])
    low = at.astype(int)
    high = np.minimum(low + 1, bins[-1])
    share = at - low
    logs = np.log(envelope + 1e-16)
    return np.ascontiguousarray(np.exp(logs[:, low] * (1 - share) + logs[:, high] * share))


def _flattened(envelope: npt.NDArray[np.float64], share: float) -> npt.NDArray[np.float64]:
    """Return an envelope moved towards its mean over 90 ms: slurred, as if the mouth followed late."""
    logs = np.log(envelope + 1e-16)
    width = 19
    kernel = np.ones(width) / width
    padded = np.pad(logs, ((width // 2, width // 2), (0, 0)), mode="edge")
    smooth = np.apply_along_axis(lambda column: np.convolve(column, kernel, mode="valid"), 0, padded)
    return np.ascontiguousarray(np.exp(logs * (1 - share) + smooth * share))


def other_speaker(x: Samples, rng: np.random.Generator) -> Samples:
    """Return an utterance as somebody else might say it: other formants and melody; at times whispered or slurred."""
    kind = rng.choice(["speaker", "whisper", "slurred", "shout"], p=[0.55, 0.15, 0.15, 0.15])
    f0, times = pyworld.dio(x, RATE, frame_period=FRAME_MS)
    f0 = pyworld.stonemask(x, f0, times, RATE)
    envelope = _warped(pyworld.cheaptrick(x, f0, times, RATE), float(rng.uniform(0.84, 1.2)))
    noise = pyworld.d4c(x, f0, times, RATE)
    if kind == "whisper":
        f0, noise = np.zeros_like(f0), np.ones_like(noise)
        tilt = np.linspace(-1.0, 1.0, envelope.shape[1])
        # Without the voice's own source the low end is weak.
        envelope = np.ascontiguousarray(envelope * np.exp(tilt * rng.uniform(0.5, 2.0)))
    else:
        voiced = f0 > 0
        middle = np.exp(np.log(f0[voiced]).mean()) if voiced.any() else 1.0
        higher, livelier = rng.uniform(0.7, 1.4), rng.uniform(0.3, 1.6)
        if kind == "shout":
            higher, livelier = rng.uniform(1.3, 1.9), rng.uniform(0.6, 1.2)
            # A shout's energy lies between 1 and 4 kHz (spectral tilt grows flatter by some 6 dB an octave).
            hz = np.linspace(0, RATE / 2, envelope.shape[1])
            lift_db = rng.uniform(4, 12) * np.clip(np.log2(np.maximum(hz, 1) / 500), 0, 2) / 2
            envelope = np.ascontiguousarray(envelope * 10 ** (lift_db / 10))
        f0 = np.where(voiced, middle * higher * np.exp((np.log(np.maximum(f0, 1)) - np.log(middle)) * livelier), 0.0)
        if kind == "slurred":
            envelope = _flattened(envelope, float(rng.uniform(0.2, 0.5)))
    y = pyworld.synthesize(np.ascontiguousarray(f0), envelope, noise, RATE, FRAME_MS)
    y = np.asarray(y[: len(x)]) if len(y) >= len(x) else np.pad(y, (0, len(x) - len(y)))
    return y / (np.abs(y).max() + 1e-9) * float(np.abs(x).max())
