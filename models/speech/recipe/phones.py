"""Japanese text to words and phones: 39 phones, read off the pronunciation that also drives the synthetic voices.

Long vowels are phones of their own (`o:`), a palatalised consonant is one phone (`ky`), the moraic nasal is `N`
and the geminate stop `q`. Nothing here needs more than the standard library, except `read_text`, which asks
Open JTalk for the reading.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

PHONES: tuple[str, ...] = (
    "a", "a:", "i", "i:", "u", "u:", "e", "e:", "o", "o:", "k", "ky", "g", "gy", "s", "sh", "z", "j", "t", "ts",
    "ch", "d", "n", "ny", "h", "hy", "f", "b", "by", "p", "py", "m", "my", "y", "r", "ry", "w", "N", "q",
)  # fmt: skip
"""The phones; the acoustic model's output 0 is the CTC blank and output `i + 1` is `PHONES[i]`."""

LONG_MARKS = "ー―"
VOWELS = "aiueo"


@dataclass(frozen=True, slots=True)
class Word:
    """A word as it is written in a transcript, and its phones in this place."""

    surface: str
    phones: tuple[str, ...]


def _kana_table() -> dict[str, tuple[str, ...]]:
    """Return phones by katakana of one or two characters."""
    table: dict[str, tuple[str, ...]] = {}
    rows = {
        "": "アイウエオ", "k": "カキクケコ", "g": "ガギグゲゴ", "s": "サ.スセソ", "z": "ザ.ズゼゾ", "t": "タ..テト",
        "d": "ダ..デド", "n": "ナニヌネノ", "h": "ハヒ.ヘホ", "b": "バビブベボ", "p": "パピプペポ", "m": "マミムメモ",
        "r": "ラリルレロ", "w": "ワ....",
    }  # fmt: skip
    for consonant, row in rows.items():
        for kana, vowel in zip(row, VOWELS, strict=True):
            if kana != ".":
                table[kana] = (consonant, vowel) if consonant else (vowel,)
    single = {
        "シ": "sh i", "ジ": "j i", "チ": "ch i", "ヂ": "j i", "ツ": "ts u", "ヅ": "z u", "フ": "f u", "ヲ": "o",
        "ヴ": "b u", "ヤ": "y a", "ユ": "y u", "ヨ": "y o", "ン": "N", "ッ": "q", "ヰ": "i", "ヱ": "e", "ヵ": "k a",
        "ヶ": "k e", "ヮ": "w a", "ァ": "a", "ィ": "i", "ゥ": "u", "ェ": "e", "ォ": "o", "ャ": "y a", "ュ": "y u",
        "ョ": "y o", "ティ": "t i", "ディ": "d i", "トゥ": "t u", "ドゥ": "d u", "スィ": "s i", "ズィ": "z i",
        "イェ": "y e", "クヮ": "k w a", "グヮ": "g w a",
    }  # fmt: skip
    table |= {kana: tuple(phones.split()) for kana, phones in single.items()}
    palatal = {
        "キ": "ky", "ギ": "gy", "シ": "sh", "ジ": "j", "チ": "ch", "ヂ": "j", "ニ": "ny", "ヒ": "hy", "ビ": "by",
        "ピ": "py", "ミ": "my", "リ": "ry", "フ": "hy", "ヴ": "by", "テ": "ch", "デ": "j",
    }  # fmt: skip
    for kana, consonant in palatal.items():
        for small, vowel in zip("ャュョ", "auo", strict=True):
            table[kana + small] = (consonant, vowel)
        if kana not in "フヴテデ":
            table[kana + "ェ"] = (consonant, "e")
    for kana, consonants in {"フ": "f", "ヴ": "b", "ツ": "ts", "ウ": "w", "ク": "k w", "グ": "g w"}.items():
        for small, vowel in zip("ァィェォ", "aieo", strict=True):
            table[kana + small] = (*consonants.split(), vowel)
    return table


KANA = _kana_table()


def katakana(text: str) -> str:
    """Return text with hiragana written as katakana."""
    return "".join(chr(ord(char) + 0x60) if "ぁ" <= char <= "ゖ" else char for char in text)


def phones_of_kana(kana: str) -> list[str]:
    """Return the phones of a katakana reading; characters that stand for no sound are passed over."""
    phones: list[str] = []
    at = 0
    while at < len(kana):
        if kana[at : at + 2] in KANA:
            phones += KANA[kana[at : at + 2]]
            at += 2
            continue
        if kana[at] in KANA:
            phones += KANA[kana[at]]
        elif kana[at] in LONG_MARKS and phones and phones[-1] in VOWELS:
            phones[-1] += ":"
        at += 1
    return phones


def spoken_kana(kana: str) -> str:
    """Return a dictionary reading as it is spoken: `オウ` and `エイ` within a word become long vowels."""
    out: list[str] = []
    for char in kana:
        before = KANA.get("".join(out[-2:])) or KANA.get(out[-1] if out else "") or ("",)
        lengthens = (char == "ウ" and before[-1] == "o") or (char == "イ" and before[-1] == "e")
        out.append("ー" if lengthens else char)
    return "".join(out)


def is_symbol(surface: str) -> bool:
    """Tell whether a token is only punctuation, which nobody says."""
    return all(unicodedata.category(char)[0] in "PSZC" for char in surface)


def join_nodes(nodes: Iterable[tuple[str, str]]) -> list[Word]:
    """Return the words of (surface, katakana pronunciation) nodes.

    Open JTalk writes the second half of a vowel lengthened across a border (「でしょ」「う」) as a node that
    begins with ー: what is left of such a node when its mark is taken away is joined to the word before it.
    """
    words: list[Word] = []
    for surface, marked in nodes:
        pron = marked.replace("’", "").replace("'", "")
        if is_symbol(surface):
            continue
        if pron[:1] in LONG_MARKS and pron and words:
            last = words[-1]
            phones = list(last.phones)
            if phones and phones[-1] in VOWELS:
                phones[-1] += ":"
            rest = phones_of_kana(pron[1:])
            words[-1] = Word(last.surface + surface, (*phones, *rest))
            continue
        phones = phones_of_kana(pron)
        if phones:
            words.append(Word(surface, tuple(phones)))
    return words


def read_nodes(text: str) -> list[dict[str, Any]]:
    """Return Open JTalk's nodes for a text; the voices are driven by the same call."""
    import pyopenjtalk  # noqa: PLC0415 - the rest of this module runs without it

    nodes: list[dict[str, Any]] = pyopenjtalk.run_frontend(text, use_sudachi_kanji_yomi=False)
    return nodes


def read_text(text: str) -> list[Word]:
    """Return the words of a text with their phones, in the order spoken, without punctuation."""
    nodes = read_nodes(text)
    return join_nodes((unicodedata.normalize("NFKC", str(n["string"])), str(n["pron"])) for n in nodes)


def comparable(phones: Sequence[str]) -> list[str]:
    """Return phones with long vowels as two and `ou`, `ei` as long ones, so that spellings of a sound compare equal."""
    out: list[str] = []
    for phone in phones:
        out += [phone[0], phone[0]] if phone.endswith(":") else [phone]
    for at in range(1, len(out)):
        if (out[at - 1], out[at]) == ("o", "u"):
            out[at] = "o"
        elif (out[at - 1], out[at]) == ("e", "i"):
            out[at] = "e"
    return out
