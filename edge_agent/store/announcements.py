"""The newest call announced of every seat, and what each integration may announce."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from edge_agent.domain.announcement import AnnouncedCall, AnnouncedEnd
from edge_agent.store.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Integration:
    """What may announce calls: its name, the SHA-256 of its token, and its seats (empty: all)."""

    name: str
    token_hash: str
    seats: tuple[str, ...] = ()

    def may(self, seat: str) -> bool:
        """Return whether it may speak for a seat."""
        return not self.seats or seat in self.seats


def put_integration(db: Database, integration: Integration) -> None:
    """Keep an integration, in place of an earlier one of its name."""
    db.put("integrations", asdict(integration) | {"seats": json.dumps(integration.seats)}, key=("name",))


def remove_integration(db: Database, name: str) -> None:
    """Forget an integration."""
    db.table("integrations").delete_where("name = ?", [name])


def integrations(db: Database) -> list[Integration]:
    """Return all integrations by name."""
    return [
        Integration(name=row["name"], token_hash=row["token_hash"], seats=tuple(json.loads(row["seats"])))
        for row in db.table("integrations").rows_where(order_by="name")
    ]


def put(db: Database, call: AnnouncedCall) -> None:
    """Keep the newest call announced of a seat."""
    row = asdict(call) | {
        "started_at": call.started_at.isoformat(),
        "told_at": call.told_at.isoformat(),
        "ended_at": call.ended_at.isoformat() if call.ended_at else None,
        "end": call.end.value if call.end else None,
        "doubted_at": call.doubted_at.isoformat() if call.doubted_at else None,
    }
    db.put("announced_calls", row, key=("seat",))


def find(db: Database, seat: str) -> AnnouncedCall | None:
    """Return the newest call announced of a seat, or None."""
    for row in db.table("announced_calls").rows_where("seat = ?", [seat]):
        return _call(row)
    return None


def everything(db: Database) -> list[AnnouncedCall]:
    """Return the newest call announced of every seat, by seat."""
    return [_call(row) for row in db.table("announced_calls").rows_where(order_by="seat")]


def forget_of(db: Database, by: str) -> None:
    """Forget what an integration announced."""
    db.table("announced_calls").delete_where("by = ?", [by])


def _call(row: dict[str, Any]) -> AnnouncedCall:
    return AnnouncedCall(
        seat=row["seat"],
        call_id=row["call_id"],
        by=row["by"],
        caller=row["caller"],
        started_at=datetime.fromisoformat(row["started_at"]),
        told_at=datetime.fromisoformat(row["told_at"]),
        ended_at=datetime.fromisoformat(row["ended_at"]) if row["ended_at"] else None,
        end=AnnouncedEnd(row["end"]) if row["end"] else None,
        doubted_at=datetime.fromisoformat(row["doubted_at"]) if row["doubted_at"] else None,
    )
