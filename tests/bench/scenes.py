"""Calls for measuring: the demonstration calls laid out anew, so that the sides speak for 40 % of the time.

The recorded calls have an operator who speaks twice as much as the customer. Here every turn of the customer is kept,
in its order, and of the operator's an answer to each, more where both sides then speak alike; pauses are shortened or
lengthened until speech is `SHARE` of a side, on average of both. Between turns a side is the line noise of its own
recording. What is said when is known to the sample, because turns are placed, not searched for.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile

from edge_agent.provision import demo

Audio = npt.NDArray[np.int16]

RATE = demo.RATE
SHARE = 0.4
"""Part of the time for which a side speaks, on average of both, the silence between two calls counted in."""
BETWEEN_S = 3.0
"""Silence after a call, before the next on the same line."""
END_SILENCE_MS = 2000
"""Silence that ends a call on these lines: less than `BETWEEN_S`, more than any pause within a call."""
EDGE_S = 0.15
"""Sound kept around a turn: its time is that of the words, and the last of them dies away."""
LEAST_PAUSE_S = 0.15
MATCHED_WITHIN_S = 0.5
"""How far beside its true time a phrase may be heard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """One turn, in seconds from the start of its scene."""

    start: float
    end: float
    speaker: str
    text: str
    telling: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One call.

    Attributes:
        audio: int16 at `RATE`, (samples, 2): customer, operator; the silence after the call included.
        kind: the alert that must come of it: "harassment", "life_safety", or "" for none.
    """

    call: str
    audio: Audio
    phrases: tuple[Phrase, ...]
    kind: str

    @property
    def seconds(self) -> float:
        """Return its length, the silence after it included."""
        return len(self.audio) / RATE

    @property
    def telling_end(self) -> float:
        """Return when the words have been said that must bring the alert."""
        return next(phrase.end for phrase in self.phrases if phrase.telling)

    def phrase_at(self, seconds: float) -> Phrase:
        """Return the customer's phrase that words ending at a time belong to: the last begun before."""
        said = [phrase for phrase in self.phrases if phrase.speaker == "customer"]
        begun = [phrase for phrase in said if phrase.start <= seconds + MATCHED_WITHIN_S]
        return begun[-1] if begun else said[0]

    def spoken(self, speaker: str) -> float:
        """Return for how many seconds a side speaks."""
        return sum(phrase.end - phrase.start for phrase in self.phrases if phrase.speaker == speaker)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A scene on a line (from 1), `start_s` seconds after the start of the recording."""

    line: int
    start_s: float
    scene: Scene


def scenes() -> list[Scene]:
    """Return all demonstration calls, laid out anew."""
    return [_scene(file) for file in sorted(demo.calls_folder().glob("*.json"))]


def schedule(lines: int, *, start_s: float, length_s: float, of: Sequence[Scene], whole: bool = False) -> list[Placed]:
    """Return calls on all lines, one after another until the recording is full; no two lines are in step.

    `whole`: no call that the end of the recording would cut off.
    """
    placed = []
    for line in range(1, lines + 1):
        # The golden ratio spreads any number of starts evenly.
        at, number = start_s + line * 0.618 % 1 * 8, line
        while at < length_s - 5:
            fitting = [scene for scene in of if not whole or at + scene.seconds <= length_s]
            if not fitting:
                break
            scene = fitting[number % len(fitting)]
            placed.append(Placed(line=line, start_s=at, scene=scene))
            at, number = at + scene.seconds, number + 1
    return placed


def record(file: Path, placed: Sequence[Placed], *, lines: range, length_s: float) -> Path:
    """Write raw int16 frames of some lines (customer, operator, customer, …), as one sound card hears them."""
    frames = int(length_s * RATE)
    with file.open("wb") as stream:
        stream.truncate(frames * 4 * len(lines))
    card = np.memmap(file, np.int16, "r+", shape=(frames, 2 * len(lines)))
    for call in placed:
        if call.line in lines:
            first, start = 2 * lines.index(call.line), int(call.start_s * RATE)
            audio = call.scene.audio[: frames - start]
            card[start : start + len(audio), first : first + 2] = audio
    card.flush()
    return file


def _scene(file: Path) -> Scene:
    told = json.loads(file.read_text(encoding="utf-8"))
    audio, _ = soundfile.read(demo.recorded(told["id"]), dtype="int16", always_2d=True)
    turns = _balanced(told["turns"])
    speech = sum(_length(turn) for turn in turns)
    pause = max(LEAST_PAUSE_S, (speech / (2 * SHARE) - speech - BETWEEN_S) / len(turns))
    length_s = speech + pause * len(turns) + BETWEEN_S
    sides = np.stack([_noise(audio[:, side], told["turns"], who, length_s) for side, who in enumerate(_SIDES)], axis=1)
    at, phrases = pause, []
    for turn in turns:
        first, last = int((turn["start"] - EDGE_S) * RATE), int((turn["end"] + EDGE_S) * RATE)
        start = int((at - EDGE_S) * RATE)
        side = _SIDES.index(turn["speaker"])
        sides[start : start + last - first, side] = audio[first:last, side]
        phrases.append(
            Phrase(
                start=at, end=at + _length(turn), speaker=turn["speaker"], text=turn["text"], telling=turn["telling"]
            )
        )
        at += _length(turn) + pause
    expect = told["expect"]
    kind = "life_safety" if expect["life_safety"] else "harassment" if expect["types"] else ""
    return Scene(call=told["id"], audio=sides, phrases=tuple(phrases), kind=kind)


_SIDES = ("customer", "operator")


def _length(turn: dict[str, Any]) -> float:
    return float(turn["end"] - turn["start"])


def _balanced(turns: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out turns of the operator, the longest first, until both sides speak alike; an answer each stays."""
    kept = list(turns)
    for turn in sorted((turn for turn in turns if turn["speaker"] == "operator"), key=_length, reverse=True):
        customer, operator = (sum(_length(t) for t in kept if t["speaker"] == who) for who in _SIDES)
        at = kept.index(turn)
        answers = [t["speaker"] for t in kept[max(0, at - 1) : at + 2]] == ["customer", "operator", "customer"]
        if operator - _length(turn) / 2 > customer and not answers:
            kept.remove(turn)
    return kept


def _noise(side: Audio, turns: list[dict[str, Any]], who: str, length_s: float) -> Audio:
    """Return so much line noise: the longest stretch in which the side is silent, again and again."""
    own = [turn for turn in turns if turn["speaker"] == who]
    ends = [0.0, *(turn["end"] + 2 * EDGE_S for turn in own)]
    starts = [*(turn["start"] - 2 * EDGE_S for turn in own), len(side) / RATE]
    start, end = max(zip(ends, starts, strict=True), key=lambda gap: gap[1] - gap[0])
    return np.resize(side[int(start * RATE) : int(end * RATE)], int(length_s * RATE))
