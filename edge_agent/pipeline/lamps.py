"""Lamps and towers: one thread decides what they show, and one thread a lamp tells it.

A lamp that does not answer holds up nobody: its own thread waits, and what it missed is told when it is back. Every
state is told again after a while, so that a tower that was switched off in between does not stay dark.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing

from edge_agent.domain.call import LineState
from edge_agent.domain.incident import Incident, IncidentState
from edge_agent.domain.lamp import OFF, LampState, wanted
from edge_agent.errors import LampError, StoreError, Text
from edge_agent.log import Log
from edge_agent.ports import Arrived, LampDevice
from edge_agent.services import topics
from edge_agent.services.lamps import colours_of
from edge_agent.settings import Box
from edge_agent.settings_lamps import Lamp
from edge_agent.store import duty, incidents, lamps, live
from edge_agent.store.commit_watch import CommitWatch
from edge_agent.store.database import Database, reading, writing
from edge_agent.store.lamps import LampStatus

TICK_S = 0.1
"""Between two looks at the databases."""
WAKE_S = 0.5
"""How long a lamp's thread sleeps before it looks whether it is told to stop; a change of state wakes it."""
AGAIN_S = 15.0
"""After this a state is told again although it has not changed."""
RETRY_S = 3.0
"""Between two attempts at a lamp that does not answer."""
FAILURES = 2
"""So many in a row are a fault: one alone may be a lost packet, or a lamp that has just connected."""

log = Log("lamps")


class LampWorker:
    """A thread for one lamp, which may take as long as it likes."""

    def __init__(self, name: str, device: LampDevice, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.name = name
        self._device = device
        self._monotonic = monotonic
        self._poke = threading.Event()
        self._wanted: LampState | None = None
        self._shown: LampState | None = None
        self._due = 0.0
        self._failures = 0
        self.fault: Text | None = None
        """What is wrong with the lamp and what to do, None while it answers."""

    def want(self, state: LampState) -> None:
        """Say what the lamp shall show; returns at once."""
        if state != self._wanted:
            self._wanted = state
            self._poke.set()

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop; then the lamp goes dark, since nobody is watching any more."""
        while not stop.is_set():
            self.step()
            self._poke.wait(WAKE_S)
        if self._wanted is not None:
            self._tell(OFF)

    def step(self) -> None:
        """Tell the lamp what it shall show, if it does not know or it is time to say it again."""
        self._poke.clear()
        state = self._wanted
        if state is None or (state == self._shown and self._monotonic() < self._due):
            return
        # A lamp that does not answer is not asked more often because the floor is busy.
        if self._failures and self._monotonic() < self._due:
            return
        told = self._tell(state)
        self._shown = state if told else None
        self._due = self._monotonic() + (AGAIN_S if told else RETRY_S)

    def _tell(self, state: LampState) -> bool:
        try:
            self._device.show(state)
        except LampError as error:
            self._failures += 1
            if self._failures == FAILURES:
                log.warning("lamp.lost", device=self.name)
                self.fault = Text(f"{error.what.ja}{error.remedy.ja}", f"{error.what.en} {error.remedy.en}")
            return False
        if self.fault is not None:
            log.info("lamp.back", device=self.name)
        self._failures, self.fault = 0, None
        return True


class LampPresence:
    """Which lamps have said that they are on the broker."""

    def __init__(self, box: Box) -> None:
        self._topic = re.compile(re.escape(topics.lamp_status(box, "@")).replace("@", "([^/]+)"))
        self._online: set[str] = set()

    def take(self, message: Arrived) -> None:
        """Take a lamp's birth or last will; anything else, and what cannot be read, changes nothing."""
        match = self._topic.fullmatch(message.topic)
        if match is None:
            return
        try:
            online = json.loads(message.payload)["state"] == "online"
        except (ValueError, KeyError, TypeError):
            log.warning("lamp.unreadable", device=match[1])
            return
        if online:
            self._online.add(match[1])
        else:
            self._online.discard(match[1])

    def is_there(self, name: str) -> bool:
        """Return whether a lamp has said that it is online, and has not gone since."""
        return name in self._online


class LampBoard:
    """A thread that owns connections to both databases and says what every lamp shall show.

    Args:
        workers: the lamps' own threads, by name.
        unwritten: incidents the disk did not take yet; lamps show them all the same.
    """

    def __init__(
        self,
        *,
        settings: Sequence[Lamp],
        workers: Mapping[str, LampWorker],
        open_main: Callable[[], Database],
        open_live: Callable[[], Database],
        unwritten: Callable[[], list[Incident]] = list,
    ) -> None:
        self._settings = settings
        self._workers = workers
        self._open_main = open_main
        self._open_live = open_live
        self._unwritten = unwritten
        self._incidents, self._lines = CommitWatch(), CommitWatch()
        self._open: list[Incident] = []
        self._escalated: set[str] = set()
        self._faulty: dict[str, bool] = {}
        self._written: dict[str, LampStatus] = {}

    @property
    def faults(self) -> int:
        """How many lamps do not answer, for the heartbeat."""
        return sum(worker.fault is not None for worker in self._workers.values())

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop."""
        with closing(self._open_main()) as main, closing(self._open_live()) as now:
            self._written = {}
            with writing(now):
                lamps.forget_all(now)
            if not self._settings:
                # Nothing to light: the databases change several times a second on a busy floor.
                stop.wait()
            while not stop.wait(TICK_S):
                try:
                    self._step(main, now)
                except StoreError as error:
                    # The lamps keep what they show until the databases can be read again.
                    log.error("lamps.unreadable", error=type(error).__name__)

    def _step(self, main: Database, now: Database) -> None:
        with reading(main):
            self._incidents.look(main, self._read_incidents)
        with reading(now):
            self._lines.look(now, self._read_lines)
        known = {incident.incident_id for incident in self._open}
        shown = self._open + [i for i in self._unwritten() if i.incident_id not in known]
        changed = [
            status for lamp in self._settings if (status := self._show(lamp, shown)) != self._written.get(lamp.name)
        ]
        if changed:
            with writing(now):
                for status in changed:
                    lamps.put(now, status)
            self._written |= {status.name: status for status in changed}

    def _read_lines(self, now: Database) -> None:
        self._faulty = {line.seat: line.state is LineState.FAULT for line in live.lines(now)}

    def _read_incidents(self, main: Database) -> None:
        self._open = incidents.unfinished(main)
        self._escalated = {
            incident.incident_id
            for incident in self._open
            if incident.state is IncidentState.OPEN
            and sum(bool(step.asked and not step.asked.skipped) for step in duty.steps(main, incident.incident_id)) > 1
        }

    def _show(self, lamp: Lamp, shown: Sequence[Incident]) -> LampStatus:
        lines = lamp.seats or tuple(self._faulty)
        state = wanted(
            shown,
            escalated=self._escalated,
            watched=bool(lines) and not any(self._faulty.get(seat, True) for seat in lines),
            seats=lamp.seats,
            colours=colours_of(lamp.colours),
        )
        worker = self._workers[lamp.name]
        worker.want(state)
        return LampStatus(name=lamp.name, kind=lamp.kind, state=state, fault=worker.fault)
