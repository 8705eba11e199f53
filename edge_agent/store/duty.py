"""Who is on duty, and the timers of the ladder."""

from __future__ import annotations

import json
from datetime import datetime

from edge_agent.domain.duty import OnCall, parse_shift
from edge_agent.domain.escalation import Asked, Cause, Timer
from edge_agent.errors import Text
from edge_agent.store.database import Database


def put(db: Database, person: OnCall) -> None:
    """Keep someone, in place of an earlier version."""
    row = {
        "name": person.name,
        "display_name": person.display_name,
        "level": person.level,
        "rank": person.rank,
        "shifts": json.dumps([str(shift) for shift in person.shifts]),
        "absent": int(person.absent),
    }
    db.put("duty", row, key=("name",))


def forget(db: Database, name: str) -> None:
    """Take someone out of the roster."""
    db.table("duty").delete_where("name = ?", [name])


def everyone(db: Database) -> tuple[OnCall, ...]:
    """Return all by level, then in the order they are asked."""
    return tuple(
        OnCall(
            name=row["name"],
            display_name=row["display_name"],
            level=row["level"],
            rank=row["rank"],
            shifts=tuple(shift for text in json.loads(row["shifts"]) if (shift := parse_shift(text))),
            absent=bool(row["absent"]),
        )
        for row in db.table("duty").rows_where(order_by="level, rank, name")
    )


def put_step(db: Database, incident_id: str, step: Timer) -> None:
    """Keep a step of an incident's ladder, in place of an earlier version."""
    asked = step.asked
    row = {
        "incident_id": incident_id,
        "position": step.position,
        "level": step.level,
        "role_ja": step.role.ja,
        "role_en": step.role.en,
        "after_red_s": step.after_red_s,
        "after_amber_s": step.after_amber_s,
        "asked_at": asked.at.isoformat() if asked else None,
        "cause": asked.cause.value if asked else None,
        "people": json.dumps(asked.people if asked else (), ensure_ascii=False),
        "skipped": int(asked.skipped) if asked else 0,
        "times": asked.times if asked else 0,
    }
    db.put("escalation", row, key=("incident_id", "position"))


def steps(db: Database, incident_id: str) -> list[Timer]:
    """Return the steps of an incident's ladder, the first first; none before it was planned."""
    return [
        Timer(
            position=row["position"],
            level=row["level"],
            role=Text(row["role_ja"], row["role_en"]),
            after_red_s=row["after_red_s"],
            after_amber_s=row["after_amber_s"],
            asked=Asked(
                at=datetime.fromisoformat(row["asked_at"]),
                cause=Cause(row["cause"]),
                people=tuple(json.loads(row["people"])),
                skipped=bool(row["skipped"]),
                times=row["times"],
            )
            if row["asked_at"]
            else None,
        )
        for row in db.table("escalation").rows_where("incident_id = ?", [incident_id], order_by="position")
    ]
