"""Which panel got which alert, and when somebody saw it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from edge_agent.store.database import Database

KINDS = ("delivered", "seen", "acknowledged")


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """One panel's word about one alert; `kind` is one of `KINDS`, `at` ISO 8601 in UTC."""

    alert_id: str
    panel: str
    kind: str
    at: str


def note(db: Database, *, alert_id: str, panel: str, kind: str, at: datetime) -> bool:
    """Keep a receipt; return False if the panel had said so before (the first time stands)."""
    fields = {"alert_id": alert_id, "panel": panel, "kind": kind, "at": at.isoformat()}
    before = db.table("receipts").count_where("alert_id = ? AND panel = ? AND kind = ?", [alert_id, panel, kind])
    if before:
        return False
    db.table("receipts").insert(fields)
    return True


def of(db: Database, alert_id: str) -> list[Receipt]:
    """Return all receipts of an alert in order of time."""
    return [Receipt(**row) for row in db.table("receipts").rows_where("alert_id = ?", [alert_id], order_by="at")]
