"""The thread that keeps Home Assistant's picture of the floor right: entities come with a line and go with it.

What was told before is read back from the broker, where it is retained: a line taken out of the settings is cleaned up
at the next start, and everything when no device of kind `home-assistant` is left.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping

from edge_agent.domain.device import DeviceKind
from edge_agent.log import Log
from edge_agent.pipeline.rounds import make_rounds
from edge_agent.ports import Arrived
from edge_agent.services import wire
from edge_agent.store import devices
from edge_agent.store.commit_watch import CommitWatch
from edge_agent.store.database import Database

TICK_S = 1.0

log = Log("discovery")


class Discovery:
    """A thread that owns a connection to the main database.

    `entities`: what is told while Home Assistant is among the devices, topic to JSON.
    """

    def __init__(
        self,
        entities: Mapping[str, str],
        *,
        show_state: Callable[[str, str], None],
        open_database: Callable[[], Database],
    ) -> None:
        self._entities = entities
        self._show_state = show_state
        self._open_database = open_database
        self._inbox: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()
        self._told: dict[str, str] = {}
        self._wanted: Mapping[str, str] = {}
        self._devices = CommitWatch()

    def take(self, arrived: Arrived) -> None:
        """Take what the broker holds of our entities; everything else is left out."""
        found = wire.find(arrived.topic)
        if found is not None and found.kind.name == "discovery":
            self._inbox.put((arrived.topic, arrived.payload.decode(errors="replace")))

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop; a database that cannot be read is tried again."""
        make_rounds(
            stop, self.step, every_s=TICK_S, open_database=self._open_database, log=log, unusable="discovery.unreadable"
        )

    def _read(self, db: Database) -> None:
        there = any(device.kind is DeviceKind.HOME_ASSISTANT for device in devices.everything(db))
        self._wanted = self._entities if there else {}

    def step(self, db: Database) -> None:
        """Look once at whether Home Assistant is among the devices, and at what it was told."""
        self._devices.look(db, self._read)
        while not self._inbox.empty():
            topic, payload = self._inbox.get()
            if payload:
                self._told[topic] = payload
            else:
                self._told.pop(topic, None)
        for topic in [topic for topic in self._told if topic not in self._wanted]:
            self._show_state(topic, "")
            del self._told[topic]
        for topic, payload in self._wanted.items():
            if self._told.get(topic) != payload:
                self._show_state(topic, payload)
                self._told[topic] = payload
