"""Recognised words against what was said: in one spelling, by edit distance, with bootstrap intervals.

What counts as the same is kept simple, and is told in docs/speech.md: punctuation and spaces are dropped, widths and
upper case folded (NFKC), Arabic digits written as the number is read in kanji, katakana read as hiragana, and a short
list of words in one usual spelling. Other kanji for the same word stay an error.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from edge_agent.domain.quality import Figure

USUAL = {
    "下さい": "ください", "頂き": "いただき", "頂い": "いただい", "致し": "いたし", "御座い": "ござい",
    "有難う": "ありがとう", "有り難う": "ありがとう", "宜しく": "よろしく", "出来": "でき", "是非": "ぜひ",
    "既に": "すでに", "全て": "すべて", "何処": "どこ", "何時": "いつ", "此処": "ここ",
    "其処": "そこ", "御": "お", "馬鹿": "ばか", "貴方": "あなた", "貴様": "きさま",
    "俺": "おれ", "無い": "ない", "良い": "よい", "頂く": "いただく", "ゼロ": "〇",
    "零": "〇",
}  # fmt: skip
"""Spellings of one word that recognisers and writers choose freely."""

RESAMPLED = 1000
JAPANESE = re.compile(r"[ぁ-ゖァ-ヺー一-鿿々〇]")
_NUMBER = re.compile(r"\d+")
_DIGITS = "〇一二三四五六七八九"
_LARGEST = 8
"""Longer rows of digits are read digit by digit: numbers of customers, telephones, orders."""

Item = TypeVar("Item")


def plain(text: str) -> str:
    """Return text as it is compared."""
    out = unicodedata.normalize("NFKC", text).lower()
    out = _NUMBER.sub(lambda match: _in_kanji(match[0]), out.replace(",", ""))
    for spelling, kept in USUAL.items():
        out = out.replace(spelling, kept)
    folded = (chr(ord(char) - 0x60) if "ァ" <= char <= "ヶ" else char for char in out)
    return "".join(char for char in folded if unicodedata.category(char)[0] in "LN" or char == "ー")


def errors_between(said: str, found: str) -> int:
    """Return how many characters must be put in, taken out or changed to make one text the other."""
    row = np.arange(len(found) + 1)
    other = np.array([ord(char) for char in found])
    steps = np.arange(1, len(found) + 1)
    for at, char in enumerate(said, 1):
        best = np.minimum(row[1:] + 1, row[:-1] + (other != ord(char)))
        # Insertions go from left to right: the running minimum of (cost - column) does them all at once.
        best = np.minimum(np.minimum.accumulate(best - steps), at) + steps
        row = np.concatenate(([at], best))
    return int(row[-1])


def japanese_share(text: str) -> float:
    """Return the share of characters that are kana or kanji; 0 for no text at all."""
    return len(JAPANESE.findall(text)) / len(text) if text else 0.0


def ratio(items: Sequence[Item], of: Callable[[Item], float], to: Callable[[Item], float]) -> Figure | None:
    """Return sum(of) / sum(to) with its interval over the items (seed fixed); None if the divisor is 0."""
    above = np.array([of(item) for item in items], float)
    below = np.array([to(item) for item in items], float)
    if not below.sum():
        return None
    drawn = np.random.default_rng(0).integers(0, len(items), (RESAMPLED, len(items)))
    sums = below[drawn].sum(axis=1)
    rates = above[drawn].sum(axis=1)[sums > 0] / sums[sums > 0]
    low, high = np.percentile(rates, [2.5, 97.5])
    return Figure(value=float(above.sum() / below.sum()), low=float(low), high=float(high), count=len(items))


def _in_kanji(digits: str) -> str:
    if len(digits) > _LARGEST or (digits[0] == "0" and len(digits) > 1):
        return "".join(_DIGITS[int(digit)] for digit in digits)
    number = int(digits)
    if not number:
        return "〇"
    high, low = divmod(number, 10_000)
    return (f"{_below_ten_thousand(high)}万" if high else "") + (_below_ten_thousand(low) if low else "")


def _below_ten_thousand(number: int) -> str:
    out = ""
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, number = divmod(number, unit)
        if digit:
            out += ("" if digit == 1 and name else _DIGITS[digit]) + name
    return out
