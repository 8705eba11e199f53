"""What callers and operators say: the lines everything in this recipe is made of, and how they are divided.

Sources: the templates in `text/` (one sentence a line, `{slot}` filled from `text/slots/slot.txt`), the corpus of the
harassment model (`models/harassment/corpus/*.tsv`), and, from the data folder, `dialogue/*.tsv` and
`harassment-seed.tsv`. The scripts of the demonstration calls are not among them: those calls are a test.

A line belongs to the test, to development or to training by a checksum of the place it comes from (the scenario, the
dialogue or the template), so lines that are added later move no other.
"""

from __future__ import annotations

import csv
import re
import unicodedata
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator
    from pathlib import Path

Part = Literal["train", "dev", "test"]
Source = Literal["call", "chat"]

SLOT = re.compile(r"\{([^{}]+)\}")
SENTENCE_END = re.compile(r"(?<=[。！？!?…])\s*|\n")
HELD_OUT_OF = 25
"""One place in this many is kept for the test, and one for development."""

USUAL_SPELLING = {
    "エスエヌエス": "SNS", "ツイッター": "Twitter", "馬鹿": "バカ", "下さい": "ください",
    "是非": "ぜひ", "有難う": "ありがとう", "御座い": "ござい", "宜しく": "よろしく",
    "阿呆": "あほ", "オマエ": "お前", "アンタ": "あんた",
}  # fmt: skip
"""One spelling for each word, the one the transcripts shall show; Twitter keeps its letters as SNS does. Wherever these
characters are, they are that word."""

USUAL_WORDS = (
    (re.compile(r"ばか(?!り|し$|す|っ).*"), "ばか", "バカ"),
    (re.compile(r"くそ.*|(下手|へった|へた|やけ|ぼろ|[鼻目耳胸歯])くそ"), "くそ", "クソ"),
    (re.compile(r"くず"), "くず", "クズ"),
    (re.compile(r"ド?アホ(?![ウン]).*"), "アホ", "あほ"),
    (re.compile(r"おまえ.*"), "おまえ", "お前"),
    (re.compile(r"致し.*"), "致し", "いたし"),
    (re.compile(r"出来(?![事上栄損そ高心立合物]).*"), "出来", "でき"),
)
"""One spelling for words whose characters other words have too (買ったばかり, よくそんな, 一致し, 紙くず): which
words, what is written in them, and its spelling. They are known only once a text is read into words."""

DIGITS = str.maketrans("0123456789", "〇一二三四五六七八九")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One sentence or template, who says it, and the part it belongs to."""

    text: str
    source: Source
    speaker: Literal["customer", "operator"]
    part: Part


def part_of(place: str) -> Part:
    """Return the part a place (scenario, dialogue, template) belongs to, for ever the same."""
    remainder = zlib.crc32(place.encode()) % HELD_OUT_OF
    return "test" if remainder == 0 else "dev" if remainder == 1 else "train"


def usual(text: str) -> str:
    """Return text as the transcripts spell it, but for the words of `USUAL_WORDS`: NFKC, one spelling for each word."""
    out = unicodedata.normalize("NFKC", text).replace("~", "ー")
    for spelling, kept in USUAL_SPELLING.items():
        out = out.replace(spelling, kept)
    return out.strip()


def usual_word(surface: str) -> str:
    """Return a word of a text that was `usual` in the spelling of the transcripts (`USUAL_WORDS`)."""
    for word, written, kept in USUAL_WORDS:
        if word.fullmatch(surface):
            return surface.replace(written, kept)
    return surface


def sentences(text: str) -> list[str]:
    """Return the sentences of a text, none empty."""
    return [piece for piece in (usual(piece) for piece in SENTENCE_END.split(text)) if piece]


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)


def template_lines(folder: Path) -> list[Line]:
    """Return the templates of a folder; the file's name says who speaks."""
    lines = []
    for path in sorted(folder.glob("*.txt")):
        speaker: Literal["customer", "operator"] = "operator" if path.stem.startswith("operator") else "customer"
        for raw in path.read_text(encoding="utf-8").splitlines():
            text = raw.strip()
            if text and not text.startswith("#"):
                lines.append(Line(text=usual(text), source="call", speaker=speaker, part=part_of(text)))
    return lines


def corpus_lines(folder: Path) -> list[Line]:
    """Return the sentences of the harassment model's corpus, divided by scenario."""
    lines = []
    for path in sorted(folder.glob("*.tsv")):
        for row in _rows(path):
            text = row.get("text")
            if not text:
                continue
            speaker: Literal["customer", "operator"] = "operator" if row.get("speaker") == "operator" else "customer"
            part = part_of(row.get("scenario") or text)
            lines += [Line(text=s, source="call", speaker=speaker, part=part) for s in sentences(text)]
    return lines


def data_lines(folder: Path) -> list[Line]:
    """Return the sentences of the data folder: the seed of the harassment corpus, and the written dialogues."""
    lines: list[Line] = []
    seed = folder / "harassment-seed.tsv"
    if seed.exists():
        for row in _rows(seed):
            part = part_of(row["text"])
            lines += [Line(text=s, source="call", speaker="customer", part=part) for s in sentences(row["text"])]
    for path in sorted((folder / "dialogue").glob("*.tsv")):
        for row in _rows(path):
            operator = row["speaker"] == "operator"
            part = part_of(path.stem + row["dialogue"])
            source: Source = "call" if path.stem == "asdc" else "chat"
            speaker: Literal["customer", "operator"] = "operator" if operator else "customer"
            lines += [Line(text=s, source=source, speaker=speaker, part=part) for s in sentences(row["text"])]
    return lines


def read_slots(folder: Path) -> dict[str, list[str]]:
    """Return the fillings of each slot."""
    return {
        path.stem: [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        for path in sorted(folder.glob("*.txt"))
    }


def fill(template: str, slots: dict[str, list[str]], rng: random.Random) -> str:
    """Return a template with every slot filled at random; an unknown slot is a `KeyError`."""
    text = template
    while SLOT.search(text):
        text = SLOT.sub(lambda match: rng.choice(slots[match[1]]), text)
    return usual(text)


def all_lines(*, text: Path, corpus: Path, data: Path) -> list[Line]:
    """Return every line, each text once; of equal texts the one kept furthest from training is kept."""
    rank = {"train": 0, "dev": 1, "test": 2}
    kept: dict[str, Line] = {}
    for line in [*template_lines(text), *corpus_lines(corpus), *data_lines(data)]:
        bare = line.text.rstrip("。.!?、")
        if bare not in kept or rank[line.part] > rank[kept[bare].part]:
            kept[bare] = line
    return list(kept.values())


STANDARD = frozenset({"plain", "polite", "business", "icy", "elderly"})
"""Registers of the corpus in standard Japanese, as its spelling shows it."""


def kinds_of_speech(text: Path, corpus: Path) -> dict[str, str]:
    """Return who says a sentence: `operator`, customers in `standard` or `other` speech, or a `template`."""
    kinds = {line.text: "operator" if line.speaker == "operator" else "template" for line in template_lines(text)}
    for path in sorted(corpus.glob("*.tsv")):
        for row in _rows(path):
            kind = (
                "operator" if row["speaker"] == "operator" else "standard" if row["register"] in STANDARD else "other"
            )
            kinds |= dict.fromkeys(sentences(row["text"]), kind)
    return kinds
