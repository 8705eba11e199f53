"""Make a written line look like what recognition returns of it over the telephone."""

from __future__ import annotations

import random
from collections.abc import Sequence

from .corpus import Line
from .spec import clean

FILLERS = (
    "えーと", "あの", "あのー", "いや", "だから", "もう", "ほんとに", "ねえ", "あのさ", "まあ", "その",
    "えっと", "うん", "はい", "もしもし", "なんか", "いやいや", "ちょっと", "おい", "で",
)  # fmt: skip

READINGS = {
    "今日": "きょう", "明日": "あした", "今": "いま", "私": "わたし", "俺": "おれ", "僕": "ぼく",
    "お前": "おまえ", "何": "なに", "誰": "だれ", "事": "こと", "時": "とき", "所": "ところ",
    "言": "い", "聞": "き", "見": "み", "来": "き", "行": "い", "出": "で", "電話": "でんわ",
    "本当": "ほんとう", "全部": "ぜんぶ", "絶対": "ぜったい", "馬鹿": "ばか", "殺": "ころ", "殴": "なぐ",
    "死": "し", "謝": "あやま", "社長": "しゃちょう", "会社": "かいしゃ", "名前": "なまえ", "住所": "じゅうしょ",
    "家": "いえ", "店": "みせ", "金": "かね", "土下座": "どげざ", "女": "おんな", "男": "おとこ", "声": "こえ",
    "対応": "たいおう", "責任": "せきにん", "返金": "へんきん", "商品": "しょうひん", "待": "ま", "早": "はや",
    "上司": "じょうし", "頭": "あたま", "悪": "わる", "使": "つか", "度": "ど", "回": "かい", "壊": "こわ",
    "困": "こま", "一": "いち", "晒": "さら", "辞": "や", "代": "か", "気": "き", "人": "ひと", "日本": "にほん",
}  # fmt: skip
"""Readings of words that recognition often returns as kana, longest match first."""

HOMOPHONES = {
    "対応": "体操", "責任": "石人", "返金": "変金", "商品": "賞品", "誠意": "製", "弁償": "便所",
    "晒す": "さらす", "殺す": "頃す", "死ね": "しね", "謝れ": "誤れ", "解約": "買い役", "保証": "補償",
    "説明": "説名", "意志": "意思", "以外": "意外", "機械": "機会", "行く": "いく", "払え": "はらえ",
    "です": "で", "ます": "ま", "だろう": "だろ", "けれど": "けど", "という": "って", "ている": "てる",
}  # fmt: skip
"""Confusions of the kind recognition makes: same or near sound, other word."""

_KATAKANA_TO_HIRAGANA = {code: code - 0x60 for code in range(0x30A1, 0x30F7)}
_LONGEST_FIRST = sorted(READINGS, key=len, reverse=True)


def noisy(line: Line, others: Sequence[Line], rng: random.Random) -> tuple[str, frozenset[str]]:
    """Return a cleaned, damaged version of the line's text and what now applies to it.

    Sometimes another line is joined on, as an endpointer that heard no pause does; the
    labels are then those of both.
    """
    text, labels = _damaged(line, rng), line.labels
    if others and rng.random() < 0.15:
        other = rng.choice(others)
        piece = _damaged(other, rng)
        text = text + piece if rng.random() < 0.5 else piece + text
        labels = labels | other.labels
    return text, labels


def _damaged(line: Line, rng: random.Random) -> str:
    text = clean(line.text)
    if rng.random() < 0.35:
        text = _as_kana(text, rng)
    if rng.random() < 0.25:
        text = _misheard(text, rng)
    if rng.random() < 0.5:
        text = _dropped_and_doubled(text, rng)
    if rng.random() < 0.2:
        text = _cut(text, labelled=bool(line.labels), rng=rng)
    if rng.random() < 0.25:
        text = rng.choice(FILLERS) + text
    return text


def _as_kana(text: str, rng: random.Random) -> str:
    if rng.random() < 0.25:
        return text.translate(_KATAKANA_TO_HIRAGANA)
    for word in _LONGEST_FIRST:
        if word in text and rng.random() < 0.4:
            text = text.replace(word, READINGS[word], 1)
    return text


def _misheard(text: str, rng: random.Random) -> str:
    found = [word for word in HOMOPHONES if word in text]
    if not found:
        return text
    word = rng.choice(found)
    return text.replace(word, HOMOPHONES[word], 1)


def _dropped_and_doubled(text: str, rng: random.Random) -> str:
    kept: list[str] = []
    for character in text:
        luck = rng.random()
        if luck < 0.03:
            continue
        kept.append(character * 2 if luck < 0.04 else character)
    return "".join(kept) or text


def _cut(text: str, *, labelled: bool, rng: random.Random) -> str:
    """Cut as a partial result is cut.

    A labelled line loses only a little, since its telling words must stay; a neutral
    line may end anywhere.
    """
    if labelled:
        front = rng.randrange(0, 1 + len(text) // 5)
        back = rng.randrange(0, 1 + min(3, len(text) // 8))
        return text[front : len(text) - back]
    if len(text) < 6:
        return text
    return text[: rng.randrange(3, len(text))]
