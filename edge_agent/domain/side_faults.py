"""What is wrong with the sound of one side of a line: clipped, clipped before it came, too quiet, humming.

Rules:
1. Each of them is told second by second what its side was like, and says whether that is wrong now.
2. It needs more to begin than to go on, so that nothing flickers.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge_agent.domain.line_health import SideLevels

WINDOW = 10
"""Sounding seconds that are looked at together."""
SOUNDING_DBFS = -45.0
"""Only seconds at least so loud say anything about clipping."""
CLIPPED_FROM, CLIPPED_UNTIL = 0.001, 0.0002
"""Share of samples at full scale over `WINDOW` sounding seconds from which, and down to which, a side is clipped.
The shipped calls stay below 0.0001 with their peaks at full scale; 6 dB more brings all of them over 0.001."""
OVERDRIVEN_FROM_DB, OVERDRIVEN_UNTIL_DB = 2.0, 2.5
"""Headroom in the loudest of `WINDOW` sounding seconds below which a stage before the box clips, and above which it no
longer does. The shipped calls and 40 others keep 2.75 dB; 6 dB too much there leaves 0.5 to 2.0, whatever follows."""
SAME_CEILING_DB = 1.5
"""Seconds whose ceiling is so near the highest of the window are those that reach it."""
AT_CEILING_FROM = 3
"""So many have to, because clipping has one ceiling and voices have many."""
QUIET_DBFS = -45.0
"""Speech below it is hard to recognise; a line that is well tapped has -35 to -15."""
QUIET_FROM_S, LOUD_FROM_S = 20, 3
"""Seconds of speech in calls, none of them much louder, from which a side is too quiet; and how many louder ones prove
that it is not."""
ABOVE_OTHER_DB = 10.0
"""Where the other side is so much louder, what is heard may be its echo."""
HUM_FROM_S, HUM_UNTIL_S = 5, 10
"""Quiet seconds in a row with hum for it to be told, and without for it to be over."""
HUM_DBFS = -60.0
"""Quieter hum than this disturbs neither people nor recognition."""


class Clipping:
    """Whether samples stand at full scale."""

    def __init__(self) -> None:
        self._shares: deque[float] = deque(maxlen=WINDOW)
        self.on = False

    def hear(self, side: SideLevels) -> None:
        """Take the next second."""
        if side.rms_dbfs < SOUNDING_DBFS:
            return
        self._shares.append(side.clipped)
        share = sum(self._shares) / WINDOW
        self.on = share > (CLIPPED_UNTIL if self.on else CLIPPED_FROM)


class Overdriven:
    """Whether a stage before the box clips: below full scale, so that it is told by the shape of the wave alone."""

    def __init__(self) -> None:
        self._seconds: deque[tuple[float, float]] = deque(maxlen=WINDOW)
        self.on = False

    def hear(self, side: SideLevels) -> None:
        """Take the next second."""
        if side.rms_dbfs < SOUNDING_DBFS or side.headroom_db is None:
            return
        self._seconds.append((side.ceiling_dbfs, side.headroom_db))
        highest = max(ceiling for ceiling, _ in self._seconds)
        there = [headroom for ceiling, headroom in self._seconds if ceiling >= highest - SAME_CEILING_DB]
        if len(there) >= AT_CEILING_FROM:
            mean = sum(there) / len(there)
            self.on = mean < (OVERDRIVEN_UNTIL_DB if self.on else OVERDRIVEN_FROM_DB)


class Quiet:
    """Whether a side's speech is too quiet: told in calls alone, where both speak, and until a call proves it wrong."""

    def __init__(self) -> None:
        self._quiet_s = self._loud_s = 0
        self.on = False

    def begin(self) -> None:
        """Note that a call has begun."""
        self._loud_s = 0

    def hear(self, side: SideLevels, other: SideLevels) -> None:
        """Take the next second of a call, and what the other side was like in it."""
        if side.speech_dbfs is None:
            return
        if other.speech_dbfs is not None and other.speech_dbfs >= side.speech_dbfs + ABOVE_OTHER_DB:
            return
        if side.speech_dbfs >= QUIET_DBFS:
            self._loud_s += 1
        else:
            self._quiet_s += 1
        if self._loud_s >= LOUD_FROM_S:
            self._quiet_s, self.on = 0, False
        elif self._quiet_s >= QUIET_FROM_S:
            self.on = True


class Hum:
    """Whether mains hum is heard."""

    def __init__(self) -> None:
        self._against = 0
        self.on = False
        self.hertz = 0

    def hear(self, side: SideLevels) -> None:
        """Take the next second."""
        if side.hum_hz is None:
            return
        hums = bool(side.hum_hz) and side.hum_dbfs >= HUM_DBFS
        self._against = self._against + 1 if hums is not self.on else 0
        if self._against >= (HUM_UNTIL_S if self.on else HUM_FROM_S):
            self.on, self._against = hums, 0
        if hums:
            self.hertz = side.hum_hz
