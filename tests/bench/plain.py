"""The plain way to listen to many lines: one recognizer for every side of every line, and nothing in front of it.

It is what vosk-server does, without its network: 0.2 s of audio at a time are given to the side's recognizer by a pool
of as many threads as there are cores, its words under way are fetched each time, and final words of the customer are
classified. The same model, classifier and recordings as in `capacity`; the 8 kHz of the line go in as they are.

It is spared what Mamori does besides: sound cards, judgement, incidents, broker, pages. A phrase counts as told when
its final words have been classified, in the same process.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import vosk

from edge_agent.adapters.onnx_classifier import OnnxClassifier
from edge_agent.services.model_store import ModelKind, find_model
from edge_agent.settings import Settings
from tests.bench import scenes

CHUNK_S = 0.2
"""What vosk-server's own clients send at a time."""
WAITS_S = 10.0
"""Audio older than this is dropped, as Mamori drops it."""
SETTLE_S = 5.0
GRACE_S = 4.0
"""A phrase that ends later than so long before the end of a step is not counted."""


@dataclass(kw_only=True)
class PlainStep:
    """What was measured with so many lines.

    Attributes:
        waits_s: for each of the customer's phrases, seconds from its end to its final words, classified.
        unheard: phrases of which no final words came.
    """

    lines: int
    seconds: float
    cores: float = 0.0
    rss_mib: float = 0.0
    waits_s: list[float] = field(default_factory=list)
    unheard: int = 0
    lost_s: float = 0.0


class Side:
    """One side of a line: audio that waits, and its recognizer. Used by one thread at a time."""

    def __init__(self, model: vosk.Model, classifier: OnnxClassifier | None) -> None:
        self._kaldi = vosk.KaldiRecognizer(model, scenes.RATE)
        self._kaldi.SetWords(True)
        self._classifier = classifier
        self._waiting: deque[bytes] = deque()
        self._turn = threading.Lock()
        self._queued = False
        self._given = 0
        self.lost = 0
        self.finals: list[tuple[float, float, float]] = []
        """Seconds of the recording at which final words began and ended, and when they were classified."""

    def put(self, chunk: bytes, pool: ThreadPoolExecutor) -> None:
        """Take audio, and have it heard."""
        with self._turn:
            if len(self._waiting) >= WAITS_S / CHUNK_S:
                self._waiting.popleft()
                self.lost += 1
            self._waiting.append(chunk)
            if self._queued:
                return
            self._queued = True
        pool.submit(self._hear, pool)

    def _hear(self, pool: ThreadPoolExecutor) -> None:
        with self._turn:
            chunk = self._waiting.popleft()
        if self._kaldi.AcceptWaveform(chunk):
            told = json.loads(self._kaldi.Result())
            if told.get("result") and self._classifier is not None:
                self._classifier.classify(told["text"].replace(" ", ""))
                words = told["result"]
                self.finals.append((words[0]["start"], words[-1]["end"], time.monotonic()))
        else:
            self._kaldi.PartialResult()
        with self._turn:
            self._queued = bool(self._waiting)
            again = self._queued
        if again:
            pool.submit(self._hear, pool)


def listen(recording: Path, placed: list[scenes.Placed], step: PlainStep) -> None:
    """Hear a recording of all lines in real time, in this process."""
    settings = Settings()
    speech = find_model(settings.models_folder, settings.models.speech, ModelKind.SPEECH)
    harassment = find_model(settings.models_folder, settings.models.harassment, ModelKind.HARASSMENT)
    model, classifier = vosk.Model(model_path=str(speech.folder)), OnnxClassifier(harassment.folder)
    frames = np.memmap(recording, np.int16, "r").reshape(-1, 2 * step.lines)
    sides = [Side(model, classifier if number % 2 == 0 else None) for number in range(2 * step.lines)]
    chunk = int(CHUNK_S * scenes.RATE)
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        began = time.monotonic()
        spent = None
        for number, first in enumerate(range(0, len(frames) - chunk, chunk)):
            due = began + (number + 1) * CHUNK_S
            time.sleep(max(0.0, due - time.monotonic()))
            if spent is None and due - began >= SETTLE_S:
                spent, since = time.process_time(), time.monotonic()
            block = np.ascontiguousarray(frames[first : first + chunk].T)
            for side, samples in zip(sides, block, strict=True):
                side.put(samples.tobytes(), pool)
        step.cores = (time.process_time() - (spent or 0.0)) / (time.monotonic() - since)
    step.lost_s = sum(side.lost for side in sides) * CHUNK_S
    for call in placed:
        for phrase in call.scene.phrases:
            end = call.start_s + phrase.end
            if phrase.speaker != "customer" or not SETTLE_S < end < len(frames) / scenes.RATE - GRACE_S:
                continue
            # The final words that reach the end of the phrase: where it was cut, its last part.
            came = [
                at
                for first, last, at in sides[2 * call.line - 2].finals
                if first < end and last > end - (phrase.end - phrase.start) / 2
            ]
            if came:
                step.waits_s.append(max(came) - began - end)
            else:
                step.unheard += 1


def measure(lines: int, seconds: float) -> PlainStep:
    """Hear so many lines the plain way for so long, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.plain", str(lines), str(seconds)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return PlainStep(**json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    """Measure in this process, and print the figures as JSON."""
    parser = argparse.ArgumentParser(prog="plain")
    parser.add_argument("lines", type=int)
    parser.add_argument("seconds", type=float)
    told = parser.parse_args()
    vosk.SetLogLevel(-1)
    step = PlainStep(lines=told.lines, seconds=told.seconds)
    length_s = SETTLE_S + told.seconds
    placed = scenes.schedule(told.lines, start_s=0.0, length_s=length_s, of=scenes.scenes())
    with tempfile.TemporaryDirectory() as folder:
        recording = scenes.record(Path(folder) / "lines.raw", placed, lines=range(1, told.lines + 1), length_s=length_s)
        listen(recording, placed, step)
    step.rss_mib = peak_rss_mib()
    print(json.dumps(asdict(step)))  # noqa: T201


def peak_rss_mib() -> float:
    """Return the most resident memory this process ever had."""
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()
