"""Measure single words by real speakers: which of all words of that list was said, through Vosk.

    python evaluate_words.py ../ja-starter --data DATA --work WORK

The words are the tenth of `tofugu-words` that no training heard; the lexicon is the whole list, every reading as likely
as any other, so nothing but the sound decides. The interval is a bootstrap over words (95 %).
"""

from __future__ import annotations

import argparse
import csv
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import vosk
from evaluate import interval
from features import real_words
from listening import under
from ngram import BackingOff, NGrams
from phones import katakana, phones_of_kana, spoken_kana

if TYPE_CHECKING:
    from lexicon import Pronunciations

CONDITIONS = ("wide", "mulaw", "gsm")


def said_by(table: Path) -> Pronunciations:
    """Return every reading of the list as a word of its own."""
    words: Pronunciations = {}
    with table.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            phones = tuple(phones_of_kana(spoken_kana(katakana(row["kana"]))))
            if phones:
                words["_".join(phones)] = {phones: 0.0}
    return words


def word_model(model: Path, words: Pronunciations, out: Path) -> vosk.Model:
    """Return the model with a graph of these words alone, one of them an utterance."""
    # Not above: libvosk does not load after kaldifst, both bring an OpenFst of their own.
    import graph  # noqa: PLC0415

    for name in ("am", "conf"):
        shutil.copytree(model / name, out / name, dirs_exist_ok=True)
    grams = NGrams(words, {"word": 1.0}, order=2)
    for word in words:
        grams.add([word], "word")
    graph.build(words, BackingOff(grams, most=0), out / "graph")
    return vosk.Model(str(out))


def heard(model: vosk.Model, pcm: bytes, rate: int) -> str:
    """Return the first word recognised."""
    recognizer = vosk.KaldiRecognizer(model, rate)
    size = rate // 5
    said = [
        json.loads(recognizer.Result())["text"]
        for start in range(0, len(pcm), size)
        if recognizer.AcceptWaveform(pcm[start : start + size])
    ]
    said.append(json.loads(recognizer.FinalResult())["text"])
    return " ".join(part for part in said if part)


def main() -> None:
    """Print the share of words that were recognised, for each condition."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    chosen = parser.parse_args()
    vosk.SetLogLevel(-1)
    words = said_by(chosen.data / "tofugu-words" / "words.tsv")
    model = word_model(chosen.model, words, chosen.work / "word-model")
    utterances = real_words(chosen.data, "test")
    print(f"{len(utterances)} recordings of words nobody trained on, {len(words)} readings to choose from", flush=True)
    for condition in CONDITIONS:
        right = []
        for at, utterance in enumerate(utterances):
            samples, rate = under(condition, utterance.samples, f"word/{at}")
            pcm = (np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()
            right.append(heard(model, pcm, rate) == "_".join(utterance.phones))
        share, low, high = interval(right, [1] * len(right))
        print(f"words {condition:6} {share:.1f} % right ({low:.1f}-{high:.1f})", flush=True)


if __name__ == "__main__":
    main()
