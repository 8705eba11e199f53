"""Incidents with their alerts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from edge_agent.decoders import json_reader
from edge_agent.domain.alert import AlertKind
from edge_agent.domain.false_alarm import Cause
from edge_agent.domain.incident import FINISHED, Incident, IncidentState
from edge_agent.store.database import Database

_read = json_reader(Incident)


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
            "ruled_out": incident.ruled_out.value if incident.ruled_out else None,
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """How many suspicions there were, how many of them were reviewed, and how many were ruled out for which cause."""

    suspicions: int
    reviewed: int
    ruled_out: Mapping[Cause, int]


def outcomes(db: Database) -> Outcomes:
    """Count what became of all suspicions that are kept; calls for help are none."""
    rows = db.query(
        "SELECT state, ruled_out, COUNT(*) AS count FROM incidents WHERE kind != ? GROUP BY state, ruled_out",
        [AlertKind.HELP.value],
    )
    suspicions = reviewed = 0
    causes: Counter[Cause] = Counter()
    for row in rows:
        suspicions += row["count"]
        reviewed += row["count"] if row["state"] == IncidentState.REVIEWED else 0
        if row["ruled_out"]:
            causes[Cause(row["ruled_out"])] += row["count"]
    return Outcomes(suspicions=suspicions, reviewed=reviewed, ruled_out=causes)


def _incident(record: str) -> Incident:
    return _read(record)
