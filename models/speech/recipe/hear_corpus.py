"""Let the voices say written lines over telephone lines and write down what the model makes of them.

    python hear_corpus.py ../ja-starter --out heard.tsv FILE.tsv [FILE.tsv …]

The files have the corpus's columns (`models/harassment/corpus`); the classifier learns from the result what recognition
really does to words. One row a line: the text as written, and as recognised (empty: nothing was). Voices are Open
JTalk's of the training part, drawn anew for every line. What the file has already is not said again.
"""

from __future__ import annotations

import argparse
import csv
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import vosk
from augment import RATE, as_heard
from evaluate import recognise
from synthesis import voice_of
from voices import speak

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_CHARS = 90
"""Longer lines are left as written: they fill minutes and few callers speak so long without a pause."""


def written(files: list[Path]) -> Iterator[str]:
    """Yield the texts of corpus files, each once."""
    seen: set[str] = set()
    for path in files:
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
                text = row["text"]
                if text not in seen and len(text) <= LONGEST_CHARS:
                    seen.add(text)
                    yield text


def heard(model: vosk.Model, text: str) -> str | None:
    """Return what the model recognises of a line over the telephone; None if it cannot be said."""
    seed = zlib.crc32(text.encode())
    rng = np.random.default_rng(seed)
    try:
        samples, rate = speak(text, voice_of("openjtalk", "train", rng), seed)
    except (ValueError, RuntimeError):
        return None
    if rate != RATE:
        raise ValueError(f"a voice speaks at {rate} samples/s")
    line = as_heard(np.asarray(samples, np.float64), rng, others=(), on_telephone=True, warp=False)
    return recognise(model, line, RATE, partials=False)


def main() -> None:
    """Say and hear what is not in the file yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    chosen = parser.parse_args()
    vosk.SetLogLevel(-1)
    model = vosk.Model(str(chosen.model))
    done = set()
    if chosen.out.exists():
        done = {row.partition("\t")[0] for row in chosen.out.read_text(encoding="utf-8").splitlines()}
    with chosen.out.open("a", encoding="utf-8") as out:
        if not done:
            out.write("text\theard\n")
        for number, text in enumerate(written(chosen.files)):
            if text in done:
                continue
            found = heard(model, text)
            if found is not None:
                out.write(f"{text}\t{found}\n")
            if number % 200 == 0:
                out.flush()
                print(number, flush=True)


if __name__ == "__main__":
    main()
