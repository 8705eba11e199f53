"""Hand-written stand-ins for unit tests; journeys use the real parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edge_agent.ports import RATE, Recognised
from tests.builders import MODEL, scored

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edge_agent.domain.finding import Label, Scores
    from edge_agent.ports import Samples


class LoudnessDetector:
    """Takes every frame for speech that is not silent throughout."""

    frame_samples = 512

    def probability(self, frame: Samples) -> float:
        return 1.0 if frame.any() else 0.0

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


class ScriptedClassifier:
    """Knows the scores of some phrases; all others say nothing."""

    model_version = MODEL

    def __init__(self, answers: Mapping[str, dict[Label, float]]) -> None:
        self._answers = answers
        self.asked: list[str] = []

    def classify(self, text: str) -> Scores:
        self.asked.append(text)
        return scored(self._answers.get(text))
