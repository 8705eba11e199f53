"""What single parts take: voice activity, one frame of 32 ms at a time and three."""

from __future__ import annotations

import time

import numpy as np

from edge_agent.adapters.audio_file import AudioFile
from edge_agent.adapters.silero import FRAME, SileroDetector
from edge_agent.provision import demo

CALL = "threat"
LOUD = 1000
"""Peak of a frame in which somebody speaks; full scale is 32768."""


def parts() -> list[str]:
    """Return the time of a frame of voice activity, by how many frames are given together."""
    said = np.concatenate([block.customer for block in AudioFile(demo.recorded(CALL)).blocks()])
    frames = said[: len(said) // FRAME * FRAME].reshape(-1, FRAME)
    # Line noise is not asked about: it would make the mean look better than it is.
    frames = frames[np.abs(frames).max(axis=1) > LOUD]
    rows = []
    for together in (1, 3):
        detector = SileroDetector()
        began = time.perf_counter()
        for start in range(0, len(frames), together):
            detector.probabilities(frames[start : start + together])
        took_ms = (time.perf_counter() - began) / len(frames) * 1000
        rows.append(f"voice activity, {together} frames of 32 ms together: {took_ms:.3f} ms a frame (n {len(frames)})")
    return rows
