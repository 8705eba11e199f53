"""Measure a model with Vosk itself: character error rate with its interval, speed and memory, by voice and line.

    python evaluate.py ../ja-starter --work WORK --part test

The sentences of the test set, their scenarios and the voice that speaks them were in no training and no language
model. Characters are compared without punctuation, in one spelling (`text_sources.USUAL_SPELLING`,
`text/spellings.tsv`); a second rate also counts as right what is the same word, said alike, in another spelling
(ところ, 所). The interval is a bootstrap over sentences (95 %).
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import re
import resource
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import psutil
import soxr
import vosk
from augment import RATE, band, coloured_noise
from distance import edit_distance
from features import recordings, spoken
from lexicon import read_words, spelled
from line_codecs import LINE_RATE
from listening import CONDITIONS, under
from nothing import KINDS
from sudachipy import dictionary
from text_sources import kinds_of_speech, usual

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    from phones import Word
    from sudachipy import Tokenizer

SILENT = re.compile(r"[\s、。，．,.!?！？…「」『』・（）()\-—〜~]")
RESAMPLED = 1000
UNKNOWN = "[unk]"
"""What is no word; the appliance leaves it out too."""
CHUNK_S = 0.1
"""Seconds of speech handed to the recognizer at a time, as the appliance does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One utterance: what was said, the errors of what was recognised in characters, and those beside spelling."""

    said: str
    errors: int
    beside_spelling: int


def _words(text: str) -> list[Word]:
    """Return the words of a text, each in its one spelling."""
    return [spelled(word) for word in read_words(usual(text))] if text else []


def plain(text: str) -> str:
    """Return text as it is compared: as the transcripts spell it, digits as kanji, without punctuation."""
    return SILENT.sub("", "".join(word.surface for word in _words(text)))


@functools.cache
def _normal(surface: str) -> str:
    """Return the form SudachiDict gives all spellings of a word."""
    return "".join(part.normalized_form() for part in _tokenizer().tokenize(surface))


@functools.cache
def _tokenizer() -> Tokenizer:
    return dictionary.Dictionary(dict="core").create()


def spelled_as_said(said: str, found: str) -> str:
    """Return what was recognised, `plain`, each word spelled as in `said` where that has it and it sounds alike."""
    spelling = {(word.phones, _normal(word.surface)): word.surface for word in _words(said)}
    found_as_said = (spelling.get((word.phones, _normal(word.surface)), word.surface) for word in _words(found))
    return SILENT.sub("", "".join(found_as_said))


def recognise(model: vosk.Model, samples: npt.NDArray[np.float64], rate: int, *, partials: bool = True) -> str:
    """Return the words recognised in samples within ±1; with partial results as in the appliance, or faster without."""
    recognizer = vosk.KaldiRecognizer(model, rate)
    recognizer.SetWords(True)
    pcm = (np.clip(samples, -1, 1) * 32767).astype("<i2")
    size = int(rate * CHUNK_S)
    out = []
    for start in range(0, len(pcm), size):
        if recognizer.AcceptWaveform(pcm[start : start + size].tobytes()):
            out.append(json.loads(recognizer.Result())["text"])
        elif partials:
            recognizer.PartialResult()
    out.append(json.loads(recognizer.FinalResult())["text"])
    return "".join(out).replace(" ", "").replace(UNKNOWN, "")


def interval(parts: Sequence[float], wholes: Sequence[float], seed: int = 0) -> tuple[float, float, float]:
    """Return the share of all parts in all wholes in per cent and the bounds of its 95 % bootstrap interval."""
    part, whole = np.array(parts, float), np.array(wholes, float)
    drawn = np.random.default_rng(seed).integers(0, len(part), (RESAMPLED, len(part)))
    shares = 100 * part[drawn].sum(axis=1) / whole[drawn].sum(axis=1)
    low, high = np.percentile(shares, [2.5, 97.5])
    return 100 * part.sum() / whole.sum(), float(low), float(high)


def measure(model: vosk.Model, folder: Path, condition: str, limit: int, show: int) -> None:
    """Print the figures of one set of recordings under one condition."""
    heard, texts, audio_s = [], [], 0.0
    cpu = 0.0
    for row in recordings(folder)[:limit]:
        samples, rate = under(condition, spoken(folder, row).samples, str(row["file"]))
        started = time.process_time()
        found = recognise(model, samples, rate)
        cpu += time.process_time() - started
        text = str(row["text"])
        said, got = plain(text), plain(found)
        texts.append(text)
        beside = edit_distance(said, spelled_as_said(text, found))
        heard.append(Heard(said=said, errors=edit_distance(said, got), beside_spelling=beside))
        audio_s += len(samples) / rate
        if len(heard) <= show:
            print(f"    {said} | {got}")
    lengths = [len(item.said) for item in heard]
    rate_, low, high = interval([item.errors for item in heard], lengths)
    beside, *_ = interval([item.beside_spelling for item in heard], lengths)
    print(
        f"{folder.name:18} {condition:6} CER {rate_:5.1f} % ({low:.1f}-{high:.1f}), beside spelling {beside:.1f} %, "
        f"{len(heard)} sentences, "
        f"{audio_s:.0f} s, CPU real-time factor {cpu / audio_s:.3f}",
        flush=True,
    )
    print(f"{'':18} {condition:6} {by_kind(texts, heard)}", flush=True)


@functools.cache
def _kinds() -> dict[str, str]:
    """Return who says each sentence of the texts; read once, not for every voice and line."""
    recipe = Path(__file__).resolve().parent
    return kinds_of_speech(recipe / "text", recipe.parents[1] / "harassment" / "corpus")


def by_kind(rows: Sequence[str], heard: Sequence[Heard]) -> str:
    """Return the character error rate of operators and of each kind of customers' speech (`kinds_of_speech`)."""
    errors, lengths, numbers = Counter[str](), Counter[str](), Counter[str]()
    for text, item in zip(rows, heard, strict=True):
        kind = _kinds().get(text, "template")
        errors[kind] += item.errors
        lengths[kind] += len(item.said)
        numbers[kind] += 1
    return ", ".join(
        f"{kind} {100 * errors[kind] / lengths[kind]:.1f} % of {numbers[kind]}" for kind in sorted(numbers)
    )


