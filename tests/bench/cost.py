"""What a line costs: processor seconds for a second of a line in call, by part, beside the plain way in the same run.

One thread hears all scenes, in blocks of 100 ms as a card brings them. Processor time on a busy machine is longer than
on an idle one, for every part alike: compare the parts and the plain way of one run.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import soxr
import vosk

from edge_agent.adapters.card_frames import Splitter
from edge_agent.adapters.onnx_classifier import OnnxClassifier
from edge_agent.adapters.silero import SileroDetector
from edge_agent.adapters.vosk_model import VoskModel, VoskRecognizer
from edge_agent.pipeline.line_watch import LineWatch
from edge_agent.pipeline.lines import BlockQueue
from edge_agent.pipeline.listen import LineListener
from edge_agent.pipeline.ring import Ring
from edge_agent.pipeline.tap import Tap
from edge_agent.ports import RATE, AudioBlock
from edge_agent.services.model_store import ModelKind, find_model
from edge_agent.services.policy_pack import load_policy
from edge_agent.settings import Seat, Settings
from edge_agent.settings_cards import Device
from tests.bench import scenes

if TYPE_CHECKING:
    from edge_agent.domain.finding import Scores
    from edge_agent.ports import Recognised, Samples

BLOCK = RATE // 10
CHUNK = scenes.RATE // 5
"""What the plain way is given at a time, as in `tests/bench/plain.py`."""
LINES_OF_A_CARD = 16
ENTRANCE = "entrance: splitting, levels, ring"


@dataclass
class Meter:
    """Processor seconds of this thread and runs, by part."""

    spent_s: Counter[str] = field(default_factory=Counter)
    runs: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def of(self, part: str) -> Iterator[None]:
        """Count what is done meanwhile."""
        began = time.thread_time()
        yield
        self.spent_s[part] += time.thread_time() - began
        self.runs[part] += 1


class MeteredRecognizer:
    """A recognizer whose time is counted."""

    def __init__(self, recognizer: VoskRecognizer, meter: Meter) -> None:
        self._recognizer = recognizer
        self._meter = meter

    def accept(self, samples: Samples) -> Recognised | None:
        """Take samples."""
        with self._meter.of("recognition: audio"):
            return self._recognizer.accept(samples)

    def partial(self) -> str:
        """Return words under way."""
        with self._meter.of("recognition: words under way"):
            return self._recognizer.partial()

    def flush(self) -> Recognised | None:
        """End the utterance."""
        with self._meter.of("recognition: end of an utterance"):
            return self._recognizer.flush()


@dataclass(frozen=True)
class MeteredModel:
    """A speech model whose recognizers' time is counted."""

    model: VoskModel
    meter: Meter

    @property
    def model_version(self) -> str:
        """Return the model's version."""
        return self.model.model_version

    def recognizer(self) -> MeteredRecognizer:
        """Return a recognizer."""
        return MeteredRecognizer(self.model.recognizer(), self.meter)

    def in_use(self) -> MeteredModel:
        """Return the model itself."""
        return self


class MeteredDetector(SileroDetector):
    """A voice detector whose time is counted."""

    def __init__(self, meter: Meter) -> None:
        super().__init__()
        self._meter = meter

    def probabilities(self, frames: Samples) -> list[float]:
        """Return probabilities of speech."""
        with self._meter.of("voice activity"):
            return super().probabilities(frames)


@dataclass(frozen=True)
class MeteredClassifier:
    """A classifier whose time is counted."""

    classifier: OnnxClassifier
    meter: Meter

    @property
    def model_version(self) -> str:
        """Return the model's version."""
        return self.classifier.model_version

    def classify(self, text: str) -> Scores:
        """Return scores."""
        with self.meter.of("classifier"):
            return self.classifier.classify(text)


