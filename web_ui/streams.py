"""One page's end of the live feed, and how many there may be."""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass

import msgspec

from edge_agent.domain.roles import Right, may
from edge_agent.settings import Settings
from edge_agent.store.people import Person
from web_ui.floor_state import Change
from web_ui.sight import WHOLE_FLOOR, Sight, sight_of

STREAMS = 200
"""Pages connected at once; `python -m tests.bench panels` measures with so many."""
LISTENERS = 20
"""People who listen in at once, on top: a floor full of panels must not keep anybody from it."""
BACKLOG = 256
"""Events that may wait for one page before it is cut off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event of the stream, ready to be sent; `change` is None for what everybody may know."""

    number: int
    event_id: str
    name: str
    change: Change | None
    wire: bytes

    def seen_with(self, sight: Sight) -> bytes | None:
        """Return the event as somebody sees it, or None if it is none of theirs."""
        if self.change is None:
            return self.wire
        seen = sight.of_change(self.change)
        if seen is self.change or seen is None:
            return self.wire if seen else None
        return wire_event(self.name, seen, event_id=self.event_id)


class Subscriber:
    """One page's end of the feed: what it sees, and the session it needs (None: it looks after that itself)."""

    def __init__(self, sight: Sight = WHOLE_FLOOR, token: str | None = None, right: Right = Right.FOLLOW) -> None:
        self.sight = sight
        self.token = token
        self.right = right
        self._queue: queue.Queue[bytes | None] = queue.Queue(BACKLOG)
        self._cut = threading.Event()

    def put(self, wire: bytes) -> bool:
        """Hand over an event; False if the page is too slow, and it is cut off."""
        try:
            self._queue.put_nowait(wire)
        except queue.Full:
            self.cut()
            return False
        return True

    def cut(self) -> None:
        """End the stream; what is still waiting is dropped, the page will ask for it again."""
        self._cut.set()
        try:
            # Wakes whoever waits for the next event; with a full queue nobody does.
            self._queue.put_nowait(None)
        except queue.Full:
            return

    @property
    def is_cut(self) -> bool:
        """Whether the stream shall end."""
        return self._cut.is_set()

    def get(self, timeout: float) -> bytes | None:
        """Return the next event, or None if the stream ends; raise `queue.Empty` after `timeout` seconds."""
        return self._queue.get(timeout=timeout)

    def is_of(self, person: Person | None, settings: Settings) -> bool:
        """Return whether the person behind its session (None: nobody) still may follow, and sees the same as before.

        Somebody whose role or groups have changed comes back for what they see now.
        """
        if person is None or person.must_change or not may(person.role, self.right):
            return False
        now_seen = sight_of(person, settings)
        if self.right is Right.SEE_SEAT:
            # Whose seat it is, its page finds out from the floor itself.
            return all(now_seen.sees(seat) for seat in self.sight.seats or ())
        return self.sight in (now_seen, now_seen.on_the_wall())


def wire_event(name: str, payload: object, *, event_id: str | None = None) -> bytes:
    """Return an event as a browser's EventSource reads it."""
    head = f"id: {event_id}\n" if event_id else ""
    return f"{head}event: {name}\ndata: ".encode() + msgspec.json.encode(payload) + b"\n\n"
