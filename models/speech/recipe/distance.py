"""Distances between sequences."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def edit_distance(one: Sequence[object], other: Sequence[object]) -> int:
    """Return how many insertions, deletions and substitutions make one sequence the other."""
    row = list(range(len(other) + 1))
    for at, left in enumerate(one, 1):
        above = row
        row = [at]
        for column, right in enumerate(other, 1):
            row.append(min(above[column] + 1, row[-1] + 1, above[column - 1] + (left != right)))
    return row[-1]
