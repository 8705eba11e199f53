"""The thread that goes up the ladder: what it knows lies in the database, so a restart continues where it was."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from edge_agent.domain.policy import Policy
from edge_agent.log import Log
from edge_agent.pipeline.rounds import make_rounds
from edge_agent.ports import Clock
from edge_agent.services.escalation import escalate
from edge_agent.settings import Box, Seat
from edge_agent.store import outbox
from edge_agent.store.database import Database

TICK_S = 0.5
"""Between two looks at the incidents nobody has acknowledged; small against the ladder's tens of seconds."""

log = Log("escalator")


class Escalator:
    """A thread that owns a connection to the main database."""

    def __init__(
        self,
        *,
        box: Box,
        policy: Policy,
        clock: Clock,
        open_database: Callable[[], Database],
        seats: Sequence[Seat] = (),
        owner: str = outbox.AGENT,
    ) -> None:
        """Prepare the ladder of what `owner` sends."""
        self._owner = owner
        self._box = box
        self._policy = policy
        self._clock = clock
        self._open_database = open_database
        self._seat_groups = {seat.seat: seat.group for seat in seats}

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop; a database that cannot be written is tried again."""
        make_rounds(
            stop,
            self._look,
            every_s=TICK_S,
            open_database=self._open_database,
            log=log,
            unusable="escalation.unwritten",
        )

    def _look(self, db: Database) -> None:
        done = escalate(
            db,
            policy=self._policy,
            box=self._box,
            now=self._clock.now(),
            seat_groups=self._seat_groups,
            owner=self._owner,
        )
        if done:
            log.info("escalation", count=done)
