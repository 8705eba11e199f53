"""The pages' live feed: one thread watches both databases and fans out what has changed, another the sessions.

Rules:
1. Every event has an id; whoever missed some gets them again from the ring, or everything anew.
2. A page that does not keep up is cut off: it reconnects and is brought up to date.
3. A page is sent what its person sees, and nothing else of the floor.
4. The watcher never writes, so its connections' data_version changes with every commit of anyone else.
5. However many pages are connected, each change is read once, and no page reads a database of its own.
"""

from __future__ import annotations

import secrets
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from math import inf

from edge_agent.domain.policy import Policy
from edge_agent.domain.roles import Right
from edge_agent.errors import StoreError
from edge_agent.log import Log
from edge_agent.ports import Clock
from edge_agent.services import sessions
from edge_agent.services.system_clock import SystemClock
from edge_agent.settings import Settings
from edge_agent.store.database import Database, open_live, open_main
from web_ui.floor_state import (
    UNARRANGED,
    Change,
    Equipment,
    Floor,
    Happening,
    Words,
    changes,
    compose,
    of_the_box,
    of_the_equipment,
    read_arrangement,
    read_equipment,
    read_happening,
    read_incidents,
)
from web_ui.seat_views import SeatView
from web_ui.sight import WHOLE_FLOOR, Sight
from web_ui.streams import Event, Subscriber, wire_event
from web_ui.views import IncidentView

RING = 500
"""Events kept for pages that were away for a moment."""
POLL_S = 0.1
"""Time between looks at the databases; the larger part of the delay between commit and page."""
LIVE_POLLS = 3
"""Every so many of these looks also go to lines and words under way, which change with each on a busy floor."""
STALE_S = 15.0
"""Silence of the agent after which the pages say that nobody is listening; it writes levels far more often."""
REOPEN_S = 1.0
"""Wait before the databases are opened again after an error."""
SESSIONS_S = 5.0
"""Longest time between looks at the sessions, which also end by time alone; every commit makes for a look at once."""
EQUIPMENT_S = 10.0
"""Longest time between looks at the equipment: buttons fall silent, and messages do not go out, by time alone."""

log = Log("feed")


