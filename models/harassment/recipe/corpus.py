"""Lines to learn from: read the files, and keep look-alikes on one side of a split.

Corpus files (``models/harassment/corpus/*.tsv``) have the columns labels, register,
scenario, speaker, text; labels are separated by spaces, ``-`` means none of them.
"""

from __future__ import annotations

import csv
import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from .spec import HARASSMENT_LABELS, LABELS, clean

NEAR_DUPLICATE_JACCARD = 0.6
_SHINGLE = 5

DIALOGUE_REGISTER = "written dialogue"

_NOT_OF_A_LINE = "repeat"
"""A label of the seed: repetition is a fact of the call, so such lines teach nothing."""


class Part(Enum):
    """Which side of the split a line is on."""

    TRAIN = "train"
    DEV = "dev"
    TEST = "test"


PART_SHARES = ((Part.TEST, 0.15), (Part.DEV, 0.15))
"""Shares of groups, in order; the rest is trained on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One utterance with what a listener would say about its words alone."""

    text: str
    labels: frozenset[str]
    source: str
    """File stem."""
    scenario: str
    """Scenario or dialogue within the source; empty if the source has none."""
    register: str = ""
    speaker: str = "customer"

    @property
    def harassing(self) -> bool:
        """Whether any of the ten harassment labels applies."""
        return not self.labels.isdisjoint(HARASSMENT_LABELS)

    @property
    def kind(self) -> str:
        """``harassment``, ``life_safety``, ``complaint`` or ``neutral``, for reports."""
        if self.harassing:
            return "harassment"
        for label in ("life_safety", "complaint"):
            if label in self.labels:
                return label
        return "neutral"


def read_corpus(folder: Path) -> list[Line]:
    """Read every corpus file. Raises ValueError naming file and line of a mistake."""
    lines: list[Line] = []
    for path in sorted(folder.glob("*.tsv")):
        for number, row in _rows(path):
            where = f"{path.name}:{number}"
            names = (row["labels"] or "").split()
            unknown = set(names) - {*LABELS, "-"}
            if unknown or not names or not row["text"] or None in row.values():
                raise ValueError(f"{where}: unknown labels {sorted(unknown)} or a missing column")
            lines.append(
                Line(
                    text=row["text"],
                    labels=frozenset(names) - {"-"},
                    source=path.stem,
                    scenario=row["scenario"],
                    register=row["register"],
                    speaker=row["speaker"],
                )
            )
    return [line for line in lines if clean(line.text)]


def read_seed(path: Path) -> list[Line]:
    """Read the seed file: columns labels (comma separated, may be empty) and text."""
    lines: list[Line] = []
    for _, row in _rows(path):
        names = frozenset(filter(None, row["labels"].split(",")))
        if names == {_NOT_OF_A_LINE}:
            continue
        labels = names - {_NOT_OF_A_LINE}
        lines.append(Line(text=row["text"], labels=labels, source=path.stem, scenario=""))
    return lines


def read_dialogue(path: Path) -> list[Line]:
    """Read open dialogue, all of it neutral: columns dialogue, speaker, text."""
    return [
        Line(
            text=row["text"],
            labels=frozenset(),
            source=path.stem,
            scenario=row["dialogue"],
            register=DIALOGUE_REGISTER,
            speaker="operator" if row["speaker"] == "operator" else "customer",
        )
        for _, row in _rows(path)
        if clean(row["text"])
    ]


def read_heard(path: Path) -> dict[str, str]:
    """Read what recognition made of lines, by their text as written; empty if it has not been made."""
    if not path.exists():
        return {}
    return {row["text"]: row["heard"] for _, row in _rows(path) if row["heard"]}


def split(lines: Sequence[Line]) -> dict[Part, list[Line]]:
    """Split so that a scenario and its near duplicates stay together."""
    parts: dict[Part, list[Line]] = {part: [] for part in Part}
    roots = _groups(lines)
    names = {
        root: min(f"{lines[i].source}/{lines[i].text}" for i in members) for root, members in _members(roots).items()
    }
    for line, root in zip(lines, roots, strict=True):
        parts[_part_of(names[root])].append(line)
    return parts


def split_by_scenario(lines: Sequence[Line]) -> dict[Part, list[Line]]:
    """Split dialogue by its id; then drop held-out lines that training has seen."""
    parts: dict[Part, list[Line]] = {part: [] for part in Part}
    for line in lines:
        parts[_part_of(f"{line.source}/{line.scenario}")].append(line)
    for part in (Part.DEV, Part.TEST):
        parts[part] = without_seen(parts[part], parts[Part.TRAIN])
    return parts


def without_seen(held_out: Sequence[Line], seen: Sequence[Line]) -> list[Line]:
    """Return the held-out lines that are no near duplicate of a seen one."""
    both = [*held_out, *seen]
    known = {
        min(pair) for pair in near_duplicates([line.text for line in both]) if min(pair) < len(held_out) <= max(pair)
    }
    return [line for index, line in enumerate(held_out) if index not in known]


def near_duplicates(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield index pairs whose character 5-grams overlap by Jaccard > 0.6.

    Exact, by prefix filtering: two sets that similar share one of their rarest grams.
    """
    grams = [_shingles(clean(text)) for text in texts]
    frequency = Counter(gram for each in grams for gram in each)
    index: dict[str, list[int]] = defaultdict(list)
    for right, each in enumerate(grams):
        rare_first = sorted(each, key=lambda gram: (frequency[gram], gram))
        prefix = rare_first[: len(each) - math.ceil(NEAR_DUPLICATE_JACCARD * len(each)) + 1]
        for left in sorted({left for gram in prefix for left in index[gram]}):
            common = len(each & grams[left])
            if common > NEAR_DUPLICATE_JACCARD * (len(each) + len(grams[left]) - common):
                yield left, right
        for gram in prefix:
            index[gram].append(right)


def _groups(lines: Sequence[Line]) -> list[int]:
    """Return one root index per line (union-find over scenarios and near duplicates)."""
    parent = list(range(len(lines)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    first_of: dict[tuple[str, str], int] = {}
    for index, line in enumerate(lines):
        if line.scenario:
            parent[root(index)] = root(first_of.setdefault((line.source, line.scenario), index))
    for left, right in near_duplicates([line.text for line in lines]):
        parent[root(right)] = root(left)
    return [root(index) for index in range(len(lines))]


def _members(roots: Sequence[int]) -> dict[int, list[int]]:
    members: dict[int, list[int]] = defaultdict(list)
    for index, root in enumerate(roots):
        members[root].append(index)
    return members


def _part_of(name: str) -> Part:
    """Place by digest, so that new lines never move old ones."""
    place = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) / 2**32
    for part, share in PART_SHARES:
        if place < share:
            return part
        place -= share
    return Part.TRAIN


def _shingles(cleaned: str) -> set[str]:
    if len(cleaned) <= _SHINGLE:
        return {cleaned}
    return {cleaned[i : i + _SHINGLE] for i in range(len(cleaned) - _SHINGLE + 1)}


def _rows(path: Path) -> Iterable[tuple[int, dict[str, str]]]:
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        yield from enumerate(reader, start=2)
