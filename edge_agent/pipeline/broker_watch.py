"""The thread that reads what the broker has refused, counts it by device and puts it on record.

An attack must not fill the disk: attempts are counted, and the audit chain gets the first at once and then one entry
in `RECORD_EVERY` with their number. Each attempt is in the broker's own log.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from edge_agent.log import Log
from edge_agent.pipeline.rounds import make_rounds
from edge_agent.ports import Clock
from edge_agent.services.broker_log import Refusal, read
from edge_agent.services.incidents import MACHINE
from edge_agent.settings import Box
from edge_agent.store import audit, broker_refusals, devices
from edge_agent.store.broker_refusals import BrokerRefusals
from edge_agent.store.database import Database, writing

TICK_S = 1.0
RECORD_EVERY = timedelta(minutes=10)
AT_ONCE = 256 * 1024
"""Bytes of the file that are read in one look; the rest waits for the next."""

log = Log("broker")


class BrokerWatch:
    """A thread that owns a connection to the main database."""

    def __init__(self, file: Path, *, box: Box, clock: Clock, open_database: Callable[[], Database]) -> None:
        """Prepare to read `file`, which `broker.sh` writes and begins anew from time to time."""
        self._file = file
        self._box = box
        self._clock = clock
        self._open_database = open_database
        self._inode = 0
        self._offset = 0
        self._rest = b""
        self._unwritten: Counter[Refusal] = Counter()

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop; a database that cannot be written is tried again."""
        self._skip_what_is_old()
        make_rounds(
            stop, self.step, every_s=TICK_S, open_database=self._open_database, log=log, unusable="refusals.unwritten"
        )

    def step(self, db: Database) -> None:
        """Look once at what the broker has refused since the last look."""
        if lines := self._lines():
            known = {device.name: device.kind for device in devices.everything(db)}
            self._unwritten.update(r for line in lines if (r := read(line, box=self._box, known=known)) is not None)
        if not self._unwritten:
            return
        now = self._clock.now()
        with writing(db):
            for refusal, count in self._unwritten.items():
                _note(db, refusal, count, now=now)
        for refusal, count in self._unwritten.items():
            log.warning("broker.refused_device", device=refusal.device, kind=refusal.attempt.value, count=count)
        self._unwritten.clear()

    def _skip_what_is_old(self) -> None:
        """Begin where the file ends: what was there before this process is counted already."""
        try:
            stat = self._file.stat()
        except OSError:
            return
        if not self._inode:
            self._inode, self._offset = stat.st_ino, stat.st_size

    def _lines(self) -> list[str]:
        try:
            with self._file.open("rb") as stream:
                stat = os.fstat(stream.fileno())
                if stat.st_ino != self._inode or stat.st_size < self._offset:
                    self._inode, self._offset, self._rest = stat.st_ino, 0, b""
                stream.seek(self._offset)
                found = stream.read(AT_ONCE)
        except OSError:
            # The broker has refused nobody yet.
            return []
        self._offset += len(found)
        *whole, self._rest = (self._rest + found).split(b"\n")
        return [line.decode(errors="replace") for line in whole]


def _note(db: Database, refusal: Refusal, count: int, *, now: datetime) -> None:
    device, attempt = refusal.device, refusal.attempt.value
    before = broker_refusals.find(db, device, attempt) or BrokerRefusals(
        device=device, attempt=attempt, topic="", count=0, last_at=""
    )
    noted = replace(before, topic=refusal.topic, count=before.count + count, last_at=now.isoformat())
    if not noted.recorded_at or now - datetime.fromisoformat(noted.recorded_at) >= RECORD_EVERY:
        detail = {"attempt": attempt, "count": str(noted.count - noted.recorded)}
        detail |= {"topic": refusal.topic} if refusal.topic else {}
        audit.append(db, at=now, actor=MACHINE, action="broker.refused", subject=device, detail=detail)
        noted = replace(noted, recorded=noted.count, recorded_at=now.isoformat())
    broker_refusals.save(db, noted)
