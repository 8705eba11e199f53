"""Going up the ladder: each step is one transaction with its message and its audit entry."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, tzinfo
from typing import Any

from edge_agent.domain.duty import Roster
from edge_agent.domain.escalation import Due, Timer, due_steps
from edge_agent.domain.incident import Incident
from edge_agent.domain.policy import Policy
from edge_agent.domain.roles import sees_seat
from edge_agent.services import topics
from edge_agent.services.incidents import MACHINE, owner_of
from edge_agent.services.wire import SCHEMA
from edge_agent.settings import Box
from edge_agent.store import audit, duty, incidents, outbox, people
from edge_agent.store.database import Database, writing


def escalate(
    db: Database,
    *,
    policy: Policy,
    box: Box,
    now: datetime,
    seat_groups: Mapping[str, str] | None = None,
    zone: tzinfo | None = None,
    owner: str = outbox.AGENT,
) -> int:
    """Ask whoever is due for the incidents nobody has acknowledged; return how many steps were asked or skipped.

    The ladder of an incident is that of the policy in force when it is first seen here; later policies do not change
    it. Whoever has groups is asked about the seats of these groups alone. Shifts are read in `zone` (None: the box's
    own). Each process goes up the ladder for what it sends: `owner`.

    Raises:
        StoreError: if it cannot be read or written; what was asked before stays asked.
    """
    everyone = duty.everyone(db)
    groups = {person.name: person.groups for person in people.everyone(db)}
    done = 0
    for seen in incidents.unacknowledged(db):
        if owner_of(seen.alert.kind) != owner:
            continue
        group = (seat_groups or {}).get(seen.alert.seat, "")
        roster = Roster(
            people=tuple(p if sees_seat(groups.get(p.name, ()), group) else replace(p, absent=True) for p in everyone),
            at=now.astimezone(zone),
        )
        steps = duty.steps(db, seen.incident_id)
        if steps and not due_steps(seen, steps, roster, reminder_s=policy.reminder_s, now=now):
            continue
        with writing(db):
            # Read again under the lock: somebody may have acknowledged it just now.
            incident = incidents.find(db, seen.incident_id)
            if incident is None:
                continue
            if not steps:
                steps = _plan(db, incident, policy)
            for due in due_steps(incident, steps, roster, reminder_s=policy.reminder_s, now=now):
                _ask(db, incident, due, steps=len(steps), roster=roster, box=box, now=now)
                done += 1
    return done


def _plan(db: Database, incident: Incident, policy: Policy) -> list[Timer]:
    steps = [
        Timer(
            position=position,
            level=step.level,
            role=step.role,
            after_red_s=step.after_red_s,
            after_amber_s=step.after_amber_s,
        )
        for position, step in enumerate(policy.ladder, start=1)
    ]
    for step in steps:
        duty.put_step(db, incident.incident_id, step)
    return steps


def _ask(db: Database, incident: Incident, due: Due, *, steps: int, roster: Roster, box: Box, now: datetime) -> None:
    asked = due.asked(at=now)
    step = due.step.with_asked(asked)
    duty.put_step(db, incident.incident_id, step)
    if not due.skipped:
        names = {person.name: person.display_name for person in roster.people}
        message = step_message(incident, step, names=names, steps=steps, now=now)
        topic = topics.escalation(box, incident.incident_id)
        payload = json.dumps(message, ensure_ascii=False)
        outbox.put(db, topic=topic, payload=payload, now=now, owner=owner_of(incident.alert.kind))
    audit.append(
        db,
        at=now,
        actor=MACHINE,
        action="escalation.skipped" if due.skipped else "escalation.asked",
        subject=incident.incident_id,
        detail={
            "step": str(step.position),
            "level": step.level,
            "cause": due.cause.value,
            "people": ",".join(due.people),
            "times": str(asked.times),
        },
    )


def step_message(
    incident: Incident, step: Timer, *, names: Mapping[str, str], steps: int, now: datetime
) -> dict[str, Any]:
    """Return what panels are told of a step that was asked; `names`: how people call those who are asked."""
    alert, asked = incident.alert, step.asked
    return {
        "schema": SCHEMA,
        "alert_id": alert.alert_id,
        "seat": alert.seat,
        "kind": alert.kind.value,
        "severity": alert.severity.name,
        "opened_at": incident.opened_at.isoformat(),
        "step": step.position,
        "steps": steps,
        "level": step.level,
        "role": {"ja": step.role.ja, "en": step.role.en},
        "asked": [names.get(name, name) for name in asked.people] if asked else [],
        "cause": asked.cause.value if asked else "",
        "times": asked.times if asked else 0,
        "at": now.isoformat(),
    }
