"""An operator's audio that has come and is still to be heard."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np

from edge_agent.ports import RATE

if TYPE_CHECKING:
    from edge_agent.ports import Samples

TOGETHER = 3 * RATE // 10
"""Audio of an operator that is heard at a time. Nothing is judged by it but finished utterances, and every run of voice
activity and recognition costs something besides its audio."""


class Gathered:
    """Stretches of one side by their position on the line, in samples, the oldest first."""

    def __init__(self) -> None:
        self._stretches: deque[tuple[int, Samples]] = deque()

    @property
    def waiting(self) -> int:
        """Samples that are still to be heard; may be asked from any thread."""
        return sum(len(samples) for _, samples in tuple(self._stretches))

    @property
    def late(self) -> int:
        """The same, but 0 while there is so little that it is only gathered (`TOGETHER`)."""
        waiting = self.waiting
        return waiting if waiting >= TOGETHER else 0

    def add(self, at: int, samples: Samples) -> None:
        """Put a stretch behind what waits."""
        self._stretches.append((at, samples))

    def take(self, samples: int) -> list[tuple[int, Samples]]:
        """Return about so many of the oldest samples, what follows upon another in one piece."""
        taken = []
        while self._stretches and samples > 0:
            first = until = self._stretches[0][0]
            parts = []
            while self._stretches and samples > 0 and self._stretches[0][0] == until:
                parts.append(self._stretches.popleft()[1])
                until += len(parts[-1])
                samples -= len(parts[-1])
            taken.append((first, np.concatenate(parts)))
        return taken

    def forget(self) -> None:
        """Keep nothing."""
        self._stretches.clear()

    def wipe(self) -> None:
        """Keep nothing, and overwrite in memory what there was."""
        for _, samples in self._stretches:
            samples.fill(0)
        self._stretches.clear()
