"""The thread that keeps the pauses: whoever begins one, the taps of the line let nothing through from then on.

Pauses lie in the main database, where the pages, the buttons and a restart find them. What cannot be written there
holds all the same: a full disk must not make the box listen to a card number.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing

from edge_agent.domain.pause import Pause, PauseEnd, PauseSource
from edge_agent.errors import StoreError
from edge_agent.log import Log
from edge_agent.pipeline.tap import Tap
from edge_agent.ports import Clock
from edge_agent.services import pauses as services
from edge_agent.services.pauses import Wish
from edge_agent.settings_privacy import Privacy
from edge_agent.store import pauses
from edge_agent.store.commit_watch import CommitWatch
from edge_agent.store.database import Database, reading

POLL_S = 0.05
"""How long a pause begun on a page or by a button may take to hold."""
RETRY_S = 1.0
"""Wait before what could not be written is tried again."""

log = Log("pauses")


class PauseKeeper:
    """A thread that owns a connection to the main database.

    Args:
        taps: the entrance of every line's audio, by seat.
        call_at: gives the id of the call under way at a seat, empty if there is none.
        show: told of a seat whose pause begins (the pause) or ends (None, and why).
    """

    def __init__(
        self,
        *,
        taps: Mapping[str, Tap],
        privacy: Privacy,
        clock: Clock,
        open_database: Callable[[], Database],
        call_at: Callable[[str], str],
        show: Callable[[str, Pause | None, PauseEnd | None], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._taps = taps
        self._privacy = privacy
        self._clock = clock
        self._open_database = open_database
        self._call_at = call_at
        self._show = show
        self._monotonic = monotonic
        self._inbox: queue.SimpleQueue[Callable[[Database], None]] = queue.SimpleQueue()
        self._holding: dict[str, Pause] = {}
        self._unwritten: dict[str, Pause] = {}
        self._ends_s: dict[str, float] = {}
        """When a pause ends at the latest by a clock nobody sets, monotonic seconds."""
        self._known = CommitWatch()
        self._retry_s = 0.0

    def keys(self, seat: str) -> None:
        """The customer of a seat presses keys; which ones nobody knows."""
        if self._privacy.pause_after_keys_s:
            wish = Wish(seat=seat, by=services.MACHINE, source=PauseSource.KEYS, call_id=self._call_at(seat))
            self.begin(wish)

    def begin(self, wish: Wish) -> None:
        """Begin a pause; it holds at once, and is written by the thread."""
        tap = self._taps.get(wish.seat)
        if tap is not None:
            tap.pause()
            self._inbox.put(lambda db: self._begin(db, wish))

    def call_ended(self, seat: str) -> None:
        """The call of a seat is over, and so are its pause and what the ring holds of it."""
        tap = self._taps.get(seat)
        if tap is not None:
            tap.forget()
            self._inbox.put(lambda db: self._end(db, seat, by=services.MACHINE, why=PauseEnd.CALL_ENDED))

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop."""
        with closing(self._open_database()) as db:
            while not stop.is_set():
                try:
                    do = self._inbox.get(timeout=POLL_S)
                except queue.Empty:
                    do = None
                if do is not None:
                    do(db)
                self.step(db)

    def restore(self) -> None:
        """Hold what was under way when the box stopped, before anything is heard."""
        with closing(self._open_database()) as db:
            self.step(db)

    def step(self, db: Database) -> None:
        """Look once at what others began and ended, and at whose time is over."""
        try:
            if self._unwritten and self._monotonic() >= self._retry_s:
                self._write(db)
            self._end_due(db)
            with reading(db):
                self._known.look(db, self._read)
        except StoreError as error:
            self._retry_s = self._monotonic() + RETRY_S
            log.error("pauses.unreadable", error=type(error).__name__)

    def _begin(self, db: Database, wish: Wish) -> None:
        now = self._clock.now()
        try:
            pause = services.begin(db, wish, privacy=self._privacy, now=now)
        except StoreError as error:
            log.error("pause.unwritten", seat=wish.seat, error=type(error).__name__)
            pause = self._unwritten.get(wish.seat) or services.new(wish, privacy=self._privacy, now=now)
            self._unwritten[wish.seat] = pause.keyed(now=now, quiet=self._privacy.pause_after_keys)
            self._retry_s = self._monotonic() + RETRY_S
        self._hold(pause)

    def _end(self, db: Database, seat: str, *, by: str, why: PauseEnd) -> None:
        unwritten = self._unwritten.pop(seat, None)
        try:
            if services.end(db, seat, by=by, why=why, now=self._clock.now()) or unwritten:
                self._release(seat, why)
        except StoreError as error:
            # It ends for the line all the same; what is written is ended by its time.
            log.error("pause.unwritten", seat=seat, error=type(error).__name__)
            self._release(seat, why)

    def _write(self, db: Database) -> None:
        for seat, pause in list(self._unwritten.items()):
            services.keep(db, pause, now=self._clock.now())
            del self._unwritten[seat]

    def _end_due(self, db: Database) -> None:
        now, now_s = self._clock.now(), self._monotonic()
        for seat, pause in list(self._holding.items()):
            why = pause.over(now=now)
            if why is None and now_s >= self._ends_s[seat]:
                why = PauseEnd.TOO_LONG
            if why is not None:
                self._end(db, seat, by=services.MACHINE, why=why)

    def _read(self, db: Database) -> None:
        known = {pause.seat: pause for pause in pauses.everything(db)}
        for pause in known.values():
            if pause.seat in self._taps and self._holding.get(pause.seat) != pause:
                self._hold(pause)
        for seat in self._holding.keys() - known.keys() - self._unwritten.keys():
            self._release(seat, PauseEnd.ASKED)

    def _hold(self, pause: Pause) -> None:
        before = self._holding.get(pause.seat)
        self._holding[pause.seat] = pause
        self._taps[pause.seat].pause()
        if before is None or before.pause_id != pause.pause_id:
            left = (pause.until - self._clock.now()).total_seconds()
            self._ends_s[pause.seat] = self._monotonic() + min(left, self._privacy.pause_longest_s)
            log.info("pause.holds", seat=pause.seat, kind=pause.source.value)
        if before is None or before.by != pause.by:
            self._show(pause.seat, pause, None)

    def _release(self, seat: str, why: PauseEnd) -> None:
        if self._holding.pop(seat, None) is None:
            return
        del self._ends_s[seat]
        self._taps[seat].go_on()
        write = log.warning if why is PauseEnd.TOO_LONG else log.info
        write("pause.over", seat=seat, change=why.value)
        self._show(seat, None, why)
