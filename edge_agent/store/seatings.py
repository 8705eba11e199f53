"""Who sits where: the seat at which an operator works at present."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from edge_agent.store.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Seating:
    """One person sits at one seat, `since` then (UTC)."""

    seat: str
    person: str
    since: datetime


def put(db: Database, seating: Seating) -> None:
    """Keep who sits at a seat, in place of whoever sat there; nobody sits at two."""
    db.table("seatings").delete_where("person = ? OR seat = ?", [seating.person, seating.seat])
    db.table("seatings").insert({**asdict(seating), "since": seating.since.isoformat()})


def remove(db: Database, person: str) -> None:
    """Keep that a person sits nowhere."""
    db.table("seatings").delete_where("person = ?", [person])


def of_person(db: Database, person: str) -> Seating | None:
    """Return where a person sits, None if nowhere."""
    return next((seating for seating in everything(db) if seating.person == person), None)


def everything(db: Database) -> list[Seating]:
    """Return who sits where, by seat."""
    rows = db.table("seatings").rows_where(order_by="seat")
    return [Seating(**{**row, "since": datetime.fromisoformat(row["since"])}) for row in rows]
