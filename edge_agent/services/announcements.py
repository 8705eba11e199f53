"""Calls are announced. Each function is one transaction."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from edge_agent.domain.announcement import AnnouncedCall, ended, faded, overdue, started, unannounced
from edge_agent.store import announcements, devices
from edge_agent.store.database import Database, writing


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """An integration says that a call of a seat has started or ended.

    Attributes:
        by: the integration's name.
        at: when it happened; None: just now.
        caller: handle of the caller's number; empty if there is none.
    """

    seat: str
    by: str
    at: datetime | None = None
    caller: str = ""


def start(db: Database, told: Announcement, *, now: datetime) -> AnnouncedCall:
    """Keep that a call has started; return it. What is heard at the seat from now on belongs to it.

    Raises:
        UntoldError: it changes nothing.
    """
    new = AnnouncedCall(
        seat=told.seat,
        call_id=uuid.uuid4().hex,
        by=told.by,
        caller=told.caller,
        started_at=told.at or now,
        told_at=now,
    )
    with writing(db):
        call = started(announcements.find(db, told.seat), new)
        announcements.put(db, call)
        devices.note(db, told.by, last_seen=now, connected=False)
    return call


def end(db: Database, told: Announcement, *, now: datetime) -> AnnouncedCall:
    """Keep that the call of a seat is over; return it.

    Raises:
        UntoldError: it changes nothing.
    """
    with writing(db):
        call = ended(announcements.find(db, told.seat), at=told.at or now, now=now)
        announcements.put(db, call)
        devices.note(db, told.by, last_seen=now, connected=False)
    return call


def fade(db: Database, seat: str, call_id: str, *, now: datetime) -> None:
    """Keep that an announced call is over because nobody spoke for too long; one that was not changes nothing."""
    with writing(db):
        known = announcements.find(db, seat)
        if known is not None and known.under_way and known.call_id == call_id:
            announcements.put(db, faded(known, now=now))


def note_unannounced(db: Database, seat: str, *, now: datetime) -> None:
    """Keep that a call is heard at a seat that nobody announced, although calls are announced there."""
    with writing(db):
        known = announcements.find(db, seat)
        if known is not None:
            announcements.put(db, unannounced(known, now=now))


def doubt_overdue(db: Database, *, now: datetime) -> list[AnnouncedCall]:
    """Keep which calls were announced so long ago that something must be wrong; return them."""
    with writing(db):
        late = overdue(announcements.everything(db), now=now)
        for call in late:
            announcements.put(db, call)
    return late
