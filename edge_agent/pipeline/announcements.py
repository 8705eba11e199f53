"""The thread that keeps announced calls: what was announced of a seat stands on its audio from then on.

Where announcements cease, its audio decides again, and what is wrong is told: a seat is never left unheard because a
telephone system has failed. Announcements lie in the main database, where the pages, the broker's side and a restart
find them.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import datetime, timedelta

from edge_agent.domain.announcement import AnnouncedCall, Doubt, doubts, overdue, silent, unannounced
from edge_agent.domain.line_trouble import Trouble, TroubleKind
from edge_agent.errors import StoreError
from edge_agent.log import Log
from edge_agent.pipeline.tap import Tap
from edge_agent.ports import Announced, Clock
from edge_agent.services import announcements as services
from edge_agent.store import announcements
from edge_agent.store.commit_watch import CommitWatch
from edge_agent.store.database import Database, reading

POLL_S = 0.05
"""How long an announcement may take to be heeded."""
OVERDUE_EVERY = timedelta(seconds=10)
"""Between two looks for calls whose end is overdue."""
TROUBLES = {Doubt.UNANNOUNCED: TroubleKind.UNANNOUNCED, Doubt.UNENDED: TroubleKind.UNENDED}

log = Log("announcements")


class AnnouncementKeeper:
    """A thread that owns a connection to the main database.

    Args:
        taps: the entrance of every line's audio, by seat.
        hold: how long after the last announcement of a seat it still decides.
        show: told of a seat what is wrong with what is announced of it, and None when nothing is any more.
        on_call: told of a seat whether a call is announced there.
    """

    def __init__(
        self,
        *,
        taps: Mapping[str, Tap],
        hold: timedelta,
        clock: Clock,
        open_database: Callable[[], Database],
        show: Callable[[str, Trouble | None], None] = lambda _seat, _trouble: None,
        on_call: Callable[[str, bool], None] = lambda _seat, _in_call: None,
    ) -> None:
        self._taps = taps
        self._hold = hold
        self._clock = clock
        self._open_database = open_database
        self._show = show
        self._on_call = on_call
        self._inbox: deque[Callable[[Database], None]] = deque()
        self._calls: dict[str, AnnouncedCall] = {}
        self._doubts: dict[str, Doubt] = {}
        self._shown: dict[str, Doubt | None] = {}
        self._overdue_at = clock.now()
        self.silent: frozenset[str] = frozenset()
        """Integrations that announce nothing any more although calls are heard; may be asked from any thread."""
        self._told: dict[str, str | None] = {}
        """What the tap of a seat was told: the call under way, empty if there is none, None if audio decides."""
        self._announced = CommitWatch()

    def over(self, seat: str, call_id: str, *, faded: bool) -> None:
        """A call of a seat is over, `faded` if nobody spoke for too long; an end that was not announced is noted."""
        self._inbox.append(lambda db: self._fade(db, seat, call_id, faded=faded))

    def unannounced(self, seat: str) -> None:
        """People talk at a seat whose calls are announced, and none was."""
        self._inbox.append(lambda db: self._doubt(db, seat))

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop."""
        with closing(self._open_database()) as db:
            while not stop.wait(POLL_S):
                self.step(db)

    def restore(self) -> None:
        """Heed what was announced before the box stopped, before anything is heard."""
        with closing(self._open_database()) as db:
            self.step(db)

    def step(self, db: Database) -> None:
        """Look once at what was announced and whose time is over."""
        try:
            while self._inbox:
                self._inbox[0](db)
                self._inbox.popleft()
            self._look_for_overdue(db)
            with reading(db):
                self._announced.look(db, self._read)
        except StoreError as error:
            # What was announced last goes on deciding; a call that has faded is over for its line, and noted later.
            log.error("announcements.unreadable", error=type(error).__name__)
        now = self._clock.now()
        for seat in self._calls.keys() | self._told.keys() | self._shown.keys():
            self._tell(seat, self._calls.get(seat), now)

    def _fade(self, db: Database, seat: str, call_id: str, *, faded: bool) -> None:
        known = self._calls.get(seat)
        if known is None or not known.under_way or known.call_id != call_id:
            return
        # While announcements decide, nothing but silence ends a call without one, unless the agent is stopping.
        if faded or self._told.get(seat) is None:
            services.fade(db, seat, call_id, now=self._clock.now())
            log.warning("call.unended", seat=seat, call=call_id, device=known.by)
            # What this connection commits does not change its own version.
            self._announced.read_again()

    def _doubt(self, db: Database, seat: str) -> None:
        known = self._calls.get(seat)
        if known is None or (self._told.get(seat) != "" and known.doubted_at is None):
            return
        # First heeded, then written: a full disk must not leave the seat unheard.
        self._calls[seat] = unannounced(known, now=self._clock.now())
        self._weigh()
        services.note_unannounced(db, seat, now=self._clock.now())
        log.warning("call.unannounced", seat=seat, device=known.by)
        self._announced.read_again()

    def _look_for_overdue(self, db: Database) -> None:
        now = self._clock.now()
        if now < self._overdue_at:
            return
        self._overdue_at = now + OVERDUE_EVERY
        if not overdue(self._calls.values(), now=now):
            return
        for call in services.doubt_overdue(db, now=now):
            log.warning("call.overdue", seat=call.seat, call=call.call_id, device=call.by)
        self._announced.read_again()

    def _read(self, db: Database) -> None:
        self._calls = {call.seat: call for call in announcements.everything(db) if call.seat in self._taps}
        self._weigh()

    def _weigh(self) -> None:
        self._doubts, self.silent = doubts(self._calls.values()), silent(self._calls.values())

    def _tell(self, seat: str, call: AnnouncedCall | None, now: datetime) -> None:
        doubt = self._doubts.get(seat)
        if doubt is not self._shown.get(seat):
            self._show(seat, Trouble(kind=TROUBLES[doubt]) if doubt else None)
            self._shown[seat] = doubt
        decides = call is not None and call.decides(now=now, hold=self._hold) and doubt is None
        told = (call.call_id if call.under_way else "") if call is not None and decides else None
        if told == self._told.get(seat):
            return
        self._told[seat] = told
        ago_s = max(0.0, (now - call.started_at).total_seconds()) if call is not None and told else 0.0
        self._on_call(seat, bool(told))
        self._taps[seat].announce(None if told is None else Announced(call_id=told, ago_s=ago_s))
        change = "started" if told else "ended" if told is not None else "unannounced"
        log.info("call.announced", seat=seat, change=change, call=told or "-")
