"""Measure single words by real speakers: which of all words of that list was said, through Vosk.

    python evaluate_words.py ../ja-starter --data DATA --work WORK

The words are the tenth of `tofugu-words` that no training heard; the lexicon is the whole list, every reading as likely
as any other, so nothing but the sound decides. The interval is a bootstrap over words (95 %).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import vosk
from evaluate import interval
from features import real_words
from listening import under

HERE = Path(__file__).parent
CONDITIONS = ("wide", "mulaw", "gsm")


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
    folder, table = chosen.work / "word-model", chosen.data / "tofugu-words" / "words.tsv"
    subprocess.run(
        [sys.executable, str(HERE / "word_graph.py"), str(chosen.model), "--words", str(table), "--out", str(folder)],
        check=True,
    )
    model = vosk.Model(str(folder))
    utterances = real_words(chosen.data, "test")
    print(f"{len(utterances)} recordings of words nobody trained on", flush=True)
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
