"""Labelled lines to measure on: the tables that no model was trained on."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from edge_agent.domain.finding import Label
from edge_agent.errors import QualityError, Text

COLUMNS = ("labels", "register", "scenario", "speaker", "text", "heard")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOutLine:
    """A line with its true labels.

    Attributes:
        labels: names of `Label`; empty if none holds.
        heard: what recognition made of it over the telephone; empty if it was not said or nothing was recognised.
        open_dialogue: the line is from dialogue that nobody wrote for this product.
    """

    labels: frozenset[str]
    register: str
    scenario: str
    text: str
    heard: str
    open_dialogue: bool = False


def read_held_out(file: Path) -> list[HeldOutLine]:
    """Read customers' lines of a table (columns `COLUMNS`, separated by tabs; labels by spaces, ``-`` for none).

    Raises:
        QualityError: the table is missing, lacks a column, or names a label that does not exist.
    """
    known = {label.value for label in Label}
    lines = []
    for number, row in _rows(file, COLUMNS):
        labels = frozenset(row["labels"].split()) - {"-"}
        if labels - known:
            unknown = " ".join(sorted(labels - known))
            raise _error(file, f"{number}行目: ラベル {unknown} はありません。", f"line {number}: no label {unknown}.")
        if row["speaker"] == "customer":
            lines.append(
                HeldOutLine(
                    labels=labels,
                    register=row["register"],
                    scenario=row["scenario"],
                    text=row["text"],
                    heard=row["heard"],
                )
            )
    return lines


def read_open_dialogue(file: Path) -> list[HeldOutLine]:
    """Read dialogue without harassment (columns dialogue and text); raise `QualityError` as `read_held_out` does."""
    return [
        HeldOutLine(
            labels=frozenset(), register="", scenario=row["dialogue"], text=row["text"], heard="", open_dialogue=True
        )
        for _, row in _rows(file, ("dialogue", "text"))
    ]


def _rows(file: Path, columns: tuple[str, ...]) -> list[tuple[int, dict[str, str]]]:
    try:
        with file.open(encoding="utf-8", newline="") as stream:
            reader = csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE, restval="")
            missing = [column for column in columns if column not in (reader.fieldnames or ())]
            if missing:
                names = ", ".join(missing)
                raise _error(file, f"列 {names} がありません。", f"lacks the columns {names}.")
            return list(enumerate(reader, start=2))
    except OSError as error:
        raise _error(file, f"読めません（{error.strerror}）。", f"cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise _error(file, "UTF-8 ではありません。", "is not UTF-8.") from error


def _error(file: Path, ja: str, en: str) -> QualityError:
    return QualityError(
        Text(f"評価用の表 {file}: {ja}", f"Held-out table {file}: {en}"),
        Text(
            "直してください。列は docs/quality.md にあります。",
            "Correct the table; docs/quality.md names its columns.",
        ),
    )
