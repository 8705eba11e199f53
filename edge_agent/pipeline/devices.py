"""The thread that knows which devices are there: it hears their signs of life, and notices when they stop.

A panel that has come, or that asks for it, is told what is under way.

Signs of life are written together every `FLUSH_S`, not each by itself: two hundred panels would wear out the disk. Who
has come or gone is written at once.
"""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Callable
from datetime import datetime

from edge_agent.domain.device import MISSING_S, SAYS_ONCE, SHOWING, DeviceKind, Presence
from edge_agent.log import Log
from edge_agent.pipeline.catching_up import INBOX, TICK_S, CatchingUp, sign_of_life
from edge_agent.pipeline.rounds import make_rounds
from edge_agent.ports import Arrived, Clock
from edge_agent.services import topics, wire
from edge_agent.services.box_commands import BOX
from edge_agent.services.devices import note_presence, note_result
from edge_agent.services.home_assistant import ASSISTANT_STATUS
from edge_agent.settings import Box
from edge_agent.store import devices, outbox
from edge_agent.store.commit_watch import CommitWatch
from edge_agent.store.database import Database

FLUSH_S = 30.0
"""Between two writings of when devices were last seen."""

log = Log("devices")


class DeviceWatch:
    """A thread that owns a connection to the main database."""

    def __init__(
        self,
        *,
        box: Box,
        clock: Clock,
        open_database: Callable[[], Database],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._base = f"{topics.base(box)}/"
        self._clock = clock
        self._open_database = open_database
        self._monotonic = monotonic
        self._inbox: queue.Queue[tuple[Arrived, datetime]] = queue.Queue(INBOX)
        self._heard: dict[str, float] = {}
        """When devices that say it again and again were last heard, monotonic seconds."""
        self._connected: dict[str, bool] = {}
        self._last_seen: dict[str, datetime] = {}
        self._unwritten: set[str] = set()
        self._catching_up = CatchingUp(box=box, clock=clock, owner=outbox.AGENT, monotonic=monotonic)
        self._flush_at = 0.0
        self._kinds: dict[str, DeviceKind] = {}
        self._known = CommitWatch()

    def take(self, arrived: Arrived) -> None:
        """Take a message from a device; what is none of these, or too much, is left out."""
        found = wire.find(arrived.topic)
        own = arrived.topic.startswith(self._base)
        told = found is not None and own and found.kind.name in {"alive", "lamp-status", "result"}
        # What the box itself has answered comes back to it.
        told = told and found is not None and found.parts["name"] != BOX
        if not told and arrived.topic != ASSISTANT_STATUS:
            return
        try:
            self._inbox.put_nowait((arrived, self._clock.now()))
        except queue.Full:
            log.warning("device.unheard", topic=arrived.topic)

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop; a database that cannot be used is tried again."""
        make_rounds(
            stop, self.step, every_s=TICK_S, open_database=self._open_database, log=log, unusable="devices.unwritten"
        )

    def step(self, db: Database) -> None:
        """Look once at what has come, and at who has been silent for too long."""
        self._known.look(db, self._read_devices)
        while not self._inbox.empty():
            arrived, at = self._inbox.get_nowait()
            self._hear(db, arrived, at)
        now = self._monotonic()
        for name, heard in list(self._heard.items()):
            if now - heard > MISSING_S:
                del self._heard[name]
                self._set(name, connected=False, at=None)
        if self._unwritten or now >= self._flush_at:
            self._write(db, everything=now >= self._flush_at)
        self._catching_up.step(db)

    def _read_devices(self, db: Database) -> None:
        known = {device.name: device for device in devices.everything(db)}
        self._kinds = {name: device.kind for name, device in known.items()}
        for name in self._connected.keys() - known.keys():
            self._forget(name)
        for name, device in known.items():
            if name in self._connected or device.presence is Presence.NEVER:
                continue
            # What was there before this process started is given the time to say so again.
            self._connected[name] = device.connected
            if device.connected and device.kind not in SAYS_ONCE:
                self._heard[name] = self._monotonic()

    def _forget(self, name: str) -> None:
        self._connected.pop(name)
        self._heard.pop(name, None)
        self._last_seen.pop(name, None)
        self._unwritten.discard(name)
        self._catching_up.forget(name)

    def _hear(self, db: Database, arrived: Arrived, at: datetime) -> None:
        found = wire.find(arrived.topic)
        if found is None:
            # Home Assistant's own words, the same for all of them.
            there = arrived.payload == b"online"
            for name in [name for name, kind in self._kinds.items() if kind is DeviceKind.HOME_ASSISTANT]:
                self._set(name, connected=there, at=at if there else None)
            return
        name = found.parts["name"]
        try:
            if found.kind.name == "result":
                told = json.loads(arrived.payload)
                outcome, reason = str(told["outcome"]), str(told.get("reason", ""))
                kept = note_result(
                    db, command_id=found.parts["id"], device=name, outcome=outcome, reason=reason, now=at
                )
                write = log.info if kept and outcome == "done" else log.warning
                write("command.answered", device=name, state=outcome if kept else "unasked")
                return
            sign = sign_of_life(arrived.payload)
        except (ValueError, KeyError, TypeError, AttributeError):
            log.warning("device.unreadable", device=name, kind=found.kind.name)
            return
        if not sign.there:
            self._heard.pop(name, None)
        elif self._kinds.get(name) not in SAYS_ONCE:
            self._heard[name] = self._monotonic()
        if sign.asks and self._kinds.get(name) in SHOWING:
            self._catching_up.want(name)
        self._set(name, connected=sign.there, at=at if sign.there else None)

    def _set(self, name: str, *, connected: bool, at: datetime | None) -> None:
        if at is not None:
            self._last_seen[name] = at
        if self._connected.get(name) != connected:
            self._connected[name] = connected
            self._unwritten.add(name)

    def _write(self, db: Database, *, everything: bool) -> None:
        names = set(self._last_seen) if everything else self._unwritten
        seen = {}
        for name in names | self._unwritten:
            device = devices.find(db, name)
            last = self._last_seen.get(name) or (device.last_seen if device else None)
            if last is not None:
                seen[name] = (last, self._connected[name])
        if seen:
            for name in note_presence(db, seen, now=self._clock.now()):
                write = log.info if self._connected[name] else log.warning
                write("device.connected" if self._connected[name] else "device.missing", device=name)
                if self._connected[name] and self._kinds.get(name) in SHOWING:
                    self._catching_up.want(name)
        self._unwritten.clear()
        if everything:
            self._last_seen.clear()
            self._flush_at = self._monotonic() + FLUSH_S
