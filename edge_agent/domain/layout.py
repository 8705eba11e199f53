"""The floor map: at which cell of a grid each seat is drawn.

Rules:
1. A seat has one cell, a cell one seat.
2. Seats nobody has laid out follow below the map, in their order, as wide as the map.
3. A seat that is not there any more is passed over; nothing else moves for it.
4. Without a single seat laid out there is no map: seats are shown in their order, as many across as fit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

MOST = 40
"""Cells across and down at most; more than any one box has seats in a row (design limit, bounds what is sent)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A place on the map, counted from 0 at the left and at the top."""

    across: int
    down: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How the floor is laid out, by seat. `version` grows with every change: `by` whom and when (`at`)."""

    cells: Mapping[str, Cell] = field(default_factory=dict)
    version: int = 0
    by: str = ""
    at: datetime | None = None


AS_CONFIGURED = Layout()
"""Nobody has laid out anything."""


def placed(cells: Mapping[str, Cell], seats: Sequence[str]) -> dict[str, Cell]:
    """Return the cell of every one of these seats, or nothing if there is no map; `seats` in their order."""
    laid = {seat: cells[seat] for seat in seats if seat in cells}
    if not laid:
        return {}
    wide = max(cell.across for cell in laid.values()) + 1
    below = max(cell.down for cell in laid.values()) + 1
    rest = [seat for seat in seats if seat not in laid]
    return laid | {seat: Cell(across=n % wide, down=below + n // wide) for n, seat in enumerate(rest)}


def fits(cells: Mapping[str, Cell]) -> bool:
    """Return whether these seats can be laid out so: each on a cell of its own, within the largest map there is."""
    inside = all(0 <= cell.across < MOST and 0 <= cell.down < MOST for cell in cells.values())
    return inside and len(set(cells.values())) == len(cells)
