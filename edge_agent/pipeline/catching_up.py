"""Telling panels that have come, or that ask, what is under way: a few at a time, so that a new alert never waits."""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from edge_agent.domain.device import MISSING_S
from edge_agent.log import Log
from edge_agent.pipeline.rounds import make_rounds
from edge_agent.ports import Arrived, Clock
from edge_agent.services import topics, wire
from edge_agent.services.catching_up import tell_under_way
from edge_agent.settings import Box
from edge_agent.store.database import Database

TICK_S = 0.5
INBOX = 4096
CATCHING_UP_S = 5.0
"""Shortest time between two tellings of one panel what is under way; it gets it later, not never."""
TOLD_AT_ONCE = 20
"""Incidents told to panels in one step, and then no more panel: when two hundred come back together, a new alert must
not wait behind all that they are told."""

log = Log("devices")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """A device's sign of life: whether it is there, and whether it asks for what is under way."""

    there: bool
    asks: bool


def sign_of_life(payload: bytes) -> Sign:
    """Read a sign of life; raise `ValueError`, `KeyError` or `TypeError` for what is none."""
    told = json.loads(payload)
    if not isinstance(told, dict):
        raise TypeError(type(told).__name__)
    there = told["state"] == "online"
    return Sign(there=there, asks=there and told.get("wants") == "under-way")


class CatchingUp:
    """Who is to be told what is under way; `owner` is the process that tells, each what it sends itself."""

    def __init__(self, *, box: Box, clock: Clock, owner: str, monotonic: Callable[[], float]) -> None:
        self._box = box
        self._clock = clock
        self._owner = owner
        self._monotonic = monotonic
        self._behind: dict[str, None] = {}
        """Whoever has waited longest first."""
        self._told_at: dict[str, float] = {}

    def want(self, name: str) -> None:
        """A device has come, or asks."""
        self._behind[name] = None

    def forget(self, name: str) -> None:
        """A device is not there any more."""
        self._behind.pop(name, None)

    def step(self, db: Database) -> None:
        """Tell some of those who wait."""
        now, told = self._monotonic(), 0
        for name in list(self._behind):
            if told >= TOLD_AT_ONCE:
                return
            if now - self._told_at.get(name, -CATCHING_UP_S) < CATCHING_UP_S:
                continue
            del self._behind[name]
            self._told_at[name] = now
            if count := tell_under_way(db, name, box=self._box, owner=self._owner, now=self._clock.now()):
                told += count
                log.info("device.caught_up", device=name, count=count)


class PanelWatch:
    """The thread by which a process beside the agent tells panels that have come what it sends itself.

    It keeps no record of who is there: that is the agent's. After its own start everybody it hears has come; a panel
    drops what it knows.
    """

    def __init__(
        self,
        *,
        box: Box,
        clock: Clock,
        owner: str,
        open_database: Callable[[], Database],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._base = f"{topics.base(box)}/"
        self._open_database = open_database
        self._monotonic = monotonic
        self._inbox: queue.Queue[tuple[str, Sign]] = queue.Queue(INBOX)
        self._heard: dict[str, float] = {}
        """When who is there was last heard, monotonic seconds."""
        self._catching_up = CatchingUp(box=box, clock=clock, owner=owner, monotonic=monotonic)

    def take(self, arrived: Arrived) -> None:
        """Take a sign of life; what is none, or too much, is left out."""
        found = wire.find(arrived.topic)
        if found is None or found.kind.name != "alive" or not arrived.topic.startswith(self._base):
            return
        try:
            self._inbox.put_nowait((found.parts["name"], sign_of_life(arrived.payload)))
        except (ValueError, KeyError, TypeError):
            log.warning("device.unreadable", device=found.parts["name"], kind=found.kind.name)
        except queue.Full:
            log.warning("device.unheard", topic=arrived.topic)

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop; a database that cannot be used is tried again."""
        make_rounds(
            stop, self.step, every_s=TICK_S, open_database=self._open_database, log=log, unusable="devices.untold"
        )

    def step(self, db: Database) -> None:
        """Look once at who has come, and tell some of them."""
        now = self._monotonic()
        self._heard = {name: heard for name, heard in self._heard.items() if now - heard <= MISSING_S}
        while not self._inbox.empty():
            name, sign = self._inbox.get_nowait()
            if not sign.there:
                self._heard.pop(name, None)
                self._catching_up.forget(name)
                continue
            if sign.asks or name not in self._heard:
                self._catching_up.want(name)
            self._heard[name] = now
        self._catching_up.step(db)
