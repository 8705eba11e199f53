"""Lines an operator says, and what they do: ``models/harassment/replies/*.tsv``.

Columns acts, register, scenario, text; acts is one of `ACTS`. What is learnt from them is in `reply_head`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

REPLIES = ("refusal", "final_answer", "warning", "ending")
"""What the head tells, in the order of the graph's output. Who gives the final answer refuses too."""
ACTS = {"final": (1, 1, 0, 0), "refuse": (1, 0, 0, 0), "warn": (0, 0, 1, 0), "end": (0, 0, 0, 1), "-": (0, 0, 0, 0)}
"""Labels of a line, and the targets they are for `REPLIES`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A line of an operator and what it does."""

    text: str
    act: str
    scenario: str
    """One operator on one call; lines of the same are not counted as independent."""

    @property
    def targets(self) -> tuple[int, ...]:
        """Return 0 or 1 for each of `REPLIES`."""
        return ACTS[self.act]


def read_replies(folder: Path) -> list[Reply]:
    """Return the lines of a folder's tables; raise `ValueError` where one is malformed."""
    replies = []
    for path in sorted(folder.glob("*.tsv")):
        rows = path.read_text(encoding="utf-8").rstrip("\n").split("\n")
        for number, row in enumerate(rows[1:], start=2):
            columns = row.split("\t")
            if len(columns) != 4 or columns[0] not in ACTS:
                raise ValueError(f"{path}, line {number}: {row!r}")
            replies.append(Reply(act=columns[0], text=columns[3], scenario=columns[2]))
    return replies
