"""How well a model hears: recordings with transcripts, measured by condition."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_agent.domain.quality import Figure
from edge_agent.services.speech.comparing import errors_between, plain, ratio

WITHOUT = "all"
"""Condition of recordings for which none is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A recording and what is said in it.

    Attributes:
        text: empty where nobody speaks.
        telling: words to be found in it; None: those of the list that its text holds.
    """

    file: Path
    text: str
    condition: str = WITHOUT
    telling: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What a model made of a recording.

    Attributes:
        words: how many words it recognised.
        audio_s: length of the recording in seconds.
        cpu_s: seconds of one core that recognition took.
    """

    text: str
    words: int
    audio_s: float
    cpu_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A recording, compared.

    Attributes:
        errors: wrong characters.
        characters: characters said.
        missed: telling words that were not found.
    """

    recording: Recording
    heard: Heard
    errors: int
    characters: int
    telling: tuple[str, ...]
    missed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What the results of one condition add up to; None where nothing was said, telling or silent.

    Attributes:
        cer: share of wrong characters.
        recall: share of telling words found.
        false_words: words recognised in a minute in which nobody speaks.
        real_time_factor: seconds of one core for a second of audio.
    """

    condition: str
    recordings: int
    audio_s: float
    cer: Figure | None
    recall: Figure | None
    telling: int
    missed: tuple[str, ...]
    false_words: Figure | None
    real_time_factor: float


def compare(recording: Recording, heard: Heard, telling: Sequence[str]) -> Result:
    """Compare what was said with what was heard; `telling` is the list for recordings without words of their own."""
    said, found = plain(recording.text), plain(heard.text)
    words = recording.telling
    if words is None:
        words = tuple(word for word in telling if plain(word) in said)
    return Result(
        recording=recording,
        heard=heard,
        errors=errors_between(said, found) if said else 0,
        characters=len(said),
        telling=words,
        missed=tuple(word for word in words if plain(word) not in found),
    )


def evaluate(
    recordings: Sequence[Recording], telling: Sequence[str], hear: Callable[[Path], Heard]
) -> Iterator[Result]:  # fmt: skip
    """Yield the result of every recording, one after the other."""
    for recording in recordings:
        yield compare(recording, hear(recording.file), telling)


def figures(results: Sequence[Result]) -> list[Figures]:
    """Return the figures of every condition in the order they come in, then of all together if there are several."""
    conditions = list(dict.fromkeys(result.recording.condition for result in results))
    out = [_figures(name, [r for r in results if r.recording.condition == name]) for name in conditions]
    return [*out, _figures(WITHOUT, results)] if len(conditions) > 1 else out


def _figures(condition: str, results: Sequence[Result]) -> Figures:
    silent = [result for result in results if not result.characters]
    audio_s = sum(result.heard.audio_s for result in results)
    return Figures(
        condition=condition,
        recordings=len(results),
        audio_s=audio_s,
        cer=ratio(results, lambda r: r.errors, lambda r: r.characters),
        recall=ratio(results, lambda r: len(r.telling) - len(r.missed), lambda r: len(r.telling)),
        telling=sum(len(result.telling) for result in results),
        missed=tuple(word for result in results for word in result.missed),
        false_words=ratio(silent, lambda r: r.heard.words, lambda r: r.heard.audio_s / 60) if silent else None,
        real_time_factor=sum(result.heard.cpu_s for result in results) / audio_s if audio_s else 0.0,
    )
