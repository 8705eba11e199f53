"""The newest audio of a line, in memory and nowhere else.

Rules:
1. It holds the newest `seconds` of both sides; what is older is written over in place.
2. It holds nothing of a pause and nothing of an earlier call: then it is written over with silence.
3. It never takes more memory than on the day it was made, and never touches a disk.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np

from edge_agent.ports import RATE

if TYPE_CHECKING:
    from edge_agent.ports import AudioBlock, Samples

SIDES = 2
"""Customer and operator, in this order."""


class Ring:
    """A ring of int16 samples at `RATE`, `SIDES` rows; may be used from several threads."""

    def __init__(self, *, seconds: int) -> None:
        self._samples: Samples = np.zeros((SIDES, seconds * RATE), np.int16)
        self._next = 0
        self._held = 0
        self._turn = threading.Lock()

    @property
    def held_s(self) -> float:
        """Return how many seconds it holds."""
        return self._held / RATE

    @property
    def nbytes(self) -> int:
        """Return how much memory it takes."""
        return self._samples.nbytes

    def add(self, block: AudioBlock) -> None:
        """Take the next audio; a side that is not tapped is silence."""
        size = self._samples.shape[1]
        with self._turn:
            for row, samples in enumerate((block.customer, block.operator)):
                self._write(row, np.zeros_like(block.customer) if samples is None else samples, size)
            count = len(block.customer)
            self._next = (self._next + count) % size if size else 0
            self._held = min(size, self._held + count)

    def take(self, seconds: float) -> Samples:
        """Return the newest seconds as a copy of shape (2, samples), fewer if it does not hold as many."""
        with self._turn:
            count = min(self._held, max(0, round(seconds * RATE)))
            size = self._samples.shape[1]
            if not count:
                return np.empty((SIDES, 0), np.int16)
            start = (self._next - count) % size
            return np.take(self._samples, range(start, start + count), axis=1, mode="wrap")

    def clear(self) -> None:
        """Write over all it holds."""
        with self._turn:
            self._samples.fill(0)
            self._next = self._held = 0

    def _write(self, row: int, samples: Samples, size: int) -> None:
        samples = samples[-size:] if size else samples[:0]
        first = min(len(samples), size - self._next)
        self._samples[row, self._next : self._next + first] = samples[:first]
        self._samples[row, : len(samples) - first] = samples[first:]
