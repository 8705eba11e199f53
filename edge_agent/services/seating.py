"""Sitting down at a seat and leaving it: what an operator's own seat page shows follows from it.

Rules:
1. Nobody sits at two seats, and one person sits at each: whoever sits down takes the place of whoever was there.
2. It is never refused because somebody forgot to leave: whoever works there needs the help button.
3. Every change is audited in the name of who made it.
"""

from __future__ import annotations

from datetime import datetime

from edge_agent.store import audit, seatings
from edge_agent.store.database import Database, writing
from edge_agent.store.seatings import Seating


def sit_down(db: Database, *, person: str, seat: str, now: datetime) -> Seating:
    """Let a person sit at a seat; raise `StoreError` if it cannot be kept. The same seat again changes nothing."""
    with writing(db):
        before = seatings.of_person(db, person)
        if before is not None and before.seat == seat:
            return before
        there = next((each.person for each in seatings.everything(db) if each.seat == seat), "")
        seating = Seating(seat=seat, person=person, since=now)
        seatings.put(db, seating)
        detail = {"from": before.seat if before else "", "instead_of": there}
        audit.append(db, at=now, actor=person, action="seat.taken", subject=seat, detail=detail)
    return seating


def leave(db: Database, *, person: str, now: datetime) -> None:
    """Let a person sit nowhere; raise `StoreError` if it cannot be kept."""
    with writing(db):
        before = seatings.of_person(db, person)
        if before is None:
            return
        seatings.remove(db, person)
        audit.append(db, at=now, actor=person, action="seat.left", subject=before.seat)