class Feed:
    """Events of this process, numbered from 1 behind a name that differs after every start."""

    def __init__(self, *, settings: Settings, policy: Policy, clock: Clock | None = None) -> None:
        self._settings = settings
        self._policy = policy
        self._clock = clock or SystemClock()
        self._start = secrets.token_hex(4)
        self._lock = threading.Lock()
        self._ring: deque[Event] = deque(maxlen=RING)
        self._number = 0
        self._subscribers: set[Subscriber] = set()
        self._stop = threading.Event()
        self._look = threading.Event()
        self._looked = False
        self._main_version: int | None = None
        self._live_version: int | None = None
        self._floor = Floor()
        self._happening = Happening()
        self._incidents: tuple[IncidentView, ...] = ()
        self._arranged = UNARRANGED
        self._equipment = Equipment()
        self._equipment_due_s = -inf
        self._moved_at: float | None = None
        self._listening = True

    @property
    def last_id(self) -> str:
        """Id of the newest event."""
        with self._lock:
            return f"{self._start}-{self._number}"

    @property
    def floor(self) -> Floor | None:
        """The floor at the last look; None if there was none yet, or the databases cannot be read."""
        return self._floor if self._looked else None

    @property
    def listening(self) -> bool:
        """Whether the agent has shown a sign of life lately."""
        return self._listening

    @property
    def equipment(self) -> dict[str, object]:
        """What is wrong with lamps and with what alerts go through, and what the box gives up."""
        own = self._equipment
        box = {"lampFaults": self._happening.lamp_faults, "busy": self._happening.busy}
        return {**box, "missing": own.missing, "buttons": own.buttons, "unsent": own.unsent}

    @property
    def streams(self) -> int:
        """How many pages are connected."""
        with self._lock:
            return len(self._subscribers)

    def subscribe(
        self,
        last_id: str | None,
        *,
        limit: int,
        sight: Sight = WHOLE_FLOOR,
        token: str | None = None,
        right: Right = Right.FOLLOW,
    ) -> tuple[Subscriber, list[bytes] | None] | None:
        """Connect a page that has seen `last_id` and is sent what `sight` sees.

        It is so as long as the session `token` holds and gives `right`.

        Returns the subscriber and what it has missed (None: it must be given everything anew), or None if
        `limit` pages are connected already.
        """
        with self._lock:
            if len(self._subscribers) >= limit:
                return None
            subscriber = Subscriber(sight, token, right)
            self._subscribers.add(subscriber)
            return subscriber, self._missed(last_id, sight)

    def unsubscribe(self, subscriber: Subscriber) -> None:
        """Disconnect a page."""
        with self._lock:
            self._subscribers.discard(subscriber)

    def tick(self, main: Database, live: Database, *, now_s: float, main_alone: bool = False) -> None:
        """Publish what has changed; with `main_alone` only if something in the first has. `now_s`: monotonic time."""
        # No CommitWatch each: both count as read only when what follows from either has been published.
        main_version = main.version()
        main_moved = main_version != self._main_version
        live_version = self._live_version if main_alone and not main_moved else live.version()
        live_moved = live_version != self._live_version
        if main_moved:
            self._incidents = read_incidents(main, settings=self._settings, policy=self._policy)
            was, self._arranged = self._arranged, read_arrangement(main)
            if was.layout.version != self._arranged.layout.version:
                self._publish("layout", {"version": self._arranged.layout.version})
        if main_moved or now_s >= self._equipment_due_s:
            self._look_at_equipment(main, now_s)
        if live_moved:
            before_now, self._happening = self._happening, read_happening(live)
            for name, payload in of_the_box(before_now, self._happening):
                self._publish(name, payload)
        if main_moved or live_moved:
            floor = compose(self._settings, self._happening, self._incidents, self._arranged)
            # First kept, then told: a page that connects in between is sent some of it twice and misses nothing.
            before_floor, self._floor, self._looked = self._floor, floor, True
            for change in changes(before_floor, floor):
                self._publish(_name(change), change, change)
        if main_moved:
            self._look.set()
        self._note_life(moved=live_moved, now_s=now_s)
        self._main_version, self._live_version = main_version, live_version

    def run(self) -> None:
        """Watch until told to stop; a database that cannot be read is opened again."""
        while not self._stop.is_set():
            try:
                self._watch()
            except (StoreError, sqlite3.Error) as error:
                self._looked = False
                log.error("feed.unreadable", error=type(error).__name__)
                self._stop.wait(REOPEN_S)

    def look_at_sessions(self, main: Database) -> None:
        """End the streams whose session does not hold any more, or whose person sees something else now."""
        with self._lock:
            pages = [each for each in self._subscribers if each.token is not None]
        held = sessions.holding(main, {page.token for page in pages if page.token}, now=self._clock.now())
        for page in pages:
            if not page.is_of(held.get(page.token or ""), self._settings):
                page.cut()

    def keep_sessions(self) -> None:
        """Look at the sessions after every commit and every `SESSIONS_S`, until told to stop."""
        while not self._stop.is_set():
            try:
                self._keep_sessions()
            except (StoreError, sqlite3.Error) as error:
                # They are sound as far as is known; alerts must go on coming while the disk is full.
                log.error("feed.sessions_unreadable", error=type(error).__name__)
                self._stop.wait(REOPEN_S)

    def start(self, on_crash: Callable[[], None]) -> None:
        """Watch in threads of its own; `on_crash` is called if one dies: pages must not silently stand still."""

        def work(run: Callable[[], None]) -> None:
            try:
                run()
            except BaseException as error:
                log.error("feed.crashed", error=type(error).__name__)
                on_crash()
                raise

        for name, run in (("feed", self.run), ("feed-sessions", self.keep_sessions)):
            threading.Thread(target=work, args=(run,), name=name, daemon=True).start()

    def close(self) -> None:
        """Stop watching and end all streams."""
        self._stop.set()
        self._look.set()
        with self._lock:
            for subscriber in self._subscribers:
                subscriber.cut()

    def _keep_sessions(self) -> None:
        main = open_main(self._settings.data)
        try:
            while not self._stop.is_set():
                self._look.wait(SESSIONS_S)
                self._look.clear()
                if not self._stop.is_set():
                    self.look_at_sessions(main)
        finally:
            main.close()

    def _watch(self) -> None:
        main, live = open_main(self._settings.data), open_live(self._settings.run)
        try:
            # A new connection's data_version says nothing about an old one's.
            self._main_version = self._live_version = None
            looks = 0
            while not self._stop.wait(POLL_S):
                self.tick(main, live, now_s=time.monotonic(), main_alone=looks % LIVE_POLLS > 0)
                looks += 1
        finally:
            main.close()
            live.close()

    def _look_at_equipment(self, main: Database, now_s: float) -> None:
        self._equipment_due_s, before = now_s + EQUIPMENT_S, self._equipment
        self._equipment = read_equipment(main, settings=self._settings, now=self._clock.now())
        for name, payload in of_the_equipment(before, self._equipment):
            self._publish(name, payload)

    def _note_life(self, *, moved: bool, now_s: float) -> None:
        if moved or self._moved_at is None:
            self._moved_at = now_s
        listening = now_s - self._moved_at <= STALE_S
        if listening != self._listening:
            self._listening = listening
            self._publish("listening", {"listening": listening})

    def _publish(self, name: str, payload: object, change: Change | None = None) -> None:
        with self._lock:
            self._number += 1
            event_id = f"{self._start}-{self._number}"
            wire = wire_event(name, payload, event_id=event_id)
            event = Event(number=self._number, event_id=event_id, name=name, change=change, wire=wire)
            self._ring.append(event)
            # Encoded once for all who see the same, however many they are.
            wires = {sight: event.seen_with(sight) for sight in {each.sight for each in self._subscribers}}
            self._subscribers = {
                each for each in self._subscribers if (sent := wires[each.sight]) is None or each.put(sent)
            }

    def _missed(self, last_id: str | None, sight: Sight) -> list[bytes] | None:
        start, _, number = (last_id or "").rpartition("-")
        seen = int(number) if start == self._start and number.isdecimal() else -1
        oldest = self._ring[0].number if self._ring else self._number + 1
        if not max(0, oldest - 1) <= seen <= self._number:
            return None
        return [wire for event in self._ring if event.number > seen and (wire := event.seen_with(sight)) is not None]


def _name(change: Change) -> str:
    match change:
        case IncidentView():
            return "incident"
        case SeatView():
            return "seat"
        case Words():
            return "words"