def cost() -> list[str]:
    """Return processor seconds for a second of a line in call, by part, and those of the plain way."""
    settings = Settings()
    speech = find_model(settings.models_folder, settings.models.speech, ModelKind.SPEECH)
    harassment = find_model(settings.models_folder, settings.models.harassment, ModelKind.HARASSMENT)
    model, meter = VoskModel(speech.folder, speech.version), Meter()
    plain_model = vosk.Model(model_path=str(speech.folder))
    classifier = MeteredClassifier(OnnxClassifier(harassment.folder), meter)
    policy = load_policy(settings.policy_file)
    # One line hears all calls, one after another, as on a floor.
    listener = LineListener(
        "bench", MeteredModel(model, meter), lambda: MeteredDetector(meter), classifier, policy, settings,
        new_id=lambda: "bench",
    )  # fmt: skip
    seconds = 0.0
    for scene in scenes.scenes():
        seconds += scene.seconds
        both = [soxr.resample(scene.audio[:, side], scenes.RATE, RATE) for side in (0, 1)]
        for at in range(0, len(both[0]), BLOCK):
            customer, operator = (side[at : at + BLOCK] for side in both)
            with meter.of("all of listening"):
                listener.feed(AudioBlock(customer=customer, operator=operator, in_call=True))
        with meter.of("all of listening"):
            listener.feed(AudioBlock(customer=customer[:0], operator=operator[:0], in_call=False))
        with meter.of("the plain way"):
            _plain(plain_model, scene.audio)
        _entrance(meter, scene.audio, settings)
    parts = [part for part in meter.spent_s if part not in {"all of listening", "the plain way", ENTRANCE}]
    rest_s = meter.spent_s["all of listening"] - sum(meter.spent_s[part] for part in parts)
    ours_s = meter.spent_s["all of listening"] + meter.spent_s[ENTRANCE]
    rows = [
        f"{part}: {meter.spent_s[part] / seconds:.4f} s, {meter.runs[part] / seconds * 60:.0f} runs a minute"
        for part in sorted(parts, key=lambda part: -meter.spent_s[part])
    ]
    return [
        *rows,
        f"the rest of listening, and judgement: {rest_s / seconds:.4f} s",
        f"{ENTRANCE}: {meter.spent_s[ENTRANCE] / seconds:.4f} s",
        f"together: {ours_s / seconds:.4f} s; the plain way: {meter.spent_s['the plain way'] / seconds:.4f} s",
    ]


def _plain(model: vosk.Model, audio: scenes.Audio) -> None:
    for side in (0, 1):
        kaldi = vosk.KaldiRecognizer(model, scenes.RATE)
        kaldi.SetWords(True)
        for at in range(0, len(audio), CHUNK):
            ended = kaldi.AcceptWaveform(np.ascontiguousarray(audio[at : at + CHUNK, side]).tobytes())
            kaldi.Result() if ended else kaldi.PartialResult()


def _entrance(meter: Meter, audio: scenes.Audio, settings: Settings) -> None:
    """Take the audio in as one of the lines of a card: its share of the card's time is counted."""
    seats = [
        Seat(
            seat=f"{n:02}", label_ja="-", label_en="-", device="tap", customer_channel=2 * n, operator_channel=2 * n + 1
        )
        for n in range(LINES_OF_A_CARD)
    ]
    splitter = Splitter(Device(name="tap", match="tap", channels=2 * LINES_OF_A_CARD, rate=scenes.RATE), seats)
    taps = {seat.seat: Tap(blocks=BlockQueue(), ring=Ring(seconds=settings.privacy.ring_s)) for seat in seats}
    policy = load_policy(settings.policy_file)
    watches = {seat.seat: LineWatch(seat.seat, settings=settings.health, policy=policy) for seat in seats}
    frames = np.tile(audio[: 10 * scenes.RATE], LINES_OF_A_CARD)
    share = len(audio) / len(frames) / LINES_OF_A_CARD
    began = time.thread_time()
    for at in range(0, len(frames), scenes.RATE // 10):
        for seat, block in splitter.feed(frames[at : at + scenes.RATE // 10].tobytes(), dropped=0):
            taps[seat].put(block)
            watches[seat].hear(block)
    meter.spent_s[ENTRANCE] += (time.thread_time() - began) * share
