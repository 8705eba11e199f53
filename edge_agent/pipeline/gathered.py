"""An operator's audio that has come and is still to be heard."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np

from edge_agent.domain.line_health import SILENCE_DBFS
from edge_agent.pipeline.voice import dbfs
from edge_agent.ports import RATE

if TYPE_CHECKING:
    from edge_agent.ports import Samples

TOGETHER = RATE // 2
"""Audio of an operator that is heard at a time. Nothing is judged by it but finished utterances, and every run of voice
activity and recognition costs something besides its audio."""

LATEST = 30 * RATE
"""Audio of an operator that is kept at most; what is older is heard at once, whatever else waits."""
AT_ONCE = 8 * RATE
"""So much is heard with a block when both sides are still: more would keep other lines waiting."""
SILENT_DB = 25.0
"""A stretch that far below the loudest holds no speech: in seconds of speech some stretch is louder (ITU-T P.56 calls
what lies 15.9 dB below the active level silence)."""
FADING_DB = 0.00435
"""By how much the loudest fades with each stretch: 3 dB in some 70 s, so that a knock does not count for long."""
QUIET_DBFS = -60.0
"""Level below which a stretch is the noise of a line, as for voice activity (`adapters/silero.py`)."""


class Gathered:
    """Stretches of one side by their position on the line, in samples, the oldest first."""

    def __init__(self) -> None:
        self._stretches: deque[tuple[int, Samples]] = deque()
        self._waiting = 0
        self._loudest = SILENCE_DBFS
        self.sounded = 0
        """Position up to which somebody may have spoken, as far as loudness tells without listening."""

    @property
    def waiting(self) -> int:
        """Samples that are still to be heard; may be asked from any thread."""
        return self._waiting

    @property
    def late(self) -> int:
        """The same, but 0 while there is so little that it is only gathered (`TOGETHER`)."""
        waiting = self.waiting
        return waiting if waiting >= TOGETHER else 0

    def add(self, at: int, samples: Samples) -> None:
        """Put a stretch behind what waits."""
        self._stretches.append((at, samples))
        self._waiting += len(samples)
        level = dbfs(samples)
        self._loudest = max(self._loudest - FADING_DB, level)
        if level > max(QUIET_DBFS, self._loudest - SILENT_DB):
            self.sounded = at + len(samples)

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
                self._waiting -= len(parts[-1])
            taken.append((first, np.concatenate(parts)))
        return taken

    def forget(self) -> None:
        """Keep nothing."""
        self._stretches.clear()
        self._waiting = self.sounded = 0

    def wipe(self) -> None:
        """Keep nothing, and overwrite in memory what there was."""
        for _, samples in self._stretches:
            samples.fill(0)
        self.forget()
