"""How alike two texts are by their characters: recognition misspells words, yet rarely all of a phrase.

Rules:
1. Letters alone count: neither width, spaces and punctuation, nor whether a common word is in kanji or kana.
2. A mark is heard if enough of its character pairs stand close together. A pair with kanji or katakana weighs twice:
   it carries the matter, while hiragana mostly carries politeness, which all sentences of an operator share.
3. The mark's last pair must be heard: Japanese denies and dates at the end (終了いたします, 終了いたしました).

Every final utterance of an operator is held against some fifty marks. So what a mark is made of is remembered, and
where nothing near it can stand in the text, its pairs are not looked for place by place.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import sqrt
from operator import mul

SPELLINGS = (
    ("出来", "でき"),
    ("致し", "いたし"),
    ("頂", "いただ"),
    ("下さい", "ください"),
    ("御", "ご"),
    ("事", "こと"),
    ("控え", "ひかえ"),
    ("言葉", "ことば"),
    ("終わ", "おわ"),
    ("兼ね", "かね"),
)
"""Spellings of the same word; recognition writes now one, now the other."""
SLACK = 2
"""Characters that may have slipped in between those of a mark."""
SHORT = 4
"""Marks of fewer characters must be heard as they are: they have too few pairs to miss one."""


def plain(text: str) -> str:
    """Return the letters and digits of a text in one spelling."""
    letters = "".join(c for c in unicodedata.normalize("NFKC", text).lower() if unicodedata.category(c)[0] in "LN")
    for written, read in SPELLINGS:
        letters = letters.replace(written, read)
    return letters


def pairs(letters: str) -> Counter[str]:
    """Return how often each pair of neighbouring characters occurs."""
    return Counter(letters[at : at + 2] for at in range(len(letters) - 1))


EVERYDAY = frozenset("今日昨明一二三四五六七八九十百千何私俺僕人方言話電思来行見出前後時分間上下中大小困願頼様々ー")
"""Letters that two sentences share although they are about different things."""


def matter(text: str) -> frozenset[str]:
    """Return the kanji, katakana and other letters that carry what a text is about."""
    return frozenset(c for c in plain(text) if not _is_hiragana(c) and not c.isdecimal() and c not in EVERYDAY)


def is_heard(said: str, mark: str, *, overlap: float) -> bool:
    """Return whether `mark` is spoken, though perhaps misspelled, in words that are `plain`.

    `overlap` (0–1) is the share of the mark's weight that is needed.
    """
    wanted = _wanted(mark)
    if wanted.letters in said:
        return True
    if len(wanted.letters) < SHORT or wanted.last not in said:
        return False
    needed = overlap * wanted.whole
    if _shared(wanted, pairs(said)) < needed:
        return False
    length = len(wanted.letters) + SLACK
    for start in range(max(1, len(said) - len(wanted.letters) + 2)):
        window = said[start : start + length]
        if wanted.last in window and _shared(wanted, pairs(window)) >= needed:
            return True
    return False


def spelled_alike(one: str, other: str) -> float:
    """Return the cosine (0–1) of the character pairs of two texts."""
    first, second = pairs(plain(one)), pairs(plain(other))
    shared = sum(count * second[pair] for pair, count in first.items())
    length = sqrt(sum(c * c for c in first.values()) * sum(c * c for c in second.values()))
    return min(1.0, shared / length) if length else 0.0


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the cosine (-1 to 1) of two vectors of the same length; 0 if one of them is nothing."""
    length = sqrt(sum(map(mul, one, one)) * sum(map(mul, other, other)))
    return sum(map(mul, one, other)) / length if length else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """What a mark is made of.

    Attributes:
        pairs: for each pair of neighbouring letters how often it occurs, and its weight.
        last: the pair at its end.
        whole: weight of all its pairs.
    """

    letters: str
    pairs: tuple[tuple[str, int, int], ...]
    last: str
    whole: int


@lru_cache(maxsize=1024)
def _wanted(mark: str) -> _Wanted:
    letters = plain(mark)
    found = tuple((pair, count, _weight(pair)) for pair, count in pairs(letters).items())
    whole = sum(count * weight for _, count, weight in found)
    return _Wanted(letters=letters, pairs=found, last=letters[-2:], whole=whole)


def _shared(wanted: _Wanted, there: Mapping[str, int]) -> int:
    """Return the weight of the mark's pairs that stand in a stretch of text, whose pairs are `there`."""
    return sum(weight * min(count, there[pair]) for pair, count, weight in wanted.pairs if pair in there)


def _weight(pair: str) -> int:
    return 1 if all(_is_hiragana(letter) for letter in pair) else 2


def _is_hiragana(letter: str) -> bool:
    return "\u3041" <= letter <= "\u309f"
