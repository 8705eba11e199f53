"""Messages on their way to the broker: written with what they report, marked sent when the broker has them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from edge_agent.store.database import Database

AGENT = "agent"
BUTTONS = "buttons"
"""Processes that send: every message belongs to one, so that none is sent twice and either works without the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxRow:
    """A message that the broker has not acknowledged yet; `payload` is JSON."""

    row_id: int
    topic: str
    payload: str
    created_at: str
    attempts: int


def put(db: Database, *, topic: str, payload: str, now: datetime, owner: str = AGENT) -> None:
    """Queue a message for `owner` to send; call it inside the transaction that writes what it reports."""
    db.table("outbox").insert({"topic": topic, "payload": payload, "created_at": now.isoformat(), "owner": owner})


def unsent(db: Database, *, after: int = 0, limit: int = 100, owner: str | None = None) -> list[OutboxRow]:
    """Return messages the broker has not acknowledged, the oldest first, whose row id is over `after`.

    `owner`: only those this process sends; None: all.
    """
    whose, names = ("", []) if owner is None else (" AND owner = ?", [owner])
    rows = db.table("outbox").rows_where(
        f"sent_at IS NULL AND row_id > ?{whose}",
        [after, *names],
        select="row_id, topic, payload, created_at, attempts",
        order_by="row_id",
        limit=limit,
    )
    return [OutboxRow(**row) for row in rows]


def mark_sent(db: Database, row_id: int, *, now: datetime) -> None:
    """The broker has acknowledged the message."""
    db.table("outbox").update(row_id, {"sent_at": now.isoformat()})


def count_unsent(db: Database, *, owner: str | None = None) -> int:
    """Return how many messages wait for this process to send them; None: for any."""
    if owner is None:
        return db.table("outbox").count_where("sent_at IS NULL")
    return db.table("outbox").count_where("sent_at IS NULL AND owner = ?", [owner])


def count_overdue(db: Database, *, before: datetime) -> int:
    """Return how many messages were written before that time and still wait."""
    return db.table("outbox").count_where("sent_at IS NULL AND created_at < ?", [before.isoformat()])


def all_sent(db: Database, topic: str) -> bool:
    """Return whether the broker has every message of a topic."""
    return not db.table("outbox").count_where("topic = ? AND sent_at IS NULL", [topic])


def clear_sent(db: Database, *, before: datetime) -> int:
    """Forget messages the broker acknowledged before that time; return how many."""
    return db.execute("DELETE FROM outbox WHERE sent_at < ?", [before.isoformat()]).rowcount
