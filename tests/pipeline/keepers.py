"""What tests of threads that keep something in the main database have in common."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from edge_agent.store.database import Database, open_main
from tests.builders import START
from tests.fakes import Moments, StandingClock


class Keeper(Protocol):
    """A thread under test."""

    def run(self, stop: Moments) -> None: ...


class KeptFloor:
    """A keeper on a real database, moment by moment, and a page that writes to the same."""

    keeper: Keeper

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.page = open_main(folder)
        self.clock = StandingClock(START)
        self.own: Database | None = None
        """The keeper's connection."""

    def _open(self) -> Database:
        self.own = open_main(self.folder)
        return self.own

    def day(self, *moments: Callable[[], object]) -> None:
        self.keeper.run(Moments(*moments))


def nothing() -> None:
    """A moment in which nothing happens."""
