"""Who follows which call word by word at this moment. Kept in memory; the audit chain keeps what is over."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from edge_agent.store.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """One person listens in on one call, from `begun_at` (UTC) on."""

    listening_id: str
    call_id: str
    seat: str
    person: str
    begun_at: datetime


def put(db: Database, listening: Listening) -> None:
    """Show that somebody listens in."""
    db.put("listenings", {**asdict(listening), "begun_at": listening.begun_at.isoformat()}, key=("listening_id",))


def remove(db: Database, listening_id: str) -> None:
    """Show it no more."""
    db.table("listenings").delete_where("listening_id = ?", [listening_id])


def everything(db: Database) -> list[Listening]:
    """Return who listens in now, the first who began first."""
    rows = db.table("listenings").rows_where(order_by="begun_at, listening_id")
    return [Listening(**{**row, "begun_at": datetime.fromisoformat(row["begun_at"])}) for row in rows]


def calls(db: Database) -> frozenset[str]:
    """Return the calls somebody listens in on."""
    return frozenset(listening.call_id for listening in everything(db))
