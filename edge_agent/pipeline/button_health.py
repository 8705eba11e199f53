"""Which buttons are not to be relied on, for the heartbeat."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing

from edge_agent.errors import StoreError
from edge_agent.log import Log
from edge_agent.pipeline.button_keeper import ButtonKeeper
from edge_agent.ports import Clock
from edge_agent.services.buttons import overview
from edge_agent.settings import Settings
from edge_agent.store.database import Database, reading

EVERY_S = 5.0

log = Log("buttons")


class ButtonHealth:
    """A thread that owns a connection to the main database."""

    def __init__(
        self, *, settings: Settings, keeper: ButtonKeeper, clock: Clock, open_database: Callable[[], Database]
    ) -> None:
        self._settings = settings
        self._keeper = keeper
        self._clock = clock
        self._open_database = open_database
        self._troubles: dict[str, list[str]] = {}

    def run(self, stop: threading.Event) -> None:
        """Look every few seconds, until told to stop."""
        while not stop.is_set():
            try:
                with closing(self._open_database()) as db:
                    while not stop.is_set():
                        self._look(db)
                        stop.wait(EVERY_S)
            except StoreError as error:
                log.error("health.unread", error=type(error).__name__)
                stop.wait(EVERY_S)

    def report(self) -> dict[str, object]:
        """Return what the heartbeat says of the buttons."""
        return {
            "buttons": len(self._settings.buttons),
            "troubles": self._troubles,
            "unwritten": self._keeper.unwritten,
            "unknown": self._keeper.unknown,
        }

    def _look(self, db: Database) -> None:
        with reading(db):
            found = overview(db, settings=self._settings, now=self._clock.now())
        self._troubles = {r.button.name: [trouble.value for trouble in r.troubles] for r in found if r.troubles}
