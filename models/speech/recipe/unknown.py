"""What is said that no word matches: a loop of all sounds, recognised as `[unk]`, so that it does not become nonsense.

The loop stands beside the words wherever a word may follow any other. Each of its sounds costs something: a word that
fits is always cheaper. Built after everything else was determinised: a loop of all sounds is every word at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from phones import PHONES
from topology import TRANSITIONS

if TYPE_CHECKING:
    from collections.abc import Iterable

ENTRY_COST = 6.0
SOUND_COST = 4.0
"""From 3 to 8 the development set comes out the same: the loop is hardly ever the cheapest way (see the card)."""


@dataclass(slots=True)
class Rows:
    """Rows of a graph as text, and the next free state."""

    free: int
    blank_loop_cost: float
    rows: list[str] = field(default_factory=list)

    def state(self) -> int:
        """Return a new state."""
        self.free += 1
        return self.free - 1

    def arc(self, source: int, target: int, given: int, label: int, cost: float) -> None:
        """Add an arc."""
        self.rows.append(f"{source} {target} {given} {label} {cost:.6g}\n")

    def sounds(self, position: str, source: int, target: int, label: int, cost: float) -> None:
        """Add every sound in a position between two states, each heard and left at once or after a blank."""
        for phone in PHONES:
            ids = TRANSITIONS[f"{phone}_{position}"]
            heard, ending, blank = self.state(), self.state(), self.state()
            self.arc(source, heard, ids.leave, label, cost)
            self.arc(heard, heard, ids.loop, 0, 0.0)
            self.arc(heard, target, 0, 0, 0.0)
            self.arc(source, ending, ids.to_blank, label, cost)
            self.arc(ending, ending, ids.loop, 0, 0.0)
            self.arc(ending, blank, ids.blank_leave, 0, 0.0)
            self.arc(blank, blank, ids.blank_loop, 0, self.blank_loop_cost)
            self.arc(blank, target, 0, 0, 0.0)


def unknown_word(
    free: int, starts: Iterable[int], target: int, label: int, *, end_cost: float, blank_loop_cost: float,
    entry_cost: float = ENTRY_COST, sound_cost: float = SOUND_COST,
) -> list[str]:  # fmt: skip
    """Return the rows of the loop from where words start to where they end: a word of three sounds or more."""
    rows = Rows(free=free, blank_loop_cost=blank_loop_cost)
    entry, first, inner, last = (rows.state() for _ in range(4))
    for start in starts:
        rows.arc(start, entry, 0, 0, 0.0)
    rows.sounds("B", entry, first, label, entry_cost + sound_cost)
    rows.sounds("I", first, inner, 0, sound_cost)
    again = rows.state()
    rows.arc(inner, again, 0, 0, 0.0)
    rows.sounds("I", again, inner, 0, sound_cost)
    rows.sounds("E", inner, last, 0, sound_cost)
    rows.arc(last, target, 0, 0, end_cost)
    return rows.rows
