"""Pauses: the one under way at a seat survives a restart, or the box would listen in the middle of a card number."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from edge_agent.domain.pause import Pause, PauseSource
from edge_agent.store.database import Database


def put(db: Database, pause: Pause) -> None:
    """Keep a pause under way, in place of an earlier state of it."""
    row = asdict(pause) | {
        "source": pause.source.value,
        "begun_at": pause.begun_at.isoformat(),
        "until": pause.until.isoformat(),
        "keys_until": pause.keys_until.isoformat() if pause.keys_until else None,
    }
    db.put("pauses", row, key=("seat",))


def remove(db: Database, seat: str) -> None:
    """The pause of a seat is over."""
    db.table("pauses").delete_where("seat = ?", [seat])


def find(db: Database, seat: str) -> Pause | None:
    """Return the pause under way at a seat, or None."""
    for row in db.table("pauses").rows_where("seat = ?", [seat]):
        return _pause(row)
    return None


def everything(db: Database) -> list[Pause]:
    """Return the pauses under way by seat."""
    return [_pause(row) for row in db.table("pauses").rows_where(order_by="seat")]


def _pause(row: dict[str, Any]) -> Pause:
    return Pause(
        pause_id=row["pause_id"],
        seat=row["seat"],
        call_id=row["call_id"],
        source=PauseSource(row["source"]),
        by=row["by"],
        begun_at=datetime.fromisoformat(row["begun_at"]),
        until=datetime.fromisoformat(row["until"]),
        keys_until=datetime.fromisoformat(row["keys_until"]) if row["keys_until"] else None,
    )
