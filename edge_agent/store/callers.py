"""Whose calls incidents came from, by the handle of the caller's number (`domain/caller.py`)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from edge_agent.domain.alert import AlertKind
from edge_agent.domain.incident import IncidentState
from edge_agent.store.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The caller of an incident: the handle, and how many incidents of the same number came before it."""

    handle: str
    before: int


def note(db: Database, *, incident_id: str, call_id: str) -> None:
    """Keep the caller of an incident, if its call was announced with a number."""
    db.conn.execute(
        "INSERT OR IGNORE INTO incident_callers (incident_id, caller)"
        " SELECT ?, caller FROM announced_calls WHERE call_id = ? AND caller != ''",
        [incident_id, call_id],
    )


def find(db: Database, incident_id: str) -> Caller | None:
    """Return whose call an incident came from, or None if that is not known, or not any more.

    Counted before it are suspicions and calls for help that people have not ruled out: nobody is told of a caller that
    the box was wrong about them, and a life in danger is never counted.
    """
    rows = db.query(
        "SELECT own.caller AS handle, ("
        "  SELECT COUNT(*) FROM incident_callers AS other JOIN incidents USING (incident_id)"
        "  WHERE other.caller = own.caller AND incidents.opened_at < this.opened_at"
        "  AND incidents.kind != ? AND incidents.state != ? AND incidents.ruled_out IS NULL"
        ") AS before FROM incident_callers AS own JOIN incidents AS this USING (incident_id) WHERE own.incident_id = ?",
        [AlertKind.LIFE_SAFETY.value, IncidentState.WITHDRAWN.value, incident_id],
    )
    for row in rows:
        return Caller(handle=row["handle"], before=row["before"])
    return None


def forget_before(db: Database, moment: datetime) -> None:
    """Forget the callers of incidents opened before a moment, and of calls that are over."""
    told = moment.isoformat()
    db.conn.execute(
        "DELETE FROM incident_callers WHERE incident_id IN (SELECT incident_id FROM incidents WHERE opened_at < ?)",
        [told],
    )
    db.conn.execute("UPDATE announced_calls SET caller = '' WHERE ended_at IS NOT NULL")
