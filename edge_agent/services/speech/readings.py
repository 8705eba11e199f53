"""Readings in kana to the sounds of a model, by the table that comes with it (`graph/sounds.toml`)."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from edge_agent.decoders import toml_reader
from edge_agent.errors import ModelError, Text, WordError

SOUNDS = "graph/sounds.toml"
LONG_MARKS = "ー―〜"
VOWELS = "aiueo"
FEWEST_SOUNDS = 3
"""A shorter word would be heard in the middle of every other one."""
LONGEST_READING = 40
LONGEST_WORD = 40
RESERVED = ("<", "[", "#")
"""Recognisers mark what is no word with these."""

Weight = Literal["rare", "usual", "often"]
Way = tuple[str, ...]
"""One way to say a word: its sounds."""


class Sounds(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How kana sound in a model, the transitions its sounds are made of, and where in its graph words go.

    Attributes:
        word_starts: states in which words start that have no history.
        word_end: state in which they end; there the next word starts, or silence.
        word_cost: cost of ending a word.
        blank_loop_cost: cost of every further frame of a sound's blank.
        weights: cost of a word that is said rarely, usually, often.
        kana: sounds by one or two katakana, divided by spaces.
        sounds: by sound and position (`k_B`, begin, inner, end, single): its transitions loop, leave, to_blank,
            blank_loop, blank_leave.
    """

    format: Literal[2]
    word_starts: Annotated[tuple[Annotated[int, Meta(ge=0)], ...], Meta(min_length=1)]
    word_end: Annotated[int, Meta(ge=0)]
    word_cost: float
    blank_loop_cost: float
    weights: dict[Weight, float]
    kana: Annotated[dict[str, str], Meta(min_length=1)]
    sounds: Annotated[dict[str, tuple[int, int, int, int, int]], Meta(min_length=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A word of the floor.

    Attributes:
        surface: as it is to be written.
        readings: katakana, each at least once.
        weight: how often it is said.
    """

    surface: str
    readings: tuple[str, ...]
    weight: Weight


_read_sounds_file = toml_reader(Sounds)


def read_sounds(model: Path) -> Sounds:
    """Return a model's table; raise `ModelError` if it has none, so that no words can be added to it."""
    file = model / SOUNDS
    try:
        return _read_sounds_file(file.read_bytes())
    except FileNotFoundError as error:
        raise ModelError(
            Text(
                f"音声モデル {model.name} には読みの表（{SOUNDS}）がないため、言葉を追加できません。"
                "公式の Vosk モデルは、語彙が作り付けで変えられません。",
                f"The speech model {model.name} has no table of sounds ({SOUNDS}), so no words can be added to it: "
                "the vocabulary of the official Vosk models is built in.",
            ),
            Text(
                "言葉を追加できるモデル（出荷時のモデルなど）に「mamori speech use」で切り替えてください。",
                "Switch to a model that takes words (the shipped one) with “mamori speech use”.",
            ),
        ) from error
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ModelError(
            Text(f"読みの表 {file} を読めません: {error}", f"The table of sounds {file} cannot be read: {error}"),
            Text("モデルを入れ直してください。", "Install the model again."),
        ) from error


def checked_word(surface: str, readings: tuple[str, ...], weight: Weight, sounds: Sounds) -> Word:
    """Return a word whose readings the model can say; raise `WordError` naming what is wrong.

    Without readings the word must be written in kana and is its own reading.
    """
    surface = as_written(surface)
    if hidden := next((char for char in surface if not char.isprintable() and not char.isspace()), ""):
        # Joined emoji and text copied from pages bring them along.
        raise _error(
            f"「{surface}」には目に見えない記号（U+{ord(hidden):04X}）が含まれています。",
            f"{surface!r} holds a sign that is not seen (U+{ord(hidden):04X}).",
        )
    if not surface or len(surface) > LONGEST_WORD or any(char.isspace() for char in surface):
        raise _error(
            f"「{surface}」は言葉として登録できません（空白なし、{LONGEST_WORD}文字以内）。",
            f"{surface!r} cannot be a word (no spaces, {LONGEST_WORD} characters at most).",
        )
    if surface.startswith(RESERVED):
        raise _error(f"「{surface}」は記号で始まっています。", f"{surface!r} begins with a reserved sign.")
    katakana = tuple(dict.fromkeys(as_katakana(reading) for reading in readings or (surface,)))
    for reading in katakana:
        ways_of(reading, sounds)
    return Word(surface=surface, readings=katakana, weight=weight)


def as_written(surface: str) -> str:
    """Return a word in the form in which models write it."""
    return unicodedata.normalize("NFKC", surface)


def as_katakana(text: str) -> str:
    """Return text in full-width katakana."""
    wide = unicodedata.normalize("NFKC", text)
    return "".join(chr(ord(char) + 0x60) if "ぁ" <= char <= "ゖ" else char for char in wide)


def ways_of(reading: str, sounds: Sounds) -> tuple[Way, ...]:
    """Return the ways a katakana reading is said; raise `WordError` if it is no reading.

    「コウ」「エイ」「カア」 are taken both as two vowels and as a long one, since kana does not tell which it is.
    """
    if not reading or len(reading) > LONGEST_READING:
        raise _error(
            f"読み「{reading}」は1〜{LONGEST_READING}文字で書いてください。",
            f"The reading {reading!r} must have 1 to {LONGEST_READING} characters.",
        )
    said = _said(reading, sounds)
    ways = tuple(dict.fromkeys((said, _lengthened(said))))
    if len(ways[-1]) < FEWEST_SOUNDS:
        raise _error(
            f"読み「{reading}」は短すぎて、あらゆる所で聞こえてしまいます。",
            f"The reading {reading!r} is so short that it would be heard everywhere.",
        )
    if missing := sorted({sound for way in ways for sound in way if f"{sound}_I" not in sounds.sounds}):
        raise _error(
            f"このモデルには「{reading}」の音 {' '.join(missing)} がありません。",
            f"The model lacks sounds of {reading!r}: {' '.join(missing)}.",
        )
    return ways


def _said(reading: str, sounds: Sounds) -> Way:
    out: list[str] = []
    at = 0
    while at < len(reading):
        size = 2 if reading[at : at + 2] in sounds.kana else 1
        kana = reading[at : at + size]
        if kana in sounds.kana:
            out += sounds.kana[kana].split()
        elif kana in LONG_MARKS and out and out[-1] in VOWELS:
            out[-1] += ":"
        else:
            raise _error(
                f"読み「{reading}」の「{kana}」は、ここではかなとして読めません。",
                f"The reading {reading!r} holds {kana!r}, which is no kana that can be said there.",
            )
        at += size
    return tuple(out)


def _lengthened(way: Way) -> Way:
    out: list[str] = []
    for sound in way:
        before = out[-1] if out else ""
        # Only the second half of a vowel: 「オウ」 after a consonant and vowel, never a vowel that is long already.
        if before[-1:] in VOWELS and (sound == before[-1:] or before[-1:] + sound in {"ou", "ei"}):
            out[-1] = f"{before}:"
        else:
            out.append(sound)
    return tuple(out)


def _error(ja: str, en: str) -> WordError:
    return WordError(
        Text(ja, en),
        Text(
            "例: mamori speech words add 守ケア マモリケア（読みはひらがな・カタカナ、長音は「ー」）",
            "Example: mamori speech words add 守ケア マモリケア (readings in kana; ー for a long vowel)",
        ),
    )
