"""From the outbox to the broker, and receipts back: nothing is forgotten before the broker has it."""

from __future__ import annotations

import json
import queue
import re
import threading
from collections.abc import Callable

from edge_agent.errors import StoreError
from edge_agent.log import Log
from edge_agent.ports import Clock, Messenger
from edge_agent.services import incidents, topics
from edge_agent.settings import Box
from edge_agent.store import outbox
from edge_agent.store.database import Database, writing

POLL_S = 0.05
"""How long a committed row may lie before it is noticed; small against the 2 s an alert may take."""
HEARTBEAT_S = 10.0
IN_FLIGHT = 100
"""Messages given to the broker and not acknowledged yet."""
REFUSED_WAIT_S = 10.0
"""Wait before a message the broker refused is offered again."""

log = Log("sender")


class Sender:
    """A thread that owns a connection to the main database and the way to the broker."""

    def __init__(
        self,
        *,
        box: Box,
        messenger: Messenger,
        clock: Clock,
        open_database: Callable[[], Database],
        health: Callable[[], dict[str, object]],
    ) -> None:
        self._box = box
        self._messenger = messenger
        self._clock = clock
        self._open_database = open_database
        self._health = health
        self._in_flight: dict[int, int] = {}
        self._unmarked: set[int] = set()
        self._refused = False
        self._states: dict[str, str] = {}
        self._changed: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()
        self._direct: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()
        self._seen_generation = 0
        base = re.escape(topics.base(box))
        self._receipt = re.compile(rf"{base}/ack/(?P<alert>[^/]+)/(?P<panel>[^/]+)")
        self.unsent = 0

    def show_state(self, topic: str, payload: str) -> None:
        """Publish a retained state; the newest one of a topic is sent again after every reconnection."""
        self._changed.put((topic, payload))

    def send_unstored(self, topic: str, payload: str) -> None:
        """Send something that could not be written: people must see it although the disk is full."""
        self._direct.put((topic, payload))

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop."""
        db = self._open_database()
        version, since_heartbeat = -1, HEARTBEAT_S
        wait_refused = 0.0
        while not stop.wait(POLL_S):
            since_heartbeat += POLL_S
            wait_refused = max(0.0, wait_refused - POLL_S)
            acknowledged = self._take_outcomes(db)
            self._take_receipts(db)
            if self._refused:
                self._refused, wait_refused = False, REFUSED_WAIT_S
            new_version = db.version()
            if acknowledged or new_version != version or self.unsent:
                version = new_version
                self.unsent = outbox.count_unsent(db)
            if not self._messenger.connected():
                continue
            self._send_states()
            self._send_direct()
            if self.unsent and not wait_refused:
                self._send_rows(db)
            if since_heartbeat >= HEARTBEAT_S:
                since_heartbeat = 0.0
                heartbeat = {"at": self._clock.now().isoformat(), "unsent": self.unsent, **self._health()}
                self._messenger.send(topic=topics.health(self._box), payload=json.dumps(heartbeat), retain=True)

    def _send_rows(self, db: Database) -> None:
        waiting = self._unmarked.union(self._in_flight.values())
        for row in outbox.unsent(db, limit=IN_FLIGHT):
            if row.row_id in waiting or len(self._in_flight) >= IN_FLIGHT:
                continue
            ticket = self._messenger.send(topic=row.topic, payload=row.payload)
            if ticket is None:
                return
            self._in_flight[ticket] = row.row_id

    def _take_outcomes(self, db: Database) -> bool:
        for outcome in self._messenger.outcomes():
            row_id = self._in_flight.pop(outcome.ticket, None)
            if outcome.refused is not None:
                self._refused = True
                log.error("message.refused", reason_code=outcome.refused.replace(" ", "_"))
            elif row_id is not None:
                self._unmarked.add(row_id)
        if not self._unmarked:
            return False
        try:
            with writing(db):
                for row_id in self._unmarked:
                    outbox.mark_sent(db, row_id, now=self._clock.now())
        except StoreError as error:
            # Sent but not marked: tried again, and after a restart it is sent once more; panels know its id.
            log.error("outbox.unmarked", error=type(error).__name__, count=len(self._unmarked))
            return False
        self._unmarked.clear()
        return True

    def _take_receipts(self, db: Database) -> None:
        for message in self._messenger.arrived():
            match = self._receipt.fullmatch(message.topic)
            if match is None:
                continue
            try:
                kind = json.loads(message.payload)["kind"]
            except (ValueError, KeyError, TypeError):
                log.warning("receipt.unreadable", count=len(message.payload))
                continue
            try:
                incidents.note_receipt(
                    db,
                    alert_id=match["alert"],
                    panel=match["panel"],
                    kind=str(kind),
                    box=self._box,
                    now=self._clock.now(),
                )
            except StoreError as error:
                log.error("receipt.unwritten", error=type(error).__name__)

    def _send_states(self) -> None:
        changed = {}
        while not self._changed.empty():
            topic, payload = self._changed.get()
            changed[topic] = payload
        self._states |= changed
        generation = self._messenger.generation()
        again = generation != self._seen_generation
        self._seen_generation = generation
        for topic, payload in (self._states if again else changed).items():
            self._messenger.send(topic=topic, payload=payload, retain=True)

    def _send_direct(self) -> None:
        while not self._direct.empty():
            topic, payload = self._direct.get()
            self._messenger.send(topic=topic, payload=payload)
