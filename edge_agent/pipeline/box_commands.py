"""The thread that hears what the box is told to do, by devices of kind `console` alone.

The broker lets each console write below a name of its own, so that who gave a command is known. The rules by which one
is obeyed are those of every device (`domain/command.py`).
"""

from __future__ import annotations

import json
import queue
import re
import threading
from collections.abc import Callable
from datetime import datetime

from edge_agent.domain.command import BoxCommand, Command, Obedience, Refusal
from edge_agent.log import Log
from edge_agent.pipeline.rounds import make_rounds
from edge_agent.ports import Arrived, Clock
from edge_agent.services import topics, wire
from edge_agent.services.box_commands import answer, known_commands, obey
from edge_agent.settings import Settings
from edge_agent.store.database import Database

TICK_S = 0.5
INBOX = 64
"""Commands that wait; nobody gives more, and what is too much is left out and logged."""
ID = re.compile(r"[0-9a-zA-Z-]{1,64}")

log = Log("commands")


class BoxCommands:
    """A thread that owns a connection to the main database."""

    def __init__(self, *, settings: Settings, clock: Clock, open_database: Callable[[], Database]) -> None:
        self._settings = settings
        self._base = f"{topics.base(settings.box)}/"
        self._clock = clock
        self._open_database = open_database
        self._obedience = Obedience(started_at=clock.now(), knows=known_commands())
        self._inbox: queue.Queue[Arrived] = queue.Queue(INBOX)

    def take(self, arrived: Arrived) -> None:
        """Take a command to the box; everything else is left out."""
        found = wire.find(arrived.topic)
        if found is None or found.kind.name != "box-command" or not arrived.topic.startswith(self._base):
            return
        try:
            self._inbox.put_nowait(arrived)
        except queue.Full:
            log.warning("command.unheard", device=found.parts["name"])

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop."""
        # What could not be written was not obeyed, or nobody was told so; its time passes: it is not tried again.
        make_rounds(
            stop, self.step, every_s=TICK_S, open_database=self._open_database, log=log, unusable="command.unwritten"
        )

    def step(self, db: Database) -> None:
        """Obey or refuse what has come since the last look."""
        while not self._inbox.empty():
            self._decide(db, self._inbox.get_nowait())

    def _decide(self, db: Database, arrived: Arrived) -> None:
        found = wire.find(arrived.topic)
        if found is None:
            return
        now = self._clock.now()
        device, name = found.parts["name"], found.parts["command"]
        command = _read(arrived.payload, name)
        refusal = self._obedience.refuses(command, now=now) if command else Refusal.UNREADABLE
        by = f"console:{device}"
        count = 0
        if refusal is None:
            count = obey(db, BoxCommand(name), settings=self._settings, by=by, now=now)
            log.info("command.obeyed", device=device, count=count)
        else:
            log.warning("command.refused", device=device, state=refusal.value)
        answer(
            db,
            command_id=command.id if command else "unreadable",
            # What cannot be read, or is not known, is not repeated in the records.
            command=name if name in known_commands() else "-",
            refusal=refusal,
            settings=self._settings,
            by=by,
            now=now,
            count=count,
        )


def _read(payload: bytes, name: str) -> Command | None:
    """Return the command of a message on the topic of `name`, or None if it is none."""
    try:
        message = json.loads(payload)
        command = Command(
            id=str(message["id"]),
            name=str(message["command"]),
            issued_at=datetime.fromisoformat(message["issued_at"]),
            expires_at=datetime.fromisoformat(message["expires_at"]),
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    aware = command.issued_at.tzinfo is not None and command.expires_at.tzinfo is not None
    return command if aware and command.name == name and ID.fullmatch(command.id) else None
