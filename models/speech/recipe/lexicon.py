"""The vocabulary: each word with the ways it is said, from the texts themselves, the real words and the dictionary."""

from __future__ import annotations

import csv
import math
import random
import re
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from phones import Word, comparable, katakana, phones_of_kana, read_text, spoken_kana
from text_sources import DIGITS, Line, fill, usual, usual_word

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from dictionary import Entry

Pronunciations = dict[str, dict[tuple[str, ...], float]]
"""By word: its pronunciations, each with a cost of 0 for the usual one and more for rarer ones."""

FORMS = (
    "基本形", "未然形", "未然ウ接続", "連用形", "連用タ接続", "仮定形", "命令", "促音便", "仮定縮約",
    "ガル接続", "体言接続特殊",
)  # fmt: skip
"""Beginnings of the inflected forms that people say."""

COMMON = 7e-7
"""Share of all words from which a word is common: 16,000 words that no text has, 3 MB of the graph."""
CONTENT = frozenset({"名詞", "動詞", "形容詞", "副詞", "連体詞", "接続詞", "感動詞"})
NO_WORDS = frozenset({"数", "接尾", "非自立"})
"""Parts of speech whose entries stand alone, and the kinds among them that do not."""

ALL_KANA = re.compile(r"[ぁ-ゖァ-ヺー]+")

Readings = dict[str, tuple[tuple[str, ...], ...]]
"""By word: the ways it is said, the usual one first."""

LONGEST_ENTRY = 5
"""Words that one entry of the table of readings may consist of."""

OTHERWISE = 0.3
"""How often a further reading of the table is taken to be said, compared with the usual one."""

TIMES = {"call": 6, "chat": 1}
"""How often a line of each kind counts; a template with slots is filled `FILLINGS` times instead."""

FILLINGS = 24
JOINED = 0.4
"""Share of sentences that go on into the next without a pause the gate would hear."""

RARE = 0.03
"""A pronunciation heard less often than this, compared with the usual one, is taken for a wrong reading."""


def weighted_texts(lines: Sequence[Line], slots: dict[str, list[str]], seed: int) -> Iterator[tuple[str, int]]:
    """Yield what the language model learns from: sentences with how often each counts."""
    rng = random.Random(seed)
    before = ""
    for line in lines:
        fillings = FILLINGS if "{" in line.text else 1
        for _ in range(fillings):
            text = fill(line.text, slots, rng)
            yield text, 1 if fillings > 1 else TIMES[line.source]
            if before and rng.random() < JOINED:
                yield f"{before}。{text}", 1
            before = text


def read_readings(table: Path) -> Readings:
    """Return the readings written down by hand (`text/readings.tsv`)."""
    out: Readings = {}
    for row in table.read_text(encoding="utf-8").splitlines():
        surface, _, kana = row.partition("\t")
        if kana:
            out[usual(surface)] = tuple(tuple(phones_of_kana(reading)) for reading in kana.split())
    return out


def corrected(words: Sequence[Word], readings: Readings) -> list[Word]:
    """Return words with the readings of the table: words that make up one of its entries are joined to it."""
    out: list[Word] = []
    at = 0
    while at < len(words):
        for size in range(min(LONGEST_ENTRY, len(words) - at), 0, -1):
            surface = "".join(word.surface for word in words[at : at + size])
            ways = readings.get(surface)
            if ways and (size > 1 or words[at].phones not in ways):
                out.append(Word(surface, ways[0]))
                break
        else:
            size = 1
            out.append(words[at])
        at += size
    return out


@cache
def spellings() -> dict[str, str]:
    """Return one spelling for each word that people spell otherwise too (`text/spellings.tsv`)."""
    rows = (Path(__file__).parent / "text" / "spellings.tsv").read_text(encoding="utf-8").splitlines()
    return dict(row.split("\t") for row in rows)


def spelled(word: Word) -> Word:
    """Return a word in its one spelling, if it is said so: 頃 is ころ, but not where it is said ごろ."""
    kept = spellings().get(word.surface, word.surface)
    kana = next((text for text in (kept, word.surface) if ALL_KANA.fullmatch(text)), None)
    same = kana is None or list(comparable(word.phones)) == comparable(phones_of_kana(katakana(kana)))
    return Word(kept, word.phones) if same else word


def read_words(text: str, readings: Readings | None = None) -> list[Word]:
    """Return the words of a text in the spelling of the transcripts, digits as kanji."""
    words = [Word(usual_word(word.surface).translate(DIGITS), word.phones) for word in read_text(usual(text))]
    return corrected(words, readings or {})


class Lexicon:
    """Counts how words are said while the texts are read."""

    def __init__(self) -> None:
        self._heard: dict[str, Counter[tuple[str, ...]]] = defaultdict(Counter)

    def __len__(self) -> int:
        return len(self._heard)

    def __contains__(self, surface: str) -> bool:
        return surface in self._heard

    def hear(self, words: Iterable[Word], weight: int = 1) -> None:
        """Count words of a text."""
        for word in words:
            self._heard[word.surface][word.phones] += weight

    def add(self, surface: str, phones: Sequence[str]) -> None:
        """Add a way to say a word that the texts may not have."""
        if surface and phones and surface not in self._heard:
            self._heard[surface][tuple(phones)] += 1

    def allow(self, readings: Readings) -> None:
        """Let the words of the table be said in all the ways it has."""
        for surface, ways in readings.items():
            if heard := self._heard.get(surface):
                least = max(1, round(max(heard.values()) * OTHERWISE))
                for phones in ways:
                    heard[phones] = max(heard[phones], least)

    def pronunciations(self) -> Pronunciations:
        """Return the words with their pronunciations and costs."""
        out: Pronunciations = {}
        for surface, heard in sorted(self._heard.items()):
            top = max(heard.values())
            out[surface] = {
                phones: -math.log(count / top) for phones, count in sorted(heard.items()) if count / top >= RARE
            }
        return out


def add_real_words(lexicon: Lexicon, table: Path) -> int:
    """Add the words of `tofugu-words/words.tsv`; return how many were new."""
    before = len(lexicon)
    with table.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            surface = usual_word(usual(row["surface"]))
            if surface.isprintable() and not any(char in surface for char in "〜~・ ()"):
                lexicon.add(surface, phones_of_kana(spoken_kana(katakana(row["kana"]))))
    return len(lexicon) - before


def add_inflections(lexicon: Lexicon, entries: Iterable[Entry], bases: set[str]) -> int:
    """Add the inflected forms of the verbs and adjectives whose base form is in `bases`; return how many were new."""
    before = len(lexicon)
    for entry in entries:
        inflected = entry.features[0] in {"動詞", "形容詞"} and entry.features[1] == "自立"
        if inflected and entry.base in bases and entry.features[5].startswith(FORMS):
            lexicon.add(*_as_said(entry))
    return len(lexicon) - before


def add_common_words(lexicon: Lexicon, entries: Iterable[Entry], frequencies: Mapping[str, float]) -> int:
    """Add the dictionary's words that Japanese uses often, whatever the texts speak of; return how many were new."""
    before = len(lexicon)
    for entry in entries:
        kind, detail = entry.features[:2]
        if kind not in CONTENT or detail in NO_WORDS:
            continue
        surface, phones = _as_said(entry)
        if frequencies.get(surface, 0.0) >= COMMON:
            lexicon.add(surface, phones)
    return len(lexicon) - before


def _as_said(entry: Entry) -> tuple[str, list[str]]:
    """Return an entry in the spelling of the transcripts, and its sounds."""
    return usual_word(usual(entry.surface)).translate(DIGITS), phones_of_kana(entry.pron.replace("’", ""))
