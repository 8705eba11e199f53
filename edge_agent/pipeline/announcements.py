"""The thread that keeps announced calls: what was announced of a seat stands on its audio from then on.

Announcements lie in the main database, where the pages, the broker's side and a restart find them.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import datetime, timedelta

from edge_agent.domain.announcement import AnnouncedCall
from edge_agent.errors import StoreError
from edge_agent.log import Log
from edge_agent.pipeline.tap import Tap
from edge_agent.ports import Announced, Clock
from edge_agent.services import announcements as services
from edge_agent.store import announcements
from edge_agent.store.database import Database, reading

POLL_S = 0.05
"""How long an announcement may take to be heeded."""

log = Log("announcements")


class AnnouncementKeeper:
    """A thread that owns a connection to the main database.

    Args:
        taps: the entrance of every line's audio, by seat.
        hold: how long after the last announcement of a seat it still decides.
    """

    def __init__(
        self,
        *,
        taps: Mapping[str, Tap],
        hold: timedelta,
        clock: Clock,
        open_database: Callable[[], Database],
    ) -> None:
        self._taps = taps
        self._hold = hold
        self._clock = clock
        self._open_database = open_database
        self._inbox: deque[tuple[str, str]] = deque()
        self._calls: dict[str, AnnouncedCall] = {}
        self._told: dict[str, str | None] = {}
        """What the tap of a seat was told: the call under way, empty if there is none, None if audio decides."""
        self._version: int | None = None

    def faded(self, seat: str, call_id: str) -> None:
        """A call of a seat is over because nobody spoke for too long; if it was announced, that is noted."""
        self._inbox.append((seat, call_id))

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop."""
        with closing(self._open_database()) as db:
            while not stop.wait(POLL_S):
                self.step(db)

    def restore(self) -> None:
        """Heed what was announced before the box stopped, before anything is heard."""
        with closing(self._open_database()) as db:
            self.step(db)
        # The thread's own connection counts anew.
        self._version = None

    def step(self, db: Database) -> None:
        """Look once at what was announced and whose time is over."""
        try:
            while self._inbox:
                self._fade(db, *self._inbox[0])
                self._inbox.popleft()
            with reading(db):
                self._look(db)
        except StoreError as error:
            # What was announced last goes on deciding; a call that has faded is over for its line, and noted later.
            log.error("announcements.unreadable", error=type(error).__name__)
        now = self._clock.now()
        for seat in self._calls.keys() | self._told.keys():
            self._tell(seat, self._calls.get(seat), now)

    def _fade(self, db: Database, seat: str, call_id: str) -> None:
        if self._told.get(seat) == call_id:
            services.fade(db, seat, call_id, now=self._clock.now())
            # What this connection commits does not change its own version.
            self._version = None

    def _look(self, db: Database) -> None:
        version = db.version()
        if version != self._version:
            self._calls = {call.seat: call for call in announcements.everything(db) if call.seat in self._taps}
            self._version = version

    def _tell(self, seat: str, call: AnnouncedCall | None, now: datetime) -> None:
        decides = call is not None and call.decides(now=now, hold=self._hold)
        told = (call.call_id if call.under_way else "") if call is not None and decides else None
        if told == self._told.get(seat):
            return
        self._told[seat] = told
        ago_s = max(0.0, (now - call.started_at).total_seconds()) if call is not None and told else 0.0
        self._taps[seat].announce(None if told is None else Announced(call_id=told, ago_s=ago_s))
        change = "started" if told else "ended" if told is not None else "unannounced"
        log.info("call.announced", seat=seat, change=change, call=told or "-")
