"""Hand-written stand-ins for unit tests; journeys use the real parts."""

from __future__ import annotations

import errno
import json
import os
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_agent.ports import RATE, Arrived, Outcome, Recognised
from tests.builders import MODEL, scored

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from edge_agent.domain.finding import Label, Scores
    from edge_agent.ports import Samples


class LoudnessDetector:
    """Takes every frame for speech that is not silent throughout."""

    frame_samples = 512

    def probabilities(self, frames: Samples) -> list[float]:
        return [1.0 if frame.any() else 0.0 for frame in frames]

    def reset(self) -> None:
        pass


class ScriptedRecognizer:
    """Hears words in the values of the samples: every sample of value n belongs to the n-th phrase of the script.

    Like Vosk it counts its times over all the audio it was ever given, and ends an utterance by itself after
    `endpoint_s` of silence.
    """

    def __init__(self, script: Sequence[str], *, endpoint_s: float) -> None:
        self._script = script
        self._endpoint = int(endpoint_s * RATE)
        self._given = 0
        self._heard: list[int] = []
        self._first = self._last = 0

    def accept(self, samples: Samples) -> Recognised | None:
        spoken = np.flatnonzero(samples)
        if len(spoken):
            if not self._heard:
                self._first = self._given + int(spoken[0])
            self._last = self._given + int(spoken[-1]) + 1
            self._heard += [int(value) for value in dict.fromkeys(samples[spoken]) if value not in self._heard]
        self._given += len(samples)
        return self.flush() if self._heard and self._given - self._last >= self._endpoint else None

    def partial(self) -> str:
        return "".join(self._script[value] for value in self._heard)

    def flush(self) -> Recognised | None:
        text, self._heard = self.partial(), []
        return Recognised(text=text, start_s=self._first / RATE, end_s=self._last / RATE) if text else None


class ScriptedModel:
    """A speech model that knows the phrases of a script; the phrase at 0 is silence."""

    model_version = "speech-test 1"

    def __init__(self, *phrases: str, endpoint_s: float = 3600.0) -> None:
        self._script = ("", *phrases)
        self._endpoint_s = endpoint_s

    def recognizer(self) -> ScriptedRecognizer:
        return ScriptedRecognizer(self._script, endpoint_s=self._endpoint_s)

    def in_use(self) -> ScriptedModel:
        return self


class ScriptedClassifier:
    """Knows the scores of some phrases; all others say nothing."""

    model_version = MODEL

    def __init__(self, answers: Mapping[str, dict[Label, float]]) -> None:
        self._answers = answers
        self.asked: list[str] = []

    def classify(self, text: str) -> Scores:
        self.asked.append(text)
        return scored(self._answers.get(text))


class StandingClock:
    """Shows the time it was set to until it is told to move on."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def move(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)


class MemoryMessenger:
    """A broker in memory: takes, refuses or holds back what it is given, and can be away."""

    def __init__(self) -> None:
        self.away = False
        self.holding_back = False
        self.breaks_at: str | None = None
        """The connection breaks when a message on a topic with these words is handed over."""
        self.refusing: str | None = None
        """Messages on a topic with these words are refused."""
        self.taken: list[tuple[str, str, bool]] = []
        """Topic, payload, retained."""
        self.expiries: dict[str, int | None] = {}
        """Seconds by topic after which the newest message is worth nothing."""
        self._held: list[int] = []
        self._outcomes: list[Outcome] = []
        self._arrived: list[Arrived] = []
        self._tickets = 0
        self._connections = 1

    def connected(self) -> bool:
        return not self.away

    def generation(self) -> int:
        return self._connections

    def send(self, *, topic: str, payload: str, retain: bool = False, expiry_s: int | None = None) -> int | None:
        if self.breaks_at is not None and self.breaks_at in topic:
            self.away = True
        if self.away:
            return None
        self._tickets += 1
        if self.refusing is not None and self.refusing in topic:
            self._outcomes.append(Outcome(ticket=self._tickets, refused="Not authorized"))
            return self._tickets
        self.taken.append((topic, payload, retain))
        self.expiries[topic] = expiry_s
        if self.holding_back:
            self._held.append(self._tickets)
        else:
            self._outcomes.append(Outcome(ticket=self._tickets, refused=None))
        return self._tickets

    def outcomes(self) -> list[Outcome]:
        told, self._outcomes = self._outcomes, []
        return told

    def arrived(self) -> list[Arrived]:
        there, self._arrived = self._arrived, []
        return there

    def come_back(self) -> None:
        """A new connection is made."""
        self.away, self.breaks_at = False, None
        self._connections += 1

    def acknowledge_held(self) -> None:
        """The broker says at last that it has what it was given."""
        self._outcomes += [Outcome(ticket=ticket, refused=None) for ticket in self._held]
        self._held, self.holding_back = [], False

    def receive(self, topic: str, payload: str) -> None:
        """A panel sends something."""
        self._arrived.append(Arrived(topic=topic, payload=payload.encode()))

    def on(self, words: str) -> list[dict[str, Any]]:
        """Return the messages taken on topics with these words, the first first."""
        return [json.loads(payload) for topic, payload, _ in self.taken if words in topic]


class Moments:
    """A stop event that never waits: each look at it is the next moment of the script, and the last one stops."""

    def __init__(self, *moments: Callable[[], object]) -> None:
        self._moments = iter(moments)
        self._over = False

    def wait(self, _timeout: float | None = None) -> bool:
        return self.is_set()

    def is_set(self) -> bool:
        if not self._over:
            moment = next(self._moments, None)
            if moment is None:
                self._over = True
            else:
                moment()
        return self._over


class Seconds:
    """A time that only moves forward when it is told to."""

    def __init__(self, now_s: float = 0.0) -> None:
        self.now_s = now_s

    def __call__(self) -> float:
        return self.now_s


class SlowModel:
    """A speech model whose recognizers take so many seconds of `clock` for a second of audio."""

    def __init__(self, model: ScriptedModel, clock: Seconds, *, factor: float) -> None:
        self._model = model
        self._clock = clock
        self.factor = factor
        self.model_version = model.model_version
        self.partials = 0
        """How often words under way were asked for."""

    def recognizer(self) -> SlowRecognizer:
        return SlowRecognizer(self._model.recognizer(), self, self._clock)

    def in_use(self) -> SlowModel:
        return self


class SlowRecognizer:
    """Hears what the recognizer it was made of hears, and takes its time."""

    def __init__(self, recognizer: ScriptedRecognizer, model: SlowModel, clock: Seconds) -> None:
        self._recognizer = recognizer
        self._model = model
        self._clock = clock

    def accept(self, samples: Samples) -> Recognised | None:
        self._clock.now_s += self._model.factor * len(samples) / RATE
        return self._recognizer.accept(samples)

    def partial(self) -> str:
        self._model.partials += 1
        return self._recognizer.partial()

    def flush(self) -> Recognised | None:
        return self._recognizer.flush()


class FullDisk:
    """A progress that ends as a write does when nothing more fits on the disk."""

    def __call__(self, _done: int, _total: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def a_full_disk(_model: Path, _clips: Sequence[Path]) -> Sequence[str]:
    """A probe of a model that comes upon a disk without room."""
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
