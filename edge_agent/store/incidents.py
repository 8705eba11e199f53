"""Incidents with their alerts."""

from __future__ import annotations

import msgspec

from edge_agent.domain.alert import AlertKind
from edge_agent.domain.incident import FINISHED, Incident, IncidentState
from edge_agent.store.database import Database


def save(db: Database, incident: Incident) -> None:
    """Keep an incident, in place of an earlier version of it."""
    alert = incident.alert
    db.put(
        "incidents",
        {
            "incident_id": incident.incident_id,
            "call_id": alert.call_id,
            "seat": alert.seat,
            "kind": alert.kind.value,
            "state": incident.state.value,
            "severity": int(alert.severity),
            "revision": alert.revision,
            "opened_at": incident.opened_at.isoformat(),
            "record": msgspec.json.encode(incident).decode(),
        },
        key=("incident_id",),
    )


def find(db: Database, incident_id: str) -> Incident | None:
    """Return one incident, or None if there is none of that id."""
    rows = list(db.table("incidents").rows_where("incident_id = ?", [incident_id], select="record"))
    return _incident(rows[0]["record"]) if rows else None


def unfinished(db: Database) -> list[Incident]:
    """Return the incidents nobody has closed, the newest first."""
    over = sorted(FINISHED)
    rows = db.table("incidents").rows_where("state NOT IN (?, ?, ?)", over, select="record", order_by="opened_at DESC")
    return [_incident(row["record"]) for row in rows]


def unacknowledged(db: Database) -> list[Incident]:
    """Return the incidents nobody has answered, the oldest first."""
    rows = db.table("incidents").rows_where(
        "state = ?", [IncidentState.OPEN.value], select="record", order_by="opened_at"
    )
    return [_incident(row["record"]) for row in rows]


def calls_for_help(db: Database, seat: str | None = None) -> list[Incident]:
    """Return what operators called for and nobody has closed, of one seat or of all, the newest first."""
    over = sorted(FINISHED)
    rows = db.table("incidents").rows_where(
        "kind = ? AND state NOT IN (?, ?, ?)",
        [AlertKind.HELP.value, *over],
        select="record, seat",
        order_by="opened_at DESC",
    )
    return [_incident(row["record"]) for row in rows if seat in {None, row["seat"]}]


def recent(db: Database, limit: int) -> list[Incident]:
    """Return the newest `limit` incidents."""
    rows = db.table("incidents").rows_where(select="record", order_by="opened_at DESC", limit=limit)
    return [_incident(row["record"]) for row in rows]


def _incident(record: str) -> Incident:
    return msgspec.json.decode(record, type=Incident)
