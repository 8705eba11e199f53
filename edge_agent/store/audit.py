"""The audit chain on disk."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from edge_agent.domain.audit import AuditEntry, sealed
from edge_agent.store.database import Database


def append(
    db: Database, *, at: datetime, actor: str, action: str, subject: str, detail: Mapping[str, str] | None = None
) -> None:
    """Add an entry; call it inside the transaction that does what it records."""
    newest = list(db.table("audit").rows_where(order_by="sequence DESC", limit=1))
    last = _entry(newest[0]) if newest else None
    entry = sealed(last, at=at.isoformat(), actor=actor, action=action, subject=subject, detail=detail or {})
    db.table("audit").insert(
        {
            "sequence": entry.sequence,
            "at": entry.at,
            "actor": entry.actor,
            "action": entry.action,
            "subject": entry.subject,
            "detail": json.dumps(dict(entry.detail), ensure_ascii=False, sort_keys=True),
            "previous": entry.previous,
            "digest": entry.digest,
        }
    )


def entries(db: Database) -> Iterator[AuditEntry]:
    """Yield the whole chain from its first entry."""
    for row in db.table("audit").rows_where(order_by="sequence"):
        yield _entry(row)


def newest(db: Database, limit: int, *, before: int | None = None, name: str | None = None) -> list[AuditEntry]:
    """Return the newest entries, the newest first.

    `before` leaves out that sequence and what came after it; `name` keeps what this actor did and what was done to it.
    """
    chosen, values = ["1"], {"before": before, "name": name}
    if before is not None:
        chosen.append("sequence < :before")
    if name is not None:
        chosen.append("(actor = :name OR subject = :name)")
    rows = db.table("audit").rows_where(" AND ".join(chosen), values, order_by="sequence DESC", limit=limit)
    return [_entry(row) for row in rows]


def of(db: Database, subject: str) -> list[AuditEntry]:
    """Return what happened to one subject, the first entry first."""
    return [_entry(row) for row in db.table("audit").rows_where("subject = ?", [subject], order_by="sequence")]


def _entry(row: dict[str, Any]) -> AuditEntry:
    return AuditEntry(**{**row, "detail": json.loads(row["detail"])})
