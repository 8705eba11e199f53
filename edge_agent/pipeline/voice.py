"""One side of a line: recognition runs on its speech alone, and its words keep the time of the line.

Rules:
1. Silence is not given to the recogniser, because it makes words of noise and takes the time of other lines. Only a
   little of it follows the last speech (`TAIL`); what comes after is kept back until somebody speaks on.
2. A stretch of speech has a recognizer of its own: a line where nobody speaks holds none, and none grows old. One that
   has heard more than `RENEWED` is replaced when an utterance ends. Making one takes 0.1 ms.
3. Word times, which a recognizer counts over what it was given, are led back to the line's clock, which counts samples
   at `RATE` since the line was opened.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edge_agent.domain.line_health import SILENCE_DBFS
from edge_agent.ports import RATE

if TYPE_CHECKING:
    from edge_agent.ports import Recognised, Recognizer, Samples, VoiceDetector
    from edge_agent.settings_listening import Vad

STAYING = 0.15
"""A voice stays on down to so much below the threshold that started it (Silero's own recommendation)."""
PARTIAL_EVERY = RATE // 5
"""Words under way are looked at every 200 ms of audio at most; less often when the box is overloaded."""
TAIL = RATE // 4
"""Silence after speech that is given at once: the end of the last sound."""
RENEWED = 60 * RATE
"""Audio after which a recognizer is replaced where nobody pauses. Vosk ends an utterance after 20 s at the latest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Words of one utterance; positions are samples of the line's clock, confidence is the recogniser's (0–1)."""

    number: int
    start: int
    end: int
    text: str
    final: bool
    confidence: float = 1.0


class Numbers:
    """Numbers the utterances of both sides in the order they were begun."""

    def __init__(self) -> None:
        self._next = 0

    def take(self) -> int:
        """Return the next number."""
        self._next += 1
        return self._next - 1

    def give_back(self, number: int) -> None:
        """Take back the number of an utterance without words, if no later one is in use."""
        if number == self._next - 1:
            self._next = number

    def restart(self) -> None:
        """Begin at 0 again."""
        self._next = 0


class Voice:
    """Listens to one channel.

    Attributes:
        level_dbfs: loudness of the newest block; 0 is full scale.
        opened: position at which the stretch of speech under way began, with its lead-in; None in silence.
        spoken: samples of speech in the stretch under way.
        last_speech: position at which the newest speech ended; None if there was none yet.
        partial_every: samples after which words under way are looked at again.
    """

    def __init__(
        self, *, recognizer: Callable[[], Recognizer], detector: VoiceDetector, vad: Vad, numbers: Numbers
    ) -> None:
        self._make = recognizer
        self._recognizer: Recognizer | None = None
        self._detector = detector
        self._numbers = numbers
        self._frame = detector.frame_samples
        self._threshold = vad.threshold
        self._hangover = vad.hangover_ms * RATE // 1000
        self._leadin: deque[Samples] = deque(maxlen=max(1, vad.preroll_ms * RATE // 1000 // self._frame))
        self._rest: Samples = np.empty(0, np.int16)
        self._next = 0
        self._waiting: list[Samples] = []
        self._kept_back: list[Samples] = []
        self._given = 0
        self._map: list[tuple[int, int]] = []
        self._quiet = 0
        self._number: int | None = None
        self._begun = 0
        self._shown = ""
        self._looked = 0
        self.level_dbfs = SILENCE_DBFS
        self.opened: int | None = None
        self.spoken = 0
        self.last_speech: int | None = None
        self.partial_every = PARTIAL_EVERY

    def hear(self, samples: Samples, *, at: int) -> list[Words]:
        """Take the channel's next int16 samples, the first of which is at position `at`; return words."""
        self.level_dbfs = dbfs(samples)
        words = self._skip_to(at) if at != self._next else []
        self._next = at + len(samples)
        samples = np.concatenate((self._rest, samples))
        at -= len(self._rest)
        whole = len(samples) // self._frame * self._frame
        if whole:
            frames = samples[:whole].reshape(-1, self._frame)
            for number, probability in enumerate(self._detector.probabilities(frames)):
                words += self._take(frames[number], probability, at + number * self._frame)
        self._rest = samples[whole:].copy()
        if self.opened is not None:
            words += self._give(at + whole)
            words += self._look(at + whole)
        return words

    def close(self) -> list[Words]:
        """End the stretch of speech under way, if any; return its last words."""
        return self._close(self._next - len(self._rest))

    def hear_with(self, recognizer: Callable[[], Recognizer]) -> None:
        """Make recognizers by `recognizer` from the next stretch of speech on."""
        self._make = recognizer

    def forget(self) -> None:
        """Start afresh, as at the end of a call."""
        self.close()
        self._detector.reset()
        self.last_speech = None

    def discard(self, *, until: int) -> None:
        """Throw away what was being said, with all that waits; the line's clock goes on to position `until`."""
        for frame in (*self._waiting, *self._kept_back, *self._leadin, self._rest):
            # Written over, not only let go: a copy of the memory must not hold it.
            frame.fill(0)
        self._waiting, self._kept_back = [], []
        self._leadin.clear()
        self._rest = self._rest[:0]
        # With its recognizer go the words under way.
        self._recognizer = self._number = self.opened = None
        self.spoken, self._shown = 0, ""
        self._detector.reset()
        self.level_dbfs = SILENCE_DBFS
        self._next = until

    def _skip_to(self, at: int) -> list[Words]:
        """Audio is missing before `at`: what follows belongs there."""
        self._waiting += self._kept_back
        self._kept_back = []
        words = self._give(self._next)
        self._rest = self._rest[:0]
        self._leadin.clear()
        if self.opened is not None:
            self._map.append((self._given, at))
        return words

    def _take(self, frame: Samples, probability: float, at: int) -> list[Words]:
        speaks = probability >= self._threshold - (STAYING if self.opened is not None else 0.0)
        if self.opened is None:
            if not speaks:
                self._leadin.append(frame)
                return []
            self._open(at)
        if speaks:
            self._waiting += [*self._kept_back, frame]
            self._kept_back = []
            self.spoken += len(frame)
            self.last_speech = at + len(frame)
            self._quiet = 0
            if self._number is None:
                self._begin(at)
            return []
        self._quiet += len(frame)
        (self._waiting if self._quiet <= TAIL else self._kept_back).append(frame)
        if self._quiet < self._hangover:
            return []
        return self._close(at + len(frame))

    def _open(self, at: int) -> None:
        self._waiting, self._kept_back = list(self._leadin), []
        self.opened = at - sum(len(frame) for frame in self._waiting)
        self._recognizer, self._given = self._make(), 0
        self._map = [(0, self.opened)]
        self._quiet = self.spoken = 0
        self._looked = at

    def _close(self, end: int) -> list[Words]:
        if self.opened is None or self._recognizer is None:
            return []
        words = [*self._give(end), *self._finished(self._recognizer.flush(), end)]
        self._recognizer, self._kept_back = None, []
        if self._number is not None and not self._shown:
            self._numbers.give_back(self._number)
        self._number = self.opened = None
        self.spoken = 0
        self._leadin.clear()
        return words

    def _begin(self, at: int) -> int:
        self._number, self._begun, self._shown = self._numbers.take(), at, ""
        return self._number

    def _give(self, end: int) -> list[Words]:
        """Give what has gathered to the recogniser; `end` is the position up to which the line was heard."""
        if not self._waiting or self._recognizer is None:
            return []
        samples = np.concatenate(self._waiting)
        self._waiting = []
        self._given += len(samples)
        said = self._recognizer.accept(samples)
        words = self._finished(said, end)
        if said is not None and self._given >= RENEWED:
            self._recognizer, self._given = self._make(), 0
            self._map = [(0, end - sum(len(frame) for frame in self._kept_back))]
        return words

    def _look(self, end: int) -> list[Words]:
        if self._number is None or self._recognizer is None or end - self._looked <= self.partial_every - self._frame:
            return []
        self._looked = end
        text = self._recognizer.partial()
        if not text or text == self._shown:
            return []
        self._shown = text
        # What is recognised was said before the silence under way.
        spoken = end if self.last_speech is None else max(self._begun, min(end, self.last_speech))
        return [Words(number=self._number, start=self._begun, end=spoken, text=text, final=False)]

    def _finished(self, said: Recognised | None, end: int) -> list[Words]:
        if said is None or not said.text:
            return []
        number = self._begin(end) if self._number is None else self._number
        self._number = None
        first = self._map[0][1]
        last = min(max(self._position(said.end_s, before=True), first), end)
        start = min(max(self._position(said.start_s, before=False), first), last)
        return [Words(number=number, start=start, end=last, text=said.text, final=True, confidence=said.confidence)]

    def _position(self, seconds: float, *, before: bool) -> int:
        """Return where on the line's clock a time of the recogniser lies; an end belongs to what came before it."""
        given = round(seconds * RATE)
        from_given, from_line = self._map[0]
        for segment_given, segment_line in self._map[1:]:
            if given < segment_given or (before and given == segment_given):
                break
            from_given, from_line = segment_given, segment_line
        return from_line + given - from_given


def dbfs(samples: Samples) -> float:
    """Return how loud int16 samples are (root mean square); 0 is full scale, `SILENCE_DBFS` the least."""
    if not len(samples):
        return SILENCE_DBFS
    wave = samples.astype(np.float32)
    power = float(wave @ wave) / len(wave) / 32768.0**2
    return max(SILENCE_DBFS, float(10 * np.log10(power))) if power > 0 else SILENCE_DBFS