def telling(model: vosk.Model, folder: Path, condition: str) -> None:
    """Print how many of the telling words were recognised in their sentences (`telling.tsv`)."""
    rows = [row.split("\t") for row in (Path(__file__).parent / "telling.tsv").read_text(encoding="utf-8").splitlines()]
    words = {usual(text): word for word, text in rows}
    missed, found = [], []
    for row in recordings(folder):
        word = plain(words[usual(str(row["text"]))])
        samples, rate = under(condition, spoken(folder, row).samples, str(row["file"]))
        found.append(word in plain(recognise(model, samples, rate)))
        if not found[-1]:
            missed.append(word)
    share, low, high = interval(found, [True] * len(found))
    print(
        f"telling words {condition:6} {share:.1f} % ({low:.1f}-{high:.1f}), {sum(found)} of {len(found)}; "
        f"missed: {' '.join(missed)}",
        flush=True,
    )


def invented(model: vosk.Model, seconds: int = 60) -> None:
    """Print how many characters are recognised where nobody speaks, on a telephone line."""
    rng = np.random.default_rng(5)
    length = seconds * LINE_RATE
    quiet = {
        "digital silence": np.zeros(length),
        "line noise -66 dB": 10 ** (-66 / 20) * band(rng.standard_normal(length), 300, 3400),
        "line noise -46 dB": 10 ** (-46 / 20) * band(rng.standard_normal(length), 300, 3400),
        "brown noise -40 dB": 10 ** (-40 / 20) * coloured_noise(length, rng),
    }
    for name, kind in KINDS.items():
        quiet[name] = 0.2 * np.asarray(soxr.resample(kind(seconds * RATE, rng), RATE, LINE_RATE))
    for name, samples in quiet.items():
        found = recognise(model, samples, LINE_RATE)
        print(f"{name}, {seconds} s: {len(found)} characters {found[:40]}", flush=True)


def main() -> None:
    """Measure a model on the development or the test set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--part", choices=["dev", "test"], default="dev")
    parser.add_argument("--engines", nargs="+", default=["kokoro", "openjtalk", "kokoro-slurred"])
    parser.add_argument("--conditions", nargs="+", default=list(CONDITIONS))
    parser.add_argument("--limit", type=int, default=10**6)
    parser.add_argument("--show", type=int, default=0)
    chosen = parser.parse_args()
    vosk.SetLogLevel(-1)
    process = psutil.Process(os.getpid())
    before, started = process.memory_info().rss, time.monotonic()
    model = vosk.Model(str(chosen.model))
    grown = (process.memory_info().rss - before) / 2**20
    print(f"loaded in {time.monotonic() - started:.2f} s, {grown:.0f} MiB", flush=True)
    for engine in chosen.engines:
        folder = chosen.work / "speech" / f"{engine}-{chosen.part}-1"
        for condition in chosen.conditions:
            measure(model, folder, condition, chosen.limit, chosen.show)
    said = chosen.work / "speech" / "kokoro-telling-1"
    for condition in chosen.conditions if said.exists() else ():
        telling(model, said, condition)
    general = chosen.work / "speech" / "kokoro-general-1"
    for condition in chosen.conditions if general.exists() else ():
        measure(model, general, condition, chosen.limit, chosen.show)
    invented(model)
    print(f"most memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
