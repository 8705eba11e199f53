"""From payloads to samples: G.711 by table, G.722 by libg722, and what is made up where nothing came."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
from G722 import G722

if TYPE_CHECKING:
    import numpy.typing as npt

    from edge_agent.ports import Samples

    Floats = npt.NDArray[np.float32]


class Codec(StrEnum):
    """How a voice is packed; the names are those of SDP (RFC 3551, section 6)."""

    PCMU = "PCMU"
    PCMA = "PCMA"
    G722 = "G722"

    @property
    def rate(self) -> int:
        """Samples per second that come out."""
        return 16_000 if self is Codec.G722 else 8000


STATIC = {0: Codec.PCMU, 8: Codec.PCMA, 9: Codec.G722}
"""Payload types that need no SDP (RFC 3551, table 4)."""
COMFORT_NOISE = (13, 19)
"""Payload types that stand for silence (RFC 3389; 19 is older)."""


def _mu_law() -> Samples:
    """Return the value of every byte of G.711 µ-law (ITU-T G.711, table 2)."""
    code = ~np.arange(256, dtype=np.int32) & 0xFF
    magnitude = (((code & 0x0F) << 3) + 0x84 << ((code & 0x70) >> 4)) - 0x84
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


def _a_law() -> Samples:
    """Return the value of every byte of G.711 A-law (ITU-T G.711, table 1)."""
    code = np.arange(256, dtype=np.int32) ^ 0x55
    segment = (code & 0x70) >> 4
    step = ((code & 0x0F) << 4) + 8
    magnitude = np.where(segment == 0, step, step + 0x100 << np.maximum(segment - 1, 0))
    return np.where(code & 0x80, magnitude, -magnitude).astype(np.int16)


_TABLES = {Codec.PCMU: _mu_law(), Codec.PCMA: _a_law()}


class Decoder:
    """Unpacks one stream, in order; G.722 remembers what came before."""

    def __init__(self, codec: Codec) -> None:
        self.codec = codec
        self._g722 = G722(16_000, 64_000) if codec is Codec.G722 else None

    def decode(self, data: bytes) -> Samples:
        """Return int16 samples at the codec's rate."""
        if self._g722 is not None:
            return np.frombuffer(self._g722.decode(data), np.int16) if data else np.empty(0, np.int16)
        samples: Samples = _TABLES[self.codec][np.frombuffer(data, np.uint8)]
        return samples


HISTORY_S = 0.05
"""How much of what was heard is kept to continue it."""
PERIODS_S = (0.0025, 0.0125)
"""Shortest and longest period of a voice looked for: 400 to 80 Hz."""
FULL_S = 0.02
GONE_S = 0.08
"""What is made up is as loud as what was heard for the first time, and silent from the second."""
BLEND_S = 0.004
"""Over so much time what was made up turns into what is heard again."""


class Concealer:
    """Continues a voice over lost packets by repeating its last period, fading (after ITU-T G.711, appendix I)."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._history: Floats = np.zeros(int(HISTORY_S * rate), np.float32)
        self._cycle: Floats | None = None
        self._made = 0

    def heard(self, samples: Samples) -> Samples:
        """Take samples that came; return them, blended into what was made up before them."""
        if self._cycle is not None:
            count = min(int(BLEND_S * self._rate), len(samples))
            weight: Floats = np.linspace(0.0, 1.0, count, dtype=np.float32)
            samples = samples.copy()
            samples[:count] = (self._continue(count) * (1 - weight) + samples[:count] * weight).astype(np.int16)
            self._cycle = None
        self._keep(samples)
        return samples

    def lost(self, count: int) -> Samples:
        """Return so many samples in place of lost ones."""
        if self._cycle is None:
            self._cycle, self._made = self._last_period(), 0
        made = self._continue(count).astype(np.int16)
        self._keep(made)
        return made

    def silent(self, count: int) -> Samples:
        """Return silence that was meant."""
        self._cycle = None
        silence = np.zeros(count, np.int16)
        self._keep(silence)
        return silence

    def _keep(self, samples: Samples) -> None:
        kept = len(self._history)
        self._history = np.concatenate((self._history, samples[-kept:].astype(np.float32)))[-kept:]

    def _last_period(self) -> Floats:
        shortest, longest = (int(seconds * self._rate) for seconds in PERIODS_S)
        heard = self._history
        end = heard[-longest:]
        energy = float(end @ end)
        if not energy:
            return np.zeros(longest, np.float32)
        alike = [float(end @ heard[-longest - lag : -lag]) for lag in range(shortest, longest + 1)]
        lag = shortest + int(np.argmax(alike))
        return heard[-lag:].copy()

    def _continue(self, count: int) -> Floats:
        cycle = self._cycle if self._cycle is not None else np.zeros(1, np.float32)
        places = np.arange(self._made, self._made + count)
        self._made += count
        fade = np.clip((GONE_S * self._rate - places) / ((GONE_S - FULL_S) * self._rate), 0.0, 1.0)
        continued: Floats = cycle[places % len(cycle)] * fade.astype(np.float32)
        return continued
