"""From the outbox to the broker, and receipts back: nothing is forgotten before the broker has it."""

from __future__ import annotations

import json
import queue
import re
import threading
from collections import deque
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime

from edge_agent.errors import StoreError
from edge_agent.log import Log
from edge_agent.ports import Arrived, Clock, Messenger
from edge_agent.services import incidents, topics, wire
from edge_agent.settings import Box
from edge_agent.store import outbox
from edge_agent.store.commit_watch import CommitWatch
from edge_agent.store.database import Database, reading, writing
from edge_agent.store.outbox import OutboxRow

POLL_S = 0.05
"""How long a committed row may lie before it is noticed; small against the 2 s an alert may take."""
HEARTBEAT_S = 10.0
IN_FLIGHT = 100
"""Messages given to the broker and not acknowledged yet."""
REFUSED_WAIT_S = 10.0
"""Wait before a message the broker refused is offered again; the others do not wait for it."""
STORE_WAIT_S = 1.0
"""Wait before a database that could not be read or written is tried again."""
RECEIPTS = 1000
"""Receipts kept in memory while the disk is full; the oldest give way."""

log = Log("sender")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Receipt:
    """What a panel said of an alert, and when it arrived here."""

    alert_id: str
    panel: str
    kind: str
    at: datetime


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
        on_message: Callable[[Arrived], None] = lambda _message: None,
        owner: str = outbox.AGENT,
        heartbeat: str | None = None,
        poll_s: float = POLL_S,
    ) -> None:
        """Prepare the way.

        `owner`: whose messages of the outbox are sent. `heartbeat`: its topic, None for the agent's. `on_message` gets
        what arrives and is no receipt.
        """
        self._box = box
        self._owner = owner
        self._poll_s = poll_s
        self._heartbeat = heartbeat or topics.health(box)
        self._messenger = messenger
        self._clock = clock
        self._open_database = open_database
        self._health = health
        self._on_message = on_message
        self._in_flight: dict[int, int] = {}
        self._unmarked: set[int] = set()
        self._refused: dict[int, float] = {}
        """Seconds until a refused row is offered again, by row id."""
        self._receipts: deque[_Receipt] = deque(maxlen=RECEIPTS)
        self._states: dict[str, str] = {}
        self._changed: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()
        self._direct: deque[tuple[str, str]] = deque()
        self._seen_generation = 0
        self._outbox = CommitWatch()
        self._since_heartbeat = HEARTBEAT_S
        self._until_read = self._until_write = 0.0
        base = re.escape(topics.base(box))
        self._receipt = re.compile(rf"{base}/ack/(?P<alert>[^/]+)/(?P<panel>[^/]+)")
        self.unsent = 0

    def show_state(self, topic: str, payload: str) -> None:
        """Publish a retained state; the newest one of a topic is sent again after every reconnection."""
        self._changed.put((topic, payload))

    def send_unstored(self, topic: str, payload: str) -> None:
        """Send something that could not be written: people must see it although the disk is full."""
        self._direct.append((topic, payload))

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop."""
        with closing(self._open_database()) as db:
            while not stop.wait(self._poll_s):
                self._step(db)

    def _step(self, db: Database) -> None:
        self._pass_time()
        self._take_outcomes()
        self._take_receipts()
        if (self._unmarked or self._receipts) and not self._until_write:
            self._write(db)
        connected = self._messenger.connected()
        if connected:
            self._send_states()
            self._send_direct()
        if not self._until_read:
            self._read(db, send=connected)
        if connected and self._since_heartbeat >= HEARTBEAT_S:
            self._since_heartbeat = 0.0
            heartbeat = {"at": self._clock.now().isoformat(), "unsent": self.unsent, **self._health()}
            self._messenger.send(topic=self._heartbeat, payload=json.dumps(heartbeat), retain=True)

    def _pass_time(self) -> None:
        self._since_heartbeat += self._poll_s
        self._until_read = max(0.0, self._until_read - self._poll_s)
        self._until_write = max(0.0, self._until_write - self._poll_s)
        self._refused = {row_id: left - self._poll_s for row_id, left in self._refused.items() if left > self._poll_s}

    def _take_outcomes(self) -> None:
        for outcome in self._messenger.outcomes():
            row_id = self._in_flight.pop(outcome.ticket, None)
            if outcome.refused is not None:
                log.error("message.refused", reason_code=outcome.refused.replace(" ", "_"))
                if row_id is not None:
                    self._refused[row_id] = REFUSED_WAIT_S
            elif row_id is not None:
                self._unmarked.add(row_id)

    def _take_receipts(self) -> None:
        for message in self._messenger.arrived():
            match = self._receipt.fullmatch(message.topic)
            if match is None:
                self._on_message(message)
                continue
            try:
                kind = json.loads(message.payload)["kind"]
            except (ValueError, KeyError, TypeError):
                log.warning("receipt.unreadable", count=len(message.payload))
                continue
            self._receipts.append(
                _Receipt(alert_id=match["alert"], panel=match["panel"], kind=str(kind), at=self._clock.now())
            )

    def _write(self, db: Database) -> None:
        # What this connection commits does not change its own version: an acknowledgement's message waits there.
        self._outbox.read_again()
        try:
            if self._unmarked:
                with writing(db):
                    for row_id in self._unmarked:
                        outbox.mark_sent(db, row_id, now=self._clock.now())
                self._unmarked.clear()
            while self._receipts:
                receipt = self._receipts[0]
                incidents.note_receipt(
                    db,
                    alert_id=receipt.alert_id,
                    panel=receipt.panel,
                    kind=receipt.kind,
                    box=self._box,
                    now=receipt.at,
                )
                self._receipts.popleft()
        except StoreError as error:
            # Sent but not marked: tried again, and after a restart it is sent once more; panels know its id.
            log.error("outbox.unwritten", error=type(error).__name__, count=len(self._unmarked) + len(self._receipts))
            self._until_write = STORE_WAIT_S

    def _read(self, db: Database, *, send: bool) -> None:
        try:
            with reading(db):
                if self.unsent:
                    self._outbox.read_again()
                self._outbox.look(db, self._count)
                if send and self.unsent:
                    self._send_rows(db)
        except StoreError as error:
            log.error("outbox.unreadable", error=type(error).__name__)
            self._until_read = STORE_WAIT_S

    def _count(self, db: Database) -> None:
        self.unsent = outbox.count_unsent(db, owner=self._owner)

    def _send_rows(self, db: Database) -> None:
        waiting = self._unmarked | self._refused.keys() | set(self._in_flight.values())
        for row in outbox.unsent(db, limit=IN_FLIGHT + len(waiting), owner=self._owner):
            if row.row_id in waiting:
                continue
            if len(self._in_flight) >= IN_FLIGHT:
                return
            expiry_s = self._left(row)
            if expiry_s == 0:
                found = wire.find(row.topic)
                log.warning("message.expired", kind=found.kind.name if found else "-")
                self._unmarked.add(row.row_id)
                continue
            ticket = self._messenger.send(topic=row.topic, payload=row.payload, expiry_s=expiry_s)
            if ticket is None:
                return
            self._in_flight[ticket] = row.row_id

    def _left(self, row: OutboxRow) -> int | None:
        """Return the seconds for which a message is still worth sending; None: for ever."""
        limit = wire.envelope(row.topic, row.payload).expiry_s
        if limit is None:
            return None
        age = self._clock.now() - datetime.fromisoformat(row.created_at)
        return max(0, min(limit, limit - int(age.total_seconds())))

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
        while self._direct:
            topic, payload = self._direct[0]
            if self._messenger.send(topic=topic, payload=payload) is None:
                return
            self._direct.popleft()
