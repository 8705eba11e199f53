"""Make a model whose graph is a list of single words, one of them an utterance, every reading as likely as any other.

    python word_graph.py ../ja-starter --words DATA/tofugu-words/words.tsv --out FOLDER

A program of its own: kaldifst and libvosk each bring an OpenFst, and a process that has both aborts at its end.
"""

from __future__ import annotations

import argparse
import csv
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import graph
from ngram import BackingOff, NGrams
from phones import katakana, phones_of_kana, spoken_kana

if TYPE_CHECKING:
    from lexicon import Pronunciations


def said_by(table: Path) -> Pronunciations:
    """Return every reading of the list as a word of its own."""
    words: Pronunciations = {}
    with table.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            phones = tuple(phones_of_kana(spoken_kana(katakana(row["kana"]))))
            if phones:
                words["_".join(phones)] = {phones: 0.0}
    return words


def main() -> None:
    """Copy the model and put the words' graph into it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--words", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    chosen = parser.parse_args()
    for name in ("am", "conf"):
        shutil.copytree(chosen.model / name, chosen.out / name, dirs_exist_ok=True)
    words = said_by(chosen.words)
    grams = NGrams(words, {"word": 1.0}, order=2)
    for word in words:
        grams.add([word], "word")
    graph.build(words, BackingOff(grams, most=0), chosen.out / "graph")
    print(f"{len(words)} readings to choose from", flush=True)


if __name__ == "__main__":
    main()
