"""Make the graph of the model: read all texts, gather the vocabulary, count the language model, compose."""

from __future__ import annotations

import argparse
import random
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import graph
import rescoring
from dictionary import Entry, read_dictionary
from lexicon import (
    Lexicon,
    Readings,
    add_common_words,
    add_inflections,
    add_real_words,
    read_readings,
    read_words,
    weighted_texts,
)
from ngram import BackingOff, NGrams
from phones import Word
from text_sources import all_lines, fill, read_slots
from wordfreq import get_frequency_dict

HERE = Path(__file__).resolve().parent
MOST = 30_000
"""N-grams of the graph beyond single words: a thousand take 0.3 MB there, 0.015 where final words are weighed again."""
ORDER = 4
MOST_AT_THE_END = 1_330_000
"""Words and number of the n-grams that final words are weighed with once more: as many as 60 MB hold (decision 28)."""

SHARES = {"call": 0.85, "aside": 0.15}
"""How much n-grams of sentences of calls count, and those of chat, filled templates and sentences that run on.

Development sentences of calls are as likely with 0 to 0.2 of the second kind.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A sentence as read, and how often it counts."""

    words: list[Word]
    weight: int


def read_all(folders: dict[str, Path], readings: Readings) -> list[Reading]:
    """Return every sentence of the training part, read into words."""
    slots = read_slots(folders["text"] / "slots")
    lines = [line for line in all_lines(**folders) if line.part == "train"]
    times: Counter[str] = Counter()
    for text, weight in weighted_texts(lines, slots, seed=3):
        times[text] += weight
    return [Reading(words=read_words(text, readings), weight=weight) for text, weight in times.items()]


def development_sentences(folders: dict[str, Path], readings: Readings) -> list[list[str]]:
    """Return the words of the calls' sentences of the development part."""
    slots, rng = read_slots(folders["text"] / "slots"), random.Random(2)
    lines = [line for line in all_lines(**folders) if line.part == "dev" and line.source == "call"]
    return [[word.surface for word in read_words(fill(line.text, slots, rng), readings)] for line in lines]


def dictionary_file() -> Path:
    """Return Open JTalk's compiled dictionary."""
    import pyopenjtalk  # noqa: PLC0415 - found here, read elsewhere

    return Path(pyopenjtalk.__file__).parent / "dictionary" / "sys.dic"


def make_graph(folders: dict[str, Path], out: Path, most: int) -> None:
    """Write the graph folder of a model whose language model has at most `most` n-grams beyond the single words."""
    started = time.monotonic()
    table = read_readings(folders["text"] / "readings.tsv")
    readings = read_all(folders, table)
    lexicon = Lexicon()
    for reading in readings:
        lexicon.hear(reading.words, reading.weight)
    lexicon.allow(table)
    said = len(lexicon)
    real = add_real_words(lexicon, folders["data"] / "tofugu-words" / "words.tsv")
    every = list(read_dictionary(dictionary_file()))
    entries: list[Entry] = [entry for entry in every if entry.features[0] in {"動詞", "形容詞"}]
    bases = {entry.base for entry in entries if entry.surface in lexicon}
    inflected = add_inflections(lexicon, entries, bases)
    common = add_common_words(lexicon, every, get_frequency_dict("ja", "large"))
    ways = lexicon.pronunciations()
    kinds = f"{said} of the texts, {real} real words, {inflected} inflections, {common} common words"
    print(f"{len(ways)} words: {kinds}", flush=True)
    grams = NGrams(ways, SHARES, order=ORDER)
    for reading in readings:
        kind = "call" if reading.weight > 1 else "aside"
        grams.add([word.surface for word in reading.words], kind, reading.weight)
    kept = BackingOff(grams, most)
    large = BackingOff(grams, MOST_AT_THE_END, ORDER)
    held_out = development_sentences(folders, table)
    now, then = (round(model.perplexity(held_out), 1) for model in (kept, large))
    print(f"counted in {time.monotonic() - started:.0f} s; perplexity {now}, at the end {then}", flush=True)
    labels = graph.build(ways, kept, out)
    rescoring.write(kept, large, labels, out / "rescore", unknown=graph.UNKNOWN)
    sizes = {path.name: round(path.stat().st_size / 1e6, 1) for path in [*sorted(out.rglob("G.*")), out / "HCLG.fst"]}
    print(f"graph {sizes} MB in {time.monotonic() - started:.0f} s", flush=True)


def main() -> None:
    """Make the graph from the texts of this recipe and the data folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--most", type=int, default=MOST, help="n-grams beyond the single words")
    chosen = parser.parse_args()
    folders = {"text": HERE / "text", "corpus": HERE.parents[1] / "harassment" / "corpus", "data": chosen.data}
    make_graph(folders, chosen.out, chosen.most)


if __name__ == "__main__":
    main()
