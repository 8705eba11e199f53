"""What voice activity takes from the beginnings: words with the gate beside words without it, on the same audio.

Each side of each recorded call is heard twice by the shipped model: as a line is (detector, lead-in, hangover), and by
one recognizer that is given everything. Compared are the words of each turn, whose times are known. A word is *lost* if
it stands at the beginning of the turn without the gate, and with the gate the rest follows as if it had never been
said. A turn *begins otherwise* if something else stands there, which happens in either direction wherever a
recognizer starts elsewhere.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import soundfile
import soxr

from edge_agent.adapters.silero import SileroDetector
from edge_agent.adapters.vosk_model import VoskModel, joined
from edge_agent.domain.quality import Figure
from edge_agent.pipeline.voice import Numbers, Voice
from edge_agent.ports import RATE
from edge_agent.provision import demo
from edge_agent.services.model_store import ModelKind, find_model
from edge_agent.services.speech.comparing import errors_between, plain, ratio
from edge_agent.settings import Settings, share
from edge_agent.settings_listening import Vad

if TYPE_CHECKING:
    from edge_agent.ports import Samples

CHUNK = RATE // 5
BESIDE_S = 0.3
"""How far beside its turn a word may lie."""
MOST = 3
"""Words at a beginning that may be lost together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One turn, heard both ways: its words without the gate, its text with it, and the script if there is one."""

    words: tuple[str, ...]
    gated: str
    script: str

    @property
    def lost(self) -> int:
        """Return how many words at the beginning the gate took away."""
        return missing(self.words, self.gated)

    @property
    def changed(self) -> bool:
        """Return whether it begins otherwise with the gate, though nothing was lost."""
        return bool(self.words) and not self.lost and not self.gated.startswith(self.words[0])


def missing(words: Sequence[str], other: str) -> int:
    """Return how many of the first words are simply not in `other`, where all that follows is as near as before."""
    whole = errors_between("".join(words), other)
    lost = 0
    for count in range(1, min(MOST, len(words) - 1) + 1):
        without = errors_between("".join(words[count:]), other)
        if whole - without == len("".join(words[:count])):
            lost = count
    return lost


def gating(arguments: Sequence[str] = ()) -> list[str]:
    """Hear the recorded calls both ways; return what was lost, with 95 % intervals over the turns."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench gating", description=gating.__doc__)
    parser.add_argument("--calls", type=int, default=100, help="recordings besides the demonstration calls, at most")
    parser.add_argument("--preroll-ms", type=int, default=Vad().preroll_ms)
    parser.add_argument("--hangover-ms", type=int, default=Vad().hangover_ms)
    told = parser.parse_args(arguments)
    settings = Settings()
    found = find_model(settings.models_folder, settings.models.speech, ModelKind.SPEECH)
    model = VoskModel(found.folder, found.version)
    vad = Vad(preroll_ms=told.preroll_ms, hangover_ms=told.hangover_ms)
    others = sorted((share() / "models/harassment/calls/audio").glob("*.opus"))[: told.calls]
    turns = [turn for file in [*sorted(demo.calls_folder().glob("*.flac")), *others] for turn in hear(model, vad, file)]
    words = sum(len(turn.words) for turn in turns)
    unheard = sum(bool(t.words) and not t.gated for t in turns), sum(bool(t.gated) and not t.words for t in turns)
    rows = [
        f"{len(turns)} turns, {words} words; lead-in {vad.preroll_ms} ms, hangover {vad.hangover_ms} ms",
        f"words lost at beginnings: {_percent(ratio(turns, lambda t: t.lost, lambda t: len(t.words)))} of words",
        f"turns that begin otherwise: {_percent(ratio(turns, lambda t: t.changed, lambda _: 1))}",
        f"turns not heard at all: {unheard[0]} with the gate, {unheard[1]} without",
    ]
    scripts = [turn for turn in turns if turn.script]
    for name, text in (("with the gate", lambda t: t.gated), ("without", lambda t: "".join(t.words))):
        errors = ratio(
            scripts,
            lambda t, text=text: errors_between(plain(t.script), plain(text(t))),
            lambda t: len(plain(t.script)),
        )
        rows.append(f"characters wrong {name}, demonstration calls: {_percent(errors)}")
    return rows


def hear(model: VoskModel, vad: Vad, file: Path) -> Iterator[Heard]:
    """Hear both sides of a recorded call both ways."""
    audio, rate = soundfile.read(file, dtype="int16", always_2d=True)
    turns = json.loads(file.with_suffix(".json").read_text(encoding="utf-8"))["turns"]
    for side, speaker in enumerate(("customer", "operator")):
        samples = soxr.resample(audio[:, side], rate, RATE)
        ungated, gated = _ungated(model, samples), _gated(model, samples, vad)
        for turn in (turn for turn in turns if turn["speaker"] == speaker):
            yield Heard(
                words=tuple(word for start, end, word in ungated if _within(turn, (start + end) / 2)),
                gated="".join(text for start, end, text in gated if _within(turn, (start + end) / 2)),
                script=turn.get("text", ""),
            )


def _within(turn: dict[str, Any], at: float) -> bool:
    return bool(turn["start"] - BESIDE_S <= at <= turn["end"] + BESIDE_S)


def _ungated(model: VoskModel, samples: Samples) -> list[tuple[float, float, str]]:
    # Vosk's own recognizer: the product's tells of an utterance, not of its words.
    kaldi = model.recognizer()._kaldi
    told = [
        kaldi.Result()
        for start in range(0, len(samples), CHUNK)
        if kaldi.AcceptWaveform(samples[start : start + CHUNK].tobytes())
    ]
    words = [word for answer in [*told, kaldi.FinalResult()] for word in json.loads(answer).get("result", ())]
    named = [(float(word["start"]), float(word["end"]), joined([word["word"]])) for word in words]
    return [word for word in named if word[2]]


def _gated(model: VoskModel, samples: Samples, vad: Vad) -> list[tuple[float, float, str]]:
    voice = Voice(recognizer=model.recognizer, detector=SileroDetector(), vad=vad, numbers=Numbers())
    block = RATE // 10
    found = []
    for at in range(0, len(samples), block):
        found += voice.hear(np.ascontiguousarray(samples[at : at + block]), at=at)
    found += voice.close()
    return [(words.start / RATE, words.end / RATE, words.text) for words in found if words.final]


def _percent(figure: Figure | None) -> str:
    if figure is None:
        return "–"
    return f"{figure.value:.2%} ({figure.low:.2%} to {figure.high:.2%}, n {figure.count})"
